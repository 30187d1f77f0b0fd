/**
 * The numbers at the top of the wall, to be read from afar.
 */

import { html, nothing } from '../house/part.js';
import { t } from '../house/words.js';
import { serviceLevel } from './counts.js';
import { clock, figure, percent, secondsSince, toneOfLevel, toneOfWait } from './shown.js';

/** @typedef {import('./columns.js').Seen} Seen */

/** @param {Seen} seen */
export function figures({ model, now, target }) {
  const { total } = model.counts;
  const longest = secondsSince(model.all.waiting.first?.since ?? null, now);
  const reached = serviceLevel(total);
  const gone = total.answered + total.abandoned;
  const staff = staffOf(model);
  return html`<section class="figures" aria-label=${t('wall.figures')}>
    ${tile(t('wall.waiting'), figure(model.all.waiting.size), {
      tone: toneOfWait(longest, target.seconds),
      more: longest === null
        ? t('wall.waiting.nobody')
        : html`${t('wall.waiting.longest')} ${clock(longest)}`,
    })}
    ${tile(t('wall.level'), percent(reached), {
      tone: toneOfLevel(reached, target.percent),
      more: t('wall.level.target', { percent: percent(target.percent / 100), seconds: target.seconds }),
    })}
    ${tile(t('wall.answered'), figure(total.answered), {
      more: t('wall.answered.of', { count: total.arrived }),
    })}
    ${tile(t('wall.abandoned'), figure(total.abandoned), {
      more: gone ? t('wall.abandoned.share', { share: percent(total.abandoned / gone) }) : nothing,
    })}
    ${tile(t('wall.with_agents'), figure(model.all.byStatus.assigned), {
      more: t('wall.with_agents.wrapping', { count: model.all.byStatus.wrapping }),
    })}
    ${tile(t('wall.ready'), figure(staff.ready), {
      more: t('wall.ready.of', { count: model.agents.size, busy: staff.busy }),
    })}
  </section>`;
}

/**
 * How many are there with nothing in hand, and how many have something.
 *
 * @param {import('./model.js').Model} model
 */
export function staffOf({ agents, activities }) {
  let [ready, busy] = [0, 0];
  for (const { activitySid, reservations } of agents.values()) {
    if (reservations.size) busy += 1;
    else if (activities.get(activitySid)?.available) ready += 1;
  }
  return { ready, busy };
}

/**
 * @param {string} title
 * @param {unknown} number
 * @param {{tone?: import('../house/types.js').Tone, more?: unknown}} how
 */
function tile(title, number, { tone = 'calm', more = nothing }) {
  return html`<div class="figure" data-tone=${tone}>
    <h2>${title}</h2>
    <p class="number">${number}</p>
    <p class="faint">${more}</p>
  </div>`;
}
