/**
 * <wall-task>: one Task, with why it waits, and what a supervisor can do: raise its priority, move
 * it, cancel it.
 */

import { html, nothing } from '../house/part.js';
import { tick } from '../house/tick.js';
import { dateAndTime, timeOfDay } from '../house/clock.js';
import { language, named, t } from '../house/words.js';
import { pill } from '../parts/pill.js';
import { empty, explained } from '../parts/states.js';
import { cancelTask, changePriority, explain, moveTask } from './actions.js';
import { DeedPart, field } from './deed.js';
import { read, WAITING } from './records.js';
import { channelName, clock, queueName, secondsSince, stateText, taskName } from './shown.js';

/** @typedef {import('./records.js').Task} Task */

/** So much is added to a priority by one click. */
const RAISE = 10;
/** Workers that are named for one obstacle. */
const NAMED = 8;

export class WallTask extends DeedPart {
  static properties = {
    ...DeedPart.properties,
    explanation: { state: true },
    reading: { state: true },
    canceling: { state: true },
  };

  constructor() {
    super();
    /** What the server says, or an Error. @type {any} */
    this.explanation = null;
    this.reading = false;
    /** It is being asked whether that is meant. */
    this.canceling = false;
    this.explainedAt = 0;
    /** The agent of whom it was asked; empty: of all. */
    this.about = '';
  }

  get #model() {
    return /** @type {import('./model.js').Model} */ (this.live.model);
  }

  /** @param {string} [workerSid] */
  async #explain(workerSid) {
    this.reading = true;
    this.about = workerSid ?? '';
    try {
      this.explanation = await explain(this.sid, workerSid);
      this.explainedAt = tick.value;
    } catch (error) {
      this.explanation = new Error(explained(error));
    }
    this.reading = false;
  }

  // ---- why it waits ----------------------------------------------------------------------------

  #why() {
    const told = this.explanation;
    if (told instanceof Error) return html`<p class="message" data-tone="bad" role="alert">${told.message}</p>`;
    if (!told) return nothing;
    return html`<div class="stack why" role="status">
      <p class="faint">${t('wall.why.at', { time: timeOfDay(this.explainedAt, language.value) })}</p>
      <dl class="facts">
        <dt>${t('wall.queue')}</dt>
        <dd>${told.task_queue_friendly_name ?? '–'}${this.about
            ? nothing
            : ` · ${t('wall.why.members', { count: told.workers_in_task_queue })}`}</dd>
        ${told.filter_friendly_name
          ? html`<dt>${t('wall.why.filter')}</dt><dd>${told.filter_friendly_name}</dd>`
          : nothing}
        ${told.step_due_date
          ? html`<dt>${t('wall.why.goes_on')}</dt><dd>${dateAndTime(told.step_due_date, language.value)}</dd>`
          : nothing}
        ${told.expiry_date
          ? html`<dt>${t('wall.why.ends')}</dt><dd>${dateAndTime(told.expiry_date, language.value)}</dd>`
          : nothing}
      </dl>
      ${told.obstacles.length
        ? html`<ul class="stack">${told.obstacles.map((/** @type {any} */ each) => this.#obstacle(each))}</ul>`
        : html`<p>${told.assignment_status === 'pending' ? t('wall.why.no_members') : t('wall.why.offered')}</p>`}
    </div>`;
  }

  /** @param {any} obstacle */
  #obstacle({ obstacle, workers, worker_sids: sids, false_clauses: clauses }) {
    const names = sids.slice(0, NAMED).map((/** @type {string} */ sid) => this.#model.agents.get(sid)?.name ?? sid);
    const more = workers - names.length;
    return html`<li class="obstacle">
      <p><b>${named('wall.obstacle', obstacle)}</b> · ${t('wall.agents.count', { count: workers })}</p>
      <p class="faint">${names.join(', ')}${more > 0 ? ` ${t('wall.why.more', { count: more })}` : nothing}</p>
      ${clauses.map(
        (/** @type {any} */ clause) => html`<p class="clause"><code>${clause.text}</code>
          <span class="faint">${values(clause.values)}</span></p>`,
      )}
    </li>`;
  }

  #ask() {
    const agents = [...this.#model.agents.values()];
    agents.sort((one, other) => one.name.localeCompare(other.name, language.value));
    return html`<div class="row">
      <button type="button" ?disabled=${this.reading} @click=${() => this.#explain()}>${t('wall.why')}</button>
      <label class="beside grows">${t('wall.why_not')}
        <select @change=${(/** @type {Event} */ event) => {
          const { value } = /** @type {HTMLSelectElement} */ (event.target);
          if (value) this.#explain(value);
        }}>
          <option value="">${t('wall.why_not.choose')}</option>
          ${agents.map(({ sid, name }) => html`<option value=${sid} ?selected=${sid === this.about}>${name}</option>`)}
        </select>
      </label>
    </div>`;
  }

  // ---- what can be done ------------------------------------------------------------------------

  /** @param {Task} task */
  #priority(task) {
    return html`<form class="row" @submit=${(/** @type {Event} */ event) => {
      const given = Number(field(event, 'priority').value);
      this.act(() => changePriority(task.sid, given), t('wall.task.priority_set', { priority: given }));
    }}>
      <label class="grows">${t('wall.priority')}
        <input type="number" name="priority" min="0" max="2147483647" required .value=${String(task.priority)} />
      </label>
      <button
        type="button" ?disabled=${this.busy}
        @click=${() => this.act(
          () => changePriority(task.sid, task.priority + RAISE),
          t('wall.task.priority_set', { priority: task.priority + RAISE }),
        )}
      >${t('wall.task.raise', { by: RAISE })}</button>
      <button type="submit" ?disabled=${this.busy}>${t('wall.set')}<span class="heard-only"> ${t('wall.priority')}</span></button>
    </form>`;
  }

  /** @param {Task} task */
  #move(task) {
    const queues = [...this.#model.queues.values()].filter(({ sid }) => sid !== task.queueSid);
    queues.sort((one, other) => one.name.localeCompare(other.name, language.value));
    if (!queues.length) return nothing;
    return html`<form class="row" @submit=${(/** @type {Event} */ event) => {
      const to = field(event, 'queue').value;
      const name = this.#model.queues.get(to)?.name ?? to;
      this.act(() => moveTask(task.sid, to), t('wall.task.moved', { name }));
    }}>
      <label class="grows">${t('wall.task.move_to')}
        <select name="queue">${queues.map(({ sid, name }) => html`<option value=${sid}>${name}</option>`)}</select>
      </label>
      <button type="submit" ?disabled=${this.busy}>${t('wall.task.move')}</button>
    </form>`;
  }

  /** @param {Task} task */
  #cancel(task) {
    if (!this.canceling) {
      return html`<div class="row"><button
        type="button" class="danger" ?disabled=${this.busy} @click=${() => (this.canceling = true)}
      >${t('wall.task.cancel')}</button></div>`;
    }
    return html`<form class="stack confirm" @submit=${async (/** @type {Event} */ event) => {
      const reason = field(event, 'reason').value;
      if (await this.act(() => cancelTask(task.sid, reason), t('wall.task.canceled'))) this.canceling = false;
    }}>
      <p><b>${t('wall.task.cancel_sure', { name: taskName(task) })}</b></p>
      <p class="faint">${t('wall.task.cancel_hint')}</p>
      <label>${t('wall.task.reason')}<input name="reason" maxlength="200" autocomplete="off" /></label>
      <div class="row">
        <button type="submit" class="stop" ?disabled=${this.busy}>${t('wall.task.cancel_yes')}</button>
        <button type="button" @click=${() => (this.canceling = false)}>${t('wall.task.keep')}</button>
      </div>
    </form>`;
  }

  /** @param {Task} task */
  #attributes(task) {
    const said = Object.entries(read(task.attributes));
    if (!said.length) return html`<p class="faint">${t('wall.task.no_attributes')}</p>`;
    return html`<dl class="facts attributes">
      ${said.map(
        ([name, value]) => html`<dt>${name}</dt>
          <dd>${typeof value === 'string' ? value : JSON.stringify(value)}</dd>`,
      )}
    </dl>`;
  }

  render() {
    const model = this.#model;
    const task = model.tasks.get(this.sid);
    if (!task) return html`<div class="stack">${this.message()}${empty(t('wall.task.gone'), { image: 'answer' })}</div>`;
    const isWaiting = WAITING.has(task.status);
    const holders = [...task.reservations.values()].filter(({ status }) => status !== 'pending');
    return html`<div class="stack">
      <p class="row">
        ${pill(stateText(task, model), isWaiting ? 'busy' : 'good')}
        ${holders.map(
          ({ workerSid }) => html`<button type="button" class="small" @click=${() => this.tell('agent', workerSid)}>
            ${model.agents.get(workerSid)?.name ?? workerSid}
          </button>`,
        )}
      </p>
      <dl class="facts">
        <dt>${t('wall.age')}</dt><dd>${clock(secondsSince(task.createdAt, tick.value))}</dd>
        <dt>${t('wall.queue')}</dt><dd>${queueName(task, model)}</dd>
        <dt>${t('wall.channel')}</dt><dd>${channelName(task.channelSid, model)}</dd>
        <dt>${t('wall.workflow')}</dt><dd>${model.workflows.get(task.workflowSid ?? '')?.name ?? '–'}</dd>
        <dt>SID</dt><dd><code>${task.sid}</code></dd>
      </dl>
      ${this.message()}
      ${isWaiting ? this.#ask() : nothing}
      ${this.#why()}
      <h3>${t('wall.task.attributes')}</h3>
      ${this.#attributes(task)}
      <h3>${t('wall.task.change')}</h3>
      ${this.#priority(task)}
      ${isWaiting ? [this.#move(task), this.#cancel(task)] : nothing}
    </div>`;
  }
}

/** What the names in a clause stood for. @param {Record<string, unknown>} found */
function values(found) {
  return Object.entries(found ?? {})
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
    .join(', ');
}

customElements.define('wall-task', WallTask);
