/**
 * The shapes of what the server says, as the pages use them.
 *
 * @typedef {object} User
 * @property {string} sid
 * @property {string} name  What they sign in with.
 * @property {string} display_name
 * @property {'agent' | 'supervisor' | 'admin'} role
 * @property {string | null} worker_sid
 *
 * @typedef {object} SessionState  `GET /desk/session`
 * @property {User | null} user
 * @property {string} csrf
 * @property {string | null} expires_at  ISO 8601
 * @property {string} workspace_sid
 * @property {string} account_sid
 * @property {boolean} has_account  Is there a Twilio account, or does the simulator stand in?
 * @property {{ebServer: string, wsServer: string, feed: string}} realtime
 * @property {string | null} simulator  The simulator's address.
 * @property {{name: string, display_name: string, role: string}[]} demo_users
 * @property {{name: string} | null} open_id
 *
 * @typedef {object} TaskRouterEvent  Twilio's Event resource
 * @property {string} sid
 * @property {string} event_type
 * @property {string} event_date  ISO 8601
 * @property {number} [event_date_ms]
 * @property {string} description
 * @property {Record<string, any>} event_data
 * @property {string} resource_sid
 * @property {string} resource_type
 * @property {string} [actor_type]
 * @property {string} [actor_sid]
 * @property {number} [sequence]  Its place in the log, where it came over the live feed.
 *
 * @typedef {'good' | 'busy' | 'bad' | 'calm'} Tone  What a pill's colour says.
 */

export {};
