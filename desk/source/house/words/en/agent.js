/** What the agent's desk says, in English. */
export default {
  'agent.title': 'Desk',
};
