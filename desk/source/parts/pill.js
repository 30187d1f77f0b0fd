/**
 * A word in a coloured frame: a state. The colour never says more than the word does.
 */

import { html } from '../house/part.js';

/**
 * @param {string} text
 * @param {import('../house/types.js').Tone} [tone]
 */
export function pill(text, tone = 'calm') {
  return html`<span class="pill" data-tone=${tone}>${text}</span>`;
}
