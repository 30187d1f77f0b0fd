/**
 * What the elements of the desk share beside the shift itself: which Task is looked at, the drafts,
 * and what the agent should be told of.
 */

import { now } from '../house/clock.js';
import { session } from '../house/session.js';
import { Signal } from '../house/signal.js';
import { subject } from './attributes.js';
import { Drafts } from './drafts.js';
import { Notes } from './notes.js';
import { shift } from './shift.js';

/**
 * @typedef {object} Told  Something that has happened and stays until the agent has seen it.
 * @property {number} id
 * @property {'missed' | 'gone' | 'canceled' | 'failed'} kind
 * @property {string} who
 * @property {string} why
 */

/** How many messages are shown; older ones are in the day's list. */
const MOST_MESSAGES = 3;

/** SID of the Reservation that is looked at. */
export const selected = new Signal('');
/** Counts up when notes of a Task that is over have reached the server. */
export const saved = new Signal(0);
/** Tasks that are over and whose notes are on their way. @type {Set<string>} */
export const underway = new Set();
export const messages = new Signal(/** @type {readonly Told[]} */ ([]));
/** @type {Drafts | null} */
let drafts = null;
/** @type {Map<string, Notes>} */
const notes = new Map();
let count = 0;

export function allDrafts() {
  drafts ??= new Drafts(session.value?.user?.sid ?? '', now());
  return drafts;
}

/** @param {import('./shift.js').Reservation} reservation */
export function notesOf({ sid, task }) {
  const there = notes.get(sid);
  if (there) return there;
  const made = new Notes(allDrafts(), task.sid, task.attributes, subject(task.attributes) ?? task.sid);
  notes.set(sid, made);
  return made;
}

/** The Reservation that is looked at: the one that was chosen, or the newest. */
export function looked() {
  const { tasks } = shift;
  return tasks.find(({ sid }) => sid === selected.value) ?? tasks.at(-1) ?? null;
}

/** @param {Omit<Told, 'id'>} message */
export function tell(message) {
  count += 1;
  messages.value = [{ ...message, id: count }, ...messages.value].slice(0, MOST_MESSAGES);
}

/** @param {number} id */
export function dismiss(id) {
  messages.value = messages.value.filter((each) => each.id !== id);
}

/** @type {Record<string, Told['kind']>} */
const KINDS = { timeout: 'missed', rescinded: 'gone', canceled: 'canceled' };

shift.ended.listen((ended) => {
  if (!ended) return;
  const { reservation, how, wasAccepted } = ended;
  const { task, sid } = reservation;
  const kind = wasAccepted && how === 'canceled' ? 'failed' : KINDS[how];
  const who = subject(task.attributes) ?? task.sid;
  if (kind) tell({ kind, who, why: task.reason ?? '' });
  finish(sid, task.sid);
});

/**
 * The Task is over, perhaps before its notes were written: they are written now.
 *
 * @param {string} sid  Of the Reservation.
 * @param {string} task  SID
 */
async function finish(sid, task) {
  const there = notes.get(sid);
  notes.delete(sid);
  if (!there) return;
  underway.add(task);
  await there.save();
  underway.delete(task);
  saved.value += 1;
}
