/**
 * Twilio's own telephone in the browser. Loaded only where an account is set and the Worker is
 * reached at a `client:` address.
 */

import { Call, Device } from '@twilio/voice-sdk';
import { token } from '../house/session.js';

/** @typedef {typeof import('./phone.js').phone} Phone */

/** A token is renewed this long before its end. */
const EARLY_MS = 30_000;

/**
 * @param {Phone} phone
 * @returns {Promise<import('./phone.js').Line>}
 */
export async function twilioLine(phone) {
  const { token: first } = await token('voice');
  const device = new Device(first, {
    codecPreferences: [Call.Codec.Opus, Call.Codec.PCMU],
    tokenRefreshMs: EARLY_MS,
    logLevel: 'silent',
  });
  /** @type {Call | null} */
  let call = null;

  const over = () => {
    call = null;
    phone.state.value = device.state === Device.State.Registered ? 'ready' : 'starting';
  };
  device.on('registered', () => call || (phone.state.value = 'ready'));
  device.on('unregistered', () => call || (phone.state.value = 'starting'));
  device.on('error', (error) => {
    phone.problem.value = error;
    if (device.state !== Device.State.Registered && !call) phone.state.value = 'failed';
  });
  device.on('tokenWillExpire', async () => {
    const { token: next } = await token('voice').catch(() => ({ token: '' }));
    if (next) device.updateToken(next);
  });
  device.on('incoming', (/** @type {Call} */ incoming) => {
    if (call) {
      incoming.reject();
      return;
    }
    call = incoming;
    phone.problem.value = null;
    phone.state.value = 'ringing';
    incoming.on('accept', () => (phone.state.value = 'talking'));
    for (const end of ['disconnect', 'cancel', 'reject']) incoming.on(end, over);
    incoming.on('error', (error) => (phone.problem.value = error));
    if (phone.isAutomatic.value) incoming.accept();
  });
  await device.register();

  return {
    answer: async () => call?.accept(),
    hangUp: async () => (phone.state.value === 'ringing' ? call?.reject() : call?.disconnect()),
    answerByItself: async () => {},
    close: () => device.destroy(),
  };
}
