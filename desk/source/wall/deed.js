/**
 * The element of a dialog from which something is done: it says while that runs, what went wrong,
 * and shows what the feed tells of it.
 */

import { announce } from '../house/announce.js';
import { html, nothing, Part } from '../house/part.js';
import { tick } from '../house/tick.js';
import { explained } from '../parts/states.js';

/** @typedef {import('./live.js').Live} Live */

export class DeedPart extends Part {
  static properties = {
    live: { attribute: false },
    sid: { attribute: false },
    busy: { state: true },
    problem: { state: true },
    done: { state: true },
  };

  /** @type {(() => void)[]} */
  #listening = [];

  constructor() {
    super();
    /** @type {Live} */
    this.live = /** @type {any} */ (null);
    this.sid = '';
    /** Something is being done. */
    this.busy = false;
    /** Why the last thing could not be done. */
    this.problem = '';
    /** What was done. */
    this.done = '';
    this.watch(tick);
  }

  connectedCallback() {
    super.connectedCallback();
    this.#listening = [this.live.changed.listen(() => this.requestUpdate())];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.#listening) end();
  }

  /**
   * @param {() => Promise<unknown>} deed
   * @param {string} said  What is said once it is done.
   * @returns {Promise<boolean>}  Whether it was.
   */
  async act(deed, said) {
    if (this.busy) return false;
    this.busy = true;
    this.problem = '';
    this.done = '';
    try {
      await deed();
      this.done = said;
      announce(said);
      return true;
    } catch (error) {
      this.problem = explained(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  message() {
    if (this.problem) return html`<p class="message" data-tone="bad" role="alert">${this.problem}</p>`;
    return this.done ? html`<p class="message" data-tone="good">${this.done}</p>` : nothing;
  }
}

/**
 * The value of a field in the form that was sent off.
 *
 * @param {Event} event
 * @param {string} name
 */
export function field(event, name) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const found = form.elements.namedItem(name);
  return /** @type {HTMLInputElement} */ (found);
}
