/**
 * The conversation of one Task: who is in it, who hears whom, and what may be done with it.
 *
 * The server is asked what is so whenever something may have changed: nothing is shown because a
 * button was pressed, only because the server says so.
 */

import { ask, workspace } from '../house/rest.js';
import { session } from '../house/session.js';
import { Signal } from '../house/signal.js';
import { shift } from './shift.js';

/**
 * @typedef {object} Party
 * @property {'customer' | 'worker' | 'outside'} kind
 * @property {string | null} sid  Of somebody outside.
 * @property {string | null} to
 * @property {'queued' | 'ringing' | 'in-progress'} status
 * @property {string | null} worker_sid
 * @property {boolean} hold
 * @property {boolean} muted
 *
 * @typedef {object} Conference
 * @property {string} sid
 * @property {'in-progress' | 'paused' | 'stopped' | null} recording
 * @property {Party[]} participants
 */

/** Several things change at once when a call begins: they are looked at together. */
const TOGETHER_MS = 120;
/** What was asked for is carried out by the network a moment later: when it is looked at again. */
const AFTERWARDS_MS = [300, 1000, 3000];
/** Nobody tells an agent's page that somebody else has left: while there are others, it looks. */
const WITH_OTHERS_MS = 1500;
const ALONE_MS = 10_000;
/** Nobody talks, or no longer with this agent. */
const NO_CONFERENCE = [403, 404];

export class Conversation {
  /** null: there is none yet, or none any more. */
  conference = new Signal(/** @type {Conference | null} */ (null));
  /** What is being asked for at the moment: the name of a button. */
  busy = new Signal('');
  error = new Signal(/** @type {unknown} */ (null));
  #reservation;
  #task;
  #isOver = false;
  /** How often was asked what is so; of the newest answer, which question it was. */
  #asked = 0;
  #answered = 0;
  /** What was wished for and has not happened yet, and the last of it. @type {Set<string>} */
  #wishes = new Set();
  /** @type {Promise<boolean>} */
  #last = Promise.resolve(true);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patrol;
  /** @type {() => void} */
  #stop = () => {};

  /**
   * @param {string} reservation  SID; the objects behind it are others after each reconnection.
   * @param {string} task  SID
   */
  constructor(reservation, task) {
    this.#reservation = reservation;
    this.#task = task;
  }

  begin() {
    this.#stop = shift.changed.listen(() => this.look());
    this.look();
  }

  end() {
    clearTimeout(this.#timer);
    clearTimeout(this.#patrol);
    this.#isOver = true;
    this.#stop();
  }

  get reservation() {
    return shift.worker?.reservations.get(this.#reservation);
  }

  /** @param {Party['kind']} kind */
  party(kind) {
    const own = session.value?.user?.worker_sid;
    return this.conference.value?.participants.find(
      (each) => each.kind === kind && (kind !== 'worker' || each.worker_sid === own),
    );
  }

  /** Asks the server what is so, in a moment. */
  look() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), TOGETHER_MS);
  }

  async #read() {
    // The Task tells once there has been one: before that there is nothing to ask for.
    if (!this.reservation?.task.attributes.conference) return;
    const question = ++this.#asked;
    try {
      this.#learn(question, await ask('GET', this.#path()));
    } catch (error) {
      // Anything else: what was told last is still the newest that is known.
      if (NO_CONFERENCE.includes(/** @type {any} */ (error).status)) this.#learn(question, null);
    }
    this.#lookLater();
  }

  /**
   * An answer that was overtaken by that to a later question is older than what is known.
   *
   * @param {number} question
   * @param {Conference | null} found
   */
  #learn(question, found) {
    if (question < this.#answered) return;
    this.#answered = question;
    this.conference.value = found;
  }

  #lookLater() {
    clearTimeout(this.#patrol);
    const participants = this.conference.value?.participants.length ?? 0;
    if (this.#isOver || !participants) return;
    this.#patrol = setTimeout(
      () => (shift.isReady ? this.#read() : this.#lookLater()),
      participants > 2 ? WITH_OTHERS_MS : ALONE_MS,
    );
  }

  /** @param {string} [below] */
  #path(below = '') {
    return `${workspace()}/Tasks/${this.#task}/Conference${below}`;
  }

  /**
   * One thing after the other, in the order in which they were wished for. Whoever wishes for the
   * same twice before it has happened means it once.
   *
   * @param {string} name
   * @param {() => Promise<unknown> | undefined} act
   * @param {string} [wish]
   */
  async #do(name, act, wish = name) {
    if (this.#wishes.has(wish)) return false;
    this.#wishes.add(wish);
    const before = this.#last;
    this.#last = before.then(() => this.#doNow(name, act)).finally(() => this.#wishes.delete(wish));
    return this.#last;
  }

  /**
   * @param {string} name
   * @param {() => Promise<unknown> | undefined} act
   */
  async #doNow(name, act) {
    this.busy.value = name;
    this.error.value = null;
    try {
      await act();
      await this.#read();
      for (const wait of AFTERWARDS_MS) setTimeout(() => this.#read(), wait);
      return true;
    } catch (error) {
      this.error.value = error;
      return false;
    } finally {
      this.busy.value = '';
    }
  }

  /** @param {boolean} on */
  mute(on) {
    const act = () => this.reservation?.updateParticipant({ mute: on });
    return this.#do('mute', act, `mute ${on}`);
  }

  /** @param {boolean} on */
  hold(on) {
    const act = () => this.reservation?.task.updateParticipant({ hold: on });
    return this.#do('hold', act, `hold ${on}`);
  }

  /** @param {string} digits @param {string} [to]  SID of somebody outside; otherwise the customer. */
  press(digits, to) {
    return ask('POST', this.#path('/Digits'), { Digits: digits, To: to }).catch((error) => {
      this.error.value = error;
    });
  }

  /** @param {'start' | 'pause' | 'resume' | 'stop'} action */
  record(action) {
    const act = () => ask('POST', this.#path('/Recording'), { Action: action });
    return this.#do('record', act, `record ${action}`);
  }

  /** Leaves the conversation; it ends, unless others go on talking or are being asked. */
  hangUp() {
    const own = session.value?.user?.worker_sid ?? '';
    return this.#do('hang_up', () => this.reservation?.task.kick(own));
  }

  endForAll() {
    return this.#do('hang_up', () => ask('POST', this.#path(), { Status: 'completed' }));
  }

  /**
   * @param {string} to  A Worker's or a TaskQueue's SID.
   * @param {'WARM' | 'COLD'} mode
   */
  transfer(to, mode) {
    return this.#do('transfer', () => this.reservation?.task.transfer(to, { mode }));
  }

  /** Takes back what was asked of somebody who has not answered yet. */
  cancelTransfer() {
    return this.#do('transfer', () => this.reservation?.task.transfers.outgoing?.cancel());
  }

  /**
   * @param {string} number  +E.164, `client:` or `sip:`
   * @param {'WARM' | 'COLD'} mode
   */
  call(number, mode) {
    return this.#do('transfer', () =>
      ask('POST', this.#path('/Participants'), {
        To: number,
        Mode: mode,
        ReservationSid: this.#reservation,
      }),
    );
  }

  /** Takes somebody outside out again. @param {string} sid */
  remove(sid) {
    return this.#do('remove', () =>
      ask('POST', this.#path(`/Participants/${sid}`), { Status: 'completed' }),
    );
  }
}

/** @type {Map<string, Conversation>} */
const conversations = new Map();

/** The conversation of a Reservation. @param {import('./shift.js').Reservation} reservation */
export function conversationOf(reservation) {
  const there = conversations.get(reservation.sid);
  if (there) return there;
  const made = new Conversation(reservation.sid, reservation.task.sid);
  conversations.set(reservation.sid, made);
  made.begin();
  return made;
}

/** Those that are over are forgotten. */
shift.changed.listen(() => {
  const live = new Set(shift.tasks.map(({ sid }) => sid));
  for (const [sid, conversation] of conversations) {
    if (live.has(sid)) continue;
    conversation.end();
    conversations.delete(sid);
  }
});
