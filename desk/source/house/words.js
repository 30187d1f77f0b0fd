/**
 * All texts of the pages, in the viewer's language.
 *
 * A page calls `begin` with the words it needs (they come as chunks of their own, one language at a
 * time), then `t('key', {name: ...})` gives a text. Where a number decides the form, the words have
 * `{one, other}`, and `count` chooses.
 */

import { remember, remembered } from './memory.js';
import { Signal } from './signal.js';

/**
 * @typedef {string | {one?: string, other: string}} Text
 * @typedef {Record<string, Text>} Words
 * @typedef {'en' | 'ja'} Language
 * @typedef {keyof typeof import('./words/en/house.js')['default']
 *   | keyof typeof import('./words/en/sign-in.js')['default']
 *   | keyof typeof import('./words/en/agent.js')['default']
 *   | keyof typeof import('./words/en/wall.js')['default']
 *   | keyof typeof import('./words/en/home.js')['default']} Word
 * @typedef {Record<Language, () => Promise<{default: Words}>>} Source
 */

/** @type {readonly Language[]} */
export const LANGUAGES = ['en', 'ja'];

/** Every page's own. @type {Source} */
const HOUSE = {
  en: () => import('./words/en/house.js'),
  ja: () => import('./words/ja/house.js'),
};

/** @type {Source[]} */
let sources = [HOUSE];
/** @type {Words} */
let words = {};

/** The language that is shown. */
export const language = new Signal(/** @type {Language} */ ('en'));

/**
 * Loads the words of a page; nothing may be rendered before.
 *
 * @param {...Source} more  The page's own, beside those of the house.
 */
export async function begin(...more) {
  sources = [HOUSE, ...more];
  await speak(chosen(remembered('language'), navigator.languages));
}

/**
 * The language for somebody who has chosen, or whose browser prefers these.
 *
 * @param {string | null} said
 * @param {readonly string[]} preferred
 * @returns {Language}
 */
export function chosen(said, preferred) {
  const known = [said ?? '', ...preferred].map((each) => each.slice(0, 2).toLowerCase());
  return LANGUAGES.find((each) => each === known.find((one) => one === 'en' || one === 'ja')) ?? 'en';
}

/**
 * Shows another language from now on, and remembers it.
 *
 * @param {Language} to
 */
export async function choose(to) {
  remember('language', to);
  await speak(to);
}

/** @param {Language} to */
async function speak(to) {
  const loaded = await Promise.all(sources.map((source) => source[to]()));
  words = Object.assign({}, ...loaded.map((each) => each.default));
  document.documentElement.lang = to;
  if (language.value === to) language.tell();
  else language.value = to;
}

/**
 * A text in the language that is shown. What is put in for `{name}` is text, too.
 *
 * @param {Word} key
 * @param {Record<string, string | number>} [filled]
 * @returns {string}
 */
export function t(key, filled = {}) {
  return fill(words[key] ?? key, filled, language.value);
}

/**
 * A text for whose key there may be none: the state of a Task, a code of the server.
 *
 * @param {string} family  `task.status`
 * @param {string} member  `pending`
 * @param {string} [otherwise]  What is shown where the words say nothing of it.
 */
export function named(family, member, otherwise = member) {
  const text = words[`${family}.${member}`];
  return text === undefined ? otherwise : fill(text, {}, language.value);
}

/**
 * @param {Text} text
 * @param {Record<string, string | number>} filled
 * @param {Language} to
 * @returns {string}
 */
export function fill(text, filled, to) {
  const form = typeof text === 'string' ? text : plural(text, Number(filled.count), to);
  return form.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = filled[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? value.toLocaleString(to) : value;
  });
}

/**
 * @param {{one?: string, other: string}} forms
 * @param {number} count
 * @param {Language} to
 */
function plural(forms, count, to) {
  return (new Intl.PluralRules(to).select(count) === 'one' && forms.one) || forms.other;
}
