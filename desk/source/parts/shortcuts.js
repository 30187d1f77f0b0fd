/**
 * <tandem-shortcuts>: the list of keyboard shortcuts, opened by `?`, and the switch that turns
 * them off.
 */

import { addShortcuts, areOn, shortcuts, switchShortcuts } from '../house/keys.js';
import { html, Part } from '../house/part.js';
import { t } from '../house/words.js';
import './dialog.js';

export class TandemShortcuts extends Part {
  static properties = { open: { state: true } };

  constructor() {
    super();
    this.open = false;
    this.watch(shortcuts, areOn);
    /** @type {() => void} */
    this.takeAway = () => {};
  }

  connectedCallback() {
    super.connectedCallback();
    this.takeAway = addShortcuts([{ key: '?', word: 'keys.help', run: () => this.show() }]);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.takeAway();
  }

  show() {
    this.open = true;
  }

  #list() {
    return html`
      <dl class="shortcuts">
        ${shortcuts.value.map(
          ({ key, word }) => html`<div>
            <dt><kbd>${key.length === 1 ? key.toUpperCase() : key}</kbd></dt>
            <dd>${t(word)}</dd>
          </div>`,
        )}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          .checked=${areOn.value}
          @change=${(/** @type {Event} */ event) =>
            switchShortcuts(/** @type {HTMLInputElement} */ (event.target).checked)}
        />
        ${t('keys.on')}
      </label>
      <p class="faint">${t('keys.hint')}</p>
    `;
  }

  render() {
    return html`<tandem-dialog
      .heading=${t('keys.title')}
      .open=${this.open}
      .content=${this.#list()}
      @closed=${() => (this.open = false)}
    ></tandem-dialog>`;
  }
}

customElements.define('tandem-shortcuts', TandemShortcuts);
