/**
 * Who did what today: events that a person caused, through these pages.
 */

import { ask, workspace } from '../house/rest.js';
import { send, session } from '../house/session.js';
import { Signal } from '../house/signal.js';
import { today } from '../house/clock.js';

/** @typedef {import('../house/types.js').TaskRouterEvent} TaskRouterEvent */

/**
 * @typedef {object} Deed
 * @property {string} sid  The event's.
 * @property {number} at
 * @property {string} who  The user's SID.
 * @property {string} type  The event's.
 * @property {Record<string, string>} data  What the event carries.
 */

/** Deeds that are kept. */
const MOST = 500;
const PAGE = 200;

export class History {
  /** The newest first. @type {Signal<readonly Deed[]>} */
  deeds = new Signal(/** @type {readonly Deed[]} */ ([]));
  /** @type {Map<string, string>} Names by SID. */
  #names = new Map();
  #knows = new Set();

  /** Reads what was done before the page was opened. */
  async load() {
    const [before] = await Promise.all([earlier(), this.#readNames()]);
    this.#add(before);
  }

  async #readNames() {
    const { users } = await send('GET', '/desk/users');
    for (const { sid, display_name: name } of users) this.#names.set(sid, name);
  }

  /** @param {TaskRouterEvent} event */
  hear(event) {
    if (event.actor_type === 'user') this.#add([event]);
  }

  /** @param {string} userSid */
  nameOf(userSid) {
    const own = session.value?.user;
    return own?.sid === userSid ? own.display_name : (this.#names.get(userSid) ?? userSid);
  }

  /** @param {readonly TaskRouterEvent[]} events */
  #add(events) {
    const more = events.filter(({ sid }) => !this.#knows.has(sid)).map(deedOf);
    if (!more.length) return;
    const all = [...more, ...this.deeds.value].sort((one, other) => other.at - one.at).slice(0, MOST);
    this.#knows = new Set(all.map(({ sid }) => sid));
    this.deeds.value = all;
    if (more.some(({ who }) => !this.#names.has(who))) this.#readNames().catch(() => {});
  }
}

/** @returns {Promise<TaskRouterEvent[]>} */
async function earlier() {
  const found = await ask('GET', `${workspace()}/Events`, {
    ActorType: 'user', StartDate: today().toISOString(), PageSize: PAGE,
  });
  return found.events;
}

/** @param {TaskRouterEvent} event @returns {Deed} */
function deedOf({ sid, event_type: type, event_date: date, event_date_ms: ms, event_data: data, actor_sid: who }) {
  return { sid, type, data, who: who ?? '', at: ms ?? Date.parse(date) };
}
