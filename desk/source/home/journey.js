/**
 * One call on its way: ten steps, each with the requests and events that show it.
 *
 * Two witnesses tell of it. The phone network tells what went over the wire (webhooks to us, REST
 * requests from us), the Workspace tells its events. They may be heard in any order: a step is known
 * by what it is, never by when it was heard of. Pure: it asks nobody and knows no clock.
 */

/** @typedef {import('../house/types.js').TaskRouterEvent} TaskRouterEvent */

/**
 * @typedef {typeof STEPS[number]} StepName
 * @typedef {'ahead' | 'now' | 'done' | 'failed' | 'skipped'} StepState
 *
 * @typedef {object} Witness  Something real that can be opened.
 * @property {'webhook' | 'rest' | 'event'} kind
 * @property {string} key  Tells it from all others.
 * @property {number} at  Milliseconds since 1970.
 * @property {string} title
 * @property {unknown} told  Parameters of a request, data of an event.
 * @property {string | null} answer  What was answered to a request.
 * @property {number | null} status  HTTP's.
 * @property {string} [url]
 *
 * @typedef {object} Step
 * @property {StepName} name
 * @property {StepState} state
 * @property {number | null} at  When it was done, in milliseconds since 1970.
 * @property {Witness[]} witnesses
 *
 * @typedef {object} LogLine  A line of the simulator's log.
 * @property {number} number
 * @property {'webhook' | 'rest' | 'error'} kind
 * @property {number} time
 * @property {string} method
 * @property {string} url
 * @property {Record<string, any>} parameters
 * @property {number | null} status
 * @property {string | null} call_sid
 * @property {string | null} answer
 */

export const STEPS = /** @type {const} */ ([
  'webhook', 'task', 'workflow', 'queue', 'matching',
  'reservation', 'accept', 'conference', 'wrapup', 'completed',
]);

/** What an event shows. Those of a Reservation that came to nothing send the call back to matching. */
const OF_EVENT = /** @type {Record<string, StepName>} */ ({
  'task.created': 'task',
  'workflow.entered': 'workflow',
  'workflow.target-matched': 'workflow',
  'workflow.skipped': 'workflow',
  'workflow.timeout': 'workflow',
  'task-queue.entered': 'queue',
  'task-queue.moved': 'queue',
  'task-queue.timeout': 'queue',
  'reservation.created': 'reservation',
  'reservation.rejected': 'reservation',
  'reservation.timeout': 'reservation',
  'reservation.canceled': 'reservation',
  'reservation.rescinded': 'reservation',
  'reservation.failed': 'reservation',
  'reservation.accepted': 'accept',
  'reservation.wrapup': 'wrapup',
  'task.wrapup': 'wrapup',
  'reservation.completed': 'completed',
  'task.completed': 'completed',
  'task.canceled': 'completed',
});
/** What a webhook about the caller's own leg shows; any other is about what it is to do. */
const OF_WEBHOOK = /** @type {[string, StepName][]} */ ([
  ['/voice/waiting', 'queue'],
  ['/voice/call-status', 'wrapup'],
  ['/voice/conference-left', 'wrapup'],
  ['/voice/conference', 'conference'],
]);
const CAME_TO_NOTHING = new Set(
  ['rejected', 'timeout', 'canceled', 'rescinded', 'failed'].map((end) => `reservation.${end}`),
);

export class Journey {
  /** Calls to agents. @type {Set<string>} */
  #legs = new Set();
  /** Calls that have come into the room. @type {Set<string>} */
  #joined = new Set();

  /** @param {string} callSid  @param {number} dialledAt  Milliseconds since 1970. */
  constructor(callSid, dialledAt) {
    this.callSid = callSid;
    this.dialledAt = dialledAt;
    /** @type {string | null} */
    this.taskSid = null;
    /** The Worker who has, or was offered, the call. @type {string | null} */
    this.workerName = null;
    /** How it ended: with the Task completed, canceled, or before there was one. */
    this.end = /** @type {'completed' | 'canceled' | 'refused' | null} */ (null);
    /** @type {Step[]} */
    this.steps = STEPS.map((name) => ({ name, state: 'ahead', at: null, witnesses: [] }));
    /** Events whose Task was not known yet when they came. @type {TaskRouterEvent[]} */
    this.early = [];
    this.#settle();
  }

  /** @param {StepName} name @returns {Step} */
  step(name) {
    return this.steps[STEPS.indexOf(name)];
  }

  /** @param {LogLine} line @returns {boolean}  Was it about this call? */
  hearLine(line) {
    const name = this.#placeOf(line);
    if (name === null) return false;
    this.#show(name, {
      kind: line.kind === 'rest' ? 'rest' : 'webhook',
      key: `line ${line.number}`,
      at: line.time,
      title: `${line.method} ${pathOf(line.url)}`,
      told: line.parameters,
      answer: line.answer,
      status: line.status,
      url: line.url,
    });
    const isRefused = line.status === null || line.status >= 400;
    if (name === 'webhook') this.#reach('webhook', line.time, isRefused);
    if (line.parameters.StatusCallbackEvent === 'participant-join') this.#join(line);
    this.#settle();
    return true;
  }

  /** @param {TaskRouterEvent} event @returns {boolean}  Was it about this call? */
  hearEvent(event) {
    const data = event.event_data;
    if (this.taskSid === null) {
      if (event.event_type !== 'task.created' || callOf(data) !== this.callSid) {
        // Events of one transaction come in any order: those before the first are kept a little.
        if (data.task_sid) this.early = [...this.early.slice(-19), event];
        return false;
      }
      this.taskSid = data.task_sid;
      this.#take(event);
      for (const each of this.early) this.hearEvent(each);
      this.early = [];
      return true;
    }
    if (data.task_sid !== this.taskSid) return false;
    this.#take(event);
    return true;
  }

  /** The phone network says that the call is over. @param {number} at */
  callEnded(at) {
    if (this.taskSid !== null || this.step('webhook').state !== 'failed') return;
    this.end = 'refused';
    this.step('webhook').at ??= at;
  }

  /** @param {TaskRouterEvent} event */
  #take(event) {
    const name = OF_EVENT[event.event_type];
    if (name === undefined) return;
    const at = event.event_date_ms ?? Date.parse(event.event_date);
    this.#show(name, {
      kind: 'event',
      key: event.sid,
      at,
      title: event.event_type,
      told: event.event_data,
      answer: null,
      status: null,
    });
    if (CAME_TO_NOTHING.has(event.event_type)) this.#goBack();
    else this.#reach(name, at);
    if (event.event_type === 'reservation.created') this.#matched(event, at);
    if (event.event_type === 'task.completed') this.end = 'completed';
    if (event.event_type === 'task.canceled') this.#cancel(at);
    this.#settle();
  }

  /** They talk as soon as there are two of them. @param {LogLine} line */
  #join({ parameters, time }) {
    this.#joined.add(parameters.CallSid);
    if (this.#joined.size > 1) this.#reach('conference', time);
  }

  /** The same event shows who was found, and why they fit. @param {TaskRouterEvent} event @param {number} at */
  #matched({ sid, event_data: data }, at) {
    this.workerName = data.worker_name ?? null;
    this.#reach('matching', at);
    this.#show('matching', {
      kind: 'event',
      key: sid,
      at,
      title: data.task_queue_target_expression ?? '1==1',
      told: {
        task_queue_name: data.task_queue_name,
        task_queue_target_expression: data.task_queue_target_expression,
        worker_name: data.worker_name,
        worker_attributes: data.worker_attributes,
        worker_activity_name: data.worker_activity_name,
        task_channel_unique_name: data.task_channel_unique_name,
        task_attributes: data.task_attributes,
      },
      answer: null,
      status: null,
    });
  }

  /** An offer came to nothing: another Worker is looked for. */
  #goBack() {
    if (this.end !== null) return;
    this.workerName = null;
    this.#joined.clear();
    for (const name of /** @type {StepName[]} */ (['matching', 'reservation', 'accept', 'conference'])) {
      Object.assign(this.step(name), { state: 'ahead', at: null });
    }
  }

  /** @param {number} at */
  #cancel(at) {
    this.end = 'canceled';
    for (const step of this.steps) {
      if (step.state !== 'done') Object.assign(step, { state: 'skipped', at: null });
    }
    Object.assign(this.step('completed'), { state: 'failed', at });
  }

  /** @param {StepName} name @param {number} at @param {boolean} [isRefused] */
  #reach(name, at, isRefused = false) {
    const step = this.step(name);
    if (step.state === 'done' || step.state === 'failed') return;
    Object.assign(step, { state: isRefused ? 'failed' : 'done', at });
  }

  /** The first step that is not done yet is where the call is now. */
  #settle() {
    for (const step of this.steps) if (step.state === 'now') step.state = 'ahead';
    if (this.end !== null) return;
    const next = this.steps.find((step) => step.state !== 'done');
    if (next?.state === 'ahead') next.state = 'now';
  }

  /** @param {StepName} name @param {Witness} witness */
  #show(name, witness) {
    const step = this.step(name);
    if (step.witnesses.some(({ key }) => key === witness.key)) return;
    step.witnesses = [...step.witnesses, witness].sort((one, other) => one.at - other.at);
  }

  /**
   * The step that a line of the log belongs to, or null where it is about another call.
   *
   * @param {LogLine} line
   * @returns {StepName | null}
   */
  #placeOf(line) {
    if (line.kind === 'error') return null;
    if (this.#isOfRoom(line)) return 'conference';
    if (line.call_sid !== this.callSid) return null;
    if (line.kind === 'rest') return 'conference';
    const path = pathOf(line.url);
    return OF_WEBHOOK.find(([beginning]) => path.startsWith(beginning))?.[1] ?? 'webhook';
  }

  /** The room is named after the Task; the agent's leg becomes known when it is dialled. @param {LogLine} line */
  #isOfRoom({ kind, url, parameters, call_sid: callSid, answer }) {
    if (callSid !== null && this.#legs.has(callSid)) return true;
    if (this.taskSid === null) return false;
    if (!url.includes(this.taskSid) && parameters.FriendlyName !== this.taskSid) return false;
    if (kind === 'rest') this.#learnLeg(answer ?? '');
    return true;
  }

  /** @param {string} answer  To the request that dials somebody into the room. */
  #learnLeg(answer) {
    const leg = /"call_sid":\s*"(CA\w+)"/.exec(answer)?.[1];
    if (leg && leg !== this.callSid) this.#legs.add(leg);
  }
}

/** @param {Record<string, any>} data  An event's. @returns {string | null}  The call that its Task is about. */
function callOf(data) {
  try {
    return JSON.parse(data.task_attributes).call_sid ?? null;
  } catch {
    return null; // attributes of somebody else's Task
  }
}

/** @param {string} url @returns {string}  Without the host; account and long SIDs are left to the details. */
export function pathOf(url) {
  try {
    return new URL(url).pathname.replace(/^\/2010-04-01\/Accounts\/AC\w+/, '');
  } catch {
    return url;
  }
}
