/**
 * The big screen: the wall to be read from across the room. It has no controls, asks the device to
 * stay awake, and fills the screen where it may. `/wall#screen` opens it.
 */

import { Signal } from '../house/signal.js';

const HASH = '#screen';

/** Is it on? */
export const screen = new Signal(location.hash === HASH);

/** @type {{release: () => Promise<void>} | null} */
let lock = null;

/** @param {boolean} on  Told by somebody's hand: only then may the screen be filled. */
export async function switchScreen(on) {
  history.replaceState(null, '', on ? HASH : location.pathname + location.search);
  screen.value = on;
  try {
    if (on) await document.documentElement.requestFullscreen();
    else if (document.fullscreenElement) await document.exitFullscreen();
  } catch {
    // It stays in its window.
  }
}

/** The device sleeps again when the page is hidden, and is asked anew when it is back. */
async function stayAwake() {
  if (!screen.value || document.visibilityState !== 'visible') {
    await lock?.release().catch(() => {});
    lock = null;
    return;
  }
  try {
    lock = (await /** @type {any} */ (navigator).wakeLock?.request('screen')) ?? null;
  } catch {
    lock = null; // on battery, or not allowed
  }
}

window.addEventListener('hashchange', () => {
  screen.value = location.hash === HASH;
});
document.addEventListener('visibilitychange', stayAwake);
document.addEventListener('fullscreenchange', () => {
  // Escape leaves the full screen without telling us.
  if (!document.fullscreenElement && screen.value) switchScreen(false);
});
screen.listen(stayAwake);
stayAwake();
