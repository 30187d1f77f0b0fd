/**
 * Disposition and notes of a Task, on their way from the keyboard to the server.
 *
 * Every keystroke is kept in the browser at once and goes to the Task's attributes a moment later
 * (`disposition` and `notes`). What another program has put into the
 * attributes meanwhile stays: they are read, changed and written back only if nobody else was
 * faster.
 */

import { ask, fetched, workspace } from '../house/rest.js';
import { Signal } from '../house/signal.js';
import { notedOf } from './attributes.js';

/** @typedef {'saved' | 'typing' | 'saving' | 'unsaved'} Saving */

const PAUSE_MS = 1500;
/** The end of a call changes its Task several times within a moment. */
const TRIES = 8;
const CHANGED_MEANWHILE = 412;

export class Notes {
  saving = new Signal(/** @type {Saving} */ ('saved'));
  error = new Signal(/** @type {unknown} */ (null));
  #drafts;
  #task;
  #about;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<boolean>} */
  #last = Promise.resolve(true);

  /**
   * @param {import('./drafts.js').Drafts} drafts
   * @param {string} task  SID
   * @param {Record<string, unknown>} attributes
   * @param {string} about  What the Task is about, for a draft that is found later.
   */
  constructor(drafts, task, attributes, about) {
    this.#drafts = drafts;
    this.#task = task;
    this.#about = about;
    const draft = drafts.of(task);
    const { disposition, notes } = draft ?? notedOf(attributes);
    this.disposition = disposition;
    this.notes = notes;
    if (draft) this.#soon();
  }

  /** @param {{disposition?: string, notes?: string}} changed */
  type(changed) {
    Object.assign(this, changed);
    const { disposition, notes } = this;
    this.#drafts.keep(this.#task, { disposition, notes, at: Date.now(), about: this.#about });
    this.#soon();
  }

  #soon() {
    this.saving.value = 'typing';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), PAUSE_MS);
  }

  /**
   * Writes what was typed, if something was.
   *
   * @returns {Promise<boolean>}  Whether the server has everything.
   */
  save() {
    clearTimeout(this.#timer);
    this.#last = this.#last.then(() => this.#save());
    return this.#last;
  }

  /** @returns {Promise<boolean>} */
  async #save() {
    const draft = this.#drafts.of(this.#task);
    if (!draft) return true;
    this.saving.value = 'saving';
    this.error.value = null;
    try {
      await write(this.#task, draft);
    } catch (error) {
      this.error.value = error;
      this.saving.value = 'unsaved';
      return false;
    }
    if (this.#drafts.of(this.#task) !== draft) return this.#save();
    this.#drafts.forget(this.#task);
    this.saving.value = 'saved';
    return true;
  }
}

/**
 * @param {string} task  SID
 * @param {{disposition: string, notes: string}} said
 */
export async function write(task, { disposition, notes }) {
  const path = `${workspace()}/Tasks/${task}`;
  for (let left = TRIES; ; left -= 1) {
    const { found, version } = await fetched(path);
    const attributes = { ...JSON.parse(found.attributes), disposition, notes };
    const changed = { Attributes: JSON.stringify(attributes) };
    try {
      return await ask('POST', path, changed, { ifMatch: version });
    } catch (error) {
      const { status } = /** @type {{status?: number}} */ (error);
      if (status !== CHANGED_MEANWHILE || left <= 1) throw error;
    }
  }
}
