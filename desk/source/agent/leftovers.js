/**
 * <tandem-leftovers>: notes of Tasks that the agent no longer has and that the server does not have
 * yet: the connection was lost, the window closed, or the Task ended in the middle of a word.
 */

import { html, nothing, Part } from '../house/part.js';
import { named, t } from '../house/words.js';
import { icon } from '../parts/icons.js';
import { explained } from '../parts/states.js';
import { allDrafts, saved, underway } from './desk.js';
import { write } from './notes.js';
import { shift } from './shift.js';

export class TandemLeftovers extends Part {
  static properties = { busy: { state: true }, error: { state: true } };

  constructor() {
    super();
    this.busy = '';
    /** @type {unknown} */
    this.error = null;
    this.watch(shift.changed, shift.connection, saved);
  }

  /** @param {string} task @param {import('./drafts.js').Draft} draft */
  async #save(task, draft) {
    this.busy = task;
    this.error = null;
    try {
      await write(task, draft);
      this.#forget(task);
    } catch (error) {
      this.error = error;
    }
    this.busy = '';
  }

  /** @param {string} task */
  #forget(task) {
    allDrafts().forget(task);
    saved.value += 1;
  }

  render() {
    const left = allDrafts().left([
      ...shift.reservations.map(({ task }) => task.sid),
      ...underway,
    ]);
    if (!left.length || !shift.isReady) return nothing;
    return html`<section class="card" aria-labelledby="leftovers-title">
      <h2 id="leftovers-title">${t('left.title')}</h2>
      <ul class="stack">
        ${left.map(
          ([task, draft]) => html`<li class="stack leftover">
            <p><b>${draft.about}</b> ${draft.disposition ? named('disposition', draft.disposition) : nothing}</p>
            <p class="quoted">${draft.notes}</p>
            <div class="row">
              <button
                type="button"
                class="small"
                ?disabled=${this.busy === task}
                @click=${() => this.#save(task, draft)}
              >
                ${icon('note')}${t('left.save')}
              </button>
              <button type="button" class="small" @click=${() => this.#forget(task)}>
                ${t('left.discard')}
              </button>
            </div>
          </li>`,
        )}
      </ul>
      ${this.error
        ? html`<p class="message" data-tone="bad" role="alert">${explained(this.error)}</p>`
        : nothing}
    </section>`;
  }
}

customElements.define('tandem-leftovers', TandemLeftovers);
