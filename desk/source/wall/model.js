/**
 * The wall's model: what a Workspace looks like now, kept current event by event.
 *
 *     const model = new Model(counts);
 *     model.load(lists);          // how things stood at some moment after the feed was opened
 *     model.apply(event);         // every event of the feed, those from before that moment, too
 *
 * Every event says how the thing that it tells of is now, so hearing of something that the lists
 * have told already changes nothing for good: after the last event the model is where the server
 * is. An event costs the same whatever there is (a Task's place among those that wait costs the
 * logarithm of them). What is counted is in counts.js.
 */

import { estimatedWait, serviceLevel } from './counts.js';
import {
  agentOf, LIVE, OVER, queueOf, reservationOf, taskOf, taskOfEvent, waits,
} from './records.js';

/** @typedef {import('./records.js').Queue} Queue */
/** @typedef {import('./records.js').Agent} Agent */
/** @typedef {import('./records.js').Task} Task */
/** @typedef {import('./records.js').Reservation} Reservation */
/** @typedef {import('./counts.js').Counts} Counts */
/** @typedef {import('./counts.js').Fact} Fact */
/** @typedef {import('../house/types.js').TaskRouterEvent} TaskRouterEvent */
/** @typedef {Record<string, string>} Data */

/**
 * @typedef {object} Lists  As the server lists them.
 * @property {readonly any[]} activities
 * @property {readonly any[]} channels  TaskChannels
 * @property {readonly any[]} queues
 * @property {readonly any[]} workflows
 * @property {readonly any[]} workers  Of `LiveWorkers`: with their channels and Reservations.
 * @property {readonly any[]} tasks  Those that live.
 */

/** The reason of a Task whose caller has hung up. */
const HANGUP = 'hangup';
/** An offer has ended, and nobody may be left who has the Task. */
const GIVES_BACK = new Set(['rejected', 'timeout', 'canceled']);

/** What was counted last is remembered this long, and so much of it at most. */
const RECENT_MS = 10_000;
const MOST_RECENT = 5_000;

export class Model {
  /** @type {Fact[]} What was counted last, the oldest first. */
  #recent = [];

  /**
   * @param {Counts} counts
   * @param {(midnight: number) => number} [midnightAfter]  When the day ends that begins then.
   */
  constructor(counts, midnightAfter = (midnight) => midnight + 86_400_000) {
    this.midnightAfter = midnightAfter;
    /** What has happened today, as it is shown. */
    this.counts = counts;
    /** What is being counted anew, until what happened before is known. @type {Counts | null} */
    this.recount = null;
    /** @type {Map<string, {sid: string, name: string, available: boolean, agents: number}>} */
    this.activities = new Map();
    /** TaskChannels. @type {Map<string, {sid: string, name: string, title: string}>} */
    this.channels = new Map();
    /** @type {Map<string, {sid: string, name: string}>} */
    this.workflows = new Map();
    /** @type {Map<string, Queue>} */
    this.queues = new Map();
    /** @type {Map<string, Agent>} */
    this.agents = new Map();
    /** Tasks that live. @type {Map<string, Task>} */
    this.tasks = new Map();
    /** Those that nobody has accepted. @type {Map<string, Task>} */
    this.line = new Map();
    /** Of the whole Workspace; no TaskQueue of its own. */
    this.all = queueOf('', '');
    /** Workers of whom it must be asked how much of which channel they handle. @type {Set<string>} */
    this.unknown = new Set();
    /** Counts the changes. */
    this.version = 0;
  }

  // ---- the beginning ---------------------------------------------------------------------------

  /** @param {Lists} lists */
  load({ activities, channels, queues, workflows, workers, tasks }) {
    for (const each of activities) this.#setActivity(each.sid, each.friendly_name, each.available);
    for (const each of channels) this.#setChannel(each.sid, each.unique_name, each.friendly_name);
    for (const each of workflows) this.#setWorkflow(each.sid, each.friendly_name);
    for (const each of queues) this.#setQueue(each.sid, each.friendly_name, each.target_workers);
    for (const each of tasks) this.#addTask(taskOf(each, this.counts.from));
    for (const each of workers) {
      this.#addAgent(agentOf(each));
      for (const channel of each.channels) this.setWorkerChannel(channel);
      for (const reservation of each.reservations) this.#setReservation(reservationOf(reservation));
    }
    this.version += 1;
  }

  /** @param {any} channel  A WorkerChannel as the server lists it. */
  setWorkerChannel(channel) {
    this.#handles(channel.worker_sid, channel.task_channel_sid, {
      name: channel.task_channel_unique_name,
      capacity: channel.configured_capacity,
      available: channel.available,
    });
    this.unknown.delete(channel.worker_sid);
    this.version += 1;
  }

  // ---- events ----------------------------------------------------------------------------------

  /** @param {TaskRouterEvent} event */
  apply(event) {
    const { event_type: type, event_data: data } = event;
    const at = event.event_date_ms ?? Date.parse(event.event_date);
    const family = type.slice(0, type.indexOf('.'));
    if (data.task_sid) this.#hearOfTask(type, data, at);
    if (family === 'reservation') this.#hearOfReservation(data, at);
    else if (family === 'worker') this.#hearOfWorker(type, data, at);
    else this.#hearOfSetting(type, data);
    this.version += 1;
  }

  /** @param {string} type @param {Data} data @param {number} at */
  #hearOfTask(type, data, at) {
    if (type.endsWith('deleted') || OVER.has(data.task_assignment_status)) {
      this.#removeTask(data.task_sid);
    } else {
      this.#updateTask(type, data);
    }
    this.#countTask(type, data, at);
  }

  /** @param {string} type @param {Data} data */
  #updateTask(type, data) {
    const task = taskOfEvent(data, this.counts.from);
    const known = this.tasks.get(task.sid);
    if (known) {
      this.#leave(known);
      // A Reservation's event tells of the TaskQueue that the offer is for.
      const queueSid = type.startsWith('reservation.') ? known.queueSid : task.queueSid;
      const { reservations, entered, createdAt } = known;
      Object.assign(known, task, { queueSid, reservations, entered, createdAt });
      this.#enter(known);
    } else {
      this.#addTask(task);
    }
  }

  /** @param {string} type @param {Data} data @param {number} at */
  #countTask(type, data, at) {
    const queueSid = data.task_queue_sid ?? null;
    if (type === 'task.created') this.#count({ what: 'arrived', at, queueSid });
    else if (type === 'task.completed') this.#count({ what: 'completed', at, queueSid });
    else if (type === 'task.canceled') {
      this.#count({ what: 'canceled', at, queueSid, hungUp: data.reason === HANGUP });
    } else if (type === 'reservation.accepted') {
      this.#count({ what: 'answered', at, queueSid, waited: Number(data.task_age) });
    } else if (type === 'task-queue.entered') this.#countEntry(data, at);
  }

  /**
   * A further target of the same TaskQueue is told as an entry, too, but is none.
   *
   * @param {Data} data
   * @param {number} at
   */
  #countEntry({ task_queue_sid: queueSid, task_sid: sid }, at) {
    const task = this.tasks.get(sid);
    if (task?.entered === queueSid) return;
    this.#count({ what: 'entered', at, queueSid });
    if (task) task.entered = queueSid;
  }

  /** @param {Fact} fact */
  #count(fact) {
    if (fact.at >= this.counts.dayEnd) this.roll(fact.at);
    this.counts.count(fact);
    this.recount?.count(fact);
    this.#recent.push(fact);
    if (this.#recent.length > MOST_RECENT || this.#recent[0].at < fact.at - 3 * RECENT_MS) {
      this.#recent = this.#recent.filter(({ at }) => at >= fact.at - RECENT_MS).slice(-MOST_RECENT / 2);
    }
  }

  /** A new day has begun. @param {number} now */
  roll(now) {
    while (now >= this.counts.dayEnd) {
      this.counts = this.counts.nextDay(this.midnightAfter(this.counts.dayEnd));
    }
    this.version += 1;
  }

  /**
   * Counts the day once more, beside what is shown; of the last seconds it is known already.
   *
   * @param {Counts} counts
   */
  countAnew(counts) {
    this.recount = counts;
    for (const fact of this.#recent) counts.count(fact);
  }

  /** Shows what was counted anew. */
  replaceCounts() {
    if (this.recount) this.counts = this.recount;
    this.recount = null;
    this.version += 1;
  }

  /** @param {Data} data @param {number} at */
  #hearOfReservation(data, at) {
    const { reservation_sid: sid, reservation_status: status, task_sid: taskSid } = data;
    if (LIVE.has(status)) {
      const before = this.agents.get(data.worker_sid)?.reservations.get(sid);
      const since = before?.status === status ? before.since : at;
      this.#setReservation({
        sid, status, taskSid, since, workerSid: data.worker_sid, channelSid: data.task_channel_sid,
      });
      return;
    }
    this.#endReservation(sid, data.worker_sid, taskSid);
    const task = this.tasks.get(taskSid);
    if (task && GIVES_BACK.has(status) && !this.#isInSomeHands(task)) {
      this.#leave(task);
      task.status = 'pending';
      this.#enter(task);
    }
  }

  /** Is somebody asked, or with it? @param {Task} task */
  #isInSomeHands(task) {
    for (const { status } of task.reservations.values()) if (status !== 'wrapping') return true;
    return task.status === 'wrapping';
  }

  /** @param {string} type @param {Data} data @param {number} at */
  #hearOfWorker(type, data, at) {
    const sid = data.worker_sid;
    if (type === 'worker.deleted') {
      this.#removeAgent(sid);
      return;
    }
    let agent = this.agents.get(sid);
    if (!agent) {
      agent = {
        sid, name: '', attributes: '{}', activitySid: data.worker_activity_sid, since: at,
        channels: new Map(), reservations: new Map(),
      };
      this.#addAgent(agent);
      this.unknown.add(sid);
    }
    agent.name = data.worker_name;
    agent.attributes = data.worker_attributes;
    this.#move(agent, data, type === 'worker.activity.update' ? at : agent.since);
    if (data.worker_channel_configured_capacity !== undefined) {
      this.#handles(sid, data.task_channel_sid, {
        name: data.task_channel_unique_name,
        capacity: Number(data.worker_channel_configured_capacity),
        available: data.worker_channel_available === 'true',
      });
    }
  }

  /** @param {Agent} agent @param {Data} data @param {number} since */
  #move(agent, data, since) {
    const to = data.worker_activity_sid;
    if (agent.activitySid !== to) {
      this.#countAgent(agent, -1);
      agent.activitySid = to;
      this.#countAgent(agent, 1);
    }
    agent.since = since;
  }

  /** @param {string} type @param {Data} data */
  #hearOfSetting(type, data) {
    const [what, happened] = type.split('.');
    const gone = happened === 'deleted';
    if (what === 'activity') {
      if (gone) this.activities.delete(data.activity_sid);
      else this.#setActivity(data.activity_sid, data.activity_name, data.activity_available === 'true');
    } else if (what === 'task-channel') {
      this.#hearOfChannel(gone, data);
    } else if (type === 'workflow.deleted') this.#removeWorkflow(data.workflow_sid);
    else if (type === 'workflow.created' || type === 'workflow.updated') {
      this.#setWorkflow(data.workflow_sid, data.workflow_name);
    } else if (type === 'task-queue.deleted') this.#removeQueue(data.task_queue_sid);
    else if (type === 'task-queue.created' || type === 'task-queue.expression.updated') {
      this.#setQueue(data.task_queue_sid, data.task_queue_name, data.task_queue_target_expression);
    }
  }

  /** @param {boolean} gone @param {Data} data */
  #hearOfChannel(gone, data) {
    const sid = data.task_channel_sid;
    if (gone) {
      this.channels.delete(sid);
      for (const agent of this.agents.values()) agent.channels.delete(sid);
      return;
    }
    const isNew = !this.channels.has(sid);
    this.#setChannel(sid, data.task_channel_unique_name, data.task_channel_name);
    // Everybody handles a new channel from now on, how much of it must be asked.
    if (isNew) for (const agent of this.agents.keys()) this.unknown.add(agent);
  }

  // ---- the parts -------------------------------------------------------------------------------

  /** @param {string} sid @param {string} name @param {boolean} available */
  #setActivity(sid, name, available) {
    const known = this.activities.get(sid);
    if (known) {
      Object.assign(known, { name, available });
      return;
    }
    // Somebody may have been heard of who is in it already.
    let agents = 0;
    for (const { activitySid } of this.agents.values()) if (activitySid === sid) agents += 1;
    this.activities.set(sid, { sid, name, available, agents });
  }

  /** @param {string} sid @param {string} name @param {string} title */
  #setChannel(sid, name, title) {
    this.channels.set(sid, { sid, name, title });
  }

  /** @param {string} sid @param {string} name */
  #setWorkflow(sid, name) {
    this.workflows.set(sid, { sid, name });
  }

  /** @param {string} sid */
  #removeWorkflow(sid) {
    this.workflows.delete(sid);
    for (const task of this.tasks.values()) if (task.workflowSid === sid) task.workflowSid = null;
  }

  /** @param {string} sid @param {string} name @param {string} expression */
  #setQueue(sid, name, expression) {
    const known = this.queues.get(sid);
    if (known) Object.assign(known, { name, expression });
    else this.queues.set(sid, queueOf(sid, name, expression));
  }

  /** @param {string} sid */
  #removeQueue(sid) {
    for (const task of this.tasks.values()) {
      if (task.queueSid !== sid) continue;
      this.#leave(task);
      task.queueSid = null;
      this.#enter(task);
    }
    this.queues.delete(sid);
    this.counts.forget(sid);
    this.recount?.forget(sid);
  }

  /** @param {Agent} agent */
  #addAgent(agent) {
    this.agents.set(agent.sid, agent);
    this.#countAgent(agent, 1);
  }

  /** @param {string} sid */
  #removeAgent(sid) {
    const agent = this.agents.get(sid);
    if (!agent) return;
    this.#countAgent(agent, -1);
    for (const { taskSid } of agent.reservations.values()) {
      const task = this.tasks.get(taskSid);
      for (const each of task?.reservations.values() ?? []) {
        if (each.workerSid === sid) task?.reservations.delete(each.sid);
      }
    }
    this.agents.delete(sid);
    this.unknown.delete(sid);
  }

  /** @param {Agent} agent @param {number} by */
  #countAgent(agent, by) {
    const activity = this.activities.get(agent.activitySid);
    if (activity) activity.agents += by;
  }

  /**
   * @param {string} workerSid
   * @param {string} channelSid
   * @param {{name: string, capacity: number, available: boolean}} how
   */
  #handles(workerSid, channelSid, how) {
    const agent = this.agents.get(workerSid);
    if (!agent) return;
    const known = agent.channels.get(channelSid);
    if (known) Object.assign(known, how);
    else {
      let load = 0;
      for (const each of agent.reservations.values()) if (each.channelSid === channelSid) load += 1;
      agent.channels.set(channelSid, { sid: channelSid, load, ...how });
    }
  }

  /** @param {Task} task */
  #addTask(task) {
    this.tasks.set(task.sid, task);
    this.#enter(task);
  }

  /** @param {string} sid */
  #removeTask(sid) {
    const task = this.tasks.get(sid);
    if (!task) return;
    this.#leave(task);
    this.tasks.delete(sid);
  }

  /** The Task counts where it stands now. @param {Task} task */
  #enter(task) {
    const isWaiting = waits(task);
    for (const queue of this.#subjects(task)) {
      queue.byStatus[task.status] += 1;
      if (isWaiting) queue.waiting.add(task.sid, task.createdAt);
      else queue.waiting.remove(task.sid);
    }
    if (isWaiting) this.line.set(task.sid, task);
    else this.line.delete(task.sid);
  }

  /** It does not any more. @param {Task} task */
  #leave(task) {
    for (const queue of this.#subjects(task)) {
      queue.byStatus[task.status] -= 1;
      queue.waiting.remove(task.sid);
    }
    this.line.delete(task.sid);
  }

  /** @param {Task} task @returns {Queue[]} */
  #subjects(task) {
    const queue = task.queueSid ? this.queues.get(task.queueSid) : undefined;
    return queue ? [this.all, queue] : [this.all];
  }

  /** @param {Reservation} reservation */
  #setReservation(reservation) {
    const { sid, workerSid, taskSid, channelSid } = reservation;
    const agent = this.agents.get(workerSid);
    const channel = agent?.channels.get(channelSid);
    if (agent && channel && !agent.reservations.has(sid)) channel.load += 1;
    agent?.reservations.set(sid, reservation);
    const task = this.tasks.get(taskSid);
    if (!task) return;
    this.#leave(task);
    task.reservations.set(sid, reservation);
    this.#enter(task);
  }

  /** @param {string} sid @param {string} workerSid @param {string} taskSid */
  #endReservation(sid, workerSid, taskSid) {
    const agent = this.agents.get(workerSid);
    const ended = agent?.reservations.get(sid);
    if (agent && ended) {
      agent.reservations.delete(sid);
      const channel = agent.channels.get(ended.channelSid);
      if (channel) channel.load -= 1;
    }
    const task = this.tasks.get(taskSid);
    if (!task?.reservations.has(sid)) return;
    this.#leave(task);
    task.reservations.delete(sid);
    this.#enter(task);
  }

  // ---- what is asked ---------------------------------------------------------------------------

  /**
   * @param {Queue} queue
   * @param {number} now
   */
  wait(queue, now) {
    const first = queue.waiting.first;
    return {
      waiting: queue.waiting.size,
      /** Since when the one who has waited longest waits; null where nobody does. */
      since: first?.since ?? null,
      /** Seconds for whoever comes now. */
      estimated: estimatedWait(
        this.counts.answeredAt.get(queue.sid) ?? [], queue.waiting.size + 1, now,
      ),
    };
  }

  /** @param {string} queueSid */
  serviceLevel(queueSid) {
    return serviceLevel(this.counts.of(queueSid));
  }
}
