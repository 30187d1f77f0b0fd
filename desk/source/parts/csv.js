/**
 * Tables as CSV (RFC 4180), to be opened in a spreadsheet.
 */

/**
 * @param {readonly (readonly unknown[])[]} rows
 * @returns {string}
 */
export function csv(rows) {
  return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/**
 * A spreadsheet takes what begins like a formula for one, and callers may write such things: a
 * quote before it keeps it a text (OWASP, CSV injection).
 *
 * @param {unknown} value
 */
function cell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = value instanceof Date ? value.toISOString() : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Hands it to the viewer as a file. A mark at its beginning tells spreadsheets that it is UTF-8.
 *
 * @param {string} name
 * @param {string} text
 */
export function download(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
