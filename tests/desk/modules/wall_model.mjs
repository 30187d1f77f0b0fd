// A wall's model against a server: reads a recorded history as JSON lines of a file, and says in
// which points the model that followed the events differs from one that begins with the last lists.
//
//     node wall_model.mjs recording.json
import { readFile } from 'node:fs/promises';
import { Counts } from '../../../desk/source/wall/counts.js';
import { Model } from '../../../desk/source/wall/model.js';

const told = JSON.parse(await readFile(process.argv[2], 'utf8'));
const differences = [];
for (const [number, { begins, ends, events }] of told.pieces.entries()) {
  const followed = begun(begins);
  // The feed was opened before the lists were read: what is in them is heard once more.
  for (const event of events) followed.apply(event);
  settle(followed, ends);
  compare(`piece ${number}`, picture(begun(ends)), picture(followed));
  compare(`piece ${number}, by the server`, ends.numbers, numbers(followed));
  compareCounts(`piece ${number}`, ends.counts, followed.counts);
}
process.stdout.write(JSON.stringify({ pieces: told.pieces.length, differences }));

function begun({ lists, counts }) {
  const { from, dayStart, dayEnd, seconds, queueSid } = counts;
  const model = new Model(new Counts({ from, dayStart, dayEnd, seconds, queueSid }));
  model.load(lists);
  model.counts.add(counts);
  return model;
}

/** The page asks how much new Workers handle of which channel. */
function settle(model, { lists }) {
  for (const worker of lists.workers) {
    if (!model.unknown.has(worker.sid)) continue;
    for (const channel of worker.channels) model.setWorkerChannel(channel);
  }
}

function picture(model) {
  const sorted = (map, of) => Object.fromEntries([...map].map(([sid, each]) => [sid, of(each)]).sort());
  return {
    activities: sorted(model.activities, (each) => each),
    channels: sorted(model.channels, (each) => each),
    workflows: sorted(model.workflows, (each) => each),
    queues: sorted(model.queues, ({ name, expression, byStatus, waiting }) => ({
      name, expression, byStatus, waiting: waiting.size, since: waiting.first?.since ?? null,
    })),
    all: { byStatus: model.all.byStatus, since: model.all.waiting.first?.since ?? null },
    agents: sorted(model.agents, (agent) => ({
      ...agent,
      since: second(agent.since),
      channels: sorted(agent.channels, (each) => each),
      reservations: sorted(agent.reservations, (each) => ({ ...each, since: second(each.since) })),
    })),
    tasks: sorted(model.tasks, ({ reservations, entered: _, ...task }) => ({
      ...task, reservations: [...reservations.keys()].sort(),
    })),
    line: [...model.line.keys()].sort(),
  };
}

/** What the server's own real-time statistics and WorkerChannels say. */
function numbers(model) {
  return {
    by_status: Object.fromEntries([...model.queues].map(([sid, { byStatus }]) => [sid, byStatus])),
    activities: Object.fromEntries([...model.activities].map(([sid, { agents }]) => [sid, agents])),
    loads: Object.fromEntries(
      [...model.agents.values()].flatMap((agent) =>
        [...agent.channels.values()].map(({ name, load }) => [`${agent.sid} ${name}`, load]),
      ),
    ),
  };
}

function compareCounts(where, wanted, { day, dayOfQueue, queues, dayStart }) {
  const rows = (series) => new Map(series.map((row) => [Date.parse(row.start_time), row]));
  for (const [name, known, series] of [
    ['day', day, wanted.series], ['day of a TaskQueue', dayOfQueue, wanted.seriesOfQueue],
  ]) {
    const there = rows(series);
    known?.quarters.forEach((sums, number) => {
      const row = there.get(dayStart + number * 900_000);
      compareSums(`${where}, ${name}, quarter ${number}`, plain(row), sums, known !== day);
    });
  }
  for (const row of wanted.queues) {
    const found = queues.get(row.task_queue_sid) ?? plain();
    compareSums(`${where}, sums of ${row.task_queue_sid}`, plain(row), found, true);
  }
}

function compareSums(where, wanted, found, isOfQueue) {
  const known = isOfQueue && !told.counts_arrivals ? { ...found, arrived: wanted.arrived } : found;
  compare(where, wanted, known);
}

function plain(row = {}) {
  return {
    arrived: row.arrived ?? 0, answered: row.answered ?? 0,
    within: row.answered_within_service_level ?? 0, abandoned: row.abandoned ?? 0,
    canceled: row.canceled ?? 0, completed: row.completed ?? 0,
  };
}

function second(ms) {
  return Math.floor(ms / 1000);
}

function compare(where, wanted, found, path = '') {
  if (wanted && found && typeof wanted === 'object' && typeof found === 'object') {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(found)])) {
      compare(where, wanted[key], found[key], `${path}.${key}`);
    }
  } else if (wanted !== found && differences.length < 40) {
    differences.push(`${where}: ${path} is ${JSON.stringify(found)}, the server says ${JSON.stringify(wanted)}`);
  }
}
