/**
 * Which of those that wait has waited longest: a heap, from which whoever has left is taken when
 * they come to its top, and all of them when most of it has left.
 */

/** @typedef {{sid: string, since: number}} Waits */

export class Oldest {
  /** @type {Map<string, Waits>} Who waits, by SID. */
  #waiting = new Map();
  /** @type {Waits[]} A binary heap, by `since`. */
  #heap = [];

  get size() {
    return this.#waiting.size;
  }

  /** How much is kept, those included that have left. */
  get kept() {
    return this.#heap.length;
  }

  /** @param {string} sid @param {number} since  Milliseconds since 1970. */
  add(sid, since) {
    if (this.#waiting.get(sid)?.since === since) return;
    const waits = { sid, since };
    this.#waiting.set(sid, waits);
    this.#push(waits);
    if (this.#heap.length > 2 * this.#waiting.size + 32) this.#tidy();
  }

  /** @param {string} sid */
  remove(sid) {
    this.#waiting.delete(sid);
  }

  /** @returns {Waits | null}  null where nobody waits. */
  get first() {
    const heap = this.#heap;
    while (heap.length && this.#waiting.get(heap[0].sid) !== heap[0]) this.#pop();
    return heap[0] ?? null;
  }

  #tidy() {
    // A sorted list is a heap.
    this.#heap = [...this.#waiting.values()].sort((one, other) => one.since - other.since);
  }

  /** @param {Waits} waits */
  #push(waits) {
    const heap = this.#heap;
    let place = heap.push(waits) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (heap[above].since <= waits.since) break;
      heap[place] = heap[above];
      place = above;
    }
    heap[place] = waits;
  }

  #pop() {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || !heap.length) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1].since < heap[below].since) below += 1;
      if (heap[below].since >= last.since) break;
      heap[place] = heap[below];
      place = below;
    }
    heap[place] = last;
  }
}
