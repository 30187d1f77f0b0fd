/**
 * <tandem-desk>
 */

import { html, Part } from '../house/part.js';
import { t } from '../house/words.js';
import '../parts/bar.js';

export class Desk extends Part {
  render() {
    return html`
      <tandem-bar .page=${'desk'}></tandem-bar>
      <main><h1>${t('agent.title')}</h1></main>
    `;
  }
}
