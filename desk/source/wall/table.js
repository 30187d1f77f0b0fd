/**
 * <wall-table>: a table of any length, of which only the rows that are seen are on the page. It can
 * be filtered, sorted and exported as CSV, as <tandem-table> can, whose columns it takes.
 *
 *     html`<wall-table .caption=${t('...')} .columns=${columns} .rows=${rows} .file=${'agents'}
 *       .sortedBy=${{by: 'waiting', falling: true}} @chosen=${({detail: row}) => ...}></wall-table>`
 *
 * Rows are of one height. While somebody points at the rows, or has the focus in them, they keep
 * their order, so that nobody clicks on what has just moved there.
 */

import { repeat } from 'lit/directives/repeat.js';
import { html, nothing, Part } from '../house/part.js';
import { language, t } from '../house/words.js';
import { arranged } from '../parts/arranging.js';
import { csv, download } from '../parts/csv.js';
import { icon } from '../parts/icons.js';
import { empty } from '../parts/states.js';
import { kept, windowOf } from './window.js';

/** @typedef {import('../parts/table.js').Column<any>} BaseColumn */
/**
 * @typedef {BaseColumn & {opens?: boolean, narrow?: boolean}} Column
 *   `opens`: its cell is a button that chooses the row. `narrow`: left out where there is no room.
 */

/** The height of a row before one was measured. */
const ROW_PX = 44;

export class WallTable extends Part {
  static properties = {
    caption: { attribute: false },
    columns: { attribute: false },
    rows: { attribute: false },
    file: { attribute: false },
    nothingText: { attribute: false },
    sortedBy: { attribute: false },
    tools: { attribute: false },
    filter: { state: true },
    order: { state: true },
  };

  #top = 0;
  #height = 480;
  #row = ROW_PX;
  #isHeld = false;
  /** @type {readonly any[]} */
  #arranged = [];
  #arrangedFor = '';
  /** @type {ResizeObserver | null} */
  #sizes = null;

  constructor() {
    super();
    this.caption = '';
    /** @type {readonly Column[]} */
    this.columns = [];
    /** @type {readonly any[]} */
    this.rows = [];
    this.file = '';
    this.nothingText = '';
    /** More that stands beside the filter. @type {unknown} */
    this.tools = nothing;
    /** @type {import('../parts/arranging.js').Order | null} */
    this.sortedBy = null;
    this.filter = '';
    /** @type {import('../parts/arranging.js').Order | null} */
    this.order = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#sizes = new ResizeObserver(() => this.#measure());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#sizes?.disconnect();
    this.#sizes = null;
  }

  get #order() {
    return this.order ?? this.sortedBy;
  }

  /** All rows that meet the filter, in order. */
  #arrange() {
    const order = this.#order;
    const how = JSON.stringify([this.filter, order, language.value]);
    // What was nearly in order is sorted in no time.
    const before = kept(this.#arranged, this.rows);
    if (this.#isHeld && how === this.#arrangedFor) {
      this.#arranged = this.filter ? arranged(before, this.columns, this.filter, null, language.value) : before;
    } else {
      this.#arranged = arranged(before, this.columns, this.filter, order, language.value);
    }
    this.#arrangedFor = how;
    return this.#arranged;
  }

  /** @param {Column} column */
  #sort({ name, numeric }) {
    const order = this.#order;
    const falling = order?.by === name ? !order.falling : Boolean(numeric);
    this.#isHeld = false;
    this.order = { by: name, falling };
  }

  #export() {
    const columns = this.columns.filter((each) => !each.fixed);
    const found = arranged(this.rows, this.columns, this.filter, this.#order, language.value);
    const rows = found.map((row) => columns.map(({ value }) => value(row)));
    download(`${this.file}.csv`, csv([columns.map(({ title }) => title), ...rows]));
  }

  // ---- what is seen ----------------------------------------------------------------------------

  get #scroller() {
    return /** @type {HTMLElement | null} */ (this.querySelector('.scrolls'));
  }

  #scrolled() {
    const top = this.#scroller?.scrollTop ?? 0;
    if (Math.abs(top - this.#top) < this.#row) return;
    this.#top = top;
    this.requestUpdate();
  }

  #measure() {
    const scroller = this.#scroller;
    if (!scroller) return;
    const height = scroller.clientHeight;
    const row = scroller.querySelector('tbody tr.line')?.clientHeight || this.#row;
    if (height === this.#height && row === this.#row) return;
    this.#height = height;
    this.#row = row;
    this.requestUpdate();
  }

  updated() {
    const scroller = this.#scroller;
    if (scroller) this.#sizes?.observe(scroller);
    const heights = windowOf(this.#arranged.length, this.#top, this.#height, this.#row);
    const spaces = /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll('tr.space > td'));
    for (const [place, number] of [heights.first, this.#arranged.length - heights.end].entries()) {
      if (spaces[place]) spaces[place].style.height = `${number * this.#row}px`;
    }
  }

  /** @param {boolean} held */
  #hold(held) {
    if (this.#isHeld === held) return;
    this.#isHeld = held;
    if (!held) this.requestUpdate();
  }

  #letGo() {
    const rows = this.querySelector('tbody');
    this.#hold(rows?.matches(':hover') || rows?.contains(document.activeElement) || false);
  }

  // ---- rendering -------------------------------------------------------------------------------

  /** @param {Column} column */
  #head(column) {
    const order = this.#order;
    const isBy = order?.by === column.name;
    const arrow = isBy ? (order.falling ? '↓' : '↑') : '↕';
    return html`<th
      scope="col"
      class=${classes(column)}
      aria-sort=${isBy ? (order.falling ? 'descending' : 'ascending') : nothing}
    >
      <button type="button" class="bare" @click=${() => this.#sort(column)}>
        ${column.title}<span class="arrow" aria-hidden="true">${arrow}</span>
      </button>
    </th>`;
  }

  /** @param {any} row @param {Column} column */
  #cell(row, column) {
    const shown = column.cell ? column.cell(row) : column.value(row);
    if (!column.opens) return html`<td class=${classes(column)}>${shown}</td>`;
    return html`<th scope="row" class=${classes(column)}>
      <button type="button" class="bare opens" @click=${() => this.tell('chosen', row)}>
        ${shown}
      </button>
    </th>`;
  }

  #tools() {
    return html`<div class="tools">
      <label class="search">
        <span class="heard-only">${t('table.filter')}: ${this.caption}</span>
        ${icon('search')}
        <input
          type="search"
          placeholder=${t('table.filter')}
          .value=${this.filter}
          @input=${(/** @type {Event} */ event) =>
            (this.filter = /** @type {HTMLInputElement} */ (event.target).value)}
        />
      </label>
      ${this.tools}
      <button type="button" @click=${this.#export}>
        ${icon('download')}<span>${t('wall.csv')}</span>
        <span class="heard-only">${this.caption}</span>
      </button>
    </div>`;
  }

  render() {
    const found = this.#arrange();
    const { first, end } = windowOf(found.length, this.#top, this.#height, this.#row);
    const shown = found.slice(first, end);
    return html`
      ${this.#tools()}
      <div
        class="scrolls"
        role="region"
        aria-label=${this.caption}
        tabindex="0"
        @scroll=${this.#scrolled}
      >
        <table aria-rowcount=${found.length + 1}>
          <caption class="heard-only">${this.caption}</caption>
          <thead><tr aria-rowindex="1">${this.columns.map((column) => this.#head(column))}</tr></thead>
          <tbody
            @pointerenter=${() => this.#hold(true)}
            @pointerleave=${this.#letGo}
            @focusin=${() => this.#hold(true)}
            @focusout=${() => setTimeout(() => this.#letGo())}
          >
            ${space(this.columns.length)}
            ${repeat(
              shown,
              (row) => row.sid,
              (row, place) => html`<tr class="line" aria-rowindex=${first + place + 2}>
                ${this.columns.map((column) => this.#cell(row, column))}
              </tr>`,
            )}
            ${space(this.columns.length)}
          </tbody>
        </table>
        ${found.length
          ? nothing
          : empty(this.rows.length ? t('table.none') : this.nothingText || t('table.empty'))}
      </div>
      <p class="faint count">${t('wall.rows', { count: found.length })}</p>
    `;
  }
}

/** Stands for the rows that are not seen. @param {number} columns */
function space(columns) {
  return html`<tr class="space" aria-hidden="true"><td colspan=${columns}></td></tr>`;
}

/** @param {Column} column */
function classes({ numeric, narrow }) {
  return `${numeric ? 'number' : ''}${narrow ? ' narrow' : ''}`;
}

customElements.define('wall-table', WallTable);
