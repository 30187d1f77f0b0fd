/**
 * A value that tells whoever listens when it changes. All state that pages share is one of these.
 *
 * @template T
 */
export class Signal {
  /** @type {Set<(value: T) => void>} */
  #listeners = new Set();
  /** @type {T} */
  #value;

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.tell();
  }

  /** Something inside the value has changed. */
  tell() {
    for (const listener of [...this.#listeners]) listener(this.#value);
  }

  /**
   * @param {(value: T) => void} listener
   * @returns {() => void}  Stops listening.
   */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
