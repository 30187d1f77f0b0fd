// Drives a running Tandem with Twilio's own Node client: each resource is created, fetched, updated,
// listed page by page and deleted, where it can be. What it was told comes as JSON in the first
// argument, what it did goes out as JSON; the first thing that is not as it should be ends it.
"use strict";

const assert = require("node:assert/strict");
const twilio = require("twilio");

const told = JSON.parse(process.argv[2]);
const client = twilio(told.accountSid, told.authToken);
client.taskrouter.baseUrl = told.baseUrl;
const done = [];

async function perform(operation, promise) {
  const result = await promise;
  done.push(operation);
  return result;
}

async function refused(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.status, status);
    assert.equal(error.code, code);
    return true;
  });
}

// The list by pages of one, twice: as `list` follows them, and page by page, there and back.
async function listed(operation, list, key = "sid") {
  const whole = await perform(operation, list.list({ pageSize: 1 }));
  const limited = await list.list({ limit: 1 });
  assert.equal(limited.length, Math.min(1, whole.length));
  let page = await list.page({ pageSize: 1 });
  const seen = page.instances.map((each) => each[key]);
  while (page.nextPageUrl) {
    page = await list.getPage(page.nextPageUrl);
    seen.push(...page.instances.map((each) => each[key]));
  }
  assert.deepEqual(seen, whole.map((each) => each[key]));
  return whole;
}

async function workspaces() {
  const all = client.taskrouter.v1.workspaces;
  const made = await perform("CreateWorkspace", all.create({ friendlyName: "Node", template: "FIFO" }));
  const one = all(made.sid);
  assert.equal((await perform("FetchWorkspace", one.fetch())).friendlyName, "Node");
  const changed = await perform("UpdateWorkspace", one.update({ prioritizeQueueOrder: "LIFO" }));
  assert.equal(changed.prioritizeQueueOrder, "LIFO");
  assert.ok(changed.dateCreated instanceof Date);
  assert.ok((await listed("ListWorkspace", all)).length >= 2);
  await perform("DeleteWorkspace", one.remove());
  await refused(one.fetch(), 404, 20404);
}

async function activities(workspace) {
  const made = await perform(
    "CreateActivity",
    workspace.activities.create({ friendlyName: "Lunch", available: false })
  );
  const one = workspace.activities(made.sid);
  assert.equal((await perform("FetchActivity", one.fetch())).available, false);
  const changed = await perform("UpdateActivity", one.update({ friendlyName: "Dinner" }));
  assert.equal(changed.friendlyName, "Dinner");
  assert.equal((await listed("ListActivity", workspace.activities)).length, 4);
  await perform("DeleteActivity", one.remove());
}

async function taskChannels(workspace) {
  const made = await perform(
    "CreateTaskChannel",
    workspace.taskChannels.create({ friendlyName: "Fax", uniqueName: "fax" })
  );
  assert.equal((await perform("FetchTaskChannel", workspace.taskChannels("fax").fetch())).sid, made.sid);
  const changed = await perform(
    "UpdateTaskChannel",
    workspace.taskChannels(made.sid).update({ channelOptimizedRouting: true })
  );
  assert.equal(changed.channelOptimizedRouting, true);
  assert.equal((await listed("ListTaskChannel", workspace.taskChannels)).length, 6);
  await perform("DeleteTaskChannel", workspace.taskChannels("fax").remove());
}

async function taskQueues(workspace) {
  const made = await perform(
    "CreateTaskQueue",
    workspace.taskQueues.create({ friendlyName: "French", targetWorkers: "languages HAS 'fr'" })
  );
  const one = workspace.taskQueues(made.sid);
  assert.equal((await perform("FetchTaskQueue", one.fetch())).maxReservedWorkers, 1);
  const changed = await perform("UpdateTaskQueue", one.update({ taskOrder: "LIFO" }));
  assert.equal(changed.taskOrder, "LIFO");
  assert.equal((await listed("ListTaskQueue", workspace.taskQueues)).length, 2);
  await perform("DeleteTaskQueue", one.remove());
}

async function workflows(workspace) {
  const configuration = JSON.stringify({
    task_routing: { filters: [], default_filter: { queue: told.queueSid } },
  });
  const made = await perform(
    "CreateWorkflow",
    workspace.workflows.create({ friendlyName: "Orders", configuration })
  );
  const one = workspace.workflows(made.sid);
  assert.equal((await perform("FetchWorkflow", one.fetch())).configuration, configuration);
  const changed = await perform("UpdateWorkflow", one.update({ taskReservationTimeout: 30 }));
  assert.equal(changed.taskReservationTimeout, 30);
  assert.equal((await listed("ListWorkflow", workspace.workflows)).length, 2);
  await perform("DeleteWorkflow", one.remove());
}

async function workers(workspace) {
  const made = await perform(
    "CreateWorker",
    workspace.workers.create({ friendlyName: "Bob", attributes: '{"level": 1}' })
  );
  const one = workspace.workers(made.sid);
  assert.equal((await perform("FetchWorker", one.fetch())).activityName, "Offline");
  const changed = await perform("UpdateWorker", one.update({ attributes: '{"level": 2}' }));
  assert.equal(changed.attributes, '{"level": 2}');
  await refused(one.update({ ifMatch: "99", friendlyName: "Rob" }), 412, 20412);
  assert.equal((await listed("ListWorker", workspace.workers)).length, 2);
  const channels = one.workerChannels;
  assert.equal((await listed("ListWorkerChannel", channels)).length, 5);
  const voice = await perform("UpdateWorkerChannel", channels("voice").update({ capacity: 3 }));
  assert.equal(voice.configuredCapacity, 3);
  assert.equal((await perform("FetchWorkerChannel", channels(voice.sid).fetch())).available, true);
  await perform("DeleteWorker", one.remove());
}

async function tasks(workspace) {
  const made = await perform(
    "CreateTask",
    workspace.tasks.create({
      attributes: '{"text": "Grüße, 世界 & more"}',
      taskChannel: "chat",
      virtualStartTime: new Date("2026-01-05T08:00:00Z"),
    })
  );
  const one = workspace.tasks(made.sid);
  const fetched = await perform("FetchTask", one.fetch());
  assert.equal(JSON.parse(fetched.attributes).text, "Grüße, 世界 & more");
  assert.equal(fetched.virtualStartTime.getUTCHours(), 8);
  assert.equal((await perform("UpdateTask", one.update({ priority: 5 }))).priority, 5);
  const pending = await workspace.tasks.list({ assignmentStatus: ["pending", "canceled"] });
  assert.deepEqual(pending.map((task) => task.sid), [made.sid]);
  assert.equal((await listed("ListTask", workspace.tasks)).length, 3);
  await refused(one.remove({ ifMatch: "99" }), 412, 20412);
  await perform("DeleteTask", one.remove());
  await refused(workspace.tasks.create({ priority: -1 }), 400, 20001);
}

async function reservations(workspace) {
  const [first, second] = told.reservations;
  const ofTask = workspace.tasks(first.taskSid).reservations;
  assert.equal((await perform("FetchTaskReservation", ofTask(first.sid).fetch())).workerName, "Alice");
  const accepted = await perform(
    "UpdateTaskReservation",
    ofTask(first.sid).update({ reservationStatus: "accepted" })
  );
  assert.equal(accepted.reservationStatus, "accepted");
  assert.equal((await listed("ListTaskReservation", ofTask)).length, 1);
  const ofWorker = workspace.workers(told.workerSid).reservations;
  const fetched = await perform("FetchWorkerReservation", ofWorker(second.sid).fetch());
  assert.equal(fetched.taskSid, second.taskSid);
  const rejected = await perform(
    "UpdateWorkerReservation",
    ofWorker(second.sid).update({ reservationStatus: "rejected" })
  );
  assert.equal(rejected.reservationStatus, "rejected");
  assert.equal((await listed("ListWorkerReservation", ofWorker)).length, 2);
}

async function events(workspace) {
  const found = await listed("ListEvent", workspace.events);
  assert.ok(found.length > 10);
  const one = await perform("FetchEvent", workspace.events(found[0].sid).fetch());
  assert.equal(one.eventType, found[0].eventType);
}

async function main() {
  const workspace = client.taskrouter.v1.workspaces(told.workspaceSid);
  await workspaces();
  for (const each of [activities, taskChannels, taskQueues, workflows, workers, tasks, reservations, events]) {
    await each(workspace);
  }
  process.stdout.write(JSON.stringify(done));
}

main().catch((error) => {
  process.stderr.write(`after ${done.at(-1)}: ${error.stack}\n`);
  process.exitCode = 1;
});
