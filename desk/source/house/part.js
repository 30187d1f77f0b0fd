/**
 * The element that all elements of the pages are made from.
 *
 * It renders into the page itself rather than into a shadow, so that one style sheet dresses all,
 * labels reach their fields, and assistive programs see one document. It renders anew when the
 * language changes and when one of the signals that it watches does.
 */

import { LitElement } from 'lit';
import { language } from './words.js';

export { html, nothing, svg } from 'lit';

export class Part extends LitElement {
  /** @type {import('./signal.js').Signal<any>[]} */
  #watched = [language];
  /** @type {(() => void)[]} */
  #ends = [];

  createRenderRoot() {
    return this;
  }

  /**
   * Renders anew whenever one of these changes. Called before it is on the page.
   *
   * @param {...import('./signal.js').Signal<any>} signals
   */
  watch(...signals) {
    this.#watched.push(...signals.filter((each) => !this.#watched.includes(each)));
  }

  connectedCallback() {
    super.connectedCallback();
    this.#ends = this.#watched.map((signal) => signal.listen(() => this.requestUpdate()));
    this.requestUpdate();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.#ends) end();
    this.#ends = [];
  }

  /**
   * Tells whoever has put this element onto the page that something was done here.
   *
   * @param {string} name
   * @param {unknown} [detail]
   */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}
