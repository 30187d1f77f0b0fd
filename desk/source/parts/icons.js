/**
 * The pages' icons: lines of one width, in the colour of the text around them.
 */

import { html, svg } from '../house/part.js';

const PATHS = {
  accept: 'M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1z',
  answer: 'M5 12l5 5L20 7',
  back: 'M15 5l-7 7 7 7',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  calm: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0M8.5 14.5s1.2 1.5 3.5 1.5 3.5-1.5 3.5-1.5M9 9.5v.5M15 9.5v.5',
  case: 'M4 8h16v11H4zM9 8V5h6v3M4 13h16',
  chat: 'M4 5h16v11H10l-4 4v-4H4z',
  chevron: 'M6 9l6 6 6-6',
  clock: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0M12 7.5V12l3 2',
  close: 'M6 6l12 12M18 6L6 18',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  hang_up: 'M3 13c0-5 18-5 18 0l-1 3-4-1v-3c-2-.8-6-.8-8 0v3l-4 1z',
  hold: 'M9 5v14M15 5v14',
  keyboard: 'M3 7h18v11H3zM7 11h.5M11 11h.5M15 11h.5M7 14.5h10',
  keypad: 'M6 5h.5M12 5h.5M18 5h.5M6 11h.5M12 11h.5M18 11h.5M6 17h.5M12 17h.5M18 17h.5M12 21h.5',
  language: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0M4 12h16M12 4c-5 5-5 11 0 16c5-5 5-11 0-16',
  link: 'M10 14l10-10M14 4h6v6M18 14v6H4V6h6',
  list: 'M8 6h12M8 12h12M8 18h12M4 6h.5M4 12h.5M4 18h.5',
  mail: 'M3 6h18v12H3zM3 7l9 7 9-7',
  mute: 'M4 4l16 16M9 9v3a3 3 0 0 0 4.6 2.5M15 12V6a3 3 0 0 0-6-.6M5.5 11.500a6.500 6.500 0 0 0 10 5.700M18.500 11.500c0 1-.200 2-.6 2.800M12 18v3',
  microphone: 'M9 6a3 3 0 0 1 6 0v6a3 3 0 0 1-6 0zM5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3',
  moon: 'M19 14.500A8 8 0 1 1 9.500 5a6.500 6.500 0 0 0 9.500 9.500z',
  note: 'M5 4h14v12l-4 4H5zM15 20v-4h4M8.500 9h7M8.500 13h4',
  person: 'M8 8a4 4 0 1 0 8 0a4 4 0 1 0-8 0M4 20c1-5 4-6 8-6s7 1 8 6',
  play: 'M8 5l11 7-11 7z',
  pull: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  record: 'M7 12a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
  screen: 'M3 5h18v11H3zM8 20h8M12 16v4',
  search: 'M5 10.500a5.500 5.500 0 1 0 11 0a5.500 5.500 0 1 0-11 0M15 15l5 5',
  sun: 'M8 12a4 4 0 1 0 8 0a4 4 0 1 0-8 0M12 3v1.500M12 19.500V21M3 12h1.500M19.500 12H21M5.600 5.600l1 1M17.400 17.400l1 1M18.400 5.600l-1 1M6.600 17.400l-1 1',
  team: 'M6 9a3 3 0 1 0 6 0a3 3 0 1 0-6 0M3 19c.6-4 3-5 6-5s5.400 1 6 5M15.500 6.500a3 3 0 0 1 0 5.500M17 14.500c2.300.6 3.600 2 4 4.500',
  transfer: 'M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4',
  warning: 'M12 4l9 16H3zM12 10v4.500M12 17v.5',
};

/** @typedef {keyof typeof PATHS} Icon */

/** @param {Icon} name  Decoration only: what it means stands beside it, or in a label. */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    ${svg`<path d=${PATHS[name]}></path>`}
  </svg>`;
}

/** A channel's. @param {string} channel  The TaskChannel's unique name. */
export function channelIcon(channel) {
  /** @type {Record<string, Icon>} */
  const known = {
    voice: 'accept',
    chat: 'chat',
    sms: 'chat',
    email: 'mail',
    video: 'team',
  };
  return icon(known[channel] ?? 'case');
}
