/**
 * What is said to somebody who listens to the page instead of looking at it.
 */

/** @type {Record<'polite' | 'assertive', HTMLElement | null>} */
const regions = { polite: null, assertive: null };

/** @param {'polite' | 'assertive'} manner */
function region(manner) {
  const there = regions[manner];
  if (there?.isConnected) return there;
  const made = document.createElement('div');
  made.className = 'heard-only';
  made.setAttribute('role', manner === 'polite' ? 'status' : 'alert');
  made.setAttribute('aria-live', manner);
  document.body.append(made);
  regions[manner] = made;
  return made;
}

/** Makes room for what will be said: a region is only listened to if it was there before. */
export function listenable() {
  region('polite');
  region('assertive');
}

/**
 * @param {string} text
 * @param {'polite' | 'assertive'} [manner]  Assertive interrupts: an offer, an error.
 */
export function announce(text, manner = 'polite') {
  const place = region(manner);
  place.textContent = '';
  // The same text a second time is said again only if it was gone in between.
  setTimeout(() => {
    place.textContent = text;
  }, 30);
}
