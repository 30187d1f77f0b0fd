/**
 * Tells of an offer outside the page: a notification of the browser, and the window's title.
 */

import { Signal } from '../house/signal.js';

/** What the browser says: granted, denied, default, or unsupported. */
export const permission = new Signal(
  /** @type {NotificationPermission | 'unsupported'} */ (
    typeof Notification === 'undefined' ? 'unsupported' : Notification.permission
  ),
);

/** @type {Map<string, Notification>} */
const shown = new Map();
/** @type {string | null} */
let title = null;

/** Asks the agent whether notifications may be shown; only after a click of theirs. */
export async function askPermission() {
  permission.value = await Notification.requestPermission();
}

/**
 * @param {string} sid  Of the Reservation.
 * @param {string} heading
 * @param {string} text
 */
export function notify(sid, heading, text) {
  if (permission.value !== 'granted' || shown.has(sid)) return;
  const made = new Notification(heading, {
    body: text,
    tag: sid,
    icon: '/assets/icon.svg',
    requireInteraction: true,
  });
  made.onclick = () => {
    window.focus();
    made.close();
  };
  shown.set(sid, made);
}

/** Those whose offers are over are taken away. @param {readonly string[]} sids  That go on. */
export function keepOnly(sids) {
  for (const [sid, notification] of shown) {
    if (sids.includes(sid)) continue;
    notification.close();
    shown.delete(sid);
  }
}

/** @param {string | null} text  Before the page's own title; null: nothing. */
export function markTitle(text) {
  title ??= document.title;
  document.title = text === null ? title : `${text} · ${title}`;
  if (text === null) title = null;
}
