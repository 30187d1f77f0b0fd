/**
 * <tandem-notes>: disposition and notes of a Task, kept with every keystroke, and the button that
 * ends it.
 */

import { html, nothing, Part } from '../house/part.js';
import { named, t } from '../house/words.js';
import { icon } from '../parts/icons.js';
import { explained } from '../parts/states.js';
import { ownDispositions, subject } from './attributes.js';
import { notesOf } from './desk.js';
import { shift } from './shift.js';

const DISPOSITIONS = ['resolved', 'follow_up', 'handed_over', 'wrong_number', 'nobody', 'other'];
/** A Task's attributes have room for 4,096 characters in all. */
const LONGEST_NOTES = 2000;

export class TandemNotes extends Part {
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
    /** @type {import('./notes.js').Notes | null} */
    this.notes = null;
    /** @type {(() => void)[]} */
    this.ends = [];
    this.watch(shift.changed, shift.connection);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listen(null);
  }

  willUpdate() {
    const notes = this.reservation && notesOf(this.reservation);
    if (notes === this.notes) return;
    this.error = null;
    this.isBusy = false;
    this.#listen(notes);
  }

  /** @param {import('./notes.js').Notes | null} notes */
  #listen(notes) {
    for (const end of this.ends) end();
    this.notes = notes;
    this.ends = notes
      ? [notes.saving.listen(() => this.requestUpdate()), notes.error.listen(() => this.requestUpdate())]
      : [];
  }

  focusNotes() {
    this.querySelector('textarea')?.focus();
  }

  /** Ends the Task, once its notes are safe. */
  async complete() {
    const reservation = this.reservation;
    if (!reservation || this.isBusy || !shift.isReady) return;
    this.isBusy = true;
    this.error = null;
    try {
      await this.#finish(reservation.sid);
    } catch (error) {
      this.error = error;
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {string} sid */
  async #finish(sid) {
    const { notes } = this;
    if (notes && !(await notes.save())) throw notes.error.value;
    // The agent's own part: others may go on with the Task, as after a transfer.
    await shift.worker?.reservations.get(sid)?.complete();
  }

  #saving() {
    const saving = this.notes?.saving.value ?? 'saved';
    const isEmpty = !this.notes?.notes && !this.notes?.disposition;
    if (saving === 'saved' && isEmpty) return nothing;
    return html`<span class="faint" data-saving=${saving}>${t(`notes.${saving}`)}</span>`;
  }

  /** @param {Record<string, unknown>} attributes */
  #dispositions(attributes) {
    const own = ownDispositions(attributes);
    const current = this.notes?.disposition ?? '';
    const list = own ?? DISPOSITIONS;
    const all = current && !list.includes(current) ? [...list, current] : list;
    return html`<label>
      ${t('notes.disposition')}
      <select
        .value=${current}
        @change=${(/** @type {Event} */ event) => {
          this.notes?.type({ disposition: /** @type {HTMLSelectElement} */ (event.target).value });
          this.requestUpdate();
        }}
      >
        <option value="">${t('notes.choose')}</option>
        ${all.map(
          (each) => html`<option value=${each} ?selected=${each === current}>
            ${own ? each : named('disposition', each)}
          </option>`,
        )}
      </select>
    </label>`;
  }

  render() {
    const { reservation, notes } = this;
    if (!reservation || !notes) return nothing;
    const { task, status } = reservation;
    const isTalking = status === 'accepted' && task.taskChannelUniqueName === 'voice';
    return html`<section class="stack" aria-label=${t('notes.title')}>
      ${this.#dispositions(task.attributes)}
      <label>
        <span class="row apart">${t('notes.notes')} ${this.#saving()}</span>
        <textarea
          rows="4"
          maxlength=${LONGEST_NOTES}
          placeholder=${t('notes.placeholder', { who: subject(task.attributes) ?? '' })}
          .value=${notes.notes}
          @input=${(/** @type {Event} */ event) =>
            notes.type({ notes: /** @type {HTMLTextAreaElement} */ (event.target).value })}
        ></textarea>
      </label>
      ${this.error || notes.error.value
        ? html`<p class="message" data-tone="bad" role="alert">
            ${icon('warning')}<span>${explained(this.error ?? notes.error.value)}</span>
          </p>`
        : nothing}
      ${isTalking
        ? html`<p class="faint">${t('notes.talking')}</p>`
        : html`<button
            type="button"
            class="go"
            ?disabled=${this.isBusy || !shift.isReady}
            @click=${this.complete}
          >
            ${icon('answer')}${t('notes.complete')}<kbd aria-hidden="true">C</kbd>
          </button>`}
    </section>`;
  }
}

customElements.define('tandem-notes', TandemNotes);
