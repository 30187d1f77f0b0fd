/**
 * <tandem-phone>: the telephone in the browser, and how it tells the agent of offers.
 */

import { html, nothing, Part } from '../house/part.js';
import { t } from '../house/words.js';
import { icon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { explained } from '../parts/states.js';
import { askPermission, permission } from './notice.js';
import { answerByItself, answerPhone, hangUpPhone, phone, reopenPhone } from './phone.js';
import { isBlocked, isOn, switchSound } from './ring.js';
import { shift } from './shift.js';

/** @type {Record<string, import('../house/types.js').Tone>} */
const TONES = { ready: 'good', talking: 'good', ringing: 'busy', failed: 'bad' };

export class TandemPhone extends Part {
  static properties = { error: { state: true } };

  constructor() {
    super();
    /** @type {unknown} */
    this.error = null;
    this.watch(phone.state, phone.problem, phone.isAutomatic, phone.heard);
    this.watch(isOn, isBlocked, permission, shift.changed);
  }

  /** @param {() => Promise<void> | undefined} act */
  async #do(act) {
    this.error = null;
    try {
      await act();
    } catch (error) {
      this.error = error;
    }
  }

  get #contact() {
    const contact = shift.worker?.attributes?.contact_uri;
    return typeof contact === 'string' ? contact : '';
  }

  #buttons() {
    const state = phone.state.value;
    return html`<div class="row">
      ${state === 'ringing'
        ? html`<button type="button" class="go" @click=${() => this.#do(answerPhone)}>
            ${icon('accept')}${t('phone.answer')}
          </button>`
        : nothing}
      ${state === 'ringing'
        ? html`<button type="button" @click=${() => this.#do(hangUpPhone)}>
            ${icon('hang_up')}${t('phone.refuse')}
          </button>`
        : nothing}
      ${state === 'failed'
        ? html`<button type="button" @click=${() => reopenPhone(this.#contact)}>
            ${t('state.again')}
          </button>`
        : nothing}
    </div>`;
  }

  #softphone() {
    const problem = this.error ?? phone.problem.value;
    return html`
      ${phone.heard.value ? html`<p class="heard faint">„${phone.heard.value}“</p>` : nothing}
      ${problem
        ? html`<p class="message" data-tone="bad" role="alert">${explained(problem)}</p>`
        : nothing}
      ${this.#buttons()}
      <label class="check">
        <input
          type="checkbox"
          role="switch"
          .checked=${phone.isAutomatic.value}
          @change=${(/** @type {Event} */ event) =>
            this.#do(() =>
              answerByItself(/** @type {HTMLInputElement} */ (event.target).checked),
            )}
        />
        ${t('phone.automatic')}
      </label>
    `;
  }

  #elsewhere() {
    return html`<p class="row">
      ${icon('accept')}
      <span>${this.#contact ? t('phone.at', { contact: this.#contact }) : t('phone.nowhere')}</span>
    </p>`;
  }

  render() {
    const state = phone.state.value;
    return html`<section class="card" aria-labelledby="phone-title">
      <header>
        <h2 id="phone-title">${t('phone.title')}</h2>
        <span role="status">
          ${state === 'none' ? nothing : pill(t(`phone.${state}`), TONES[state] ?? 'calm')}
        </span>
      </header>
      <div class="stack">
        ${state === 'none' ? this.#elsewhere() : this.#softphone()}
        <label class="check">
          <input
            type="checkbox"
            role="switch"
            .checked=${isOn.value}
            @change=${(/** @type {Event} */ event) =>
              switchSound(/** @type {HTMLInputElement} */ (event.target).checked)}
          />
          ${t('phone.sound')}
        </label>
        ${isOn.value && isBlocked.value
          ? html`<p class="faint">${t('phone.sound_blocked')}</p>`
          : nothing}
        ${permission.value === 'default'
          ? html`<button type="button" class="small" @click=${askPermission}>
              ${icon('bell')}${t('phone.notify')}
            </button>`
          : nothing}
        ${permission.value === 'denied'
          ? html`<p class="faint">${t('phone.notify_denied')}</p>`
          : nothing}
      </div>
    </section>`;
  }
}

customElements.define('tandem-phone', TandemPhone);
