/**
 * What this browser remembers for us; where it remembers nothing, until the page is left.
 */

/** @type {Map<string, string>} */
const instead = new Map();

/**
 * @param {string} name
 * @returns {string | null}
 */
export function remembered(name) {
  try {
    return localStorage.getItem(`tandem.${name}`);
  } catch {
    return instead.get(name) ?? null;
  }
}

/**
 * @param {string} name
 * @param {string | null} value  null: forget it.
 */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`tandem.${name}`);
    else localStorage.setItem(`tandem.${name}`, value);
  } catch {
    if (value === null) instead.delete(name);
    else instead.set(name, value);
  }
}
