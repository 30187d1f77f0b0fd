/** スタート画面のことば。 */
export default {
  'home.title': 'スタート',
};
