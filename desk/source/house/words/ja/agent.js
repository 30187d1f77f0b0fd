/** エージェントのデスクのことば。 */
export default {
  'agent.title': 'デスク',
};
