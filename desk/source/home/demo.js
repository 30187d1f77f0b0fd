/**
 * <home-demo>: a call to try: the caller, the agents, and the path between them.
 */

import { html, Part } from '../house/part.js';
import { t } from '../house/words.js';
import { failed } from '../parts/states.js';
import './agent.js';
import './caller.js';
import './path.js';

export class HomeDemo extends Part {
  static properties = { stage: { attribute: false }, error: { state: true } };

  constructor() {
    super();
    /** Given before it is on the page. */
    this.stage = /** @type {import('./stage.js').Stage} */ (/** @type {unknown} */ (null));
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    this.watch(this.stage.changed);
    super.connectedCallback();
    this.#begin();
  }

  async #begin() {
    this.error = null;
    try {
      await this.stage.begin();
    } catch (error) {
      this.error = error;
    }
  }

  #agents() {
    if (this.error) return failed(this.error, () => this.#begin());
    return this.stage.agents.map((agent) => html`<home-agent .agent=${agent}></home-agent>`);
  }

  render() {
    return html`<div class="home-grid">
      <home-caller .stage=${this.stage}></home-caller>
      <section class="stack agents" aria-labelledby="agents-title">
        <h2 id="agents-title" class="heard-only">${t('home.agents')}</h2>
        ${this.#agents()}
        <p class="faint">${t('home.more')}</p>
        <p class="row">
          <a class="button small" href="/desk">${t('home.to_desk')}</a>
          <a class="button small" href="/wall">${t('home.to_wall')}</a>
          <a class="button small" href=${`${this.stage.network.address}/`}>${t('home.to_simulator')}</a>
        </p>
      </section>
      <home-path .stage=${this.stage}></home-path>
    </div>`;
  }
}

customElements.define('home-demo', HomeDemo);
