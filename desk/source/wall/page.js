/**
 * <tandem-wall>
 */

import { html, Part } from '../house/part.js';
import { t } from '../house/words.js';
import '../parts/bar.js';

export class Wall extends Part {
  render() {
    return html`
      <tandem-bar .page=${'wall'}></tandem-bar>
      <main><h1>${t('wall.title')}</h1></main>
    `;
  }
}
