/**
 * The agent's own day, read from the Worker's events: what was taken, for how long, and what was
 * missed.
 */

/**
 * @typedef {import('../house/types.js').TaskRouterEvent} TaskRouterEvent
 *
 * @typedef {object} Entry  One Task, or one offer that came to nothing.
 * @property {string} reservation
 * @property {string} task
 * @property {string} channel
 * @property {Record<string, unknown>} attributes
 * @property {number} offeredAt  Milliseconds.
 * @property {number | null} acceptedAt
 * @property {number | null} wrapUpAt
 * @property {number | null} endedAt
 * @property {'offered' | 'accepted' | 'wrapping' | 'completed' | 'rejected' | 'timeout' | 'canceled' | 'rescinded'} state
 */

/** @type {Record<string, Entry['state']>} */
const STATES = {
  'reservation.created': 'offered',
  'reservation.accepted': 'accepted',
  'reservation.wrapup': 'wrapping',
  'reservation.completed': 'completed',
  'reservation.rejected': 'rejected',
  'reservation.timeout': 'timeout',
  'reservation.canceled': 'canceled',
  'reservation.rescinded': 'rescinded',
};

/**
 * The day's entries, the newest first.
 *
 * @param {readonly TaskRouterEvent[]} events  In any order.
 * @returns {Entry[]}
 */
export function entries(events) {
  /** @type {Map<string, Entry>} */
  const found = new Map();
  const inOrder = [...events].sort((one, other) => at(one) - at(other));
  for (const event of inOrder) {
    const state = STATES[event.event_type];
    const sid = event.event_data?.reservation_sid;
    if (!state || !sid) continue;
    const entry = found.get(sid) ?? began(event, sid);
    found.set(sid, entry);
    entry.state = state;
    entry.attributes = attributesOf(event) ?? entry.attributes;
    if (state === 'accepted') entry.acceptedAt = at(event);
    else if (state === 'wrapping') entry.wrapUpAt = at(event);
    else if (state !== 'offered') entry.endedAt = at(event);
  }
  return [...found.values()].sort((one, other) => other.offeredAt - one.offeredAt);
}

/** @param {TaskRouterEvent} event @param {string} sid @returns {Entry} */
function began(event, sid) {
  return {
    reservation: sid,
    task: event.event_data.task_sid ?? '',
    channel: event.event_data.task_channel_unique_name ?? 'default',
    attributes: {},
    offeredAt: at(event),
    acceptedAt: null,
    wrapUpAt: null,
    endedAt: null,
    state: 'offered',
  };
}

/** @param {TaskRouterEvent} event */
function at(event) {
  return event.event_date_ms ?? Date.parse(event.event_date);
}

/** @param {TaskRouterEvent} event @returns {Record<string, unknown> | null} */
function attributesOf(event) {
  const told = event.event_data.task_attributes;
  if (!told) return null;
  if (typeof told === 'object') return told;
  try {
    const read = JSON.parse(told);
    return read && typeof read === 'object' ? read : null;
  } catch {
    return null;
  }
}

/**
 * Seconds spent with the customer, and after that; null while that has not begun.
 *
 * @param {Entry} entry
 * @param {number} now  Milliseconds.
 */
export function times({ acceptedAt, wrapUpAt, endedAt }, now) {
  if (acceptedAt === null) return { talk: null, wrapUp: null };
  const talked = (wrapUpAt ?? endedAt ?? now) - acceptedAt;
  const wrapped = wrapUpAt === null ? null : (endedAt ?? now) - wrapUpAt;
  return { talk: talked / 1000, wrapUp: wrapped === null ? null : wrapped / 1000 };
}

/**
 * @param {readonly Entry[]} list
 * @param {number} now  Milliseconds.
 */
export function totals(list, now) {
  const taken = list.filter(({ acceptedAt }) => acceptedAt !== null);
  const spent = taken.map((entry) => times(entry, now));
  const sum = (/** @type {(number | null)[]} */ values) =>
    values.reduce((/** @type {number} */ all, each) => all + (each ?? 0), 0);
  return {
    taken: taken.length,
    missed: list.filter(({ state }) => state === 'timeout').length,
    declined: list.filter(({ state }) => state === 'rejected').length,
    talk: sum(spent.map(({ talk }) => talk)),
    wrapUp: sum(spent.map(({ wrapUp }) => wrapUp)),
  };
}
