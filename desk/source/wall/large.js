/**
 * What the big screen shows: the queues where somebody waits first, and the agents by activity.
 */

import { html, nothing } from '../house/part.js';
import { t } from '../house/words.js';
import { pill } from '../parts/pill.js';
import { activitiesOf, activityName, clock, figure, level, secondsSince, toned, toneOfWait } from './shown.js';

/** @typedef {import('./columns.js').Seen} Seen */
/** @typedef {import('./records.js').Queue} Queue */

/** Queues that there is room for. */
const MOST = 8;

/** @param {Seen} seen */
export function largeQueues({ model, now, target }) {
  const queues = [...model.queues.values()].sort(urgency);
  const shown = queues.slice(0, MOST);
  return html`<section class="large" aria-label=${t('wall.queues')}>
    <table>
      <thead><tr>
        <th scope="col">${t('wall.queue')}</th>
        ${[t('wall.waiting'), t('wall.longest'), t('wall.level'), t('wall.answered'), t('wall.abandoned')].map(
          (title) => html`<th scope="col" class="number">${title}</th>`,
        )}
      </tr></thead>
      <tbody>${shown.map((queue) => {
        const longest = secondsSince(queue.waiting.first?.since ?? null, now);
        const sums = model.counts.of(queue.sid);
        return html`<tr>
          <th scope="row">${queue.name}</th>
          <td class="number"><b>${figure(queue.waiting.size)}</b></td>
          <td class="number">${toned(clock(longest), toneOfWait(longest, target.seconds))}</td>
          <td class="number">${level(model.serviceLevel(queue.sid), target.percent)}</td>
          <td class="number">${figure(sums.answered)}</td>
          <td class="number">${figure(sums.abandoned)}</td>
        </tr>`;
      })}</tbody>
    </table>
    ${queues.length > MOST
      ? html`<p class="faint">${t('wall.screen.more', { count: queues.length - MOST })}</p>`
      : nothing}
  </section>`;
}

/** Who waits longest first, then by name. @param {Queue} one @param {Queue} other */
function urgency(one, other) {
  const [first, second] = [one, other].map(({ waiting }) => waiting.first?.since ?? Infinity);
  return first === second ? one.name.localeCompare(other.name) : first - second;
}

/** @param {Seen} seen */
export function largeActivities({ model }) {
  const activities = activitiesOf(model).filter(({ agents }) => agents);
  return html`<ul class="large-activities" aria-label=${t('wall.agents')}>
    ${activities.map(
      ({ sid, agents, available }) => html`<li>
        <b class="number">${figure(agents)}</b>${pill(activityName(sid, model), available ? 'good' : 'calm')}
      </li>`,
    )}
  </ul>`;
}
