/**
 * What a Task's attributes say to the agent: who it is, where more can be read, and the rest.
 *
 * Callers and programs set them; nothing here is trusted to be of any type.
 */

import { webAddress } from '../house/link.js';

/** @typedef {Record<string, unknown>} Attributes */

const NAMES = ['name', 'customer_name', 'caller_name', 'title', 'subject'];
const ADDRESSES = ['from', 'caller', 'customer_address', 'email', 'phone'];
const LINKS = ['link', 'url', 'chat_url', 'case_url', 'lead_url', 'crm_url', 'href'];
/** Shown elsewhere, or of no use to a person. */
const HIDDEN = new Set([
  'conference', 'disposition', 'notes', 'call_sid', 'account_sid', 'api_version', 'manual', 'worker_sid',
  'dispositions',
]);
/** What the telephone network tells of every call: read last, or not at all. */
const OF_THE_NETWORK = new Set([
  'called', 'from', 'from_city', 'from_country', 'from_state', 'from_zip',
]);
const NOISE = /^(caller|to)$|^(caller|called|to)_(city|country|state|zip)$|^(direction|call_status)$/;
/** Characters of one value that are shown. */
const LONGEST = 600;

/**
 * The first of these attributes that is a text.
 *
 * @param {Attributes} attributes
 * @param {readonly string[]} names
 */
function first(attributes, names) {
  const found = names.map((name) => attributes[name]).find((value) => isText(value));
  return found === undefined ? null : String(found).slice(0, LONGEST);
}

/** @param {unknown} value */
function isText(value) {
  return (typeof value === 'string' && value.trim() !== '') || typeof value === 'number';
}

/**
 * Whom or what it is about.
 *
 * @param {Attributes} attributes
 * @returns {string | null}
 */
export function subject(attributes) {
  return first(attributes, NAMES) ?? first(attributes, ADDRESSES);
}

/**
 * The address that is told beside a name: a number, a mail address.
 *
 * @param {Attributes} attributes
 * @returns {string | null}
 */
export function address(attributes) {
  const found = first(attributes, ADDRESSES);
  return found === subject(attributes) ? null : found;
}

/**
 * Where the work itself is: a chat, a case, a lead. Only addresses of the web.
 *
 * @param {Attributes} attributes
 * @returns {string | null}
 */
export function workLink(attributes) {
  return LINKS.map((name) => webAddress(attributes[name])).find((found) => found !== null) ?? null;
}

/**
 * The attributes that a person may want to read beside subject and address, in their order; the
 * network's last.
 *
 * @param {Attributes} attributes
 * @param {{brief?: boolean}} [how]  brief: of the network only which number was called.
 * @returns {{key: string, name: string, text: string, link: string | null}[]}
 */
export function facts(attributes, { brief = false } = {}) {
  const told = new Set([subject(attributes), address(attributes)]);
  const entries = Object.entries(attributes).filter(
    ([name, value]) =>
      !HIDDEN.has(name) && !NOISE.test(name) && !isEmpty(value) && !told.has(String(value)),
  );
  const own = entries.filter(([name]) => !OF_THE_NETWORK.has(name));
  const network = entries.filter(
    ([name]) => OF_THE_NETWORK.has(name) && (!brief || name === 'called'),
  );
  return [...own, ...network]
    .map(([name, value]) => ({
      key: name,
      name: name.replaceAll('_', ' '),
      text: shown(value),
      link: webAddress(value),
    }));
}

/** @param {unknown} value */
function isEmpty(value) {
  return value === null || value === '';
}

/** @param {unknown} value */
function shown(value) {
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) {
    return value.join(', ').slice(0, LONGEST);
  }
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}

/**
 * The dispositions that the Task itself asks for, or null.
 *
 * @param {Attributes} attributes
 * @returns {string[] | null}
 */
export function ownDispositions(attributes) {
  const found = attributes.dispositions;
  if (!Array.isArray(found)) return null;
  const texts = found.filter((each) => typeof each === 'string' && each).slice(0, 50);
  return texts.length ? texts.map((each) => String(each).slice(0, 100)) : null;
}

/**
 * What was noted about the Task before.
 *
 * @param {Attributes} attributes
 * @returns {{disposition: string, notes: string}}
 */
export function notedOf({ disposition, notes }) {
  const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : '');
  return { disposition: text(disposition), notes: text(notes) };
}
