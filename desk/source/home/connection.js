/**
 * <home-connection>: with a real account: is Twilio reached, does it reach us, which numbers lead
 * here, and what to do next.
 */

import { html, nothing, Part } from '../house/part.js';
import { send, session } from '../house/session.js';
import { named, t } from '../house/words.js';
import { pill } from '../parts/pill.js';
import { failed, loading } from '../parts/states.js';

/**
 * @typedef {object} Check
 * @property {string} id
 * @property {'ok' | 'todo' | 'wrong' | 'unknown'} state
 * @property {Record<string, any>} facts
 */

/** @type {Record<Check['state'], import('../house/types.js').Tone>} */
const TONES = { ok: 'good', todo: 'busy', wrong: 'bad', unknown: 'calm' };

export class HomeConnection extends Part {
  static properties = { checks: { state: true }, error: { state: true } };

  constructor() {
    super();
    /** @type {Check[] | null} */
    this.checks = null;
    /** What to do first. @type {string | null} */
    this.next = null;
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    if (session.value?.user?.role === 'admin') this.#look();
  }

  async #look() {
    this.error = null;
    this.checks = null;
    try {
      const { checks, next } = await send('GET', '/desk/connection');
      this.next = next;
      this.checks = checks;
    } catch (error) {
      this.error = error;
    }
  }

  /** @param {Check} check */
  #check({ id, state, facts }) {
    const shown = Object.entries(facts).filter(([, value]) => value !== null && typeof value !== 'object');
    return html`<li class="check-row" aria-current=${id === this.next ? 'step' : nothing}>
      <p class="row apart"><strong>${named('connection.check', id)}</strong>${pill(named('connection.state', state), TONES[state])}</p>
      ${state === 'ok' ? nothing : html`<p>${named(`connection.next.${id}`, state)}</p>`}
      ${shown.length
        ? html`<dl class="facts">
            ${shown.map(([name, value]) => html`<dt>${named('connection.fact', name)}</dt><dd>${String(value)}</dd>`)}
          </dl>`
        : nothing}
    </li>`;
  }

  render() {
    if (session.value?.user?.role !== 'admin') {
      return html`<section class="card stack welcome"><h1>${t('home.welcome')}</h1><p>${t('home.signed_in')}</p></section>`;
    }
    if (this.error) return failed(this.error, () => this.#look());
    if (!this.checks) return loading();
    return html`<section class="card stack welcome" aria-labelledby="connection-title">
      <header class="row apart">
        <h1 id="connection-title">${t('connection.title')}</h1>
        <button type="button" class="small" @click=${this.#look}>${t('connection.again')}</button>
      </header>
      <ul class="stack">${this.checks.map((each) => this.#check(each))}</ul>
    </section>`;
  }
}

customElements.define('home-connection', HomeConnection);
