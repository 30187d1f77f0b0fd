/**
 * The wall's model, kept alive: read from the server when the feed is open, then followed event by
 * event, and read anew when events were missed for good.
 *
 * What has happened today is counted from a whole second on (`from`) that lies after the feed was
 * opened; what lies before it is asked of the server once that second is over, so that nothing is
 * counted twice or left out.
 */

import { Feed } from '../house/feed.js';
import { all, ask, workspace } from '../house/rest.js';
import { Signal } from '../house/signal.js';
import { tick } from '../house/tick.js';
import { Counts } from './counts.js';
import { History } from './history.js';
import { Model } from './model.js';

/** @typedef {import('../house/types.js').TaskRouterEvent} TaskRouterEvent */
/** @typedef {{seconds: number, percent: number}} Target */

/** Milliseconds between two pictures of what changes: nobody reads faster. */
export const PACE_MS = 200;
/** Events that wait while the lists are being read; with more of them the lists are too old. */
const MOST_BUFFERED = 100_000;
/** Milliseconds that a change may take from its instant until it can be read. */
const MARGIN_MS = 1_200;
/** Workers of whom it is asked one by one how much of which channel they handle. */
const FEW = 20;
const LIVE_STATUSES = 'pending,reserved,assigned,wrapping';

export class Live {
  feed;
  /** @type {Model | null} What is shown; null until there is something. */
  model = null;
  /** Whether the day's counts are there, and of which TaskQueue. */
  counting = new Signal(true);
  /** 'loading' until there is a model, 'failed' when it could not be read. */
  phase = new Signal(/** @type {'loading' | 'ready' | 'failed'} */ ('loading'));
  /** Why it failed. @type {unknown} */
  error = null;
  /** Something has changed; told at most every PACE_MS, and only while somebody looks. */
  changed = new Signal(0);
  history = new History();
  /** @type {Target} */
  target;
  /** The TaskQueue whose day the charts show; null for all. @type {string | null} */
  queueSid = null;
  /** Events that came while the lists are being read. @type {TaskRouterEvent[] | null} */
  #buffer = null;
  /** Which reading it is: an older one that comes late has no say. */
  #reading = 0;
  #isDue = false;
  #shownAt = 0;
  #isAsking = false;
  /** @type {(() => void)[]} */
  #ends = [];

  /**
   * @param {Target} target
   * @param {Feed} [feed]
   */
  constructor(target, feed = new Feed()) {
    this.target = target;
    this.feed = feed;
  }

  start() {
    this.#ends = [
      this.feed.listen((event) => this.#hear(event)),
      this.feed.missed.listen(() => this.read()),
      this.feed.state.listen((state) => {
        if (state === 'connected' && this.phase.value !== 'ready' && !this.#buffer) this.read();
      }),
      tick.listen((now) => this.#passTime(now)),
    ];
    this.feed.open();
  }

  stop() {
    this.feed.close();
    for (const end of this.#ends) end();
    this.#ends = [];
  }

  /** @param {TaskRouterEvent} event */
  #hear(event) {
    this.history.hear(event);
    if (this.#buffer) {
      this.#buffer.push(event);
      if (this.#buffer.length > MOST_BUFFERED) this.read();
    }
    if (!this.model) return;
    // A model that is being replaced is still shown, and still followed.
    this.model.apply(event);
    if (this.model.unknown.size) this.#askChannels();
    this.#show();
  }

  /** @param {number} now */
  #passTime(now) {
    if (this.model && now >= this.model.counts.dayEnd) this.model.roll(now);
  }

  // ---- reading ---------------------------------------------------------------------------------

  /** Reads everything anew. The feed must be open: what it tells meanwhile is kept. */
  async read() {
    const reading = (this.#reading += 1);
    this.#buffer = [];
    if (!this.model) this.phase.value = 'loading';
    try {
      const from = await nextSecond();
      const [lists] = await Promise.all([readLists(), this.history.load()]);
      if (reading !== this.#reading) return;
      const model = new Model(new Counts({ ...this.#period(from), seconds: this.target.seconds, queueSid: this.queueSid }), midnightAfter);
      model.load(lists);
      for (const event of this.#buffer) model.apply(event);
      this.#buffer = null;
      this.model = model;
      this.error = null;
      this.phase.value = 'ready';
      this.#show();
      this.counting.value = true;
      await this.#fill(model, model.counts, reading);
    } catch (error) {
      if (reading === this.#reading) this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#buffer = null;
    this.error = error;
    this.counting.value = false;
    if (!this.model) this.phase.value = 'failed';
    this.#show();
  }

  /** @param {number} from */
  #period(from) {
    const day = new Date(from);
    day.setHours(0, 0, 0, 0);
    return { from, dayStart: day.getTime(), dayEnd: midnightAfter(day.getTime()) };
  }

  /**
   * Adds to the counts what happened before them.
   *
   * @param {Model} model
   * @param {Counts} counts
   * @param {number} reading
   */
  async #fill(model, counts, reading) {
    const { from, dayStart, seconds, queueSid } = counts;
    if (from > dayStart) {
      await until(from + MARGIN_MS);
      const before = await readCounts({ from, dayStart, seconds, queueSid });
      if (reading !== this.#reading || model !== this.model) return;
      counts.add(before);
    }
    if (model.recount === counts) model.replaceCounts();
    this.counting.value = false;
    this.#show();
  }

  /**
   * Counts the day anew, for another target or with another TaskQueue's quarters of an hour.
   *
   * @param {Target} target
   * @param {string | null} queueSid
   */
  async recount(target, queueSid) {
    const isSame = target.seconds === this.target.seconds && queueSid === this.queueSid;
    this.target = target;
    this.queueSid = queueSid;
    this.#show();
    const { model } = this;
    if (isSame || !model) return;
    const reading = (this.#reading += 1);
    this.counting.value = true;
    try {
      // Events of the last seconds are remembered: they need not be waited for.
      const from = (await nextSecond()) - 2000;
      const { seconds } = target;
      const counts = new Counts({ ...this.#period(from), seconds, queueSid });
      model.countAnew(counts);
      await this.#fill(model, counts, reading);
    } catch (error) {
      if (reading === this.#reading) this.#fail(error);
    }
  }

  /** New Workers, and a new TaskChannel's, are handled by the server's defaults. */
  async #askChannels() {
    if (this.#isAsking || !this.model) return;
    this.#isAsking = true;
    const { model } = this;
    try {
      const sids = [...model.unknown];
      const channels = sids.length > FEW ? await allChannels() : await channelsOf(sids);
      for (const channel of channels) model.setWorkerChannel(channel);
      for (const sid of sids) model.unknown.delete(sid);
    } catch {
      // They are asked about again with the next event.
    } finally {
      this.#isAsking = false;
    }
    this.#show();
  }

  // ---- showing ---------------------------------------------------------------------------------

  /** Has the page rendered soon, at the beginning of a frame. */
  #show() {
    if (this.#isDue) return;
    this.#isDue = true;
    const wait = Math.max(0, this.#shownAt + PACE_MS - performance.now());
    setTimeout(() => requestAnimationFrame(() => {
      this.#isDue = false;
      this.#shownAt = performance.now();
      this.changed.value += 1;
    }), wait);
  }
}

/** The next whole second of the server's clock, which nothing that was told so far has reached. */
async function nextSecond() {
  const answer = await fetch('/desk/session', { cache: 'no-store', credentials: 'same-origin' });
  const told = Date.parse(answer.headers.get('Date') ?? '');
  lastTold = { date: Number.isNaN(told) ? Date.now() : told, at: performance.now() };
  return lastTold.date + 1000;
}

let lastTold = { date: 0, at: 0 };

/** @param {number} instant  By the server's clock. */
function until(instant) {
  const passed = performance.now() - lastTold.at;
  return new Promise((done) => setTimeout(done, Math.max(0, instant - lastTold.date - passed)));
}

/** @param {number} dayStart  A midnight of the viewer's. */
function midnightAfter(dayStart) {
  const day = new Date(dayStart);
  day.setDate(day.getDate() + 1);
  return day.getTime();
}

async function readLists() {
  const base = workspace();
  const [activities, channels, queues, workflows] = await Promise.all([
    all(`${base}/Activities`),
    all(`${base}/TaskChannels`),
    all(`${base}/TaskQueues`),
    all(`${base}/Workflows`),
  ]);
  const tasks = await all(`${base}/Tasks`, { AssignmentStatus: LIVE_STATUSES });
  const workers = await all(`${base}/LiveWorkers`, { PageSize: 500 });
  return { activities, channels, queues, workflows, tasks, workers };
}

/** @param {{from: number, dayStart: number, seconds: number, queueSid: string | null}} counts */
async function readCounts({ from, dayStart, seconds, queueSid }) {
  const period = {
    StartDate: new Date(dayStart).toISOString(),
    EndDate: new Date(from - 1).toISOString(),
    ServiceLevelSeconds: seconds,
  };
  const series = (/** @type {string | null} */ sid) =>
    ask('GET', `${workspace()}/Series`, { Interval: '15m', TaskQueueSid: sid, ...period });
  const [whole, ofQueue, queues] = await Promise.all([
    series(null),
    queueSid ? series(queueSid) : null,
    all(`${workspace()}/TaskQueueTotals`, period),
  ]);
  return { series: whole.series, seriesOfQueue: ofQueue?.series, queues };
}

/** @param {readonly string[]} sids */
async function channelsOf(sids) {
  const found = await Promise.all(sids.map((sid) => ofWorker(sid)));
  return found.flat();
}

/** @param {string} sid  Of a Worker who may be gone again. */
async function ofWorker(sid) {
  try {
    return await all(`${workspace()}/Workers/${sid}/Channels`);
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status === 404) return [];
    throw error;
  }
}

async function allChannels() {
  const workers = await all(`${workspace()}/LiveWorkers`, { PageSize: 500 });
  return workers.flatMap(({ channels }) => channels);
}
