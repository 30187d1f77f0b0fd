/**
 * The columns of the wall's three tables.
 */

import { html } from '../house/part.js';
import { t } from '../house/words.js';
import { channelIcon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import {
  activityName, activityPill, channelName, clock, figure, level, loadChips, loadText, offeredTo,
  queueName, secondsSince, stateText, taskName, tasksText, toned, toneOfWait,
} from './shown.js';

/** @typedef {import('./table.js').Column} Column */
/** @typedef {import('./records.js').Queue} Queue */
/** @typedef {import('./records.js').Agent} Agent */
/** @typedef {import('./records.js').Task} Task */
/** @typedef {{model: import('./model.js').Model, now: number, target: import('./live.js').Target}} Seen */

/** @param {Seen} seen @returns {Column[]} */
export function queueColumns({ model, now, target }) {
  const longest = (/** @type {Queue} */ queue) => secondsSince(queue.waiting.first?.since ?? null, now);
  const sums = (/** @type {Queue} */ queue) => model.counts.of(queue.sid);
  return [
    { name: 'name', title: t('wall.queue'), opens: true, value: (queue) => queue.name },
    {
      name: 'waiting', title: t('wall.waiting'), numeric: true,
      value: (queue) => queue.waiting.size,
      cell: (queue) => html`<b class=${queue.waiting.size ? '' : 'faint'}>${figure(queue.waiting.size)}</b>`,
    },
    {
      name: 'longest', title: t('wall.longest'), numeric: true, value: longest,
      cell: (queue) => toned(clock(longest(queue)), toneOfWait(longest(queue), target.seconds)),
    },
    {
      name: 'level', title: t('wall.level.column'), numeric: true,
      value: (queue) => rounded(model.serviceLevel(queue.sid)),
      cell: (queue) => level(model.serviceLevel(queue.sid), target.percent),
    },
    { name: 'answered', title: t('wall.answered'), numeric: true, value: (queue) => sums(queue).answered },
    { name: 'abandoned', title: t('wall.abandoned'), numeric: true, value: (queue) => sums(queue).abandoned },
    {
      name: 'estimated', title: t('wall.estimated'), numeric: true, narrow: true,
      value: (queue) => whole(model.wait(queue, now).estimated),
      cell: (queue) => clock(whole(model.wait(queue, now).estimated)),
    },
  ];
}

/** @param {Seen} seen @returns {Column[]} */
export function agentColumns({ model, now }) {
  const since = (/** @type {Agent} */ agent) => secondsSince(agent.since, now);
  return [
    { name: 'name', title: t('wall.agent'), opens: true, value: (agent) => agent.name },
    {
      name: 'activity', title: t('wall.activity'),
      value: (agent) => activityName(agent.activitySid, model),
      cell: (agent) => activityPill(agent, model),
    },
    { name: 'since', title: t('wall.since'), numeric: true, value: since, cell: (agent) => clock(since(agent)) },
    {
      name: 'load', title: t('wall.load'),
      value: (agent) => loadText(agent, model), cell: (agent) => loadChips(agent, model),
    },
    { name: 'tasks', title: t('wall.tasks'), narrow: true, value: (agent) => tasksText(agent, model) },
  ];
}

/** @param {Seen} seen @returns {Column[]} */
export function lineColumns({ model, now, target }) {
  const age = (/** @type {Task} */ task) => secondsSince(task.createdAt, now);
  return [
    { name: 'task', title: t('wall.task'), opens: true, value: taskName },
    {
      name: 'age', title: t('wall.age'), numeric: true, value: age,
      cell: (task) => toned(clock(age(task)), toneOfWait(age(task), target.seconds)),
    },
    { name: 'priority', title: t('wall.priority'), numeric: true, value: (task) => task.priority },
    { name: 'queue', title: t('wall.queue'), value: (task) => queueName(task, model) },
    {
      name: 'state', title: t('wall.state'),
      value: (task) => stateText(task, model),
      cell: (task) => pill(stateText(task, model), offeredTo(task, model) ? 'busy' : 'calm'),
    },
    {
      name: 'channel', title: t('wall.channel'), narrow: true,
      value: (task) => channelName(task.channelSid, model),
      cell: (task) => html`<span class="channel">${channelIcon(
          model.channels.get(task.channelSid)?.name ?? '',
        )}${channelName(task.channelSid, model)}</span>`,
    },
  ];
}

/** @param {number | null} share */
function rounded(share) {
  return share === null ? null : Math.round(share * 1000) / 1000;
}

/** @param {number | null} seconds */
function whole(seconds) {
  return seconds === null ? null : Math.round(seconds);
}
