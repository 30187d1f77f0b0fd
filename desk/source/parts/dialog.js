/**
 * <tandem-dialog>: a dialog that the browser itself keeps focus in, closes on Escape and gives the
 * focus back from.
 *
 *     html`<tandem-dialog .heading=${t('...')} .open=${this.isOpen} .content=${html`...`}
 *       @closed=${() => (this.isOpen = false)}></tandem-dialog>`
 */

import { html, nothing, Part } from '../house/part.js';
import { t } from '../house/words.js';
import { icon } from './icons.js';

let number = 0;

export class TandemDialog extends Part {
  static properties = {
    heading: { attribute: false },
    open: { attribute: false },
    content: { attribute: false },
    wide: { attribute: false },
  };

  constructor() {
    super();
    this.heading = '';
    this.open = false;
    this.wide = false;
    /** @type {unknown} */
    this.content = nothing;
    this.titleId = `dialog-title-${(number += 1)}`;
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    // The browser closes it on Escape and tells so a moment later: whatever is drawn anew until then
    // must not open it again, which would take the focus from where the agent has gone on.
    if (!changed.has('open')) return;
    const dialog = /** @type {HTMLDialogElement} */ (this.querySelector('dialog'));
    if (this.open && !dialog.open) dialog.showModal();
    else if (!this.open && dialog.open) dialog.close();
  }

  /** @param {MouseEvent} event  A click beside the dialog closes it. */
  #clicked({ target, currentTarget, clientX, clientY }) {
    if (target !== currentTarget) return;
    const { left, right, top, bottom } = /** @type {Element} */ (target).getBoundingClientRect();
    if (clientX < left || clientX > right || clientY < top || clientY > bottom) this.#close();
  }

  #close() {
    this.querySelector('dialog')?.close();
  }

  #closed() {
    if (!this.open) return;
    this.open = false;
    this.tell('closed');
  }

  render() {
    return html`<dialog
      class=${this.wide ? 'dialog wide' : 'dialog'}
      aria-labelledby=${this.titleId}
      @close=${this.#closed}
      @click=${this.#clicked}
    >
      <div class="dialog-head">
        <h2 id=${this.titleId}>${this.heading}</h2>
        <button type="button" class="bare" aria-label=${t('dialog.close')} @click=${this.#close}>
          ${icon('close')}
        </button>
      </div>
      <div class="content">${this.open ? this.content : nothing}</div>
    </dialog>`;
  }
}

customElements.define('tandem-dialog', TandemDialog);
