/**
 * Everything that the home page shows of one call, put together: the phone network, the Workspace's
 * live feed, the agents, and the journey of the call that was dialled here.
 */

import { now } from '../house/clock.js';
import { Feed } from '../house/feed.js';
import { send } from '../house/session.js';
import { Signal } from '../house/signal.js';
import { agents, feedToken } from './agents.js';
import { Journey } from './journey.js';
import { isLive, Network } from './network.js';

/**
 * @typedef {object} Explanation  Why a Task waits.
 * @property {number} workers_in_task_queue
 * @property {{obstacle: string, workers: number, worker_sids: string[]}[]} obstacles
 */

/** News that came before it was known which call they are about. */
const REMEMBERED = 200;
/** A Task that has waited so long is asked why. */
const CURIOUS_MS = 700;

export class Stage {
  network = new Network();
  feed = new Feed(feedToken);
  /** @type {import('./agents.js').Agent[]} */
  agents = [];
  journey = new Signal(/** @type {Journey | null} */ (null));
  /** Counts up whenever the journey, or what explains it, has changed. */
  changed = new Signal(0);
  /** Why the call still waits. */
  explanation = new Signal(/** @type {Explanation | null} */ (null));
  error = new Signal(/** @type {unknown} */ (null));
  /** @type {import('./journey.js').LogLine[]} */
  #lines = [];
  /** @type {import('../house/types.js').TaskRouterEvent[]} */
  #events = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  async begin() {
    this.network.read((line) => {
      this.#lines = [...this.#lines.slice(1 - REMEMBERED), line];
      if (this.journey.value?.hearLine(line)) this.#tell();
    });
    this.feed.listen((event) => {
      this.#events = [...this.#events.slice(1 - REMEMBERED), event];
      if (this.journey.value?.hearEvent(event)) this.#tell();
    });
    this.network.changed.listen(() => this.#look());
    this.network.open();
    this.feed.open();
    this.agents = await agents();
    for (const agent of this.agents) agent.shift.begin();
    this.#tell();
  }

  /** The call that was dialled here. */
  get call() {
    return this.network.calls.get(this.journey.value?.callSid ?? '') ?? null;
  }

  get isOnTheLine() {
    return isLive(this.call);
  }

  /** @param {string} from @param {string} to */
  async dial(from, to) {
    const dialledAt = now();
    await this.#do(async () => {
      this.#follow(await this.network.dial(from, to), dialledAt);
    });
  }

  /** @param {string} digits */
  press(digits) {
    return this.#do(() => this.network.press(this.journey.value?.callSid ?? '', digits));
  }

  /** @param {string} text */
  say(text) {
    return this.#do(() => this.network.say(this.journey.value?.callSid ?? '', text));
  }

  hangUp() {
    return this.#do(() => this.network.hangUp(this.journey.value?.callSid ?? ''));
  }

  /** @param {string} sid @param {number} dialledAt */
  #follow(sid, dialledAt) {
    const journey = new Journey(sid, dialledAt);
    for (const line of this.#lines) journey.hearLine(line);
    for (const event of this.#events) journey.hearEvent(event);
    this.explanation.value = null;
    this.journey.value = journey;
    this.#tell();
  }

  #look() {
    const { journey, call } = this;
    if (!journey.value || !call) return;
    // The machine's own clock and the network's are one only on one machine: the network's counts.
    journey.value.dialledAt = call.created_at;
    if (call.ended_at !== null) journey.value.callEnded(call.ended_at);
    this.#tell();
  }

  #tell() {
    this.changed.value += 1;
    clearTimeout(this.#timer);
    const journey = this.journey.value;
    if (journey?.step('matching').state === 'now') {
      this.#timer = setTimeout(() => this.#explain(journey), CURIOUS_MS);
    } else this.explanation.value = null;
  }

  /** @param {Journey} journey */
  async #explain(journey) {
    try {
      const told = await send('GET', `/desk/demo/explanation?task_sid=${journey.taskSid}`);
      if (journey !== this.journey.value || journey.step('matching').state !== 'now') return;
      this.explanation.value = told;
    } catch {
      // It is only more that one may know.
    }
  }

  /** @param {() => Promise<unknown>} act */
  async #do(act) {
    this.error.value = null;
    try {
      await act();
    } catch (error) {
      this.error.value = error;
    }
  }
}
