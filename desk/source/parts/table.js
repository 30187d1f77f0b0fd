/**
 * <tandem-table>: a table that can be filtered, sorted and taken along as CSV.
 *
 *     html`<tandem-table
 *       .caption=${t('wall.agents')}
 *       .columns=${[{ name: 'name', title: t('...'), value: (row) => row.name }]}
 *       .rows=${rows} .key=${(row) => row.sid} .file=${'agents'}
 *     ></tandem-table>`
 *
 * A column's `value` is what it is sorted, filtered and exported by; `cell` is how it is shown,
 * where that is more than the value's text. Only as many rows are put onto the page as `most` says;
 * filtering and sorting take all into account.
 */

import { repeat } from 'lit/directives/repeat.js';
import { html, nothing, Part } from '../house/part.js';
import { language, t } from '../house/words.js';
import { csv, download } from './csv.js';
import { icon } from './icons.js';
import { empty } from './states.js';
import { arranged } from './arranging.js';

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} name
 * @property {string} title
 * @property {(row: Row) => string | number | boolean | null | undefined} value
 * @property {(row: Row) => unknown} [cell]
 * @property {boolean} [numeric]  Aligned to the right, and begins with the largest when sorted.
 * @property {boolean} [fixed]  Cannot be sorted by, and is not exported: buttons.
 */

/** Rows that are put onto the page at most. */
const MOST = 200;

export class TandemTable extends Part {
  static properties = {
    caption: { attribute: false },
    columns: { attribute: false },
    rows: { attribute: false },
    key: { attribute: false },
    file: { attribute: false },
    nothingText: { attribute: false },
    sortedBy: { attribute: false },
    most: { attribute: false },
    filter: { state: true },
    order: { state: true },
  };

  constructor() {
    super();
    this.caption = '';
    /** @type {readonly Column<any>[]} */
    this.columns = [];
    /** @type {readonly any[]} */
    this.rows = [];
    /** @type {(row: any) => unknown} */
    this.key = (row) => row.sid;
    /** The name of the file, without its ending; empty: there is no export. */
    this.file = '';
    this.nothingText = '';
    /** @type {import('./arranging.js').Order | null} The order at first. */
    this.sortedBy = null;
    this.most = MOST;
    this.filter = '';
    /** @type {import('./arranging.js').Order | null} */
    this.order = null;
  }

  /** All rows that meet the filter, in order. */
  get arranged() {
    const order = this.order ?? this.sortedBy;
    return arranged(this.rows, this.columns, this.filter, order, language.value);
  }

  /** @param {Column<any>} column */
  #sort({ name, numeric }) {
    const order = this.order ?? this.sortedBy;
    const falling = order?.by === name ? !order.falling : Boolean(numeric);
    this.order = { by: name, falling };
  }

  #export() {
    const columns = this.columns.filter((each) => !each.fixed);
    const rows = this.arranged.map((row) => columns.map(({ value }) => value(row)));
    download(`${this.file}.csv`, csv([columns.map(({ title }) => title), ...rows]));
  }

  /** @param {Column<any>} column */
  #head(column) {
    const order = this.order ?? this.sortedBy;
    const isBy = order?.by === column.name;
    const sorted = isBy ? (order.falling ? 'descending' : 'ascending') : nothing;
    return html`<th
      scope="col"
      class=${column.numeric ? 'number' : nothing}
      aria-sort=${sorted}
    >
      ${column.fixed
        ? html`<span class="heard-only">${column.title}</span>`
        : html`<button type="button" class="bare" @click=${() => this.#sort(column)}>
            ${column.title}<span class="arrow" aria-hidden="true"
              >${isBy ? (order.falling ? '↓' : '↑') : '↕'}</span
            >
          </button>`}
    </th>`;
  }

  #tools() {
    return html`<div class="tools">
      <label class="search">
        <span class="heard-only">${t('table.filter')}</span>
        ${icon('search')}
        <input
          type="search"
          placeholder=${t('table.filter')}
          .value=${this.filter}
          @input=${(/** @type {Event} */ event) =>
            (this.filter = /** @type {HTMLInputElement} */ (event.target).value)}
        />
      </label>
      ${this.file
        ? html`<button type="button" @click=${this.#export}>
            ${icon('download')}${t('table.export')}
          </button>`
        : nothing}
    </div>`;
  }

  render() {
    const found = this.arranged;
    const shown = found.slice(0, this.most);
    return html`
      ${this.#tools()}
      <div class="scrolls" role="region" aria-label=${this.caption} tabindex="0">
        <table>
          <caption class="heard-only">${this.caption}</caption>
          <thead><tr>${this.columns.map((column) => this.#head(column))}</tr></thead>
          <tbody>
            ${repeat(shown, this.key, (row) => html`<tr>
              ${this.columns.map(
                ({ value, cell, numeric }) => html`<td class=${numeric ? 'number' : nothing}>
                  ${cell ? cell(row) : value(row)}
                </td>`,
              )}
            </tr>`)}
          </tbody>
        </table>
      </div>
      ${found.length
        ? nothing
        : empty(this.rows.length ? t('table.none') : this.nothingText || t('table.empty'))}
      ${found.length > shown.length
        ? html`<p class="faint">${t('table.more', { shown: shown.length, all: found.length })}</p>`
        : nothing}
    `;
  }
}

customElements.define('tandem-table', TandemTable);
