/**
 * <tandem-history>: the agent's own day: totals, and each Task and offer with its times.
 */

import { duration, isoDuration, now, timeOfDay, today } from '../house/clock.js';
import { html, nothing, Part } from '../house/part.js';
import { all, workspace } from '../house/rest.js';
import { language, named, t } from '../house/words.js';
import { channelIcon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { empty, failed, loading } from '../parts/states.js';
import { subject, notedOf } from './attributes.js';
import { entries, times, totals } from './day.js';
import { shift } from './shift.js';

const TOGETHER_MS = 400;
const MOST_EVENTS = 5000;
/** Lines that are shown at first, and how many more each time. */
const STEP = 12;
/** @type {Record<string, import('../house/types.js').Tone>} */
const TONES = { timeout: 'bad', rejected: 'busy', canceled: 'busy', completed: 'good', accepted: 'good' };

export class TandemHistory extends Part {
  static properties = {
    list: { state: true },
    error: { state: true },
    shown: { state: true },
  };

  constructor() {
    super();
    /** @type {import('./day.js').Entry[] | null} */
    this.list = null;
    /** @type {unknown} */
    this.error = null;
    this.shown = STEP;
    this.watch(shift.connection);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    super.connectedCallback();
    this.stop = shift.changed.listen(() => this.#soon());
    this.#soon();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.stop?.();
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#load(), TOGETHER_MS);
  }

  async #load() {
    const worker = shift.worker?.sid;
    if (!worker) return;
    try {
      const since = today().toISOString().replace(/\.\d+Z$/, 'Z');
      const events = await all(
        `${workspace()}/Events`,
        { WorkerSid: worker, StartDate: since },
        { most: MOST_EVENTS },
      );
      this.list = entries(events);
      this.error = null;
    } catch (error) {
      this.error = error;
    }
  }

  /** @param {import('./day.js').Entry[]} list */
  #totals(list) {
    const { taken, missed, declined, talk, wrapUp } = totals(list, now());
    const average = taken ? (talk + wrapUp) / taken : 0;
    return html`<dl class="totals">
      <div><dt>${t('day.taken')}</dt><dd>${taken}</dd></div>
      <div><dt>${t('day.missed')}</dt><dd>${missed}</dd></div>
      <div><dt>${t('day.declined')}</dt><dd>${declined}</dd></div>
      <div><dt>${t('day.average')}</dt><dd>${duration(average)}</dd></div>
    </dl>`;
  }

  /** @param {import('./day.js').Entry} entry */
  #entry(entry) {
    const { talk } = times(entry, now());
    const { disposition } = notedOf(entry.attributes);
    return html`<li class="line">
      ${channelIcon(entry.channel)}
      <span class="line-name">
        ${subject(entry.attributes) ?? t('task.unknown')}
        <small class="faint">
          <time datetime=${new Date(entry.offeredAt).toISOString()}
            >${timeOfDay(entry.offeredAt, language.value)}</time
          >
          ${talk === null
            ? nothing
            : html`· <time datetime=${isoDuration(talk)}>${duration(talk)}</time>`}
          ${disposition ? html`· ${named('disposition', disposition)}` : nothing}
        </small>
      </span>
      ${pill(named('day.state', entry.state), TONES[entry.state] ?? 'calm')}
    </li>`;
  }

  #content() {
    const list = this.list;
    if (!list) return this.error ? failed(this.error, () => this.#load()) : loading();
    if (!list.length) return empty(t('day.none'));
    return html`
      ${this.#totals(list)}
      <ul class="lines">${list.slice(0, this.shown).map((entry) => this.#entry(entry))}</ul>
      ${list.length > this.shown
        ? html`<button type="button" class="small wide" @click=${() => (this.shown += STEP)}>
            ${t('day.more')}
          </button>`
        : nothing}
    `;
  }

  render() {
    return html`<section class="card" aria-labelledby="day-title">
      <h2 id="day-title">${t('day.title')}</h2>
      ${this.#content()}
    </section>`;
  }
}

customElements.define('tandem-history', TandemHistory);
