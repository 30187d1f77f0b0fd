/**
 * The REST door, with the rights of whoever is signed in.
 *
 *     const worker = await ask('GET', `${workspace()}/Workers/${sid}`);
 *     await ask('POST', `${workspace()}/Tasks/${sid}`, { Priority: 10 });
 *     for (const each of await all(`${workspace()}/Activities`)) ...
 */

import { send, session } from './session.js';

/** @typedef {Record<string, string | number | boolean | undefined | null>} Parameters */

/** The path of the Workspace that this server is about. */
export function workspace() {
  return `Workspaces/${session.value?.workspace_sid}`;
}

/**
 * @param {'GET' | 'POST' | 'DELETE'} method
 * @param {string} path  Below `/v1/`: `Workspaces/WS...`
 * @param {Parameters} [parameters]  With Twilio's names: `FriendlyName`. undefined and null are left out.
 * @param {object} [how]
 * @param {AbortSignal} [how.signal]
 * @param {string | number} [how.ifMatch]  The version that it must still have.
 * @returns {Promise<any>}
 * @throws {import('./session.js').Refused}
 */
export function ask(method, path, parameters = {}, { signal, ifMatch } = {}) {
  const given = form(parameters);
  const query = method !== 'POST' && given.size ? `?${given}` : '';
  return send(method, `/desk/rest/${path}${query}`, {
    form: method === 'POST' ? given : undefined,
    headers: ifMatch === undefined ? {} : { 'If-Match': String(ifMatch) },
    signal,
  });
}

/**
 * A resource and its version, for `ifMatch`.
 *
 * @param {string} path
 * @returns {Promise<{found: any, version: string | undefined}>}
 */
export async function fetched(path) {
  /** @type {string | undefined} */
  let version;
  const found = await send('GET', `/desk/rest/${path}`, {
    heard: ({ headers }) => {
      version = headers.get('ETag')?.replace(/^W\//, '');
    },
  });
  return { found, version };
}

/** @param {Parameters} parameters */
function form(parameters) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null) made.set(name, String(value));
  }
  return made;
}

/**
 * Everything in a list, page by page.
 *
 * @param {string} path
 * @param {Parameters} [parameters]
 * @param {object} [how]
 * @param {AbortSignal} [how.signal]
 * @param {number} [how.most]  Stop once there are so many.
 * @returns {Promise<any[]>}
 */
export async function all(path, parameters = {}, { signal, most = Infinity } = {}) {
  const found = [];
  let page = await ask('GET', path, { PageSize: Math.min(most, 1000), ...parameters }, { signal });
  for (;;) {
    found.push(...page[page.meta.key]);
    const next = page.meta.next_page_url;
    if (!next || found.length >= most) return found.slice(0, most);
    page = await ask('GET', after(next), {}, { signal });
  }
}

/**
 * A page's address as a path below `/v1/`: whatever name the server gives itself, we ask the one
 * that we came from.
 *
 * @param {string} url
 */
export function after(url) {
  const { pathname, search } = new URL(url, 'http://server/');
  return pathname.replace(/^.*?\/v1\//, '') + search;
}
