/**
 * The telephone in the browser: what it is at the moment, and what can be done with it.
 *
 * There are two kinds, with one face: Twilio's Voice SDK where an account is set, and, while the
 * simulator stands in, the simulated endpoint of the same address. Both are for Workers whose
 * `contact_uri` is `client:...`; whoever is reached at a number has a telephone of their own.
 */

import { remember, remembered } from '../house/memory.js';
import { session } from '../house/session.js';
import { Signal } from '../house/signal.js';

/**
 * @typedef {'none' | 'starting' | 'ready' | 'ringing' | 'talking' | 'failed'} PhoneState
 *
 * @typedef {object} Line  What a kind of telephone does.
 * @property {() => Promise<void>} answer
 * @property {() => Promise<void>} hangUp
 * @property {(by: boolean) => Promise<void>} answerByItself
 * @property {() => void} close
 */

export const phone = {
  state: new Signal(/** @type {PhoneState} */ ('none')),
  /** Why it does not work. */
  problem: new Signal(/** @type {unknown} */ (null)),
  /** Answers calls that the agent has accepted already. */
  isAutomatic: new Signal(remembered('answer') !== 'by-hand'),
  /** What was heard last; only the simulated one can tell. */
  heard: new Signal(''),
};

/** @type {Line | null} */
let line = null;

/**
 * Opens the telephone of a Worker, if it is one of these.
 *
 * @param {unknown} contact  The Worker's `contact_uri`.
 */
export async function openPhone(contact) {
  if (line || typeof contact !== 'string' || !contact.startsWith('client:')) return;
  phone.state.value = 'starting';
  phone.problem.value = null;
  try {
    const { simulator, has_account: hasAccount } = session.value ?? {};
    if (simulator) {
      const { simulatedLine } = await import('./simulated-phone.js');
      line = await simulatedLine(simulator, contact, phone);
    } else if (hasAccount) {
      const { twilioLine } = await import('./twilio-phone.js');
      line = await twilioLine(phone);
    } else phone.state.value = 'none';
  } catch (error) {
    phone.problem.value = error;
    phone.state.value = 'failed';
  }
}

/** @param {string} contact */
export async function reopenPhone(contact) {
  closePhone();
  await openPhone(contact);
}

export function closePhone() {
  line?.close();
  line = null;
}

/** @param {boolean} automatic */
export async function answerByItself(automatic) {
  await line?.answerByItself(automatic);
  remember('answer', automatic ? null : 'by-hand');
  phone.isAutomatic.value = automatic;
}

export function answerPhone() {
  return line?.answer();
}

export function hangUpPhone() {
  return line?.hangUp();
}
