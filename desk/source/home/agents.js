/**
 * The demo's agents, each at work on Twilio's own SDK as on a desk of their own.
 *
 * Their tokens come without a sign-in, which the server hands out only while the phone network is
 * simulated and the browser is on the same machine.
 */

import { Shift } from '../agent/shift.js';
import { send } from '../house/session.js';

/**
 * @typedef {object} Token
 * @property {string} token
 * @property {string} expires_at
 * @typedef {Token & {sid: string, friendly_name: string}} AgentToken
 * @typedef {{agents: AgentToken[], feed: Token}} Tokens
 *
 * @typedef {object} Agent
 * @property {string} sid
 * @property {string} name
 * @property {Shift} shift
 */

/** Requests of one moment share an answer. @type {Promise<Tokens> | null} */
let asked = null;

/** @returns {Promise<Tokens>} */
function tokens() {
  asked ??= send('POST', '/desk/demo/tokens', { json: {} }).finally(() => {
    asked = null;
  });
  return asked;
}

/** What the live feed is opened with. */
export async function feedToken() {
  return (await tokens()).feed;
}

/** @returns {Promise<Agent[]>} */
export async function agents() {
  const { agents: all } = await tokens();
  return all.map(({ sid, friendly_name: name }) => ({
    sid,
    name,
    shift: new Shift(async () => {
      const found = (await tokens()).agents.find((each) => each.sid === sid);
      if (!found) throw Object.assign(new Error('gone'), { status: 403 });
      return found;
    }),
  }));
}
