/**
 * What a supervisor does, each through the door that everybody uses; what comes of it is told by
 * the feed, and shown then.
 */

import { ask, workspace } from '../house/rest.js';

/** @param {string} workerSid @param {string} activitySid @param {boolean} takesBack  Offers, too. */
export function changeActivity(workerSid, activitySid, takesBack) {
  return ask('POST', `${workspace()}/Workers/${workerSid}`, {
    ActivitySid: activitySid,
    RejectPendingReservations: takesBack || undefined,
  });
}

/**
 * @param {string} workerSid
 * @param {string} channelSid  The TaskChannel's.
 * @param {{Capacity?: number, Available?: boolean}} how
 */
export function changeChannel(workerSid, channelSid, how) {
  return ask('POST', `${workspace()}/Workers/${workerSid}/Channels/${channelSid}`, how);
}

/** @param {string} taskSid @param {number} priority */
export function changePriority(taskSid, priority) {
  return ask('POST', `${workspace()}/Tasks/${taskSid}`, { Priority: priority });
}

/** @param {string} taskSid @param {string} queueSid */
export function moveTask(taskSid, queueSid) {
  return ask('POST', `${workspace()}/Tasks/${taskSid}`, { TaskQueueSid: queueSid });
}

/** @param {string} taskSid @param {string} reason */
export function cancelTask(taskSid, reason) {
  return ask('POST', `${workspace()}/Tasks/${taskSid}`, {
    AssignmentStatus: 'canceled',
    Reason: reason || undefined,
  });
}

/** How somebody is with a conversation: hears it, speaks to the agent alone, speaks to both. */
export const MODES = /** @type {const} */ (['monitor', 'whisper', 'barge']);

/**
 * @param {{taskSid: string, sid: string}} reservation
 * @param {typeof MODES[number]} mode
 * @param {string} ownWorkerSid  Whose phone rings.
 */
export function supervise({ taskSid, sid }, mode, ownWorkerSid) {
  return ask('POST', `${workspace()}/Tasks/${taskSid}/Reservations/${sid}`, {
    Instruction: 'supervise',
    SupervisorMode: mode,
    Supervisor: ownWorkerSid,
  });
}

/**
 * Why a Task waits, and for whom it might.
 *
 * @param {string} taskSid
 * @param {string} [workerSid]  Why does this one not have it?
 */
export function explain(taskSid, workerSid) {
  return ask('GET', `${workspace()}/Tasks/${taskSid}/Explanation`, { WorkerSid: workerSid });
}
