/** The desk page. */

import { start } from './house/page.js';
import { Desk } from './agent/page.js';

start({
  element: 'tandem-desk',
  page: Desk,
  title: 'agent.title',
  words: [
    {
      en: () => import('./house/words/en/agent.js'),
      ja: () => import('./house/words/ja/agent.js'),
    },
  ],
});
