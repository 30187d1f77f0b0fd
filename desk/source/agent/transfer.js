/**
 * <tandem-transfer>: whom a call is handed to, and whether the agent talks to them first.
 */

import { html, nothing, Part } from '../house/part.js';
import { named, t } from '../house/words.js';
import '../parts/dialog.js';
import { icon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { empty, explained, failed, loading } from '../parts/states.js';
import { asNumber, directory, found, rememberNumber } from './directory.js';
import { shift } from './shift.js';

/** Lines that are put onto the page; whoever wants others types more. */
const MOST = 60;
const KINDS = /** @type {const} */ (['', 'worker', 'queue', 'number']);
const IMAGES = /** @type {const} */ ({ worker: 'person', queue: 'team', number: 'accept' });

export class TandemTransfer extends Part {
  static properties = {
    open: { attribute: false },
    conversation: { attribute: false },
    contacts: { state: true },
    error: { state: true },
    text: { state: true },
    kind: { state: true },
  };

  constructor() {
    super();
    this.open = false;
    /** @type {import('./call.js').Conversation | null} */
    this.conversation = null;
    /** @type {import('./directory.js').Contact[] | null} */
    this.contacts = null;
    /** @type {unknown} */
    this.error = null;
    this.text = '';
    /** @type {import('./directory.js').Contact['kind'] | ''} */
    this.kind = '';
    /** @type {AbortController | null} */
    this.loading = null;
    this.watch(shift.connection);
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('open')) return;
    this.loading?.abort();
    if (!this.open) return;
    this.text = '';
    this.#load();
  }

  async #load() {
    const loading = new AbortController();
    this.loading = loading;
    this.contacts = null;
    this.error = null;
    try {
      this.contacts = await directory(loading.signal);
    } catch (error) {
      if (!loading.signal.aborted) this.error = error;
    }
  }

  #close() {
    this.tell('closed');
  }

  /**
   * @param {import('./directory.js').Contact} contact
   * @param {'WARM' | 'COLD'} mode
   */
  async #transfer(contact, mode) {
    const conversation = this.conversation;
    this.#close();
    if (contact.kind === 'number') {
      const isCalled = await conversation?.call(contact.to, mode);
      if (isCalled) rememberNumber(contact.to);
    } else await conversation?.transfer(contact.to, mode);
  }

  /** @param {import('./directory.js').Contact} contact */
  #contact(contact) {
    const { kind, name, available, activity } = contact;
    const isOff = !shift.isReady || (kind === 'worker' && !available);
    return html`<li class="contact">
      ${icon(IMAGES[kind])}
      <span class="contact-name">
        ${name}
        ${kind === 'worker'
          ? pill(named('activity', activity ?? ''), available ? 'good' : 'calm')
          : nothing}
      </span>
      <button
        type="button"
        class="small"
        ?disabled=${isOff}
        aria-label=${t('transfer.warm_to', { name })}
        @click=${() => this.#transfer(contact, 'WARM')}
      >
        ${t('transfer.warm')}
      </button>
      <button
        type="button"
        class="small"
        ?disabled=${isOff}
        aria-label=${t('transfer.cold_to', { name })}
        @click=${() => this.#transfer(contact, 'COLD')}
      >
        ${t('transfer.cold')}
      </button>
    </li>`;
  }

  #list() {
    if (this.error) return failed(this.error, () => this.#load());
    if (!this.contacts) return loading();
    const number = asNumber(this.text);
    /** @type {import('./directory.js').Contact[]} */
    const typed = number ? [{ kind: 'number', to: number, name: number }] : [];
    const list = [...typed, ...found(this.contacts, number ?? this.text, this.kind)];
    const unique = list.filter((each, place) => list.findIndex(({ to }) => to === each.to) === place);
    if (!unique.length) return empty(t('transfer.none'), { hint: t('transfer.number_hint') });
    return html`<ul class="contacts">
      ${unique.slice(0, MOST).map((contact) => this.#contact(contact))}
    </ul>`;
  }

  #content() {
    return html`
      <div class="row" role="group" aria-label=${t('transfer.kinds')}>
        ${KINDS.map(
          (kind) => html`<button
            type="button"
            class="small"
            aria-pressed=${String(this.kind === kind)}
            @click=${() => (this.kind = kind)}
          >
            ${t(`transfer.kind.${kind || 'all'}`)}
          </button>`,
        )}
      </div>
      <label class="search">
        <span class="heard-only">${t('transfer.search')}</span>${icon('search')}
        <input
          type="search"
          autofocus
          autocomplete="off"
          placeholder=${t('transfer.search')}
          .value=${this.text}
          @input=${(/** @type {Event} */ event) =>
            (this.text = /** @type {HTMLInputElement} */ (event.target).value)}
        />
      </label>
      <p class="faint">${t('transfer.hint')}</p>
      ${this.#list()}
      ${this.conversation?.error.value
        ? html`<p class="message" data-tone="bad">${explained(this.conversation.error.value)}</p>`
        : nothing}
    `;
  }

  render() {
    return html`<tandem-dialog
      .heading=${t('transfer.title')}
      .open=${this.open}
      .content=${this.open ? this.#content() : nothing}
      @closed=${this.#close}
    ></tandem-dialog>`;
  }
}

customElements.define('tandem-transfer', TandemTransfer);
