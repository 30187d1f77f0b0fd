/**
 * <tandem-waiting>: what waits in line, and the button with which the agent takes one by hand.
 *
 * Nobody tells an agent's page of Tasks that are not theirs, so the list is read every few seconds
 * while it is looked at.
 */

import { duration, isoDuration, since } from '../house/clock.js';
import { html, nothing, Part } from '../house/part.js';
import { ask, workspace } from '../house/rest.js';
import { send } from '../house/session.js';
import { tick } from '../house/tick.js';
import { t } from '../house/words.js';
import { channelIcon, icon } from '../parts/icons.js';
import { empty, explained, failed, loading } from '../parts/states.js';
import { subject } from './attributes.js';
import { shift } from './shift.js';

const EVERY_MS = 4000;
const MOST = 50;

export class TandemWaiting extends Part {
  static properties = {
    tasks: { state: true },
    error: { state: true },
    pulling: { state: true },
    refusal: { state: true },
  };

  constructor() {
    super();
    /** @type {any[] | null} */
    this.tasks = null;
    /** @type {unknown} */
    this.error = null;
    /** @type {unknown} */
    this.refusal = null;
    this.pulling = '';
    this.watch(shift.changed, shift.connection, tick);
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#load();
    this.timer = setInterval(() => {
      if (document.visibilityState === 'visible' && shift.isReady) this.#load();
    }, EVERY_MS);
    this.stop = shift.changed.listen(() => this.#load());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
    this.stop?.();
  }

  async #load() {
    try {
      const page = await ask('GET', `${workspace()}/Tasks`, {
        AssignmentStatus: 'pending',
        PageSize: MOST,
      });
      this.tasks = page.tasks;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
  }

  /** @param {string} sid */
  async #pull(sid) {
    this.pulling = sid;
    this.refusal = null;
    try {
      await send('POST', '/desk/pull', { json: { task_sid: sid } });
    } catch (error) {
      this.refusal = error;
    }
    this.pulling = '';
    this.#load();
  }

  /** @param {any} task */
  #task(task) {
    const attributes = parsed(task.attributes);
    const who = subject(attributes) ?? t('task.unknown');
    const waited = since(task.date_created);
    return html`<li class="line">
      ${channelIcon(task.task_channel_unique_name)}
      <span class="line-name">
        ${who}
        <small class="faint">
          ${task.task_queue_friendly_name ?? task.workflow_friendly_name} ·
          <time datetime=${isoDuration(waited)}>${duration(waited)}</time>
        </small>
      </span>
      ${task.task_channel_unique_name === 'voice'
        ? nothing
        : html`<button
            type="button"
            class="small"
            ?disabled=${!shift.isReady || this.pulling === task.sid}
            aria-label=${t('waiting.pull_this', { who })}
            @click=${() => this.#pull(task.sid)}
          >
            ${icon('pull')}${t('waiting.pull')}
          </button>`}
    </li>`;
  }

  #list() {
    if (this.error && !this.tasks) return failed(this.error, () => this.#load());
    if (!this.tasks) return loading();
    if (!this.tasks.length) return empty(t('waiting.none'));
    return html`<ul class="lines">${this.tasks.map((task) => this.#task(task))}</ul>`;
  }

  render() {
    return html`<section class="card" aria-labelledby="waiting-title">
      <header>
        <h2 id="waiting-title">${t('waiting.title')}</h2>
        <span class="pill">
          ${t('waiting.count', { count: this.tasks?.length ?? 0 })}
        </span>
      </header>
      ${this.refusal
        ? html`<p class="message" data-tone="bad" role="alert">
            ${icon('warning')}<span>${explained(this.refusal)}</span>
          </p>`
        : nothing}
      ${this.#list()}
    </section>`;
  }
}

/** @param {string} text @returns {Record<string, unknown>} */
function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

customElements.define('tandem-waiting', TandemWaiting);
