/**
 * Which rows of a table are shown, and in what order.
 */

/** @typedef {{by: string, falling: boolean}} Order */
/** @typedef {string | number | boolean | null | undefined} Value */

/**
 * @template Row
 * @param {readonly Row[]} rows
 * @param {readonly {name: string, value: (row: Row) => Value}[]} columns
 * @param {string} filter  Words that must all occur in a row, in any column.
 * @param {Order | null} order
 * @param {string} language  Whose alphabet it is.
 * @returns {Row[]}
 */
export function arranged(rows, columns, filter, order, language) {
  const words = filter.toLocaleLowerCase(language).split(/\s+/).filter(Boolean);
  const found = words.length ? rows.filter((row) => meets(row, columns, words, language)) : [...rows];
  const column = columns.find((each) => each.name === order?.by);
  if (!column || !order) return found;
  const collator = new Intl.Collator(language, { numeric: true });
  const direction = order.falling ? -1 : 1;
  return found
    .map((row) => ({ row, value: column.value(row) }))
    .sort((one, other) => compared(one.value, other.value, collator, direction))
    .map(({ row }) => row);
}

/**
 * @template Row
 * @param {Row} row
 * @param {readonly {value: (row: Row) => Value}[]} columns
 * @param {readonly string[]} words
 * @param {string} language
 */
function meets(row, columns, words, language) {
  const text = columns
    .map(({ value }) => String(value(row) ?? ''))
    .join(' ')
    .toLocaleLowerCase(language);
  return words.every((word) => text.includes(word));
}

/**
 * What has no value comes last, whichever way the others are ordered.
 *
 * @param {Value} one
 * @param {Value} other
 * @param {Intl.Collator} collator
 * @param {number} direction
 */
function compared(one, other, collator, direction) {
  const [nothing, nothingEither] = [isNothing(one), isNothing(other)];
  if (nothing || nothingEither) return Number(nothing) - Number(nothingEither);
  if (typeof one === 'string' || typeof other === 'string') {
    return direction * collator.compare(String(one), String(other));
  }
  return direction * (Number(one) - Number(other));
}

/** @param {Value} value */
function isNothing(value) {
  return value === null || value === undefined || value === '';
}
