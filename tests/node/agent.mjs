// One agent's application on Twilio's own SDK: tells what it hears, and does what it is told.
// The same in Node (run.js) and in a browser (page.js); the tests are written in Python.

function describe(reservation) {
  return {
    sid: reservation.sid,
    status: reservation.status,
    task: reservation.task && {
      sid: reservation.task.sid,
      status: reservation.task.status,
      attributes: reservation.task.attributes,
      reason: reservation.task.reason,
    },
    transfer: reservation.transfer && {
      status: reservation.transfer.status,
      mode: reservation.transfer.mode,
      type: reservation.transfer.type,
    },
  };
}

function listen(reservation, tell) {
  const ends = ['accepted', 'rejected', 'timeout', 'canceled', 'rescinded', 'wrapup', 'completed'];
  for (const name of ends) {
    reservation.on(name, (it) => tell(`reservation ${name}`, describe(it)));
  }
  const task = reservation.task;
  for (const name of ['updated', 'canceled', 'completed', 'wrapup', 'transferInitiated']) {
    task.on(name, () =>
      tell(`task ${name}`, { sid: task.sid, status: task.status, reason: task.reason }));
  }
}

// `tell(what, details)` is called with everything that happens.
export function agent(TaskRouter, kind, token, options, tell) {
  const worker = new TaskRouter[kind](token, options);
  const state = () => ({
    sid: worker.sid,
    name: worker.name,
    version: Number(worker.version),
    activity: worker.activity && worker.activity.name,
    activities: [...worker.activities.values()].map((each) => each.name),
    channels: [...worker.channels.values()].map((each) => each.taskChannelUniqueName),
    reservations: [...worker.reservations.values()].map(describe),
  });
  worker.on('ready', () => {
    for (const reservation of worker.reservations.values()) listen(reservation, tell);
    tell('ready', state());
  });
  worker.on('error', (error) => tell('error', { message: String(error && error.message) }));
  worker.on('disconnected', (event) => tell('disconnected', event || {}));
  worker.on('tokenExpired', () => tell('tokenExpired', {}));
  worker.on('activityUpdated', (it) => tell('activityUpdated', { name: it.activity.name }));
  worker.on('attributesUpdated', (it) => tell('attributesUpdated', it.attributes));
  worker.on('reservationCreated', (reservation) => {
    listen(reservation, tell);
    tell('reservationCreated', describe(reservation));
  });
  const activity = (name) => [...worker.activities.values()].find((each) => each.name === name);
  const reservation = (sid) => worker.reservations.get(sid);
  const after = (it) => describe(it);

  return {
    state: async () => state(),
    activity: async ({ name, options: more }) => {
      await activity(name).setAsCurrent(more);
      return { name: worker.activity.name };
    },
    attributes: async ({ attributes }) => (await worker.setAttributes(attributes)).attributes,
    create: async ({ workflow, queue, options: more }) => ({
      sid: await worker.createTask('customer', 'worker', workflow, queue, more),
    }),
    accept: async ({ sid }) => after(await reservation(sid).accept()),
    reject: async ({ sid }) => after(await reservation(sid).reject()),
    conference: async ({ sid, options: more }) => after(await reservation(sid).conference(more)),
    wrapUp: async ({ sid, reason }) => {
      await reservation(sid).task.wrapUp({ reason });
      return after(reservation(sid));
    },
    complete: async ({ sid, reason }) => {
      const it = reservation(sid);
      await it.task.complete(reason);
      return after(it);
    },
    taskAttributes: async ({ sid, attributes }) =>
      (await reservation(sid).task.setAttributes(attributes)).attributes,
    transfer: async ({ sid, to, options: more }) => {
      const { outgoing } = (await reservation(sid).task.transfer(to, more)).transfers;
      for (const name of ['attemptFailed', 'failed', 'completed', 'canceled']) {
        outgoing.on(name, (it) => tell(`transfer ${name}`, { sid: it.sid, status: it.status }));
      }
      return { status: outgoing.status, sid: outgoing.sid };
    },
    participant: async ({ sid, options: more }) => {
      await reservation(sid).updateParticipant(more);
      return {};
    },
    customer: async ({ sid, options: more }) => ({
      status: (await reservation(sid).task.updateParticipant(more)).status,
    }),
    hold: async ({ sid, worker: target, on }) => ({
      status: (await reservation(sid).task.hold(target, on)).status,
    }),
    kick: async ({ sid, worker: target }) => ({
      status: (await reservation(sid).task.kick(target)).status,
    }),
    cancelTransfer: async ({ sid }) => ({
      status: (await reservation(sid).task.transfers.outgoing.cancel()).status,
    }),
    setWorkerActivity: async ({ worker: sid, activity: to }) =>
      worker.setWorkerActivity(sid, to),
    setWorkerAttributes: async ({ worker: sid, attributes }) =>
      worker.setWorkerAttributes(sid, attributes),
    monitor: async ({ task, reservation: sid }) => {
      await worker.monitor(task, sid);
      return {};
    },
    updateToken: async ({ token: next }) => {
      worker.updateToken(next);
      return {};
    },
    disconnect: async () => {
      worker.disconnect();
      return {};
    },
  };
}

// What a Workspace's token can look up.
export function workspace(TaskRouter, token, options) {
  const found = new TaskRouter.Workspace(token, options);
  const names = (map) => [...map.values()].map((each) => each.friendlyName || each.name);
  return {
    workers: async ({ params }) => names(await found.fetchWorkers(params)),
    queues: async ({ params }) => names(await found.fetchTaskQueues(params)),
    worker: async ({ sid }) => ({ sid: (await found.fetchWorker(sid)).sid }),
  };
}

export async function run(commands, { id, command, ...parameters }, tell) {
  try {
    tell('answer', { id, result: await commands[command](parameters) });
  } catch (error) {
    tell('answer', { id, error: { name: error.name, message: error.message } });
  }
}
