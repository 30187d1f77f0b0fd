/**
 * Who is signed in, and the tokens with which the realtime server is spoken to.
 *
 * Everything that changes something carries the session's CSRF token. When the server no longer
 * knows the session, `session` says so (`user` null), and the page decides what is to be seen.
 */

import { learn } from './clock.js';
import { Signal } from './signal.js';

/** @typedef {import('./types.js').SessionState} SessionState */

/** The server said no, or could not be reached. */
export class Refused extends Error {
  /**
   * @param {object} told
   * @param {string} told.message
   * @param {number} [told.status]  0: it could not be reached.
   * @param {number} [told.code]  Twilio's, where there is one.
   * @param {number} [told.retryAfter]  Seconds.
   */
  constructor({ message, status = 0, code = 0, retryAfter = 0 }) {
    super(message);
    this.name = 'Refused';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  get isUnreachable() {
    return this.status === 0;
  }
}

/** The session as the server told it last; null until it did. */
export const session = new Signal(/** @type {SessionState | null} */ (null));

/**
 * @typedef {object} How
 * @property {URLSearchParams} [form]
 * @property {unknown} [json]
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {(answer: Response) => void} [heard]  Is shown an answer that is no refusal.
 */

/**
 * A request to one of the doors below /desk.
 *
 * @param {string} method
 * @param {string} path  `/desk/...`
 * @param {How} [how]
 * @returns {Promise<any>}  What it says; null for an empty answer.
 * @throws {Refused}
 */
export async function send(method, path, how = {}) {
  const answer = await sent(method, path, how);
  learn(answer.headers.get('Date'));
  const said = await read(answer);
  if (answer.ok) {
    how.heard?.(answer);
    return said;
  }
  if (answer.status === 401 && session.value?.user) session.value = { ...session.value, user: null };
  throw refusal(answer, said);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {How} how
 * @returns {Promise<Response>}
 */
async function sent(method, path, { form, json, headers, signal }) {
  /** @type {Record<string, string>} */
  const told = { Accept: 'application/json', ...headers };
  if (method !== 'GET') told['X-CSRF-Token'] = session.value?.csrf ?? '';
  if (json !== undefined) told['Content-Type'] = 'application/json';
  const body = json === undefined ? form : JSON.stringify(json);
  try {
    return await fetch(path, { method, headers: told, body, signal, credentials: 'same-origin' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused({ message: String(error) });
  }
}

/** @param {Response} answer @param {any} said */
function refusal(answer, said) {
  return new Refused({
    message: said?.message ?? `${answer.status} ${answer.statusText}`,
    status: answer.status,
    code: said?.code,
    retryAfter: Number(answer.headers.get('Retry-After')) || 0,
  });
}

/** @param {Response} answer */
async function read(answer) {
  const text = await answer.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Asks who is signed in.
 *
 * @returns {Promise<SessionState>}
 */
export async function load() {
  session.value = await send('GET', '/desk/session');
  return /** @type {SessionState} */ (session.value);
}

/**
 * @param {string} name
 * @param {string} password
 */
export async function signIn(name, password) {
  session.value = await send('POST', '/desk/sign-in', { json: { name, password } });
}

/** @param {string} name  One of `session.value.demo_users`. */
export async function signInAsDemo(name) {
  session.value = await send('POST', '/desk/demo', { json: { name } });
}

export async function signOut() {
  await send('POST', '/desk/sign-out');
  if (session.value) session.value = { ...session.value, user: null };
}

/**
 * A token for the realtime server, or for Twilio's telephone in the browser.
 *
 * @param {'worker' | 'feed' | 'voice'} purpose
 * @returns {Promise<{token: string, expires_at: string}>}
 */
export function token(purpose) {
  return send('POST', '/desk/token', { json: { for: purpose } });
}

/**
 * Where to go after signing in: a page of ours that `?next=` names, and never another site.
 *
 * @param {string} search  `location.search`
 * @param {string} otherwise
 */
export function nextPage(search, otherwise) {
  const wanted = new URLSearchParams(search).get('next') ?? '';
  return /^\/(?![/\\])[\w\-/]*$/.test(wanted) ? wanted : otherwise;
}

/** Where somebody with that role begins. @param {import('./types.js').User} user */
export function firstPage(user) {
  return user.role === 'agent' ? '/desk' : '/wall';
}
