/**
 * What the wall knows of one TaskQueue, agent, Task and Reservation, and how it reads them from
 * lists of the server and from events.
 */

import { Oldest } from './oldest.js';

/**
 * @typedef {object} Queue
 * @property {string} sid
 * @property {string} name
 * @property {string} expression  Whose Tasks they are.
 * @property {Oldest} waiting  The Tasks that nobody has accepted yet, by their creation.
 * @property {Record<string, number>} byStatus  Its Tasks that live.
 *
 * @typedef {object} Channel  An agent's, of one TaskChannel.
 * @property {string} sid  The TaskChannel's.
 * @property {string} name  Its unique name.
 * @property {number} capacity
 * @property {boolean} available
 * @property {number} load  Tasks that they have or are offered.
 *
 * @typedef {object} Agent
 * @property {string} sid
 * @property {string} name
 * @property {string} attributes
 * @property {string} activitySid
 * @property {number} since  When they came into that Activity.
 * @property {Map<string, Channel>} channels  By the TaskChannel's SID.
 * @property {Map<string, Reservation>} reservations  Those that live.
 *
 * @typedef {object} Reservation
 * @property {string} sid
 * @property {string} status  pending, accepted or wrapping
 * @property {string} workerSid
 * @property {string} taskSid
 * @property {string} channelSid  The TaskChannel's.
 * @property {number} since  When it came into that status.
 *
 * @typedef {object} Task
 * @property {string} sid
 * @property {string} status
 * @property {string | null} queueSid
 * @property {string | null} workflowSid
 * @property {string} channelSid
 * @property {number} priority
 * @property {number} createdAt
 * @property {string} attributes
 * @property {Map<string, Reservation>} reservations  Those that live.
 * @property {string | null} entered  The TaskQueue whose arrivals it was counted among last.
 */

export const LIVE = new Set(['pending', 'accepted', 'wrapping']);
export const WAITING = new Set(['pending', 'reserved']);
export const OVER = new Set(['completed', 'canceled']);
export const STATUSES = ['pending', 'reserved', 'assigned', 'wrapping'];

/** @param {string} sid @param {string} name @param {string} [expression] @returns {Queue} */
export function queueOf(sid, name, expression = '') {
  const byStatus = Object.fromEntries(STATUSES.map((status) => [status, 0]));
  return { sid, name, expression, waiting: new Oldest(), byStatus };
}

/** @param {any} worker  As the server lists them. @returns {Agent} */
export function agentOf(worker) {
  return {
    sid: worker.sid,
    name: worker.friendly_name,
    attributes: worker.attributes,
    activitySid: worker.activity_sid,
    since: Date.parse(worker.date_status_changed),
    channels: new Map(),
    reservations: new Map(),
  };
}

/**
 * @param {any} task  As the server lists them.
 * @param {number} countedFrom  Later arrivals are still to be counted: they will be heard of.
 * @returns {Task}
 */
export function taskOf(task, countedFrom) {
  return {
    sid: task.sid,
    status: task.assignment_status,
    queueSid: task.task_queue_sid,
    workflowSid: task.workflow_sid,
    channelSid: task.task_channel_sid,
    priority: task.priority,
    createdAt: Date.parse(task.date_created),
    attributes: task.attributes,
    reservations: new Map(),
    entered: entered(task.task_queue_sid, task.task_queue_entered_date, countedFrom),
  };
}

/**
 * @param {string | null | undefined} queueSid
 * @param {string} date
 * @param {number} countedFrom
 */
function entered(queueSid, date, countedFrom) {
  return (Date.parse(date) < countedFrom && queueSid) || null;
}

/**
 * @param {Record<string, string>} data  What an event carries.
 * @param {number} countedFrom
 * @returns {Task}
 */
export function taskOfEvent(data, countedFrom) {
  return {
    sid: data.task_sid,
    status: data.task_assignment_status,
    queueSid: data.task_queue_sid ?? null,
    workflowSid: data.workflow_sid ?? null,
    channelSid: data.task_channel_sid,
    priority: Number(data.task_priority),
    createdAt: Date.parse(data.task_date_created),
    attributes: data.task_attributes,
    reservations: new Map(),
    entered: entered(data.task_queue_sid, data.task_queue_entered_date, countedFrom),
  };
}

/** @param {any} reservation  As the server lists them. @returns {Reservation} */
export function reservationOf(reservation) {
  return {
    sid: reservation.sid,
    status: reservation.reservation_status,
    workerSid: reservation.worker_sid,
    taskSid: reservation.task_sid,
    channelSid: reservation.task_channel_sid,
    since: Date.parse(reservation.date_updated),
  };
}

/**
 * Does the Task wait for somebody to accept it? One that its agent is handing on is offered, too,
 * but is in good hands.
 *
 * @param {Task} task
 */
export function waits(task) {
  if (!WAITING.has(task.status)) return false;
  for (const { status } of task.reservations.values()) if (status === 'accepted') return false;
  return true;
}

/** Names under which programs say who it is about, the best first. */
const NAMES = ['name', 'customer_name', 'from_name', 'caller_name', 'title', 'subject'];
const NUMBERS = ['from', 'caller', 'phone', 'customer', 'email'];

/**
 * Whom or what a Task is about, from its attributes, which may be anything.
 *
 * @param {string} attributes  JSON text
 * @returns {string}  Empty where they do not say.
 */
export function about(attributes) {
  const said = read(attributes);
  const texts = [NAMES, NUMBERS].map((names) => firstText(said, names)).filter(Boolean);
  return texts.join(' · ').slice(0, 120);
}

/** @param {Record<string, unknown>} said @param {readonly string[]} names */
function firstText(said, names) {
  for (const name of names) {
    const value = said[name];
    if ((typeof value === 'string' && value) || typeof value === 'number') return String(value);
  }
  return '';
}

/** @param {string} attributes @returns {Record<string, unknown>} */
export function read(attributes) {
  try {
    const said = JSON.parse(attributes);
    return said && typeof said === 'object' && !Array.isArray(said) ? said : {};
  } catch {
    return {};
  }
}
