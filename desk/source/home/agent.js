/**
 * <home-agent>: one of the demo's agents: available or not, offered a call, talking, after-work.
 * What the whole desk can do is at /desk; this is the least that a call needs.
 */

import { duration, isoDuration, now } from '../house/clock.js';
import { html, nothing, Part } from '../house/part.js';
import { tick } from '../house/tick.js';
import { named, t } from '../house/words.js';
import { icon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { explained } from '../parts/states.js';

/** @typedef {import('../agent/shift.js').Reservation} Reservation */

export class HomeAgent extends Part {
  static properties = {
    agent: { attribute: false },
    isBusy: { state: true },
    error: { state: true },
  };

  constructor() {
    super();
    /** Given before it is on the page. */
    this.agent = /** @type {import('./agents.js').Agent} */ (/** @type {unknown} */ (null));
    this.isBusy = false;
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    this.watch(tick, this.agent.shift.changed, this.agent.shift.connection);
    super.connectedCallback();
  }

  get #shift() {
    return this.agent.shift;
  }

  /** @param {() => Promise<unknown> | undefined} act */
  async #do(act) {
    this.isBusy = true;
    this.error = null;
    try {
      await act();
    } catch (error) {
      this.error = error;
    }
    this.isBusy = false;
  }

  /** @param {Event} event */
  #switch({ target }) {
    const wanted = /** @type {HTMLInputElement} */ (target).checked;
    const activities = [...(this.#shift.worker?.activities.values() ?? [])];
    const current = this.#shift.worker?.activity;
    const next = activities.find(({ available, name }) => available === wanted && (wanted || name === 'Offline'));
    if (next && next !== current) this.#do(() => next.setAsCurrent());
  }

  /** @param {Reservation} reservation */
  #offer(reservation) {
    const { task, timeout, dateCreated } = /** @type {any} */ (reservation);
    const left = Math.max(0, timeout - (now() - Number(dateCreated)) / 1000);
    return html`<div class="ringing stack" role="group" aria-label=${t('agent.offer')}>
      <p class="row apart">
        <strong>${t('agent.offer_from', { who: task.attributes.caller ?? task.attributes.from ?? '' })}</strong>
        <time datetime=${isoDuration(left)}>${t('agent.left', { count: Math.ceil(left) })}</time>
      </p>
      <div class="row">
        <button type="button" class="go" ?disabled=${this.isBusy} @click=${() => this.#do(() => reservation.accept())}>
          ${icon('accept')}${t('agent.accept')}
        </button>
        <button type="button" ?disabled=${this.isBusy} @click=${() => this.#do(() => reservation.reject())}>
          ${t('agent.decline')}
        </button>
      </div>
    </div>`;
  }

  /** @param {Reservation} reservation */
  #task(reservation) {
    const isOver = reservation.status === 'wrapping';
    const { task } = reservation;
    const seconds = (now() - Number(task.dateUpdated ?? task.dateCreated)) / 1000;
    return html`<div class="stack">
      <p class="row apart">
        ${isOver ? pill(t('agent.wrapping'), 'busy') : pill(t('agent.talking'), 'good')}
        <time class="faint" datetime=${isoDuration(seconds)}>${duration(seconds)}</time>
      </p>
      ${isOver
        ? html`<button type="button" class="go" ?disabled=${this.isBusy} @click=${() => this.#do(() => task.complete('completed'))}>
            ${icon('answer')}${t('agent.complete')}
          </button>`
        : html`<button type="button" class="stop" ?disabled=${this.isBusy} @click=${() => this.#do(() => task.kick(this.agent.sid))}>
            ${icon('hang_up')}${t('agent.hang_up')}
          </button>`}
    </div>`;
  }

  #doing() {
    const { offers, tasks, isReady, worker } = this.#shift;
    if (!worker) return html`<p class="faint">${t('state.loading')}</p>`;
    const shown = [...offers.map((each) => this.#offer(each)), ...tasks.map((each) => this.#task(each))];
    if (shown.length) return shown;
    const waits = worker.activity?.available ? t('agent.waits') : t('agent.away');
    return html`<p class="faint">${isReady ? waits : t('connection.lost')}</p>`;
  }

  render() {
    const activity = this.#shift.worker?.activity;
    const isRinging = this.#shift.offers.length > 0;
    return html`<section class=${isRinging ? 'card agent stack rings' : 'card agent stack'} aria-label=${this.agent.name}>
      <header class="row apart">
        <h3 class="row">${icon('person')}${this.agent.name}</h3>
        <label class="check">
          <input
            type="checkbox" role="switch" .checked=${activity?.available ?? false}
            ?disabled=${!this.#shift.isReady || this.isBusy} @change=${this.#switch}
          />
          ${activity ? named('activity', activity.name) : nothing}
        </label>
      </header>
      ${this.#doing()}
      ${this.error
        ? html`<p class="message" data-tone="bad" role="alert">${icon('warning')}<span>${explained(this.error)}</span></p>`
        : nothing}
    </section>`;
  }
}

customElements.define('home-agent', HomeAgent);
