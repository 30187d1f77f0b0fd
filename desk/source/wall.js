/** The wall page. */

import { start } from './house/page.js';
import { Wall } from './wall/page.js';

start({
  element: 'tandem-wall',
  page: Wall,
  title: 'wall.title',
  words: [
    {
      en: () => import('./house/words/en/wall.js'),
      ja: () => import('./house/words/ja/wall.js'),
    },
  ],
});
