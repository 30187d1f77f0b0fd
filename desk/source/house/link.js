/**
 * Addresses that others have written: those of the web may be followed, the rest are just text.
 */

/**
 * @param {unknown} text
 * @returns {string | null}  The address, or null where it is none that may be followed.
 */
export function webAddress(text) {
  if (typeof text !== 'string' || text.length > 2000 || !/^https?:\/\//i.test(text)) return null;
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}
