/**
 * Stands where twilio-taskrouter asks for `graphql-ws`.
 *
 * The SDK brings a second way to be told of things, over GraphQL, which leads to Twilio's own hosts
 * only and which no option of ours asks for. Its parser alone would be half of the first load.
 */

/** @returns {never} */
export function createClient() {
  throw new Error('Tandem tells of things over its own WebSocket, not over GraphQL.');
}
