/**
 * <wall-agent>: one agent, with what a supervisor can do: another activity, capacity, channels on
 * and off, and listening in.
 */

import { html, nothing } from '../house/part.js';
import { session } from '../house/session.js';
import { tick } from '../house/tick.js';
import { named, t } from '../house/words.js';
import { channelIcon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { empty } from '../parts/states.js';
import { changeActivity, changeChannel, MODES, supervise } from './actions.js';
import { DeedPart, field } from './deed.js';
import { read } from './records.js';
import {
  activitiesOf, activityName, activityPill, channelName, clock, queueName, secondsSince, taskName,
} from './shown.js';

/** @typedef {import('./records.js').Agent} Agent */
/** @typedef {import('./records.js').Channel} Channel */
/** @typedef {import('./records.js').Reservation} Reservation */

/** @type {Record<string, import('../house/types.js').Tone>} */
const TONES = { pending: 'busy', accepted: 'good', wrapping: 'calm' };

export class WallAgent extends DeedPart {
  static properties = { ...DeedPart.properties, chosen: { state: true } };

  constructor() {
    super();
    /** The Activity that is chosen and not set yet. */
    this.chosen = '';
  }

  get #model() {
    return /** @type {import('./model.js').Model} */ (this.live.model);
  }

  // ---- activity --------------------------------------------------------------------------------

  /** @param {Agent} agent @param {Event} event */
  #changeActivity(agent, event) {
    const activitySid = field(event, 'activity').value;
    const takesBack = /** @type {HTMLFormElement} */ (event.target).elements.namedItem('back');
    const isBack = takesBack instanceof HTMLInputElement && takesBack.checked;
    const name = activityName(activitySid, this.#model);
    this.act(() => changeActivity(agent.sid, activitySid, isBack), t('wall.agent.moved', { name: agent.name, activity: name }));
  }

  /** @param {Agent} agent */
  #activity(agent) {
    const chosen = this.chosen || agent.activitySid;
    const activity = this.#model.activities.get(chosen);
    const isOffered = [...agent.reservations.values()].some(({ status }) => status === 'pending');
    return html`<form class="row" @submit=${(/** @type {Event} */ event) => this.#changeActivity(agent, event)}>
      <label class="grows">${t('wall.activity')}
        <select
          name="activity"
          @change=${(/** @type {Event} */ event) => (this.chosen = /** @type {HTMLSelectElement} */ (event.target).value)}
        >
          ${activitiesOf(this.#model).map(
            ({ sid }) => html`<option value=${sid} ?selected=${sid === chosen}>${activityName(sid, this.#model)}</option>`,
          )}
        </select>
      </label>
      ${isOffered && !activity?.available
        ? html`<label class="check"><input type="checkbox" name="back" />${t('wall.agent.take_back')}</label>`
        : nothing}
      <button type="submit" class="go" ?disabled=${this.busy || chosen === agent.activitySid}>
        ${t('wall.agent.move')}
      </button>
    </form>`;
  }

  // ---- channels --------------------------------------------------------------------------------

  /** @param {Agent} agent @param {Channel} channel @param {Event} event */
  #changeCapacity(agent, channel, event) {
    const given = Number(field(event, 'capacity').value);
    this.act(
      () => changeChannel(agent.sid, channel.sid, { Capacity: given }),
      t('wall.agent.capacity_set', { channel: channelName(channel.sid, this.#model), capacity: given }),
    );
  }

  /** @param {Agent} agent @param {Channel} channel @param {Event} event */
  async #switch(agent, channel, event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const name = channelName(channel.sid, this.#model);
    const said = input.checked ? t('wall.agent.channel_on', { channel: name }) : t('wall.agent.channel_off', { channel: name });
    const is = await this.act(() => changeChannel(agent.sid, channel.sid, { Available: input.checked }), said);
    if (!is) input.checked = channel.available;
  }

  /** @param {Agent} agent @param {Channel} channel */
  #channel(agent, channel) {
    const name = channelName(channel.sid, this.#model);
    const label = `${t('wall.capacity')}: ${name}`;
    return html`<li class="row apart channel-line">
      <span class="channel">${channelIcon(channel.name)}${name}
        <span class="faint">${t('wall.agent.busy', { load: channel.load, capacity: channel.capacity })}</span>
      </span>
      <span class="row">
        <form class="row" @submit=${(/** @type {Event} */ event) => this.#changeCapacity(agent, channel, event)}>
          <input
            class="capacity" type="number" name="capacity" min="0" max="200" required
            aria-label=${label} .value=${String(channel.capacity)}
          />
          <button type="submit" class="small" ?disabled=${this.busy}>
            ${t('wall.set')}<span class="heard-only"> ${label}</span>
          </button>
        </form>
        <label class="check">
          <input
            type="checkbox" role="switch" .checked=${channel.available} ?disabled=${this.busy}
            @change=${(/** @type {Event} */ event) => this.#switch(agent, channel, event)}
          />${t('wall.agent.takes')}<span class="heard-only"> ${name}</span>
        </label>
      </span>
    </li>`;
  }

  // ---- tasks, and listening in -----------------------------------------------------------------

  /** @param {Reservation} reservation @param {typeof MODES[number]} mode */
  #supervise(reservation, mode) {
    const own = session.value?.user?.worker_sid ?? '';
    this.act(() => supervise(reservation, mode, own), t('wall.supervise.rings'));
  }

  /** Why nobody can be called for it; empty where that is possible. */
  get #obstacle() {
    const own = session.value?.user?.worker_sid;
    if (!own) return t('wall.supervise.no_worker');
    const contact = read(this.#model.agents.get(own)?.attributes ?? '{}').contact_uri;
    return typeof contact === 'string' && contact ? '' : t('wall.supervise.no_phone');
  }

  /** @param {Agent} agent @param {Reservation} reservation */
  #canListen(agent, { channelSid, status }) {
    const isCall = this.#model.channels.get(channelSid)?.name === 'voice';
    return isCall && status === 'accepted' && agent.sid !== session.value?.user?.worker_sid;
  }

  /** @param {Reservation} reservation */
  #supervision(reservation) {
    const obstacle = this.#obstacle;
    if (obstacle) return html`<p class="faint">${obstacle}</p>`;
    return html`<div class="row">
        ${MODES.map(
          (mode) => html`<button
            type="button" class="small" ?disabled=${this.busy}
            title=${named('wall.supervise.hint', mode)}
            @click=${() => this.#supervise(reservation, mode)}
          >${named('wall.supervise', mode)}</button>`,
        )}
      </div>
      <p class="faint">${this.#ownPhone()}</p>`;
  }

  /** @param {Agent} agent @param {Reservation} reservation */
  #task(agent, reservation) {
    const model = this.#model;
    const task = model.tasks.get(reservation.taskSid);
    return html`<li class="stack in-hand">
      <div class="row apart">
        <b>${task ? taskName(task) : reservation.taskSid}</b>
        <span class="row">
          ${task ? html`<span class="faint">${queueName(task, model)}</span>` : nothing}
          ${pill(named('wall.reservation', reservation.status), TONES[reservation.status])}
          ${clock(secondsSince(reservation.since, tick.value))}
          <button type="button" class="small" @click=${() => this.tell('task', reservation.taskSid)}>
            ${t('wall.task.open')}
          </button>
        </span>
      </div>
      ${this.#canListen(agent, reservation) ? this.#supervision(reservation) : nothing}
    </li>`;
  }

  #ownPhone() {
    const own = this.#model.agents.get(session.value?.user?.worker_sid ?? '');
    return t('wall.supervise.hint', { phone: String(read(own?.attributes ?? '{}').contact_uri) });
  }

  render() {
    const agent = this.#model.agents.get(this.sid);
    if (!agent) return empty(t('wall.agent.gone'));
    const channels = [...agent.channels.values()];
    channels.sort((one, other) => one.name.localeCompare(other.name));
    const reservations = [...agent.reservations.values()];
    return html`<div class="stack">
      <p class="row">
        ${activityPill(agent, this.#model)}
        <span class="faint">${t('wall.since')} ${clock(secondsSince(agent.since, tick.value))}</span>
      </p>
      ${this.message()}
      ${this.#activity(agent)}
      <h3>${t('wall.load')}</h3>
      <ul class="stack">${channels.map((channel) => this.#channel(agent, channel))}</ul>
      <h3>${t('wall.tasks')}</h3>
      ${reservations.length
        ? html`<ul class="stack">${reservations.map((each) => this.#task(agent, each))}</ul>`
        : html`<p class="faint">${t('wall.agent.nothing')}</p>`}
    </div>`;
  }
}

customElements.define('wall-agent', WallAgent);
