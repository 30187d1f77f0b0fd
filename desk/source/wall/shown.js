/**
 * How the wall shows numbers, times and states.
 */

import { duration, isoDuration } from '../house/clock.js';
import { html, nothing } from '../house/part.js';
import { language, named, t } from '../house/words.js';
import { channelIcon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { about } from './records.js';

/** @typedef {import('./records.js').Agent} Agent */
/** @typedef {import('./records.js').Task} Task */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('../house/types.js').Tone} Tone */

/** @param {number} number */
export function figure(number) {
  return number.toLocaleString(language.value);
}

/** @param {number | null} share  Of one; null where there is none. */
export function percent(share) {
  if (share === null) return '–';
  const format = new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 0 });
  // A level that was missed by little is not rounded up to the target.
  return format.format(Math.floor(share * 100 + 1e-9) / 100);
}

/** @param {number | null} seconds */
export function clock(seconds) {
  if (seconds === null) return '–';
  return html`<time datetime=${isoDuration(seconds)}>${duration(seconds)}</time>`;
}

/** @param {number | null} since  In milliseconds. @param {number} now */
export function secondsSince(since, now) {
  return since === null ? null : Math.max(0, Math.floor((now - since) / 1000));
}

/**
 * A number with a colour, whose meaning is written beside it for those who do not see it.
 *
 * @param {unknown} shown
 * @param {Tone} tone
 * @param {string} [means]
 */
export function toned(shown, tone, means = '') {
  return html`<span class="toned" data-tone=${tone}>${shown}${means
      ? html`<span class="heard-only"> (${means})</span>`
      : nothing}</span>`;
}

/** @param {number | null} level @param {number} wanted  In percent. @returns {Tone} */
export function toneOfLevel(level, wanted) {
  if (level === null) return 'calm';
  const reached = Math.floor(level * 100 + 1e-9);
  if (reached >= wanted) return 'good';
  return reached >= wanted - 10 ? 'busy' : 'bad';
}

/** @param {number | null} seconds  A wait. @param {number} wanted  The target's. @returns {Tone} */
export function toneOfWait(seconds, wanted) {
  if (seconds === null || seconds <= wanted) return 'calm';
  return seconds <= 3 * wanted ? 'busy' : 'bad';
}

/** @param {number | null} level @param {number} wanted */
export function level(level, wanted) {
  const tone = toneOfLevel(level, wanted);
  const words = { good: t('wall.level.good'), busy: t('wall.level.near'), bad: t('wall.level.bad'), calm: '' };
  return toned(percent(level), tone, words[tone]);
}

/** @param {Agent} agent @param {Model} model @returns {Tone} */
export function toneOfAgent(agent, model) {
  const activity = model.activities.get(agent.activitySid);
  if (agent.reservations.size) return 'busy';
  return activity?.available ? 'good' : 'calm';
}

/** @param {string} sid @param {Model} model */
export function activityName(sid, model) {
  return named('activity', model.activities.get(sid)?.name ?? '–');
}

/** What an agent is doing. @param {Agent} agent @param {Model} model */
export function activityPill(agent, model) {
  return pill(activityName(agent.activitySid, model), toneOfAgent(agent, model));
}

/** @param {string} channelSid @param {Model} model */
export function channelName(channelSid, model) {
  const channel = model.channels.get(channelSid);
  const word = channel ? named('channel', channel.name) : '–';
  return channel && word === channel.name ? channel.title || channel.name : word;
}

/** The Activities, those first in which somebody takes work. @param {Model} model */
export function activitiesOf(model) {
  return [...model.activities.values()].sort(
    (one, other) =>
      Number(other.available) - Number(one.available) ||
      Number(one.name === 'Offline') - Number(other.name === 'Offline') ||
      one.name.localeCompare(other.name),
  );
}

/** @param {Agent} agent @param {Model} model */
export function loadText(agent, model) {
  return loads(agent)
    .map(({ sid, load, capacity }) => `${channelName(sid, model)} ${load}/${capacity}`)
    .join(', ');
}

/** Channels in which there is anything to tell. @param {Agent} agent */
function loads(agent) {
  return [...agent.channels.values()]
    .filter(({ name, load, capacity }) => load || (capacity && name !== 'default'))
    .sort((one, other) => order(one.name) - order(other.name));
}

const ORDER = ['voice', 'chat', 'sms', 'email', 'video'];
/** @param {string} name */
function order(name) {
  const place = ORDER.indexOf(name);
  return place < 0 ? ORDER.length : place;
}

/** @param {Agent} agent @param {Model} model */
export function loadChips(agent, model) {
  const shown = loads(agent).filter(({ name, load, available }) => load || !available || name === 'voice');
  return html`<span class="loads">${shown.map(
    ({ sid, name, load, capacity, available }) => html`<span
      class="load"
      data-full=${load >= capacity}
      data-off=${!available}
      title=${channelName(sid, model)}
      >${channelIcon(name)}<span class="heard-only">${channelName(sid, model)} </span>${load}/${capacity}${available
        ? nothing
        : html`<span class="heard-only"> ${t('wall.channel.off')}</span>`}</span
    >`,
  )}</span>`;
}

/** @param {Task} task */
export function taskName(task) {
  return about(task.attributes) || `${task.sid.slice(0, 2)}…${task.sid.slice(-6)}`;
}

/** What somebody has in hand. @param {Agent} agent @param {Model} model */
export function tasksText(agent, model) {
  return [...agent.reservations.values()]
    .map(({ taskSid, status }) => {
      const task = model.tasks.get(taskSid);
      return `${task ? taskName(task) : taskSid} (${named('wall.reservation', status)})`;
    })
    .join(', ');
}

/** @param {Task} task @param {Model} model */
export function queueName(task, model) {
  return (task.queueSid && model.queues.get(task.queueSid)?.name) || '–';
}

/** To whom a Task is offered just now. @param {Task} task @param {Model} model */
export function offeredTo(task, model) {
  return [...task.reservations.values()]
    .filter(({ status }) => status === 'pending')
    .map(({ workerSid }) => model.agents.get(workerSid)?.name ?? workerSid)
    .join(', ');
}

/** @param {Task} task @param {Model} model */
export function stateText(task, model) {
  const to = offeredTo(task, model);
  return to ? t('wall.line.offered', { name: to }) : named('task.status', task.status);
}
