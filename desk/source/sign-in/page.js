/**
 * <tandem-sign-in>: name and password, the OpenID Connect provider, and, while the simulator stands
 * in on this machine, people to try it with.
 */

import { announce } from '../house/announce.js';
import { html, nothing, Part } from '../house/part.js';
import { firstPage, load, nextPage, session, signIn, signInAsDemo } from '../house/session.js';
import { named, t } from '../house/words.js';
import '../parts/bar.js';
import { icon } from '../parts/icons.js';
import { explained, failed } from '../parts/states.js';

const ERRORS = /** @type {const} */ (['unreachable', 'denied', 'failed', 'unknown']);

export class SignIn extends Part {
  static properties = {
    error: { state: true },
    isBusy: { state: true },
    isShown: { state: true },
    waitUntil: { state: true },
  };

  constructor() {
    super();
    this.error = openIdError();
    this.isBusy = false;
    this.isShown = false;
    /** Until when no attempt makes sense; milliseconds of this machine's clock, 0: not at all. */
    this.waitUntil = 0;
    this.watch(session);
  }

  connectedCallback() {
    super.connectedCallback();
    if (session.value?.user) this.#leave();
  }

  #leave() {
    const user = session.value?.user;
    if (user) location.replace(nextPage(location.search, firstPage(user)));
  }

  /** @param {() => Promise<void>} attempt */
  async #try(attempt) {
    this.isBusy = true;
    this.error = '';
    try {
      await attempt();
      this.#leave();
    } catch (error) {
      const { status, retryAfter } = /** @type {import('../house/session.js').Refused} */ (error);
      if (status === 429) this.#wait(retryAfter || 1);
      else this.#say(status === 401 ? t('sign_in.wrong') : explained(error));
      this.isBusy = false;
    }
  }

  /** @param {string} text */
  #say(text) {
    this.error = text;
    announce(text, 'assertive');
  }

  /** Counts down until it may be tried again. @param {number} seconds */
  #wait(seconds) {
    this.waitUntil = Date.now() + seconds * 1000;
    announce(t('sign_in.too_often', { count: seconds }), 'assertive');
    const timer = setInterval(() => {
      if (Date.now() < this.waitUntil) this.requestUpdate();
      else {
        clearInterval(timer);
        this.waitUntil = 0;
      }
    }, 250);
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    if (this.isBusy || this.waitUntil) return;
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const [name, password] = [String(form.get('name')).trim(), String(form.get('password'))];
    if (name && password) this.#try(() => signIn(name, password));
    else this.#say(t('sign_in.missing'));
  }

  #message() {
    const seconds = Math.ceil((this.waitUntil - Date.now()) / 1000);
    const text = seconds > 0 ? t('sign_in.too_often', { count: seconds }) : this.error;
    if (!text) return nothing;
    const tone = seconds > 0 ? 'busy' : 'bad';
    return html`<p class="message" data-tone=${tone}>${icon('warning')}<span>${text}</span></p>`;
  }

  #form() {
    return html`<form class="stack" @submit=${this.#submit} novalidate>
      ${this.#message()}
      <label>
        ${t('sign_in.name')}
        <input name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required />
      </label>
      <label>
        ${t('sign_in.password')}
        <input
          name="password"
          type=${this.isShown ? 'text' : 'password'}
          autocomplete="current-password"
          required
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          .checked=${this.isShown}
          @change=${() => (this.isShown = !this.isShown)}
        />
        ${t('sign_in.show')}
      </label>
      <button class="go wide" ?disabled=${this.isBusy || this.waitUntil > 0}>
        ${this.isBusy ? t('sign_in.busy') : t('sign_in.submit')}
      </button>
    </form>`;
  }

  #openId() {
    const provider = session.value?.open_id;
    if (!provider) return nothing;
    const next = nextPage(location.search, '');
    return html`
      <p class="or"><span>${t('sign_in.or')}</span></p>
      <a class="button wide" href=${`/desk/open-id${next ? `?next=${encodeURIComponent(next)}` : ''}`}>
        ${t('sign_in.open_id', { name: provider.name })}
      </a>
    `;
  }

  #demo() {
    const people = session.value?.demo_users ?? [];
    if (!people.length) return nothing;
    return html`<section class="card demo" aria-labelledby="demo-title">
      <h2 id="demo-title">${t('sign_in.demo')}</h2>
      <ul class="people">
        ${people.map(
          ({ name, display_name: shown, role }) => html`<li>
            <button
              type="button"
              class="person"
              ?disabled=${this.isBusy}
              @click=${() => this.#try(() => signInAsDemo(name))}
            >
              <span class="face" aria-hidden="true">${shown.slice(0, 1)}</span>
              <span><b>${shown}</b><small>${named('role', role)}</small></span>
            </button>
          </li>`,
        )}
      </ul>
      <p class="faint">${t('sign_in.demo_hint')}</p>
    </section>`;
  }

  render() {
    return html`
      <tandem-bar .page=${'sign-in'}></tandem-bar>
      <main class="sign-in">
        <div class="welcome">
          <h1>${t('sign_in.title')}</h1>
          <p class="faint">${t('sign_in.welcome')}</p>
        </div>
        ${session.value
          ? html`${this.#demo()}
              <section class="card" aria-label=${t('sign_in.title')}>
                ${this.#form()} ${this.#openId()}
              </section>`
          : html`<section class="card">
              ${failed({ status: 0 }, () => load().catch(() => this.requestUpdate()))}
            </section>`}
      </main>
    `;
  }
}

/** What the server says after a journey to the provider that failed; an address may say anything. */
function openIdError() {
  const code = new URLSearchParams(location.search).get('error');
  const known = ERRORS.find((each) => each === code);
  if (code === null) return '';
  return t(`sign_in.open_id.${known ?? 'failed'}`, {
    name: session.value?.open_id?.name ?? 'OpenID Connect',
  });
}
