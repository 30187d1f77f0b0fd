/**
 * How a page begins: its words, then who is signed in, then its elements.
 */

import { listenable } from './announce.js';
import { Part } from './part.js';
import { load } from './session.js';
import { begin, language, t } from './words.js';

export { html, nothing } from './part.js';

/**
 * Loads words and session, and then lets the page's element begin: `define` imports nothing that
 * is not needed yet.
 *
 * @param {object} how
 * @param {string} how.element  `tandem-desk`
 * @param {CustomElementConstructor} how.page
 * @param {import('./words.js').Word} how.title
 * @param {import('./words.js').Source[]} how.words  The page's own.
 */
export async function start({ element, page, title, words }) {
  const loaded = load().catch(() => null); // the page says that the server cannot be reached
  await begin(...words);
  await loaded;
  const name = () => {
    document.title = `${t(title)} · Tandem`;
  };
  name();
  language.listen(name);
  listenable();
  customElements.define(element, page);
}

/** The element of a whole page. */
export class Page extends Part {}
