/**
 * The simulated phone network: what goes on in it, pushed, and what may be done with its phones.
 *
 * It is a server of its own, spoken to over its control door; nothing of Tandem is in between.
 */

import { Refused, session } from '../house/session.js';
import { Signal } from '../house/signal.js';

/**
 * @typedef {object} Heard  A sound on a line.
 * @property {number} number
 * @property {number} at  Milliseconds since 1970.
 * @property {string} verb
 * @property {string} text
 * @property {string | null} language
 * @property {string | null} url
 * @property {string | null} tone
 * @property {number} loop
 *
 * @typedef {object} Call
 * @property {string} sid
 * @property {string} from
 * @property {string} to
 * @property {string} direction
 * @property {string} status
 * @property {string | null} queue
 * @property {string | null} conference
 * @property {number} created_at
 * @property {number | null} ended_at
 * @property {number | null} sounding  The number of what is heard just now.
 * @property {Heard[]} heard
 *
 * @typedef {import('./journey.js').LogLine} LogLine
 */

const KINDS = 'call,heard,conference,number,log';
const LIVE = ['queued', 'ringing', 'in-progress'];

/** @param {Call | null} call */
export function isLive(call) {
  return call !== null && LIVE.includes(call.status);
}

export class Network {
  connection = new Signal(/** @type {'connecting' | 'connected' | 'lost'} */ ('connecting'));
  /** Counts up whenever a call has changed. */
  changed = new Signal(0);
  /** @type {Map<string, Call>} */
  calls = new Map();
  /** The numbers that may be dialled. @type {string[]} */
  numbers = [];
  /** @type {Set<(line: LogLine) => void>} */
  #readers = new Set();
  /** @type {EventSource | null} */
  #stream = null;

  /** @param {(line: LogLine) => void} reader  Of each line of the log, as it is written. */
  read(reader) {
    this.#readers.add(reader);
  }

  open() {
    const stream = new EventSource(`${this.address}/simulator/stream?kinds=${KINDS}&log=50`);
    this.#stream = stream;
    stream.onopen = () => (this.connection.value = 'connected');
    stream.onerror = () => (this.connection.value = 'lost');
    /** @type {Record<string, (about: any) => void>} */
    const heard = {
      state: (about) => this.#begin(about),
      call: (about) => this.#replace(about),
      heard: (about) => this.#hear(about),
      log: (about) => this.#tell(about),
      number: (about) => this.#number(about),
    };
    for (const [kind, take] of Object.entries(heard)) {
      stream.addEventListener(kind, ({ data }) => take(JSON.parse(data)));
    }
  }

  close() {
    this.#stream?.close();
  }

  /** @param {string} from @param {string} to @returns {Promise<string>}  The call's SID. */
  async dial(from, to) {
    return (await this.#ask('calls', { from, to })).sid;
  }

  /** @param {string} sid @param {string} digits */
  press(sid, digits) {
    return this.#ask(`calls/${sid}/press`, { digits });
  }

  /** @param {string} sid @param {string} text */
  say(sid, text) {
    return this.#ask(`calls/${sid}/say`, { text });
  }

  /** @param {string} sid */
  hangUp(sid) {
    return this.#ask(`calls/${sid}/hangup`, {});
  }

  /** Where it is. */
  get address() {
    return session.value?.simulator ?? '';
  }

  /** @param {{calls: Call[], numbers: {phone_number: string}[], log: LogLine[]}} state */
  #begin({ calls, numbers, log }) {
    this.calls = new Map(calls.map((call) => [call.sid, call]));
    this.numbers = numbers.map((each) => each.phone_number);
    for (const line of log) this.#tell(line);
    this.#count();
  }

  /** @param {Call} call  Without what is heard. */
  #replace(call) {
    const heard = this.calls.get(call.sid)?.heard ?? [];
    this.calls.set(call.sid, { ...call, heard });
    this.#count();
  }

  /** @param {Heard & {call_sid: string}} sound */
  #hear(sound) {
    const call = this.calls.get(sound.call_sid);
    if (!call) return;
    const others = call.heard.filter(({ number }) => number !== sound.number);
    this.calls.set(call.sid, { ...call, heard: [...others, sound] });
    this.#count();
  }

  /** @param {{phone_number: string}} number */
  #number({ phone_number: name }) {
    if (!this.numbers.includes(name)) this.numbers = [...this.numbers, name];
    this.#count();
  }

  /** @param {LogLine} line */
  #tell(line) {
    for (const reader of this.#readers) reader(line);
  }

  #count() {
    this.changed.value += 1;
  }

  /** @param {string} path @param {unknown} order @returns {Promise<any>} */
  async #ask(path, order) {
    const answer = await fetch(`${this.address}/simulator/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(order),
    }).catch((error) => {
      throw new Refused({ message: String(error) });
    });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) return said;
    throw new Refused({ message: said.error ?? answer.statusText, status: answer.status });
  }
}
