/**
 * <tandem-offer>: something that is being offered: who, since when, what about, and how long it may
 * be taken.
 */

import { duration, isoDuration, now, since } from '../house/clock.js';
import { html, nothing, Part, svg } from '../house/part.js';
import { tick } from '../house/tick.js';
import { named, t } from '../house/words.js';
import { channelIcon, icon } from '../parts/icons.js';
import { pill } from '../parts/pill.js';
import { explained } from '../parts/states.js';
import { address, facts, subject } from './attributes.js';
import { shift } from './shift.js';

/** Of the circle that runs out: SVG's own units. */
const RADIUS = 20;
const ROUND = 2 * Math.PI * RADIUS;
/** Attributes that are shown at once; the rest can be unfolded after accepting. */
const MOST_FACTS = 6;

export class TandemOffer extends Part {
  static properties = {
    reservation: { attribute: false },
    brief: { attribute: false },
    isBusy: { state: true },
    error: { state: true },
  };

  constructor() {
    super();
    /** @type {import('./shift.js').Reservation | null} */
    this.reservation = null;
    /** Others come before it: it takes less room, and has no shortcuts. */
    this.brief = false;
    this.isBusy = false;
    /** @type {unknown} */
    this.error = null;
    this.watch(tick, shift.connection, shift.changed);
  }

  /** Seconds that are left, by the server's clock; null where it does not run out. */
  get #left() {
    const { timeout, dateCreated } = /** @type {any} */ (this.reservation);
    if (!timeout) return null;
    return Math.max(0, timeout - (now() - Number(dateCreated)) / 1000);
  }

  async accept() {
    if (this.isBusy || !shift.isReady) return;
    this.isBusy = true;
    this.error = null;
    try {
      await this.reservation?.accept();
      this.tell('accepted', this.reservation?.sid);
    } catch (error) {
      this.error = error;
      this.isBusy = false;
    }
  }

  #decline() {
    this.tell('decline', this.reservation);
  }

  #countdown() {
    const left = this.#left;
    if (left === null) return nothing;
    const part = left / (this.reservation?.timeout || 1);
    return html`<div class="countdown" data-tone=${part < 0.25 ? 'bad' : 'good'}>
      <svg viewBox="0 0 48 48" aria-hidden="true">
        <circle cx="24" cy="24" r=${RADIUS}></circle>
        ${svg`<circle cx="24" cy="24" r=${RADIUS} class="left" stroke-dasharray=${ROUND}
          stroke-dashoffset=${ROUND * (1 - part)}></circle>`}
      </svg>
      <time datetime=${isoDuration(left)} aria-label=${t('offer.left', { count: Math.ceil(left) })}>
        ${Math.ceil(left)}
      </time>
    </div>`;
  }

  /** @param {string} letter */
  #key(letter) {
    return this.brief ? nothing : html`<kbd aria-hidden="true">${letter}</kbd>`;
  }

  /** @param {Record<string, unknown>} attributes */
  #facts(attributes) {
    const shown = facts(attributes, { brief: true }).slice(0, MOST_FACTS);
    if (!shown.length || this.brief) return nothing;
    return html`<dl class="facts">
      ${shown.map(({ key, name, text }) => html`<dt>${named('attribute', key, name)}</dt><dd>${text}</dd>`)}
    </dl>`;
  }

  /** @param {any} task @param {any} transfer */
  #heading(task, transfer) {
    const beside = address(task.attributes);
    const waited = since(task.virtualStartTime ?? task.dateCreated);
    return html`<div class="offer-head">
      <div class="offer-who">
        <p class="row">
          ${pill(named('channel', task.taskChannelUniqueName), 'good')}
          ${transfer ? pill(t('offer.transfer'), 'busy') : nothing}
          <span class="faint">${task.queueName}</span>
        </p>
        <h2>${subject(task.attributes) ?? t('task.unknown')}</h2>
        <p class="faint">
          ${beside ? html`${beside} · ` : nothing}
          ${t('offer.waiting')}
          <time datetime=${isoDuration(waited)}>${duration(waited)}</time>
        </p>
      </div>
      ${this.#countdown()}
    </div>`;
  }

  render() {
    const reservation = /** @type {any} */ (this.reservation);
    if (!reservation) return nothing;
    const task = reservation.task;
    const isOff = this.isBusy || !shift.isReady;
    return html`<section
      class=${this.brief ? 'card offer brief' : 'card offer'}
      data-reservation=${reservation.sid}
      aria-label=${t('offer.label', { who: subject(task.attributes) ?? t('task.unknown') })}
    >
      ${this.#heading(task, reservation.transfer)} ${this.#facts(task.attributes)}
      ${this.error
        ? html`<p class="message" data-tone="bad" role="alert">
            ${icon('warning')}<span>${explained(this.error)}</span>
          </p>`
        : nothing}
      <div class="offer-buttons">
        <button type="button" class="go" ?disabled=${isOff} @click=${this.accept}>
          ${channelIcon(task.taskChannelUniqueName)}
          ${this.isBusy ? t('offer.accepting') : t('offer.accept')}${this.#key('A')}
        </button>
        <button type="button" ?disabled=${isOff} @click=${this.#decline}>
          ${t('offer.decline')}${this.#key('D')}
        </button>
      </div>
    </section>`;
  }
}

customElements.define('tandem-offer', TandemOffer);
