/**
 * Tells once a second what time it is. Whoever shows a duration that grows watches it.
 */

import { now } from './clock.js';
import { Signal } from './signal.js';

/** Milliseconds since 1970 by the server's clock. */
export const tick = new Signal(now());

setInterval(() => {
  tick.value = now();
}, 1000);
