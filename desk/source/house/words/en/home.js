/** What the home page says, in English. */
export default {
  'home.title': 'Start',
};
