/** The home page. */

import { start } from './house/page.js';
import { Home } from './home/page.js';

start({
  element: 'tandem-home',
  page: Home,
  title: 'home.title',
  words: [
    {
      en: () => import('./house/words/en/home.js'),
      ja: () => import('./house/words/ja/home.js'),
    },
  ],
});
