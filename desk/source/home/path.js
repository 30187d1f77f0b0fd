/**
 * <home-path>: the ten steps of a call as it takes them, each with the real requests and events that
 * show it, to be opened.
 */

import { html, nothing, Part } from '../house/part.js';
import { announce } from '../house/announce.js';
import { language, named, t } from '../house/words.js';
import '../parts/dialog.js';
import { icon } from '../parts/icons.js';
import { STEPS } from './journey.js';

/** @typedef {import('./journey.js').Step} Step @typedef {import('./journey.js').Witness} Witness */

/** What is told of a step once it is known, from the event that shows it. */
const FACTS = /** @type {Record<string, (told: Record<string, any>) => string>} */ ({
  workflow: (told) => told.workflow_name ?? '',
  queue: (told) => told.task_queue_name ?? '',
  matching: (told) => told.worker_name ?? '',
  reservation: (told) => told.worker_name ?? '',
  accept: (told) => told.worker_name ?? '',
});

export class HomePath extends Part {
  static properties = { stage: { attribute: false }, opened: { state: true } };

  constructor() {
    super();
    /** Given before it is on the page. */
    this.stage = /** @type {import('./stage.js').Stage} */ (/** @type {unknown} */ (null));
    /** @type {Witness | null} */
    this.opened = null;
    /** How far the call has come, as was told to whoever listens. */
    this.told = '';
  }

  connectedCallback() {
    this.watch(this.stage.changed, this.stage.explanation);
    super.connectedCallback();
  }

  updated() {
    const done = this.stage.journey.value?.steps.filter(({ state }) => state === 'done').at(-1);
    if (done && done.name !== this.told) announce(t(`path.${done.name}`));
    this.told = done?.name ?? '';
  }

  /** @param {Step} step */
  #after(step) {
    const journey = this.stage.journey.value;
    if (step.at === null || !journey) return nothing;
    const ms = Math.max(0, Math.round(step.at - journey.dialledAt));
    const text = ms < 10_000
      ? t('path.after_ms', { ms: ms.toLocaleString(language.value) })
      : t('path.after_s', { s: (ms / 1000).toLocaleString(language.value, { maximumFractionDigits: 1 }) });
    return html`<time class="number" datetime=${`PT${ms / 1000}S`}>${text}</time>`;
  }

  /** @param {Step} step */
  #fact(step) {
    const event = step.witnesses.filter(({ kind }) => kind === 'event').at(-1);
    const found = event && FACTS[step.name]?.(/** @type {any} */ (event.told));
    return found ? html`<strong class="fact">${found}</strong>` : nothing;
  }

  /** Why nobody has it yet. */
  #why() {
    const told = this.stage.explanation.value;
    if (!told) return nothing;
    const reasons = told.obstacles.filter(({ workers }) => workers > 0);
    if (!reasons.length) return html`<p class="why">${t('path.nobody')}</p>`;
    return html`<ul class="why">
      ${reasons.map(({ obstacle, workers, worker_sids: sids }) => {
        const names = this.stage.agents.filter(({ sid }) => sids.includes(sid)).map(({ name }) => name);
        const who = names.length === workers ? names.join(', ') : t('path.agents', { count: workers });
        return html`<li>${t('path.why', { who, why: named('path.obstacle', obstacle) })}</li>`;
      })}
    </ul>`;
  }

  /** @param {Step} step */
  #witnesses(step) {
    if (!step.witnesses.length) return nothing;
    return html`<ul class="witnesses">
      ${step.witnesses.map(
        (witness) => html`<li>
          <button type="button" class="witness" data-kind=${witness.kind} @click=${() => (this.opened = witness)}>
            <span class="heard-only">${t(`path.kind.${witness.kind}`)}</span>${short(witness)}
          </button>
        </li>`,
      )}
    </ul>`;
  }

  /** @param {Step} step @param {number} place */
  #step(step, place) {
    const { name, state } = step;
    const about = state === 'failed' && name === 'completed' ? t('path.canceled') : t(`path.${name}.about`);
    return html`<li class="step" data-state=${state} aria-current=${state === 'now' ? 'step' : nothing}>
      <span class="dot" aria-hidden="true">${mark(state, place + 1)}</span>
      <div class="stack">
        <p class="row apart">
          <span class="row"><strong>${t(`path.${name}`)}</strong>${this.#fact(step)}</span>
          ${this.#after(step)}
        </p>
        <p class="faint">${about}</p>
        ${name === 'matching' && state === 'now' ? this.#why() : nothing} ${this.#witnesses(step)}
      </div>
    </li>`;
  }

  #detail() {
    const { opened } = this;
    if (!opened) return nothing;
    return html`
      <p class="row">
        <span class="pill">${t(`path.kind.${opened.kind}`)}</span>
        <time class="faint">${exactly(opened.at)}</time>
        ${opened.status === null ? nothing : html`<span class="pill" data-tone=${opened.status < 400 ? 'good' : 'bad'}>HTTP ${opened.status}</span>`}
      </p>
      ${opened.url ? html`<p><code>${opened.url}</code></p>` : nothing}
      <h3>${opened.kind === 'event' ? t('path.data') : t('path.parameters')}</h3>
      <pre tabindex="0" class="paper">${pretty(opened.told)}</pre>
      ${opened.answer
        ? html`<h3>${t('path.answer')}</h3><pre tabindex="0" class="paper">${pretty(opened.answer)}</pre>`
        : nothing}
    `;
  }

  render() {
    const steps = this.stage.journey.value?.steps ?? STEPS.map((name) => /** @type {Step} */ ({ name, state: 'ahead', at: null, witnesses: [] }));
    return html`<section class="card path" aria-labelledby="path-title">
      <h2 id="path-title">${t('path.title')}</h2>
      <ol>${steps.map((step, place) => this.#step(step, place))}</ol>
      <tandem-dialog
        .wide=${true} .open=${this.opened !== null} .heading=${this.opened?.title ?? ''}
        .content=${this.#detail()} @closed=${() => (this.opened = null)}
      ></tandem-dialog>
    </section>`;
  }
}

/** @param {import('./journey.js').StepState} state @param {number} number */
function mark(state, number) {
  if (state === 'done') return icon('answer');
  return state === 'failed' ? icon('close') : String(number);
}

/** To the millisecond, in the viewer's zone. @param {number} at */
function exactly(at) {
  return new Intl.DateTimeFormat(language.value, {
    hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23',
  }).format(at);
}

/** @param {Witness} witness */
function short({ kind, title, told }) {
  if (kind === 'event') return title;
  const parameters = /** @type {Record<string, any>} */ (told);
  const detail = parameters.StatusCallbackEvent;
  const path = title.replace(/[A-Z]{2}[0-9a-f]{32}/g, (sid) => `${sid.slice(0, 2)}…`);
  return kind === 'webhook' && typeof detail === 'string' ? `${path} · ${detail}` : path;
}

/** A form, an event or a document, so that a person can read it. @param {unknown} told @returns {string} */
function pretty(told) {
  if (typeof told === 'string') {
    const text = told.trim();
    if (text.startsWith('<')) return text.replace(/></g, '>\n<');
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }
  const opened = Object.entries(/** @type {Record<string, any>} */ (told)).map(([name, value]) => [name, inside(value)]);
  return JSON.stringify(Object.fromEntries(opened), null, 2);
}

/** Attributes are JSON in a text: shown as what they are. @param {unknown} value */
function inside(value) {
  if (typeof value !== 'string' || !/^[{[]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

customElements.define('home-path', HomePath);
