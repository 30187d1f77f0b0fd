/**
 * What has happened today: arrivals, answers, abandoned calls and the service level, for the
 * Workspace by quarter of an hour, and for each TaskQueue as a sum.
 *
 * Counted are events from an instant on (`from`); what lies before it comes from the server, in one
 * answer, and is added whenever that arrives.
 */

/**
 * @typedef {object} Sums
 * @property {number} arrived
 * @property {number} answered
 * @property {number} within  Answered before the target's seconds were over.
 * @property {number} abandoned  The caller hung up.
 * @property {number} canceled  All canceled Tasks, the abandoned ones included.
 * @property {number} completed
 *
 * @typedef {'arrived' | 'entered' | 'answered' | 'canceled' | 'completed'} What
 *
 * @typedef {object} Fact
 * @property {What} what  `arrived` in the Workspace; `entered` a TaskQueue.
 * @property {number} at
 * @property {string | null} queueSid
 * @property {number} [waited]  Seconds.
 * @property {boolean} [hungUp]
 *
 * @typedef {object} SeriesRow  Of the server's `Series`.
 * @property {string} start_time
 * @property {number} arrived
 * @property {number} answered
 * @property {number | null} answered_within_service_level
 * @property {number} abandoned
 * @property {number} canceled
 * @property {number} completed
 */

export const QUARTER_MS = 15 * 60_000;
/** An acceptance says something about the wait for two hours, and the newest 25 are enough: as the
 *  server estimates for callers (voice/estimate.py). */
const SAMPLE = 25;
const FEWEST = 4;
const HORIZON_MS = 7_200_000;

/** @returns {Sums} */
export function noSums() {
  return { arrived: 0, answered: 0, within: 0, abandoned: 0, canceled: 0, completed: 0 };
}

/**
 * The share of those who were answered or gave up that was answered in time; null where there was
 * nobody yet.
 *
 * @param {{answered: number, within: number, abandoned: number}} sums
 */
export function serviceLevel({ answered, within, abandoned }) {
  const all = answered + abandoned;
  return all ? within / all : null;
}

/** One row of a day. */
export class Rows {
  /**
   * @param {number} dayStart
   * @param {number} dayEnd
   */
  constructor(dayStart, dayEnd) {
    this.dayStart = dayStart;
    /** @type {Sums[]} By quarter of an hour, of the whole day. */
    this.quarters = Array.from({ length: Math.ceil((dayEnd - dayStart) / QUARTER_MS) }, noSums);
  }

  /** @param {number} at */
  of(at) {
    return this.quarters[Math.floor((at - this.dayStart) / QUARTER_MS)];
  }

  /** @param {readonly SeriesRow[]} series */
  add(series) {
    for (const row of series) {
      const quarter = this.of(Date.parse(row.start_time));
      if (quarter) addRow(quarter, row);
    }
  }
}

/** @param {Sums} sums @param {Omit<SeriesRow, 'start_time'>} row */
function addRow(sums, row) {
  sums.arrived += row.arrived;
  sums.answered += row.answered;
  sums.within += row.answered_within_service_level ?? 0;
  sums.abandoned += row.abandoned;
  sums.canceled += row.canceled;
  sums.completed += row.completed;
}

/**
 * Seconds that whoever comes now will wait: as many spells between two answers as there are people
 * in line, and one more. null where there is too little to go by.
 *
 * @param {readonly number[]} answeredAt  Milliseconds, the oldest first.
 * @param {number} place  In line, from 1.
 * @param {number} now
 */
export function estimatedWait(answeredAt, place, now) {
  const begins = answeredAt.findIndex((at) => now - at <= HORIZON_MS);
  const number = begins < 0 ? 0 : answeredAt.length - begins;
  return number < FEWEST ? null : (place * (now - answeredAt[begins])) / 1000 / number;
}

export class Counts {
  /**
   * @param {object} how
   * @param {number} how.dayStart  The viewer's midnight, in milliseconds.
   * @param {number} how.dayEnd
   * @param {number} how.from  Events from that instant on are counted here.
   * @param {number} how.seconds  The target of the service level.
   * @param {string | null} [how.queueSid]  The TaskQueue whose quarters of an hour are wanted.
   */
  constructor({ dayStart, dayEnd, from, seconds, queueSid = null }) {
    this.dayStart = dayStart;
    this.dayEnd = dayEnd;
    this.from = from;
    this.seconds = seconds;
    this.queueSid = queueSid;
    this.day = new Rows(dayStart, dayEnd);
    this.dayOfQueue = queueSid ? new Rows(dayStart, dayEnd) : null;
    this.total = noSums();
    /** @type {Map<string, Sums>} */
    this.queues = new Map();
    /** @type {Map<string, number[]>} When Tasks of the TaskQueue were answered last. */
    this.answeredAt = new Map();
  }

  /** @param {string} sid  A TaskQueue's. */
  of(sid) {
    let sums = this.queues.get(sid);
    if (!sums) this.queues.set(sid, (sums = noSums()));
    return sums;
  }

  /** @param {string} sid  A TaskQueue that is no more. */
  forget(sid) {
    this.queues.delete(sid);
    this.answeredAt.delete(sid);
  }

  /**
   * What happened before `from`.
   *
   * @param {object} before
   * @param {readonly SeriesRow[]} before.series
   * @param {readonly SeriesRow[]} [before.seriesOfQueue]
   * @param {readonly any[]} before.queues
   */
  add({ series, seriesOfQueue = [], queues }) {
    this.day.add(series);
    for (const row of series) addRow(this.total, row);
    this.dayOfQueue?.add(seriesOfQueue);
    for (const queue of queues) {
      addRow(this.of(queue.task_queue_sid), queue);
      const since = this.answeredAt.get(queue.task_queue_sid) ?? [];
      const all = [...queue.last_answered_ms, ...since].sort((one, other) => one - other);
      this.answeredAt.set(queue.task_queue_sid, all.slice(-SAMPLE));
    }
  }

  /** @param {Fact} fact */
  count(fact) {
    if (fact.at < this.from || fact.at < this.dayStart || fact.at >= this.dayEnd) return;
    for (const sums of this.#subjects(fact)) this.#add(sums, fact);
    if (fact.what === 'answered' && fact.queueSid) this.#answered(fact.queueSid, fact.at);
  }

  /** @param {Fact} fact @returns {Sums[]} */
  #subjects({ what, at, queueSid }) {
    const sums = [];
    if (what !== 'entered') sums.push(this.total, this.day.of(at));
    if (queueSid && what !== 'arrived') {
      sums.push(this.of(queueSid));
      if (queueSid === this.queueSid && this.dayOfQueue) sums.push(this.dayOfQueue.of(at));
    }
    return sums;
  }

  /** @param {Sums} sums @param {Fact} fact */
  #add(sums, { what, waited = 0, hungUp = false }) {
    sums[what === 'entered' ? 'arrived' : what] += 1;
    if (what === 'answered' && waited < this.seconds) sums.within += 1;
    if (what === 'canceled' && hungUp) sums.abandoned += 1;
  }

  /** @param {string} queueSid @param {number} at */
  #answered(queueSid, at) {
    const last = this.answeredAt.get(queueSid);
    if (!last) this.answeredAt.set(queueSid, [at]);
    else {
      last.push(at);
      if (last.length > SAMPLE) last.shift();
    }
  }

  /** The next day, of which nothing is known but what is counted here. @param {number} dayEnd */
  nextDay(dayEnd) {
    const { dayEnd: dayStart, seconds, queueSid, answeredAt } = this;
    const next = new Counts({ dayStart, dayEnd, from: dayStart, seconds, queueSid });
    next.answeredAt = answeredAt;
    return next;
  }
}
