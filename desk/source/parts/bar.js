/**
 * <tandem-bar>: the top of every page: where one is, the connection, language, theme, and who is
 * signed in.
 *
 *     html`<tandem-bar .page=${'desk'} .connection=${feed.state}></tandem-bar>`
 *
 * `connection` is a signal of 'connecting' | 'connected' | 'lost' | 'refused', or null where the
 * page has none. What else belongs to the page's top goes into `content`.
 */

import { html, nothing, Part } from '../house/part.js';
import { session, signOut } from '../house/session.js';
import { chooseTheme, theme, THEMES } from '../house/theme.js';
import { choose, language, LANGUAGES, t } from '../house/words.js';
import { icon } from './icons.js';
import { pill } from './pill.js';
import './shortcuts.js';

/** @typedef {import('../house/signal.js').Signal<string> | null} Connection */
/** @type {Record<string, import('../house/types.js').Tone>} */
const TONES = { connecting: 'calm', connected: 'good', lost: 'bad', refused: 'bad' };
/** Who may see which page. */
const PAGES = /** @type {const} */ ([
  { name: 'home', path: '/', word: 'bar.home', roles: ['agent', 'supervisor', 'admin'] },
  { name: 'desk', path: '/desk', word: 'bar.desk', roles: ['agent', 'supervisor', 'admin'] },
  { name: 'wall', path: '/wall', word: 'bar.wall', roles: ['supervisor', 'admin'] },
]);

export class TandemBar extends Part {
  static properties = {
    page: { attribute: false },
    connection: { attribute: false },
    content: { attribute: false },
  };

  constructor() {
    super();
    this.page = '';
    /** @type {Connection} */
    this.connection = null;
    /** @type {unknown} */
    this.content = nothing;
    this.watch(session, theme);
    /** @type {() => void} */
    this.forget = () => {};
  }

  connectedCallback() {
    super.connectedCallback();
    this.forget = this.connection?.listen(() => this.requestUpdate()) ?? (() => {});
    document.addEventListener('click', this.#closeMenu);
    document.addEventListener('keydown', this.#closeMenu);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.forget();
    document.removeEventListener('click', this.#closeMenu);
    document.removeEventListener('keydown', this.#closeMenu);
  }

  /** The menu closes when something else is clicked, and on Escape. @param {Event} event */
  #closeMenu = (event) => {
    const menu = /** @type {HTMLDetailsElement | null} */ (this.querySelector('details.menu'));
    if (!menu?.open) return;
    if (event instanceof KeyboardEvent) {
      if (event.key !== 'Escape') return;
      menu.querySelector('summary')?.focus();
    } else if (menu.contains(/** @type {Node} */ (event.target))) return;
    menu.open = false;
  };

  async #signOut() {
    await signOut();
    location.assign('/sign-in');
  }

  #links() {
    const role = session.value?.user?.role;
    const shown = PAGES.filter(({ roles }) => role && /** @type {readonly string[]} */ (roles).includes(role));
    return html`<nav aria-label=${t('bar.pages')}>
      ${shown.map(
        ({ name, path, word }) => html`<a
          href=${path}
          aria-current=${name === this.page ? 'page' : nothing}
          >${t(word)}</a
        >`,
      )}
    </nav>`;
  }

  #state() {
    const state = this.connection?.value;
    if (!state) return nothing;
    const word = /** @type {import('../house/words.js').Word} */ (`connection.${state}`);
    return html`<span class="connection" role="status">${pill(t(word), TONES[state])}</span>`;
  }

  #menu() {
    const user = session.value?.user;
    return html`<details class="menu">
      <summary>
        ${icon('person')}
        ${user ? html`<span class="who">${user.display_name}</span>` : nothing}
        <span class=${user ? 'heard-only' : ''}>${t('bar.menu')}</span>
        ${icon('chevron')}
      </summary>
      <div class="sheet">
        <label>
          ${t('bar.language')}
          <select
            .value=${language.value}
            @change=${(/** @type {Event} */ event) =>
              choose(/** @type {any} */ (event.target).value)}
          >
            ${LANGUAGES.map(
              (each) => html`<option value=${each} ?selected=${each === language.value}>
                ${each === 'en' ? 'English' : '日本語'}
              </option>`,
            )}
          </select>
        </label>
        <label>
          ${t('bar.theme')}
          <select
            .value=${theme.value}
            @change=${(/** @type {Event} */ event) =>
              chooseTheme(/** @type {any} */ (event.target).value)}
          >
            ${THEMES.map(
              (each) => html`<option value=${each} ?selected=${each === theme.value}>
                ${t(`theme.${each}`)}
              </option>`,
            )}
          </select>
        </label>
        <button type="button" @click=${this.#shortcuts}>${icon('keyboard')}${t('keys.title')}</button>
        ${user
          ? html`<button type="button" @click=${this.#signOut}>${t('bar.sign_out')}</button>`
          : this.page === 'sign-in'
            ? nothing
            : html`<a class="button" href="/sign-in">${t('bar.sign_in')}</a>`}
      </div>
    </details>`;
  }

  #shortcuts() {
    const menu = /** @type {HTMLDetailsElement | null} */ (this.querySelector('details.menu'));
    if (menu) menu.open = false;
    /** @type {import('./shortcuts.js').TandemShortcuts | null} */ (
      this.querySelector('tandem-shortcuts')
    )?.show();
  }

  render() {
    return html`<header class="bar">
      <a class="name" href="/">
        <img src="/assets/icon.svg" alt="" width="28" height="28" />Tandem
      </a>
      ${this.#links()}
      <div class="middle">${this.content}</div>
      ${this.#state()} ${this.#menu()}
    </header>
      <tandem-shortcuts></tandem-shortcuts>`;
  }
}

customElements.define('tandem-bar', TandemBar);
