/**
 * The live feed: everything that happens in the Workspace, pushed, each event once and in order.
 *
 *     const feed = new Feed();
 *     feed.listen((event) => ...);        // Twilio's Event resource
 *     feed.state.listen((state) => ...);  // connecting | connected | lost | refused
 *     feed.missed.listen(() => ...);      // read everything anew: some events cannot be told again
 *     feed.open();
 *
 * A broken connection is opened again after a moment, from the last event on; the token is renewed
 * before it ends.
 */

import { session, token as ask } from './session.js';
import { Signal } from './signal.js';

/** @typedef {'connecting' | 'connected' | 'lost' | 'refused'} FeedState */
/** @typedef {import('./types.js').TaskRouterEvent} TaskRouterEvent */

/** The server shows a sign of life every 15 seconds. */
const SILENCE_MS = 35_000;
/** A token is renewed this long before its end, or in the middle of a shorter life. */
const EARLY_MS = 60_000;
const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** Close codes with which it makes no sense to come again with the same question. */
const FORBIDDEN = 4403;
const NOT_FOUND = 4404;

export class Feed {
  state = new Signal(/** @type {FeedState} */ ('connecting'));
  /** Counts how often events were missed for good. */
  missed = new Signal(0);
  /** @type {Set<(event: TaskRouterEvent) => void>} */
  #listeners = new Set();
  #getToken;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string | null} */
  #last = null;
  #isOpen = false;
  #attempts = 0;
  /** @type {Record<'again' | 'silence' | 'renewal', ReturnType<typeof setTimeout> | undefined>} */
  #timers = { again: undefined, silence: undefined, renewal: undefined };

  /** @param {() => Promise<{token: string}>} [getToken]  The session's own token by default. */
  constructor(getToken = () => ask('feed')) {
    this.#getToken = getToken;
  }

  /**
   * @param {(event: TaskRouterEvent) => void} listener
   * @returns {() => void}  Stops listening.
   */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    window.addEventListener('online', this.#atOnce);
    this.#connect();
  }

  close() {
    this.#isOpen = false;
    window.removeEventListener('online', this.#atOnce);
    Object.values(this.#timers).forEach(clearTimeout);
    this.#socket?.close();
    this.#socket = null;
  }

  #atOnce = () => {
    if (this.state.value === 'lost') this.#connect();
  };

  async #connect() {
    clearTimeout(this.#timers.again);
    this.#drop();
    try {
      const { token } = await this.#getToken();
      if (!this.#isOpen || this.#socket) return;
      const socket = new WebSocket(session.value?.realtime.feed ?? '');
      this.#socket = socket;
      // The token goes in a message, not in the address, which others may write down.
      socket.onopen = () => socket.send(JSON.stringify({ token, lastEventId: this.#last }));
      socket.onmessage = ({ data }) => this.#hear(String(data));
      socket.onclose = ({ code }) => this.#closed(socket, code);
      this.#listenForSilence();
    } catch (error) {
      const status = /** @type {{status?: number}} */ (error).status ?? 0;
      this.#lose(status === 403);
    }
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timers.silence);
    clearTimeout(this.#timers.renewal);
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {WebSocket} socket @param {number} code */
  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    if (code === NOT_FOUND && this.#last !== null) {
      // The last event that was heard is no longer kept: nobody can tell what came after it.
      this.#last = null;
      this.missed.value += 1;
      this.#lose(false);
    } else {
      this.#lose(code === FORBIDDEN || code === NOT_FOUND);
    }
  }

  /** @param {boolean} forGood */
  #lose(forGood) {
    clearTimeout(this.#timers.silence);
    clearTimeout(this.#timers.renewal);
    if (!this.#isOpen) return;
    this.state.value = forGood ? 'refused' : 'lost';
    if (forGood) return;
    const wait = Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    // Not all at once, when a server comes back to a hundred walls.
    this.#timers.again = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  #listenForSilence() {
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => {
      this.#drop();
      this.#lose(false);
    }, SILENCE_MS);
  }

  /** @param {string} data */
  #hear(data) {
    this.#listenForSilence();
    if (!data.trim()) return;
    const said = JSON.parse(data);
    if (said.event_type === 'init') {
      this.#last ??= said.payload.last_event_id ?? null;
      this.#attempts = 0;
      this.state.value = 'connected';
      this.#renewBefore(said.payload.token_lifetime);
      return;
    }
    this.#last = said.sid;
    for (const listener of [...this.#listeners]) listener(said);
  }

  /** @param {number} lifetime  Milliseconds. */
  #renewBefore(lifetime) {
    clearTimeout(this.#timers.renewal);
    const wait = Math.max(lifetime - EARLY_MS, lifetime / 2);
    this.#timers.renewal = setTimeout(() => this.#renew(), Math.min(wait, 2 ** 31 - 1));
  }

  async #renew() {
    try {
      const { token, expires_at: end } = /** @type {any} */ (await this.#getToken());
      this.#socket?.send(JSON.stringify({ token }));
      if (end) this.#renewBefore(new Date(end).getTime() - Date.now());
    } catch {
      // The socket ends with its token, and is opened again as any that breaks.
    }
  }
}
