/**
 * Light or dark: as the system says, or as the viewer has chosen here.
 */

import { remember, remembered } from './memory.js';
import { Signal } from './signal.js';

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** @type {readonly Theme[]} */
export const THEMES = ['system', 'light', 'dark'];

const before = remembered('theme');
export const theme = new Signal(
  /** @type {Theme} */ (before === 'light' || before === 'dark' ? before : 'system'),
);

/** @param {Theme} to */
export function chooseTheme(to) {
  remember('theme', to === 'system' ? null : to);
  if (to === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = to;
  theme.value = to;
}
