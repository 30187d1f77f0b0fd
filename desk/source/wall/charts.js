/**
 * <wall-charts>: the day in two pictures, arrivals with answers and abandoned calls, and the service
 * level against its target; and the same as a table, for whoever does not see them.
 */

import { tick } from '../house/tick.js';
import { html, nothing, Part } from '../house/part.js';
import { theme } from '../house/theme.js';
import { timeOfDay } from '../house/clock.js';
import { language, t } from '../house/words.js';
import { QUARTER_MS, serviceLevel } from './counts.js';
import { flow, level } from './plots.js';
import { figure, percent, toneOfLevel } from './shown.js';

/** @typedef {import('./counts.js').Sums} Sums */
/** @typedef {import('./live.js').Live} Live */

/** Milliseconds between two drawings: a quarter of an hour changes slowly. */
const PACE_MS = 1000;
const LEAST_SPAN_MS = 4 * 3_600_000;

export class WallCharts extends Part {
  static properties = {
    live: { attribute: false },
    isLarge: { attribute: false },
    asTable: { state: true },
    pointed: { state: true },
  };

  /** @type {import('./plots.js').Plot[]} */
  #plots = [];
  #drawnAt = 0;
  #drawnFor = '';
  /** @type {ResizeObserver | null} */
  #sizes = null;
  /** @type {(() => void)[]} */
  #listening = [];

  constructor() {
    super();
    /** @type {Live} */
    this.live = /** @type {any} */ (null);
    this.isLarge = false;
    this.asTable = false;
    /** The quarter of an hour that is pointed at. @type {number | null} */
    this.pointed = null;
    this.watch(theme);
  }

  connectedCallback() {
    super.connectedCallback();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const again = () => this.#redraw();
    dark.addEventListener('change', again);
    this.#listening = [
      this.live.changed.listen(() => this.#draw()),
      this.live.counting.listen(() => this.#redraw()),
      tick.listen(() => this.#draw()),
      theme.listen(again),
      language.listen(again),
      () => dark.removeEventListener('change', again),
    ];
    this.#sizes = new ResizeObserver(() => this.#plots.forEach((plot) => plot.fit()));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.#listening) end();
    this.#sizes?.disconnect();
    this.#forget();
  }

  #forget() {
    for (const plot of this.#plots) plot.destroy();
    this.#plots = [];
  }

  #redraw() {
    this.#forget();
    this.#drawnAt = 0;
    this.requestUpdate();
  }

  /** The rows that are shown: those of the chosen TaskQueue, or of all. */
  get #rows() {
    const counts = this.live.model?.counts;
    if (!counts) return null;
    const queueSid = this.live.queueSid;
    return queueSid && counts.queueSid === queueSid ? counts.dayOfQueue : counts.day;
  }

  /** From shortly before the first thing that happened until a while from now. */
  #quarters() {
    const rows = this.#rows;
    if (!rows) return [];
    const { dayStart, quarters } = rows;
    const all = quarters.map((sums, number) => ({ at: dayStart + number * QUARTER_MS, sums }));
    const now = tick.value;
    const began = all.find(({ sums }) => sums.arrived || sums.answered || sums.canceled)?.at ?? now;
    const last = Math.min(now + 2 * QUARTER_MS, dayStart + quarters.length * QUARTER_MS);
    const first = Math.min(began - QUARTER_MS, last - LEAST_SPAN_MS);
    return all.filter(({ at }) => at >= first && at <= last);
  }

  #draw() {
    const now = performance.now();
    const version = `${this.live.model?.version} ${Math.floor(tick.value / QUARTER_MS)}`;
    if (now - this.#drawnAt < PACE_MS || version === this.#drawnFor) return;
    this.#drawnAt = now;
    this.#drawnFor = version;
    if (this.asTable || !this.#plots.length) this.requestUpdate();
    else this.#fill();
    const summary = this.querySelector('.day-totals');
    if (summary) this.requestUpdate();
  }

  #fill() {
    const quarters = this.#quarters();
    const target = this.live.target.percent / 100;
    for (const plot of this.#plots) plot.show(quarters, { target, now: tick.value });
  }

  updated() {
    const places = /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll('.plot'));
    if (this.#plots.length !== places.length) {
      this.#forget();
      const makers = [flow, level];
      this.#plots = [...places].map((place, number) =>
        makers[number](place, { isLarge: this.isLarge, onPoint: (at) => (this.pointed = at) }),
      );
      this.#fill();
      for (const place of places) this.#sizes?.observe(place);
    }
  }

  /** The sums of what is pointed at, or of the whole day. */
  #shown() {
    const quarters = this.#quarters();
    const found = quarters.find(({ at }) => at === this.pointed);
    if (found) return { sums: found.sums, title: this.#when(found.at) };
    const counts = this.live.model?.counts;
    const queueSid = this.live.queueSid;
    const sums = queueSid ? counts?.of(queueSid) : counts?.total;
    return { sums: sums ?? null, title: t('wall.today') };
  }

  /** @param {number} at */
  #when(at) {
    return `${timeOfDay(at, language.value)}–${timeOfDay(at + QUARTER_MS, language.value)}`;
  }

  #legend() {
    const { sums, title } = this.#shown();
    if (!sums) return nothing;
    const reached = serviceLevel(sums);
    return html`<dl class="day-totals">
      <dt class="heard-only">${t('wall.period')}</dt><dd class="when">${title}</dd>
      ${entry('arrived', t('wall.arrived'), figure(sums.arrived))}
      ${entry('answered', t('wall.answered'), figure(sums.answered))}
      ${entry('abandoned', t('wall.abandoned'), figure(sums.abandoned))}
      ${entry('level', t('wall.level'), percent(reached), toneOfLevel(reached, this.live.target.percent))}
    </dl>`;
  }

  #table() {
    const quarters = this.#quarters().filter(
      ({ sums }) => sums.arrived || sums.answered || sums.canceled,
    );
    return html`<div class="scrolls" tabindex="0" role="region" aria-label=${t('wall.charts')}>
      <table>
        <caption class="heard-only">${t('wall.charts.caption')}</caption>
        <thead><tr>
          <th scope="col">${t('wall.period')}</th>
          ${[t('wall.arrived'), t('wall.answered'), t('wall.abandoned'), t('wall.level')].map(
            (title) => html`<th scope="col" class="number">${title}</th>`,
          )}
        </tr></thead>
        <tbody>${quarters.map(
          ({ at, sums }) => html`<tr>
            <th scope="row">${this.#when(at)}</th>
            <td class="number">${figure(sums.arrived)}</td>
            <td class="number">${figure(sums.answered)}</td>
            <td class="number">${figure(sums.abandoned)}</td>
            <td class="number">${percent(serviceLevel(sums))}</td>
          </tr>`,
        )}</tbody>
      </table>
      ${quarters.length ? nothing : html`<p class="faint">${t('wall.charts.nothing')}</p>`}
    </div>`;
  }

  #pictures() {
    const { seconds, percent: wanted } = this.live.target;
    return html`
      <figure>
        <figcaption>${t('wall.charts.flow')}</figcaption>
        <div class="plot" role="img" aria-label=${t('wall.charts.flow.label')}></div>
      </figure>
      <figure>
        <figcaption>${t('wall.charts.level', { seconds, percent: percent(wanted / 100) })}</figcaption>
        <div class="plot" role="img" aria-label=${t('wall.charts.level.label')}></div>
      </figure>
    `;
  }

  /** @param {Event} event */
  #choose(event) {
    const { value } = /** @type {HTMLSelectElement} */ (event.target);
    this.live.recount(this.live.target, value || null);
  }

  #tools() {
    const { model, queueSid } = this.live;
    const queues = [...(model?.queues.values() ?? [])];
    queues.sort((one, other) => one.name.localeCompare(other.name, language.value));
    return html`<div class="row">
      <label class="beside">${t('wall.queue')}
        <select @change=${this.#choose}>
          <option value="" ?selected=${!queueSid}>${t('wall.queue.all')}</option>
          ${queues.map(
            ({ sid, name }) => html`<option value=${sid} ?selected=${sid === queueSid}>${name}</option>`,
          )}
        </select>
      </label>
      <button
        type="button" class="small" aria-pressed=${this.asTable}
        @click=${() => { this.asTable = !this.asTable; this.#forget(); }}
      >${t('wall.charts.table')}</button>
    </div>`;
  }

  render() {
    return html`
      ${this.isLarge
        ? nothing
        : html`<header><h2>${t('wall.charts')}</h2>${this.#tools()}</header>`}
      ${this.#legend()}
      <div class="charts" aria-busy=${this.live.counting.value}>
        ${this.asTable ? this.#table() : this.#pictures()}
      </div>
    `;
  }
}

/** @param {string} name @param {string} title @param {string} shown @param {string} [tone] */
function entry(name, title, shown, tone) {
  return html`<div data-series=${name}>
    <dt>${title}</dt><dd class="toned" data-tone=${tone ?? nothing}>${shown}</dd>
  </div>`;
}

customElements.define('wall-charts', WallCharts);
