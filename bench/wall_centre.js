// A centre of 1,000 agents and 200 queues inside the page itself: what the wall asks for and what it
// is told come from here, at the pace that the benchmark sets (`centre.pace`, events a second).
(() => {
  const AGENTS = 1000;
  const QUEUES = 200;
  const WAITING = 1500;
  let seed = 7;
  const chance = () => ((seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31);
  const any = (list) => list[Math.floor(chance() * list.length)];
  let number = 0;
  const sid = (kind) => kind + (number += 1).toString(16).padStart(32, '0');
  const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
  const workspace_sid = sid('WS');
  const now = () => Date.now();

  const activities = ['Available', 'Break', 'Offline'].map((name) => ({
    sid: sid('WA'), friendly_name: name, available: name === 'Available',
  }));
  const channels = ['voice', 'chat', 'sms', 'default'].map((name) => ({
    sid: sid('TC'), unique_name: name, friendly_name: name,
  }));
  const queues = Array.from({ length: QUEUES }, (_, place) => ({
    sid: sid('WQ'), friendly_name: `Queue ${place}`, target_workers: '1==1',
  }));
  const workflow = { sid: sid('WW'), friendly_name: 'Calls' };
  const workers = Array.from({ length: AGENTS }, (_, place) => {
    const worker_sid = sid('WK');
    return {
      sid: worker_sid, friendly_name: `Agent ${place}`, attributes: '{"languages":["en"]}',
      activity_sid: any(activities).sid, date_status_changed: iso(now() - chance() * 3.6e6),
      reservations: [],
      channels: channels.map(({ sid: task_channel_sid, unique_name }) => ({
        sid: sid('WC'), worker_sid, task_channel_sid, task_channel_unique_name: unique_name,
        configured_capacity: unique_name === 'chat' ? 5 : 1, available: true, assigned_tasks: 0,
      })),
    };
  });
  const waiting = new Map();
  const held = new Map();

  function newTask(at) {
    const queue = any(queues);
    const task = {
      sid: sid('WT'), queue, channel: any(channels.slice(0, 3)), priority: Math.floor(chance() * 10),
      at, version: 0, status: 'pending',
      attributes: JSON.stringify({ name: `Caller ${number}`, from: '+15550123456', reason: 'something with the bill', language: 'en', call_sid: sid('CA') }),
    };
    waiting.set(task.sid, task);
    return task;
  }
  const data = (task, extra = {}) => ({
    workspace_sid, task_sid: task.sid, task_attributes: task.attributes, task_age: String(Math.floor((now() - task.at) / 1000)),
    task_priority: String(task.priority), task_assignment_status: task.status, task_version: String((task.version += 1)),
    task_date_created: iso(task.at), task_virtual_start_time: iso(task.at), task_queue_entered_date: iso(task.at),
    task_channel_sid: task.channel.sid, task_channel_unique_name: task.channel.unique_name,
    task_queue_sid: task.queue.sid, task_queue_name: task.queue.friendly_name, task_queue_target_expression: '1==1',
    workflow_sid: workflow.sid, workflow_name: workflow.friendly_name, ...extra,
  });
  const ofWorker = (worker) => ({
    worker_sid: worker.sid, worker_name: worker.friendly_name, worker_attributes: worker.attributes,
    worker_activity_sid: worker.activity_sid, worker_activity_name: 'x', worker_version: '1',
  });

  const happens = [
    () => { const task = newTask(now()); return [['task.created', data(task)], ['task-queue.entered', data(task)]]; },
    () => {
      const task = any([...waiting.values()].slice(0, 50));
      if (!task) return [];
      const worker = any(workers);
      const reservation_sid = sid('WR');
      waiting.delete(task.sid);
      task.status = 'reserved';
      const created = ['reservation.created', data(task, { ...ofWorker(worker), reservation_sid, reservation_status: 'pending' })];
      task.status = 'assigned';
      held.set(task.sid, { task, worker, reservation_sid });
      return [created, ['reservation.accepted', data(task, { ...ofWorker(worker), reservation_sid, reservation_status: 'accepted' })]];
    },
    () => {
      const found = [...held.values()].slice(0, 20);
      if (held.size < 400 || !found.length) return [];
      const { task, worker, reservation_sid } = any(found);
      held.delete(task.sid);
      const ended = ['reservation.completed', data(task, { ...ofWorker(worker), reservation_sid, reservation_status: 'completed' })];
      task.status = 'completed';
      return [ended, ['task.completed', data(task)]];
    },
    () => {
      const task = any([...waiting.values()].slice(0, 20));
      if (!task || waiting.size < WAITING) return [];
      waiting.delete(task.sid);
      task.status = 'canceled';
      return [['task.canceled', data(task, { reason: 'hangup', task_canceled_reason: 'hangup' })]];
    },
    () => {
      const worker = any(workers);
      worker.activity_sid = any(activities).sid;
      return [['worker.activity.update', ofWorker(worker)]];
    },
  ];

  /** @type {string[]} What is told next. */
  let told = [];
  function next() {
    while (!told.length) {
      told = any(happens)().map(([event_type, event_data]) => JSON.stringify({
        sid: sid('EV'), workspace_sid, event_type, event_data, event_date: iso(now()), event_date_ms: now(),
        description: 'It happened', resource_type: 'task', resource_sid: event_data.task_sid, actor_type: 'workspace',
        actor_sid: workspace_sid, url: 'http://127.0.0.1/v1/Workspaces/x/Events/y', source: 'twilio',
      }));
    }
    return told.shift();
  }

  for (let each = 0; each < WAITING; each += 1) newTask(now() - chance() * 600_000);

  const centre = { pace: 100, sent: 0, frames: [], isMeasuring: false };
  window.centre = centre;

  // The feed.
  window.WebSocket = class {
    constructor() {
      setTimeout(() => {
        this.onopen?.();
        this.onmessage?.({ data: JSON.stringify({ event_type: 'init', payload: { token_lifetime: 3.6e6, last_event_id: null } }) });
        let due = 0;
        let last = performance.now();
        this.timer = setInterval(() => {
          const at = performance.now();
          due += ((at - last) / 1000) * centre.pace;
          last = at;
          for (; due >= 1; due -= 1) {
            centre.sent += 1;
            this.onmessage?.({ data: next() });
          }
        }, 10);
      });
    }
    send() {}
    close() { clearInterval(this.timer); }
  };

  // The server.
  const list = (key, rows) => ({ meta: { key, next_page_url: null }, [key]: rows });
  const answers = {
    Activities: () => list('activities', activities),
    TaskChannels: () => list('channels', channels),
    TaskQueues: () => list('task_queues', queues),
    Workflows: () => list('workflows', [workflow]),
    LiveWorkers: () => list('workers', workers),
    Tasks: () => list('tasks', [...waiting.values()].map((task) => ({
      sid: task.sid, assignment_status: 'pending', task_queue_sid: task.queue.sid, workflow_sid: workflow.sid,
      task_channel_sid: task.channel.sid, priority: task.priority, date_created: iso(task.at),
      task_queue_entered_date: iso(task.at), attributes: task.attributes,
    }))),
    Events: () => list('events', []),
    Series: () => ({ series: [] }),
    TaskQueueTotals: () => list('task_queues_totals', []),
    session: () => ({
      user: { sid: sid('US'), name: 'carol', display_name: 'Carol', role: 'supervisor', worker_sid: null },
      csrf: 'x', workspace_sid, account_sid: 'AC', has_account: false, realtime: { feed: 'ws://127.0.0.1/' },
      simulator: null, demo_users: [], open_id: null,
    }),
    token: () => ({ token: 'x', expires_at: iso(now() + 3.6e6) }),
    users: () => ({ users: [] }),
  };
  window.fetch = async (address) => {
    const name = new URL(address, location.href).pathname.split('/').pop();
    return new Response(JSON.stringify(answers[name]()), { headers: { Date: new Date().toUTCString() } });
  };

  // From the beginning of a frame until everything of it is done.
  const channel = new MessageChannel();
  let began = 0;
  channel.port1.onmessage = () => {
    if (centre.isMeasuring) centre.frames.push(performance.now() - began);
    requestAnimationFrame(frame);
  };
  function frame() {
    began = performance.now();
    channel.port2.postMessage(0);
  }
  requestAnimationFrame(frame);
  centre.tasks = [];
  new PerformanceObserver((found) => {
    if (centre.isMeasuring) centre.tasks.push(...found.getEntries().map(({ duration }) => duration));
  }).observe({ entryTypes: ['longtask'] });
})();
