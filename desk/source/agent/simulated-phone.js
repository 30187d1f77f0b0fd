/**
 * The simulated endpoint of the agent's address: rung by the simulated network, answered here.
 *
 * The simulator pushes its calls and what is heard in them (server-sent events); it is told by
 * plain requests. Nothing of it exists where there is an account.
 */

/** @typedef {typeof import('./phone.js').phone} Phone */
/** @typedef {{sid: string, to: string, status: string, direction: string}} Call */

const RINGING = new Set(['queued', 'ringing']);

/**
 * @param {string} simulator  Its address.
 * @param {string} contact  `client:alice`
 * @param {Phone} phone
 * @returns {Promise<import('./phone.js').Line>}
 */
export async function simulatedLine(simulator, contact, phone) {
  const address = contact.split(/[?;]/)[0];
  /** @type {Map<string, Call>} */
  const calls = new Map();

  const show = () => {
    const own = [...calls.values()];
    if (own.some(({ status }) => status === 'in-progress')) phone.state.value = 'talking';
    else if (own.some(({ status }) => RINGING.has(status))) phone.state.value = 'ringing';
    else phone.state.value = 'ready';
    if (phone.state.value !== 'talking') phone.heard.value = '';
  };
  const take = (/** @type {Call} */ call) => {
    const isLive = RINGING.has(call.status) || call.status === 'in-progress';
    if (bare(call.to) === address && isLive) calls.set(call.sid, call);
    else calls.delete(call.sid);
  };

  await order(simulator, 'PUT', `/endpoints/${encodeURIComponent(address)}`, {
    on_ring: phone.isAutomatic.value ? 'answer' : 'manual',
  });
  const stream = new EventSource(`${simulator}/simulator/stream?kinds=call,heard&log=0`);
  stream.addEventListener('state', ({ data }) => {
    calls.clear();
    JSON.parse(data).calls.forEach(take);
    show();
  });
  stream.addEventListener('call', ({ data }) => {
    take(JSON.parse(data));
    show();
  });
  stream.addEventListener('heard', ({ data }) => {
    const { call_sid: sid, text } = JSON.parse(data);
    if (calls.has(sid) && text) phone.heard.value = text;
  });
  // The browser opens it again by itself; meanwhile nobody knows whether it rings.
  stream.onerror = () => {
    phone.state.value = 'starting';
  };

  const all = (/** @type {string} */ what, /** @type {(call: Call) => boolean} */ which) =>
    Promise.all(
      [...calls.values()]
        .filter(which)
        .map(({ sid }) => order(simulator, 'POST', `/calls/${sid}/${what}`, {})),
    ).then(() => {});

  return {
    answer: () => all('answer', ({ status }) => RINGING.has(status)),
    hangUp: () => all('hangup', () => true),
    answerByItself: (automatic) =>
      order(simulator, 'PUT', `/endpoints/${encodeURIComponent(address)}`, {
        on_ring: automatic ? 'answer' : 'manual',
      }),
    close: () => stream.close(),
  };
}

/** @param {string} address */
function bare(address) {
  return address.split(/[?;]/)[0];
}

/**
 * @param {string} simulator
 * @param {'PUT' | 'POST'} method
 * @param {string} path
 * @param {object} body
 */
async function order(simulator, method, path, body) {
  const answer = await fetch(`${simulator}/simulator${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Error(said.error ?? `${answer.status}`);
  }
}
