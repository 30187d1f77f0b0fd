/**
 * What the agent has typed about a Task and what is not yet on the server.
 *
 * It is kept in this browser with every keystroke, so that neither a lost connection, a closed
 * window nor the end of the Task loses it, and forgotten once the server has it. Drafts that nobody
 * came back for are removed after a week.
 */

import { remember, remembered } from '../house/memory.js';

/** @typedef {{disposition: string, notes: string, at: number, about: string}} Draft */
/** @typedef {{read: () => string | null, write: (text: string | null) => void}} Place */

const KEPT_MS = 7 * 24 * 3600 * 1000;

/** @type {(user: string) => Place} */
const browser = (user) => ({
  read: () => remembered(`drafts.${user}`),
  write: (text) => remember(`drafts.${user}`, text),
});

export class Drafts {
  #place;
  /** @type {Record<string, Draft>} */
  #drafts;

  /**
   * @param {string} user  Whose they are.
   * @param {number} now  Milliseconds.
   * @param {Place} [place]
   */
  constructor(user, now, place = browser(user)) {
    this.#place = place;
    this.#drafts = Object.fromEntries(
      Object.entries(parsed(place.read())).filter(([, { at }]) => now - at < KEPT_MS),
    );
  }

  /** @param {string} task  SID. @returns {Draft | null} */
  of(task) {
    return this.#drafts[task] ?? null;
  }

  /** @param {string} task @param {Draft} draft */
  keep(task, draft) {
    this.#drafts[task] = draft;
    this.#write();
  }

  /** The server has it. @param {string} task */
  forget(task) {
    delete this.#drafts[task];
    this.#write();
  }

  /**
   * Those of Tasks that the agent no longer has.
   *
   * @param {readonly string[]} tasks  Those that they have.
   * @returns {[string, Draft][]}
   */
  left(tasks) {
    return Object.entries(this.#drafts).filter(([task]) => !tasks.includes(task));
  }

  #write() {
    const isEmpty = Object.keys(this.#drafts).length === 0;
    this.#place.write(isEmpty ? null : JSON.stringify(this.#drafts));
  }
}

/** @param {string | null} text @returns {Record<string, Draft>} */
function parsed(text) {
  try {
    const read = JSON.parse(text ?? '{}');
    return read && typeof read === 'object' ? read : {};
  } catch {
    return {};
  }
}
