/** ウォールボードのことば。 */
export default {
  'wall.title': 'ウォールボード',
};
