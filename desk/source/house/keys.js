/**
 * Keyboard shortcuts: one list, which `?` shows and which can be switched off.
 *
 * A letter alone is a shortcut only while nothing is being typed and no dialog is open. Whoever
 * dictates to their machine can switch them off (WCAG 2.1.4); it is remembered.
 */

import { remember, remembered } from './memory.js';
import { Signal } from './signal.js';

/**
 * @typedef {object} Shortcut
 * @property {string} key  As KeyboardEvent.key names it: `a`, `?`, `Escape`.
 * @property {import('./words.js').Word} word  What it does.
 * @property {() => void} run
 * @property {() => boolean} [when]  Only then. It is listed always.
 */

export const areOn = new Signal(remembered('shortcuts') !== 'off');
/** Those of this page, in the order in which they are listed. */
export const shortcuts = new Signal(/** @type {readonly Shortcut[]} */ ([]));

/** @param {boolean} on */
export function switchShortcuts(on) {
  remember('shortcuts', on ? null : 'off');
  areOn.value = on;
}

/**
 * Adds shortcuts to the page's.
 *
 * @param {readonly Shortcut[]} more
 * @returns {() => void}  Takes them away again.
 */
export function addShortcuts(more) {
  shortcuts.value = [...shortcuts.value, ...more];
  return () => {
    shortcuts.value = shortcuts.value.filter((each) => !more.includes(each));
  };
}

/**
 * Is something being typed there, or chosen with letters?
 *
 * @param {Element | null} element
 */
function takesLetters(element) {
  return element?.matches('input, textarea, select, [contenteditable="true"]') ?? false;
}

/** Is it a key alone, pressed once, which nobody has taken yet? @param {KeyboardEvent} event */
function isPlain(event) {
  const isWith = event.ctrlKey || event.metaKey || event.altKey;
  return !isWith && !event.isComposing && !event.repeat && !event.defaultPrevented;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (!areOn.value || !isPlain(event)) return;
  if (takesLetters(document.activeElement) || document.querySelector('dialog[open]')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const found = shortcuts.value.find((each) => each.key === key && (each.when?.() ?? true));
  if (!found) return;
  event.preventDefault();
  found.run();
}

document.addEventListener('keydown', pressed);
