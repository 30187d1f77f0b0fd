/**
 * Which rows of a long table are seen, and in what order they are kept.
 */

/** Rows that are there beyond what is seen, so that a fast hand finds them. */
const BEYOND = 6;

/**
 * @param {number} count  Of all rows.
 * @param {number} top  How far it is scrolled, in pixels.
 * @param {number} height  Of what is seen.
 * @param {number} row  The height of one.
 * @returns {{first: number, end: number}}  From the one row up to, and without, the other.
 */
export function windowOf(count, top, height, row) {
  const seen = Math.ceil(height / row) + 1;
  // Where the table has become shorter than it is scrolled, its end is seen.
  const at = Math.max(0, Math.min(Math.floor(top / row), count - seen));
  return { first: Math.max(0, at - BEYOND), end: Math.min(count, at + seen + BEYOND) };
}

/**
 * The rows that there are now, in the order in which they stood before; new ones come last.
 *
 * @template {{sid: string}} Row
 * @param {readonly Row[]} before
 * @param {readonly Row[]} now
 * @returns {Row[]}
 */
export function kept(before, now) {
  const left = new Map(now.map((row) => [row.sid, row]));
  const found = [];
  for (const { sid } of before) {
    const row = left.get(sid);
    if (!row) continue;
    found.push(row);
    left.delete(sid);
  }
  for (const row of left.values()) found.push(row);
  return found;
}
