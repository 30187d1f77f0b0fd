/** What the supervisor's wall says, in English. */
export default {
  'wall.title': 'Wall',
};
