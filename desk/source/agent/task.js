/**
 * <tandem-task>: one Task that the agent has: what it is about, its conversation or its link, and
 * its notes.
 */

import { duration, isoDuration, since } from '../house/clock.js';
import { html, nothing, Part } from '../house/part.js';
import { tick } from '../house/tick.js';
import { named, t } from '../house/words.js';
import { channelIcon, icon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { explained } from '../parts/states.js';
import { address, facts, subject, workLink } from './attributes.js';
import './controls.js';
import { shift } from './shift.js';
import './wrap-up.js';

export class TandemTask extends Part {
  static properties = {
    reservation: { attribute: false },
    error: { state: true },
  };

  constructor() {
    super();
    /** @type {import('./shift.js').Reservation | null} */
    this.reservation = null;
    /** @type {unknown} */
    this.error = null;
    this.watch(shift.changed, shift.connection, tick);
  }

  get #isVoice() {
    return this.reservation?.task.taskChannelUniqueName === 'voice';
  }

  /** @type {import('./controls.js').TandemCall | null} */
  get call() {
    return this.querySelector('tandem-call');
  }

  /** @type {import('./wrap-up.js').TandemNotes | null} */
  get notes() {
    return this.querySelector('tandem-notes');
  }

  async #wrapUp() {
    this.error = null;
    try {
      await this.reservation?.wrap();
    } catch (error) {
      this.error = error;
    }
  }

  #head() {
    const { task, status, dateUpdated } = /** @type {any} */ (this.reservation);
    const spent = since(dateUpdated);
    const isWrapping = status === 'wrapping';
    const beside = address(task.attributes);
    return html`<header>
      <div class="task-title">
        <p class="row">
          ${pill(named('channel', task.taskChannelUniqueName), 'good')}
          ${pill(isWrapping ? t('task.wrapping') : t('task.assigned'), isWrapping ? 'busy' : 'good')}
          <span class="faint">${task.queueName}</span>
        </p>
        <h2>${subject(task.attributes) ?? t('task.unknown')}</h2>
        ${beside ? html`<p class="faint">${beside}</p>` : nothing}
      </div>
      <p class="timer">
        <span class="faint">${isWrapping ? t('task.after_work') : t('task.with_you')}</span>
        <time datetime=${isoDuration(spent)}>${duration(spent)}</time>
      </p>
    </header>`;
  }

  #work() {
    const { task, status } = /** @type {any} */ (this.reservation);
    if (this.#isVoice && status === 'accepted') {
      return html`<tandem-call .reservation=${this.reservation}></tandem-call>`;
    }
    const link = workLink(task.attributes);
    return html`<div class="row">
      ${link
        ? html`<a class="button go" href=${link} target="_blank" rel="noopener noreferrer">
            ${icon('link')}${t('task.open_link')}
          </a>`
        : nothing}
      ${status === 'accepted'
        ? html`<button type="button" ?disabled=${!shift.isReady} @click=${this.#wrapUp}>
            ${icon('note')}${t('task.wrap_up')}
          </button>`
        : nothing}
    </div>`;
  }

  #facts() {
    const list = facts(/** @type {any} */ (this.reservation).task.attributes);
    if (!list.length) return nothing;
    return html`<details class="more" open>
      <summary>${t('task.attributes')}</summary>
      <dl class="facts">
        ${list.map(
          ({ key, name, text, link }) => html`<dt>${named('attribute', key, name)}</dt>
            <dd>
              ${link
                ? html`<a href=${link} target="_blank" rel="noopener noreferrer">${text}</a>`
                : text}
            </dd>`,
        )}
      </dl>
    </details>`;
  }

  render() {
    if (!this.reservation) return nothing;
    const { sid } = this.reservation;
    return html`<article class="card task" aria-label=${t('task.title')} data-reservation=${sid}>
      ${this.#head()} ${this.#work()}
      ${this.error
        ? html`<p class="message" data-tone="bad" role="alert">${explained(this.error)}</p>`
        : nothing}
      <div class="task-body">
        <tandem-notes .reservation=${this.reservation}></tandem-notes>
        ${this.#facts()}
      </div>
    </article>`;
  }
}

/** A Task in the list beside it. @param {any} reservation @param {boolean} isSelected @param {() => void} select */
export function taskTab(reservation, isSelected, select) {
  const { task, status } = reservation;
  const isWrapping = status === 'wrapping';
  return html`<li>
    <button
      type="button"
      class="task-tab"
      aria-current=${isSelected ? 'true' : nothing}
      @click=${select}
    >
      ${channelIcon(task.taskChannelUniqueName)}
      <span class="task-tab-name">${subject(task.attributes) ?? t('task.unknown')}</span>
      <span class="pill" data-tone=${isWrapping ? 'busy' : 'good'}>
        ${isWrapping ? t('task.wrapping') : named('channel', task.taskChannelUniqueName)}
      </span>
    </button>
  </li>`;
}

customElements.define('tandem-task', TandemTask);
