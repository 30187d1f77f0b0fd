/**
 * <tandem-home>
 */

import { html, Part } from '../house/part.js';
import { t } from '../house/words.js';
import '../parts/bar.js';

export class Home extends Part {
  render() {
    return html`
      <tandem-bar .page=${'home'}></tandem-bar>
      <main><h1>${t('home.title')}</h1></main>
    `;
  }
}
