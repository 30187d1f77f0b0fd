/**
 * <tandem-wall>: the supervisor's wall.
 */

import { timeOfDay, now as serverNow } from '../house/clock.js';
import { addShortcuts } from '../house/keys.js';
import { remember, remembered } from '../house/memory.js';
import { html, nothing, Part } from '../house/part.js';
import { session } from '../house/session.js';
import { tick } from '../house/tick.js';
import { language, t } from '../house/words.js';
import '../parts/bar.js';
import '../parts/dialog.js';
import { icon } from '../parts/icons.js';
import { empty, failed, loading } from '../parts/states.js';
import './agent.js';
import './charts.js';
import { agentColumns, lineColumns, queueColumns } from './columns.js';
import { field } from './deed.js';
import './deeds.js';
import { figures } from './figures.js';
import { largeActivities, largeQueues } from './large.js';
import { Live } from './live.js';
import { screen, switchScreen } from './screen.js';
import { activitiesOf, activityName, figure, taskName } from './shown.js';
import './table.js';
import './task.js';

/** @typedef {import('./live.js').Target} Target */
/** @typedef {import('./columns.js').Seen} Seen */
/** @typedef {{kind: 'agent' | 'task', sid: string} | {kind: 'target'} | null} Opened */

/** Four of five within twenty seconds: what most call centres promise. */
const TARGET = { seconds: 20, percent: 80 };

/** @returns {Target} */
function target() {
  const [seconds, percent] = (remembered('wall.target') ?? '').split(' ').map(Number);
  return seconds > 0 && percent > 0 && percent <= 100 ? { seconds, percent } : TARGET;
}

export class Wall extends Part {
  static properties = { opened: { state: true }, activity: { state: true } };

  #live = new Live(target());
  #lostAt = 0;
  /** @type {(() => void)[]} */
  #ends = [];

  constructor() {
    super();
    /** @type {Opened} What the dialog shows. */
    this.opened = null;
    /** The Activity of the agents that are shown; empty: all. */
    this.activity = '';
    this.watch(session, tick, screen, this.#live.phase, this.#live.changed, this.#live.feed.state);
  }

  connectedCallback() {
    super.connectedCallback();
    if (!this.#isAllowed) return;
    this.#live.start();
    this.#ends = [
      () => this.#live.stop(),
      addShortcuts([
        { key: 'q', word: 'wall.keys.queues', run: () => this.#goTo('queues') },
        { key: 'a', word: 'wall.keys.agents', run: () => this.#goTo('agents') },
        { key: 'w', word: 'wall.keys.line', run: () => this.#goTo('line') },
        { key: 'b', word: 'wall.keys.screen', run: () => switchScreen(!screen.value) },
        { key: 'Escape', word: 'wall.screen.leave', run: () => switchScreen(false), when: () => screen.value },
      ]),
      this.#live.feed.state.listen((state) => {
        if (state === 'lost') this.#lostAt ||= serverNow();
        else if (state === 'connected') this.#lostAt = 0;
      }),
    ];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.#ends) end();
  }

  get #isAllowed() {
    const role = session.value?.user?.role;
    return role === 'supervisor' || role === 'admin';
  }

  /** @param {string} part */
  #goTo(part) {
    const section = this.querySelector(`#${part}`);
    section?.scrollIntoView({ block: 'start' });
    /** @type {HTMLElement | null | undefined} */ (section?.querySelector('.scrolls'))?.focus();
  }

  // ---- the parts -------------------------------------------------------------------------------

  /** @param {Seen} seen */
  #queues(seen) {
    return html`<section class="card" id="queues">
      <header><h2>${t('wall.queues')}</h2></header>
      <wall-table
        .caption=${t('wall.queues')} .columns=${queueColumns(seen)} .rows=${[...seen.model.queues.values()]}
        .file=${'queues'} .nothingText=${t('wall.queues.empty')} .sortedBy=${{ by: 'waiting', falling: true }}
        @chosen=${(/** @type {CustomEvent} */ { detail }) => this.#live.recount(this.#live.target, detail.sid)}
      ></wall-table>
    </section>`;
  }

  /** @param {Seen} seen */
  #agents(seen) {
    const { model } = seen;
    const all = [...model.agents.values()];
    const rows = this.activity ? all.filter(({ activitySid }) => activitySid === this.activity) : all;
    return html`<section class="card" id="agents">
      <header><h2>${t('wall.agents')}</h2></header>
      <div class="row activities" role="group" aria-label=${t('wall.agents.by_activity')}>
        ${activitiesOf(model).map(
          ({ sid, agents, available }) => html`<button
            type="button" class="small" data-available=${available} aria-pressed=${sid === this.activity}
            @click=${() => (this.activity = sid === this.activity ? '' : sid)}
          ><b class="number">${figure(agents)}</b> ${activityName(sid, model)}</button>`,
        )}
      </div>
      <wall-table
        .caption=${t('wall.agents')} .columns=${agentColumns(seen)} .rows=${rows}
        .file=${'agents'} .nothingText=${t('wall.agents.empty')} .sortedBy=${{ by: 'name', falling: false }}
        @chosen=${(/** @type {CustomEvent} */ { detail }) => (this.opened = { kind: 'agent', sid: detail.sid })}
      ></wall-table>
    </section>`;
  }

  /** @param {Seen} seen */
  #line(seen) {
    return html`<section class="card" id="line">
      <header><h2>${t('wall.line')}</h2></header>
      <wall-table
        .caption=${t('wall.line')} .columns=${lineColumns(seen)} .rows=${[...seen.model.line.values()]}
        .file=${'waiting-line'} .nothingText=${t('wall.line.empty')} .sortedBy=${{ by: 'age', falling: true }}
        @chosen=${(/** @type {CustomEvent} */ { detail }) => (this.opened = { kind: 'task', sid: detail.sid })}
      ></wall-table>
    </section>`;
  }

  #connection() {
    const state = this.#live.feed.state.value;
    if (state === 'refused') {
      return html`<p class="message" data-tone="bad" role="alert">${icon('warning')}${t('wall.refused')}</p>`;
    }
    if (!this.#lostAt) return nothing;
    const time = timeOfDay(this.#lostAt, language.value);
    return html`<p class="message" data-tone="busy" role="alert">
      ${icon('warning')}${t('wall.lost', { time })}
    </p>`;
  }

  // ---- the dialog ------------------------------------------------------------------------------

  #dialog() {
    const { opened } = this;
    const model = this.#live.model;
    if (!opened || !model) return this.#shell('', nothing);
    if (opened.kind === 'target') return this.#shell(t('wall.target.title'), this.#targetForm());
    const { kind, sid } = opened;
    if (kind === 'agent') {
      return this.#shell(
        model.agents.get(sid)?.name ?? t('wall.agent'),
        html`<wall-agent .live=${this.#live} .sid=${sid}
          @task=${(/** @type {CustomEvent} */ { detail }) => (this.opened = { kind: 'task', sid: detail })}></wall-agent>`,
      );
    }
    const task = model.tasks.get(sid);
    return this.#shell(
      task ? taskName(task) : t('wall.task'),
      html`<wall-task .live=${this.#live} .sid=${sid}
        @agent=${(/** @type {CustomEvent} */ { detail }) => (this.opened = { kind: 'agent', sid: detail })}></wall-task>`,
    );
  }

  /** @param {string} heading @param {unknown} content */
  #shell(heading, content) {
    return html`<tandem-dialog
      .heading=${heading} .open=${Boolean(this.opened)} .content=${content}
      @closed=${() => (this.opened = null)}
    ></tandem-dialog>`;
  }

  #targetForm() {
    const { seconds, percent } = this.#live.target;
    return html`<form class="stack" @submit=${(/** @type {Event} */ event) => this.#setTarget(event)}>
      <p class="faint">${t('wall.target.hint')}</p>
      <label>${t('wall.target.percent')}
        <input type="number" name="percent" min="1" max="100" required .value=${String(percent)} />
      </label>
      <label>${t('wall.target.seconds')}
        <input type="number" name="seconds" min="1" max="3600" required .value=${String(seconds)} />
      </label>
      <div class="row"><button type="submit" class="go">${t('wall.target.save')}</button></div>
    </form>`;
  }

  /** @param {Event} event */
  #setTarget(event) {
    const percent = Number(field(event, 'percent').value);
    const seconds = Number(field(event, 'seconds').value);
    remember('wall.target', `${seconds} ${percent}`);
    this.opened = null;
    this.#live.recount({ seconds, percent }, this.#live.queueSid);
  }

  // ---- the page --------------------------------------------------------------------------------

  #forbidden() {
    return html`<main class="wall narrow-page">
      ${empty(t('wall.forbidden'), { hint: session.value?.user ? t('wall.forbidden.hint') : '', image: 'warning' })}
      <p class="row centred">${session.value?.user
        ? html`<a class="button go" href="/desk">${t('wall.to_desk')}</a>`
        : html`<a class="button go" href="/sign-in?next=/wall">${t('bar.sign_in')}</a>`}</p>
    </main>`;
  }

  /** @param {Seen} seen */
  #everything(seen) {
    return html`<main class="wall" data-lost=${Boolean(this.#lostAt)}>
      <h1 class="heard-only">${t('wall.title')}</h1>
      ${this.#connection()}
      ${figures(seen)}
      <div class="halves">
        <div class="half">
          ${this.#queues(seen)}
          <section class="card" id="day"><wall-charts .live=${this.#live}></wall-charts></section>
        </div>
        <div class="half">${this.#line(seen)} ${this.#agents(seen)}</div>
      </div>
      <section class="card" id="history">
        <header><h2>${t('wall.history')}</h2></header>
        <wall-history .live=${this.#live}></wall-history>
      </section>
    </main>`;
  }

  /** @param {Seen} seen */
  #screen(seen) {
    return html`<main class="wall big" data-lost=${Boolean(this.#lostAt)}>
      <h1 class="heard-only">${t('wall.title')}</h1>
      ${this.#connection()}
      ${figures(seen)}
      <div class="big-halves">
        ${largeQueues(seen)}
        <div class="big-day">
          ${largeActivities(seen)}
          <wall-charts .live=${this.#live} .isLarge=${true}></wall-charts>
        </div>
      </div>
      <p class="leave"><button type="button" class="small" @click=${() => switchScreen(false)}>${t('wall.screen.leave')}</button></p>
    </main>`;
  }

  #content() {
    if (!this.#isAllowed) return this.#forbidden();
    const { model, phase, error } = this.#live;
    if (model) {
      const seen = { model, now: tick.value, target: this.#live.target };
      return screen.value ? this.#screen(seen) : this.#everything(seen);
    }
    return html`<main class="wall">
      <h1 class="heard-only">${t('wall.title')}</h1>
      ${this.#connection()}
      ${phase.value === 'failed' ? failed(error, () => this.#live.read()) : loading(t('wall.loading'))}
    </main>`;
  }

  #tools() {
    if (!this.#isAllowed || !this.#live.model) return nothing;
    return html`
      <button type="button" class="small" @click=${() => (this.opened = { kind: 'target' })}>
        ${icon('clock')}<span class="label">${t('wall.target')}</span>
      </button>
      <button type="button" class="small" @click=${() => switchScreen(true)}>
        ${icon('screen')}<span class="label">${t('wall.screen')}</span>
      </button>
    `;
  }

  render() {
    return html`
      ${screen.value && this.#live.model
        ? nothing
        : html`<tandem-bar
            .page=${'wall'} .connection=${this.#isAllowed ? this.#live.feed.state : null} .content=${this.#tools()}
          ></tandem-bar>`}
      ${this.#content()}
      ${this.#dialog()}
    `;
  }
}
