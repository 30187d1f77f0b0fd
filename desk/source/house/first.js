/**
 * Runs before anything is painted: the theme and the language that were chosen here before.
 *
 * A plain script in the head, so that a dark room is never lit up by a page that is still loading.
 */
try {
  const theme = localStorage.getItem('tandem.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  const language = localStorage.getItem('tandem.language');
  if (language === 'en' || language === 'ja') document.documentElement.lang = language;
} catch {
  // A browser that keeps nothing for us: the system's theme and the browser's language.
}
