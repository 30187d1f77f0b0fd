/**
 * Whom a call can be handed to: Workers, TaskQueues, and numbers that were called before.
 */

import { all, workspace } from '../house/rest.js';
import { session } from '../house/session.js';
import { remember, remembered } from '../house/memory.js';

/**
 * @typedef {object} Contact
 * @property {'worker' | 'queue' | 'number'} kind
 * @property {string} to  A SID, or the number.
 * @property {string} name
 * @property {boolean} [available]  Of a Worker.
 * @property {string} [activity]
 */

/** Numbers that are remembered. */
const MOST_NUMBERS = 20;
const MOST_WORKERS = 2000;
const NUMBER = /^\+[1-9]\d{1,14}$/;

/** Names that were seen, by SID. @type {Map<string, string>} */
const names = new Map();

/** @param {string} sid  Of a Worker or TaskQueue; without a name that is known, the SID itself. */
export function nameOf(sid) {
  return names.get(sid) ?? sid;
}

/**
 * Everybody a call can be handed to.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<Contact[]>}
 */
export async function directory(signal) {
  const [workers, queues] = await Promise.all([
    all(`${workspace()}/Workers`, {}, { signal, most: MOST_WORKERS }),
    all(`${workspace()}/TaskQueues`, {}, { signal, most: MOST_WORKERS }),
  ]);
  for (const { sid, friendly_name: name } of [...workers, ...queues]) names.set(sid, name);
  const own = session.value?.user?.worker_sid;
  return [
    ...workers
      .filter(({ sid }) => sid !== own)
      .map(({ sid, friendly_name: name, available, activity_name: activity }) => ({
        kind: /** @type {const} */ ('worker'),
        to: sid,
        name,
        available,
        activity,
      })),
    ...queues.map(({ sid, friendly_name: name }) => ({
      kind: /** @type {const} */ ('queue'),
      to: sid,
      name,
    })),
    ...numbers().map((to) => ({ kind: /** @type {const} */ ('number'), to, name: to })),
  ];
}

/** @returns {string[]} */
function numbers() {
  const found = (remembered('numbers') ?? '').split(' ');
  return found.filter((each) => NUMBER.test(each));
}

/** Remembers a number that was called, the newest first. @param {string} number */
export function rememberNumber(number) {
  const others = numbers().filter((each) => each !== number);
  remember('numbers', [number, ...others].slice(0, MOST_NUMBERS).join(' '));
}

/**
 * What was typed, as a number that can be called, or null.
 *
 * @param {string} text  `+49 (30) 123-456`
 */
export function asNumber(text) {
  const bare = text.replace(/[\s().\-/]/g, '').replace(/^00/, '+');
  return NUMBER.test(bare) ? bare : null;
}

/**
 * Those whose name has all the words, those who are there first.
 *
 * @param {readonly Contact[]} contacts
 * @param {string} text
 * @param {Contact['kind'] | ''} kind
 * @returns {Contact[]}
 */
export function found(contacts, text, kind) {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return contacts
    .filter((each) => !kind || each.kind === kind)
    .filter(({ name }) => words.every((word) => name.toLocaleLowerCase().includes(word)))
    .sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
}

/** @param {Contact} contact */
function rank({ kind, available }) {
  if (kind === 'worker') return available ? 0 : 2;
  return kind === 'queue' ? 1 : 3;
}
