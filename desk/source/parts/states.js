/**
 * What a part shows while it has nothing to show: loading, empty, failed.
 */

import { html, nothing } from '../house/part.js';
import { t } from '../house/words.js';
import { icon } from './icons.js';

/** @param {string} [text] */
export function loading(text = t('state.loading')) {
  return html`<div class="state" role="status">
    <span class="spinner" aria-hidden="true"></span><p>${text}</p>
  </div>`;
}

/**
 * @param {string} text
 * @param {object} [more]
 * @param {string} [more.hint]
 * @param {import('./icons.js').Icon} [more.image]
 */
export function empty(text, { hint, image = 'calm' } = {}) {
  return html`<div class="state">
    ${icon(image)}
    <p>${text}</p>
    ${hint ? html`<p class="faint">${hint}</p>` : nothing}
  </div>`;
}

/**
 * @param {unknown} error
 * @param {() => void} [again]  Shows a button that tries it again.
 */
export function failed(error, again) {
  return html`<div class="state" role="alert">
    ${icon('warning')}
    <p>${explained(error)}</p>
    ${again ? html`<button type="button" @click=${again}>${t('state.again')}</button>` : nothing}
  </div>`;
}

/**
 * An error in words for people: the server's own message, or that it could not be reached.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function explained(error) {
  const { status, message } = /** @type {{status?: number, message?: string}} */ (error ?? {});
  if (status === 0) return t('error.unreachable');
  if (status === 401) return t('error.signed_out');
  if (status === 403) return t('error.forbidden', { message: message ?? '' });
  return message || t('error.unknown');
}
