/**
 * The agent's line to TaskRouter: Twilio's own SDK, connected to this server's realtime door.
 *
 * What is shown is what the SDK was told; nothing is assumed in advance. While the connection is
 * lost the last state stays, marked as old, and nothing can be done with it. The SDK connects again
 * by itself and then reads everything anew; where it cannot, a new one is made.
 */

import { Worker } from 'twilio-taskrouter';
import { session, token } from '../house/session.js';
import { Signal } from '../house/signal.js';

/**
 * @typedef {import('twilio-taskrouter').Reservation} Reservation
 * @typedef {'connecting' | 'connected' | 'lost' | 'refused'} Connection
 * @typedef {'timeout' | 'canceled' | 'rescinded' | 'rejected' | 'completed'} Ending
 * @typedef {object} Ended  An offer or a Task that is over.
 * @property {Reservation} reservation
 * @property {Ending} how
 * @property {boolean} wasAccepted
 */

/** Time for the SDK to come back by itself before it is replaced. */
const PATIENCE_MS = 12_000;
const AGAIN_MS = 3_000;
/** A token is renewed this long before its end, or in the middle of a shorter life. */
const EARLY_MS = 60_000;
const ENDINGS = /** @type {const} */ (['timeout', 'canceled', 'rescinded', 'rejected', 'completed']);
/** How many Tasks are live at once, at most, so that a list stays a list. */
const LIVE = new Set(['pending', 'accepted', 'wrapping']);

export class Shift {
  connection = new Signal(/** @type {Connection} */ ('connecting'));
  /** Counts up whenever something that is shown has changed. */
  changed = new Signal(0);
  /** The last offer or Task that ended. */
  ended = new Signal(/** @type {Ended | null} */ (null));
  /** When the last state was told; milliseconds of this machine's clock. */
  toldAt = 0;
  /** As it was read last; while the connection is lost, that of before. @type {Worker | null} */
  worker = null;
  /** The one that is connected, or connecting. @type {Worker | null} */
  #live = null;
  /** @type {WeakSet<object>} */
  #heard = new WeakSet();
  /** Reservations that were accepted here or before. @type {Set<string>} */
  #accepted = new Set();
  #expiresAt = 0;
  #isOver = false;
  /** @type {Record<'again' | 'renewal', ReturnType<typeof setTimeout> | undefined>} */
  #timers = { again: undefined, renewal: undefined };
  #getToken;

  /** @param {() => Promise<{token: string, expires_at: string}>} [getToken]  The session's own by default. */
  constructor(getToken = () => token('worker')) {
    this.#getToken = getToken;
  }

  /** @returns {Reservation[]} */
  get reservations() {
    const all = this.worker ? [...this.worker.reservations.values()] : [];
    return all.filter(({ status }) => LIVE.has(status));
  }

  /** Offers, the oldest first. */
  get offers() {
    return this.reservations
      .filter(({ status }) => status === 'pending')
      .sort((one, other) => Number(one.dateCreated) - Number(other.dateCreated));
  }

  /** What the agent has, in the order in which it came. */
  get tasks() {
    return this.reservations
      .filter(({ status }) => status !== 'pending')
      .sort((one, other) => Number(one.dateCreated) - Number(other.dateCreated));
  }

  get isReady() {
    return this.connection.value === 'connected';
  }

  /** How much of a channel's capacity is taken: every live Reservation takes one. @param {string} channel */
  load(channel) {
    return this.reservations.filter(({ task }) => task.taskChannelUniqueName === channel).length;
  }

  begin() {
    window.addEventListener('online', this.#look);
    document.addEventListener('visibilitychange', this.#look);
    window.addEventListener('pagehide', () => this.end());
    window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
    this.#connect();
  }

  end() {
    this.#isOver = true;
    Object.values(this.#timers).forEach(clearTimeout);
    this.#dispose();
  }

  /** After sleep or a change of networks: is the token still good, are we still connected? */
  #look = () => {
    if (this.#isOver || document.visibilityState === 'hidden') return;
    if (this.connection.value === 'lost') this.#connect();
    else if (this.#expiresAt - Date.now() < EARLY_MS / 2) this.#renew();
  };

  async #connect() {
    clearTimeout(this.#timers.again);
    this.#again(PATIENCE_MS);
    try {
      const { token: text, expires_at: end } = await this.#getToken();
      if (this.#isOver) return;
      this.#dispose();
      this.#open(text);
      this.#renewBefore(end);
    } catch (error) {
      const { status } = /** @type {{status?: number}} */ (error);
      const forGood = status === 401 || status === 403;
      if (forGood) clearTimeout(this.#timers.again);
      else this.#again(AGAIN_MS);
      this.#say(forGood ? 'refused' : 'lost');
    }
  }

  /** @param {string} text  The token. */
  #open(text) {
    const { ebServer = '', wsServer = '' } = session.value?.realtime ?? {};
    const worker = new Worker(text, { ebServer, wsServer, logLevel: 'silent' });
    const isCurrent = () => worker === this.#live;
    this.#live = worker;
    worker.on('ready', () => {
      if (!isCurrent()) return;
      clearTimeout(this.#timers.again);
      this.worker = worker;
      this.#attend();
      this.#say('connected');
    });
    worker.on('disconnected', () => {
      if (!isCurrent()) return;
      this.#say('lost');
      this.#again(PATIENCE_MS);
      if (this.#expiresAt <= Date.now()) this.#renew();
    });
    worker.on('error', () => {
      if (!isCurrent()) return;
      this.#say('lost');
      this.#again(AGAIN_MS);
    });
    worker.on('tokenExpired', () => isCurrent() && this.#renew());
    worker.on('activityUpdated', () => isCurrent() && this.#tell());
    worker.on('attributesUpdated', () => isCurrent() && this.#tell());
    worker.on('reservationCreated', (reservation) => {
      if (!isCurrent()) return;
      this.#hear(reservation);
      this.#tell();
    });
  }

  /** Listens to all that there is after it was read anew. */
  #attend() {
    for (const reservation of this.worker?.reservations.values() ?? []) this.#hear(reservation);
    for (const channel of this.worker?.channels.values() ?? []) {
      if (this.#heard.has(channel)) continue;
      this.#heard.add(channel);
      channel.on('capacityUpdated', () => this.#tell());
      channel.on('availabilityUpdated', () => this.#tell());
    }
  }

  /** @param {Reservation} reservation */
  #hear(reservation) {
    if (this.#heard.has(reservation)) return;
    this.#heard.add(reservation);
    if (reservation.status !== 'pending') this.#accepted.add(reservation.sid);
    reservation.on('accepted', () => {
      this.#accepted.add(reservation.sid);
      this.#tell();
    });
    reservation.on('wrapup', () => this.#tell());
    for (const how of ENDINGS) {
      reservation.on(how, () => {
        const wasAccepted = this.#accepted.delete(reservation.sid);
        this.ended.value = { reservation, how, wasAccepted };
        this.#tell();
      });
    }
    const task = /** @type {any} */ (reservation.task);
    for (const event of ['updated', 'wrapup', 'completed', 'canceled']) {
      task.on(event, () => this.#tell());
    }
    task.on('transferInitiated', (/** @type {any} */ transfer) => {
      for (const event of ['attemptFailed', 'failed', 'completed', 'canceled']) {
        transfer.on(event, () => this.#tell());
      }
      this.#tell();
    });
  }

  #tell() {
    this.toldAt = Date.now();
    this.changed.value += 1;
  }

  /** @param {Connection} connection */
  #say(connection) {
    if (connection === 'connected') this.#tell();
    this.connection.value = connection;
  }

  /** @param {number} wait */
  #again(wait) {
    clearTimeout(this.#timers.again);
    if (!this.#isOver) this.#timers.again = setTimeout(() => this.#connect(), wait);
  }

  /** @param {string} end  ISO 8601 */
  #renewBefore(end) {
    this.#expiresAt = new Date(end).getTime();
    clearTimeout(this.#timers.renewal);
    const lifetime = this.#expiresAt - Date.now();
    const wait = Math.max(lifetime - EARLY_MS, lifetime / 2, 1000);
    this.#timers.renewal = setTimeout(() => this.#renew(), Math.min(wait, 2 ** 31 - 1));
  }

  async #renew() {
    try {
      const { token: text, expires_at: end } = await this.#getToken();
      if (this.#isOver || !this.#live) return;
      this.#live.updateToken(text);
      // The server hears of the new token with the next request, and lets the socket stay.
      this.#live.fetchLatestVersion().catch(() => {});
      this.#renewBefore(end);
    } catch {
      this.#timers.renewal = setTimeout(() => this.#renew(), AGAIN_MS);
    }
  }

  #dispose() {
    const worker = this.#live;
    this.#live = null;
    try {
      worker?.removeAllListeners();
      worker?.on('error', () => {});
      worker?.disconnect();
    } catch {
      // It was never connected.
    }
  }
}

/** The one shift of this page. */
export const shift = new Shift();
