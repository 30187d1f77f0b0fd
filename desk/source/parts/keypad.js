/**
 * <tandem-keypad>: the twelve keys of a telephone. Each press is told as `digit`; keys that are
 * typed while it has the focus are pressed, too.
 */

import { html, Part } from '../house/part.js';
import { t } from '../house/words.js';

const KEYS = [
  ['1', ''], ['2', 'ABC'], ['3', 'DEF'],
  ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'],
  ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'],
  ['*', ''], ['0', '+'], ['#', ''],
];

export class TandemKeypad extends Part {
  static properties = { disabled: { attribute: false } };

  constructor() {
    super();
    this.disabled = false;
  }

  /** @param {KeyboardEvent} event */
  #typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.disabled) return;
    if (!/^[0-9*#]$/.test(event.key)) return;
    event.preventDefault();
    this.#press(event.key);
  }

  /** @param {string} digit */
  #press(digit) {
    this.tell('digit', digit);
  }

  render() {
    return html`<div class="keypad" role="group" aria-label=${t('keypad.label')} @keydown=${this.#typed}>
      ${KEYS.map(
        ([digit, letters]) => html`<button
          type="button"
          ?disabled=${this.disabled}
          @click=${() => this.#press(digit)}
        >
          <b>${digit}</b><small aria-hidden="true">${letters}</small>
        </button>`,
      )}
    </div>`;
  }
}

customElements.define('tandem-keypad', TandemKeypad);
