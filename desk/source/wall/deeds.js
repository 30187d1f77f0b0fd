/**
 * <wall-history>: who did what today, the newest first.
 */

import { html, Part } from '../house/part.js';
import { timeOfDay } from '../house/clock.js';
import { language, named, t } from '../house/words.js';
import '../parts/table.js';
import { about } from './records.js';

/** @typedef {import('./history.js').Deed} Deed */
/** @typedef {import('./live.js').Live} Live */
/** @typedef {import('../house/words.js').Word} Word */

/** What each type of event says; others say their name. */
const TOLD = new Set([
  'task.canceled', 'worker.activity.update', 'worker.capacity.update', 'task-queue.entered',
  'reservation.accepted', 'reservation.rejected', 'reservation.canceled', 'reservation.completed',
  'reservation.wrapup', 'task.completed', 'task.wrapup',
]);
/** What is a part of something else that is told. */
const LEFT_OUT = new Set(['task-queue.moved', 'task.created', 'workflow.target-matched']);

export class WallHistory extends Part {
  static properties = { live: { attribute: false } };

  /** @type {() => void} */
  #forget = () => {};

  constructor() {
    super();
    /** @type {Live} */
    this.live = /** @type {any} */ (null);
  }

  connectedCallback() {
    super.connectedCallback();
    this.#forget = this.live.history.deeds.listen(() => this.requestUpdate());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#forget();
  }

  render() {
    const deeds = this.live.history.deeds.value.filter(({ type }) => !LEFT_OUT.has(type));
    const columns = [
      {
        name: 'at', title: t('wall.history.when'),
        value: (/** @type {Deed} */ deed) => new Date(deed.at).toISOString(),
        cell: (/** @type {Deed} */ deed) => html`<time datetime=${new Date(deed.at).toISOString()}
          >${timeOfDay(deed.at, language.value)}</time>`,
      },
      { name: 'who', title: t('wall.history.who'), value: (/** @type {Deed} */ { who }) => this.live.history.nameOf(who) },
      { name: 'what', title: t('wall.history.what'), value: what },
    ];
    return html`<tandem-table
      .caption=${t('wall.history')} .columns=${columns} .rows=${deeds} .most=${50}
      .file=${'history'} .nothingText=${t('wall.history.empty')}
    ></tandem-table>`;
  }
}

/** @param {Deed} deed */
function what({ type, data }) {
  /** @param {string} name */
  const said = (name) => data[name] ?? '';
  return t(wordOf(type, data), {
    name: said('worker_name'),
    activity: named('activity', said('worker_activity_name')),
    channel: named('channel', said('task_channel_unique_name')),
    before: said('worker_channel_previous_capacity'),
    after: said('worker_channel_configured_capacity'),
    task: about(said('task_attributes')) || said('task_sid'),
    priority: said('task_priority'),
    queue: said('task_queue_name'),
    reason: said('task_canceled_reason'),
  });
}

/** @param {string} type @param {Record<string, string>} data @returns {Word} */
function wordOf(type, data) {
  if (data.supervisor_mode) return /** @type {Word} */ (`wall.did.${data.supervisor_mode}`);
  if (type === 'worker.channel.availability.update') {
    return data.worker_channel_available === 'true' ? 'wall.did.worker.channel.on' : 'wall.did.worker.channel.off';
  }
  if (type === 'task.canceled' && data.task_canceled_reason) return 'wall.did.task.canceled.because';
  if (type === 'task.updated') return 'wall.did.task.updated';
  return /** @type {Word} */ (TOLD.has(type) ? `wall.did.${type}` : type);
}

customElements.define('wall-history', WallHistory);
