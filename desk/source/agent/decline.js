/**
 * <tandem-decline>: why an offer is declined, and what the agent does next.
 */

import { ask, workspace } from '../house/rest.js';
import { html, nothing, Part } from '../house/part.js';
import { named, t } from '../house/words.js';
import '../parts/dialog.js';
import { explained } from '../parts/states.js';
import { shift } from './shift.js';

const REASONS = ['busy', 'subject', 'language', 'technical', 'other'];

export class TandemDecline extends Part {
  static properties = {
    reservation: { attribute: false },
    isBusy: { state: true },
    error: { state: true },
  };

  constructor() {
    super();
    /** @type {import('./shift.js').Reservation | null} */
    this.reservation = null;
    this.isBusy = false;
    /** @type {unknown} */
    this.error = null;
    this.watch(shift.changed, shift.connection);
  }

  /** The offer that is asked about, as long as it goes on. */
  get #offer() {
    return shift.offers.find(({ sid }) => sid === this.reservation?.sid);
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const offer = this.#offer;
    if (!offer || this.isBusy) return;
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const reason = String(form.get('reason'));
    const note = String(form.get('note')).trim();
    this.isBusy = true;
    this.error = null;
    try {
      await ask('POST', `${workspace()}/Workers/${offer.workerSid}/Reservations/${offer.sid}`, {
        ReservationStatus: 'rejected',
        WorkerActivitySid: String(form.get('activity')) || undefined,
        Reason: note ? `${reason}: ${note}` : reason,
      });
      this.#close();
    } catch (error) {
      this.error = error;
    } finally {
      this.isBusy = false;
    }
  }

  #close() {
    this.reservation = null;
    this.tell('closed');
  }

  updated() {
    // It was taken away meanwhile: there is nothing left to decline.
    if (this.reservation && !this.#offer && !this.isBusy) this.#close();
  }

  #form() {
    const activities = [...(shift.worker?.activities.values() ?? [])];
    const others = activities.filter(({ available }) => !available);
    return html`<form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event)}>
      <fieldset class="choices">
        <legend>${t('decline.reason')}</legend>
        ${REASONS.map(
          (reason, place) => html`<label class="check">
            <input type="radio" name="reason" value=${reason} ?checked=${place === 0} />
            ${named('decline.reason', reason)}
          </label>`,
        )}
      </fieldset>
      <label>${t('decline.note')}<input name="note" maxlength="200" autocomplete="off" /></label>
      <label>
        ${t('decline.activity')}
        <select name="activity">
          <option value="">${t('decline.stay')}</option>
          ${others.map(
            ({ sid, name }) => html`<option value=${sid}>${named('activity', name)}</option>`,
          )}
        </select>
      </label>
      <p class="faint">${t('decline.hint')}</p>
      ${this.error
        ? html`<p class="message" data-tone="bad" role="alert">${explained(this.error)}</p>`
        : nothing}
      <div class="row">
        <button class="stop" ?disabled=${this.isBusy || !shift.isReady}>${t('decline.submit')}</button>
        <button type="button" @click=${() => this.#close()}>${t('dialog.cancel')}</button>
      </div>
    </form>`;
  }

  render() {
    return html`<tandem-dialog
      .heading=${t('decline.title')}
      .open=${Boolean(this.#offer)}
      .content=${this.#form()}
      @closed=${this.#close}
    ></tandem-dialog>`;
  }
}

customElements.define('tandem-decline', TandemDecline);
