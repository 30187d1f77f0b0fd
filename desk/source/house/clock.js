/**
 * The time: by the server's clock where it counts, in the viewer's zone where it is shown.
 */

/** Milliseconds by which the server's clock is ahead of this one. */
let ahead = 0;
let isKnown = false;

/** Milliseconds since 1970 by the server's clock. */
export function now() {
  return Date.now() + ahead;
}

/**
 * Learns the server's clock from an answer's Date. It tells whole seconds: a difference of less than
 * two is left alone, or the clock would jump with every answer.
 *
 * @param {string | null} date  The header.
 */
export function learn(date) {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told)) return;
  const difference = told + 500 - Date.now();
  if (!isKnown || Math.abs(difference - ahead) > 2000) {
    ahead = Math.abs(difference) < 2000 ? 0 : difference;
    isKnown = true;
  }
}

/**
 * A duration as a clock shows it: 0:07, 12:30, 1:05:09.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * The same for somebody who listens: an ISO 8601 duration, for `<time datetime>`.
 *
 * @param {number} seconds
 */
export function isoDuration(seconds) {
  return `PT${Math.max(0, Math.floor(seconds))}S`;
}

/**
 * Seconds that have passed since then, by the server's clock.
 *
 * @param {Date | string | number} then
 */
export function since(then) {
  return Math.max(0, (now() - new Date(then).getTime()) / 1000);
}

/**
 * @param {Date | string | number} instant
 * @param {string} language
 */
export function timeOfDay(instant, language) {
  return new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(new Date(instant));
}

/**
 * @param {Date | string | number} instant
 * @param {string} language
 */
export function dateAndTime(instant, language) {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(
    new Date(instant),
  );
}

/** The instant at which the viewer's day began. */
export function today() {
  const day = new Date(now());
  day.setHours(0, 0, 0, 0);
  return day;
}
