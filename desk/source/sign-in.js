/** The sign-in page. */

import { start } from './house/page.js';
import { SignIn } from './sign-in/page.js';

start({
  element: 'tandem-sign-in',
  page: SignIn,
  title: 'sign_in.title',
  words: [
    {
      en: () => import('./house/words/en/sign-in.js'),
      ja: () => import('./house/words/ja/sign-in.js'),
    },
  ],
});
