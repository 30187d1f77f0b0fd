/**
 * The wall's two pictures, drawn with uPlot: bars of what happened, and a line of how well.
 */

import uPlot from 'uplot';
import { timeOfDay } from '../house/clock.js';
import { language } from '../house/words.js';
import { QUARTER_MS, serviceLevel } from './counts.js';
import { percent } from './shown.js';

/**
 * @typedef {{at: number, sums: import('./counts.js').Sums}} Quarter
 *
 * @typedef {object} Plot
 * @property {(quarters: readonly Quarter[], how: {target: number, now: number}) => void} show
 * @property {() => void} fit  Its place has another size.
 * @property {() => void} destroy
 *
 * @typedef {object} How
 * @property {boolean} isLarge  To be read from afar.
 * @property {(at: number | null) => void} onPoint  Which quarter of an hour is pointed at.
 */

/** A colour of the theme, as a canvas takes it. @param {HTMLElement} place @param {string} name */
function colour(place, name) {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {HTMLElement} place @param {How} how @returns {any[]} */
function axes(place, { isLarge }) {
  const font = `${isLarge ? 20 : 12}px system-ui, sans-serif`;
  const [text, line] = [colour(place, '--faint'), colour(place, '--edge')];
  const common = { font, stroke: text, ticks: { show: false } };
  return [
    {
      ...common, grid: { show: false }, space: isLarge ? 130 : 64, size: isLarge ? 40 : 26, gap: 4,
      incrs: [1, 2, 3, 4, 6, 12].map((hours) => hours * 3600),
      values: (/** @type {uPlot} */ _plot, /** @type {number[]} */ splits) =>
        splits.map((second) => timeOfDay(second * 1000, language.value)),
    },
    { ...common, grid: { stroke: line, width: 1 }, size: isLarge ? 80 : 46, gap: 6, space: isLarge ? 60 : 30 },
  ];
}

/** @param {HTMLElement} place */
function size(place) {
  return { width: Math.max(200, place.clientWidth), height: Math.max(110, place.clientHeight) };
}

/**
 * @param {HTMLElement} place
 * @param {How} how
 * @param {any} options
 * @param {(quarters: readonly Quarter[], how: {target: number, now: number}) => any[]} dataOf
 * @returns {Plot}
 */
function made(place, how, options, dataOf) {
  const plot = new uPlot(
    {
      ...size(place),
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      hooks: {
        setCursor: [(/** @type {uPlot} */ { cursor: { idx }, data }) => {
          how.onPoint(idx === null || idx === undefined ? null : data[0][idx] * 1000);
        }],
      },
      ...options,
    },
    /** @type {any} */ ([[], ...options.series.slice(1).map(() => [])]),
    place,
  );
  // What the picture shows is told by its label, and by the table.
  plot.root.setAttribute('aria-hidden', 'true');
  return {
    show: (quarters, told) => plot.setData(/** @type {any} */ (dataOf(quarters, told))),
    fit: () => plot.setSize(size(place)),
    destroy: () => plot.destroy(),
  };
}

/** Room for the bars at both ends. @param {uPlot} _plot @param {number} from @param {number} to */
function wholeQuarters(_plot, from, to) {
  const half = QUARTER_MS / 2000;
  return /** @type {[number, number]} */ ([from - half, to + half]);
}

/**
 * Arrivals, and before them what became of the calls.
 *
 * @param {HTMLElement} place
 * @param {How} how
 * @returns {Plot}
 */
export function flow(place, how) {
  const bars = (/** @type {number} */ width, /** @type {-1 | 0 | 1} */ align) =>
    /** @type {NonNullable<typeof uPlot.paths.bars>} */ (uPlot.paths.bars)({
      size: [width, 60], align, radius: 0.15,
    });
  const series = (/** @type {string} */ name, /** @type {any} */ paths) => {
    const fill = colour(place, name);
    return { paths, fill, stroke: fill, width: 0, points: { show: false } };
  };
  const options = {
    scales: {
      x: { time: true, range: wholeQuarters },
      y: { range: (/** @type {uPlot} */ _plot, /** @type {number} */ _from, /** @type {number} */ to) => [0, Math.max(4, Math.ceil(to * 1.1))] },
    },
    axes: axes(place, how).map((axis, number) => (number ? { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] } : axis)),
    series: [
      {},
      series('--series-arrived', bars(0.86, 0)),
      series('--series-answered', bars(0.5, 0)),
      series('--series-abandoned', bars(0.2, 0)),
    ],
  };
  return made(place, how, options, (quarters) => [
    quarters.map(({ at }) => at / 1000),
    quarters.map(({ sums }) => sums.arrived),
    quarters.map(({ sums }) => sums.answered),
    quarters.map(({ sums }) => sums.abandoned || null),
  ]);
}

/**
 * The service level, and the line that it should not fall below.
 *
 * @param {HTMLElement} place
 * @param {How} how
 * @returns {Plot}
 */
export function level(place, how) {
  const accent = colour(place, '--accent');
  const target = colour(place, '--warn');
  const thick = how.isLarge ? 5 : 2.5;
  const options = {
    scales: { x: { time: true, range: wholeQuarters }, y: { range: [0, 1.02] } },
    axes: axes(place, how).map((axis, number) =>
      number
        ? {
            ...axis, incrs: [0.25, 0.5],
            values: (/** @type {uPlot} */ _plot, /** @type {number[]} */ splits) => splits.map(percent),
          }
        : axis,
    ),
    series: [
      {},
      { stroke: target, width: thick * 0.7, dash: [8, 6], points: { show: false } },
      {
        stroke: accent, width: thick, spanGaps: true,
        points: { show: true, size: thick * 2.6, fill: accent, stroke: accent },
      },
    ],
  };
  return made(place, how, options, (quarters, { target: wanted }) => [
    quarters.map(({ at }) => at / 1000),
    quarters.map(() => wanted),
    quarters.map(({ sums }) => serviceLevel(sums)),
  ]);
}
