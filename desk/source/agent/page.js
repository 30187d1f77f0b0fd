/**
 * <tandem-desk>: the whole desk. What is offered comes first, then what the agent has, then
 * themselves, what waits, and their day.
 */

import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../house/announce.js';
import { timeOfDay } from '../house/clock.js';
import { addShortcuts } from '../house/keys.js';
import { html, nothing, Part } from '../house/part.js';
import { session } from '../house/session.js';
import { language, named, t } from '../house/words.js';
import '../parts/bar.js';
import { icon } from '../parts/icons.js';
import { empty, failed, loading } from '../parts/states.js';
import { subject } from './attributes.js';
import './decline.js';
import { dismiss, looked, messages, selected } from './desk.js';
import './history.js';
import './leftovers.js';
import { keepOnly, markTitle, notify } from './notice.js';
import './offer.js';
import './phone-panel.js';
import { closePhone, openPhone } from './phone.js';
import { prepare, ring } from './ring.js';
import { shift } from './shift.js';
import './status.js';
import { taskTab } from './task.js';
import './waiting.js';

export class Desk extends Part {
  static properties = { declining: { state: true } };

  constructor() {
    super();
    /** The offer that is about to be declined. */
    this.declining = null;
    /** @type {Set<string>} */
    this.announced = new Set();
    /** @type {(() => void)[]} */
    this.ends = [];
    this.watch(shift.changed, shift.connection, selected, messages, session);
  }

  connectedCallback() {
    super.connectedCallback();
    if (!session.value?.user?.worker_sid) return;
    prepare();
    this.ends = [
      shift.changed.listen(() => this.#heed()),
      shift.connection.listen((connection) => this.#say(connection)),
      addShortcuts(this.#shortcuts()),
    ];
    shift.begin();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.ends) end();
    shift.end();
    closePhone();
    ring(false);
  }

  /** @returns {import('../house/keys.js').Shortcut[]} */
  #shortcuts() {
    const call = () => this.#task?.call;
    const hasCall = () => Boolean(call());
    return [
      { key: 'a', word: 'keys.accept', run: () => this.#offer?.accept(), when: () => Boolean(this.#offer) },
      {
        key: 'd',
        word: 'keys.decline',
        run: () => this.#decline(shift.offers[0]),
        when: () => Boolean(this.#offer),
      },
      { key: 'm', word: 'keys.mute', run: () => call()?.toggleMute(), when: hasCall },
      { key: 'h', word: 'keys.hold', run: () => call()?.toggleHold(), when: hasCall },
      { key: 'k', word: 'keys.keypad', run: () => call()?.toggleKeypad(), when: hasCall },
      { key: 't', word: 'keys.transfer', run: () => call()?.openTransfer(), when: hasCall },
      { key: 'e', word: 'keys.hang_up', run: () => call()?.hangUp(), when: hasCall },
      { key: 'n', word: 'keys.notes', run: () => this.#task?.notes?.focusNotes() },
      {
        key: 'c',
        word: 'keys.complete',
        run: () => this.#task?.notes?.complete(),
        when: () => looked()?.status === 'wrapping',
      },
      { key: 'j', word: 'keys.next', run: () => this.#next() },
      { key: 's', word: 'keys.status', run: () => this.#status?.focusSwitch() },
    ];
  }

  /** @type {import('./offer.js').TandemOffer | null} */
  get #offer() {
    return this.querySelector('tandem-offer');
  }

  /** @type {import('./task.js').TandemTask | null} */
  get #task() {
    return this.querySelector('tandem-task');
  }

  /** @type {import('./status.js').TandemStatus | null} */
  get #status() {
    return this.querySelector('tandem-status');
  }

  #next() {
    const { tasks } = shift;
    const place = tasks.findIndex(({ sid }) => sid === looked()?.sid);
    if (tasks.length) selected.value = tasks[(place + 1) % tasks.length].sid;
  }

  /** @param {import('./shift.js').Reservation | undefined} reservation */
  #decline(reservation) {
    this.declining = /** @type {any} */ (reservation ?? null);
  }

  /** Offers ring, are announced, and tell of themselves outside the page. */
  #heed() {
    openPhone(shift.worker?.attributes?.contact_uri);
    const offers = shift.offers;
    ring(offers.length > 0);
    keepOnly(offers.map(({ sid }) => sid));
    markTitle(offers.length ? t('offer.title', { count: offers.length }) : null);
    for (const { sid, task, timeout } of offers) {
      if (this.announced.has(sid)) continue;
      this.announced.add(sid);
      const filled = {
        who: subject(task.attributes) ?? t('task.unknown'),
        channel: named('channel', task.taskChannelUniqueName),
        seconds: timeout,
      };
      announce(t('offer.announced', filled), 'assertive');
      notify(sid, t('offer.notice', filled), task.queueName);
    }
  }

  /** @param {string} connection */
  #say(connection) {
    if (connection === 'lost') announce(t('desk.lost_announced'), 'assertive');
    if (connection === 'connected') announce(t('desk.connected_announced'));
    if (connection !== 'connected') ring(false);
  }

  #banner() {
    const connection = shift.connection.value;
    if (!session.value?.user) {
      return html`<p class="message banner" data-tone="bad" role="alert">
        ${icon('warning')}<span>${t('desk.signed_out')}</span>
        <a class="button small" href="/sign-in?next=/desk">${t('bar.sign_in')}</a>
      </p>`;
    }
    if (connection === 'lost' && shift.worker) {
      return html`<p class="message banner" data-tone="bad" role="alert">
        ${icon('warning')}
        <span>${t('desk.lost', { time: timeOfDay(shift.toldAt, language.value) })}</span>
      </p>`;
    }
    if (connection === 'refused') {
      return html`<p class="message banner" data-tone="bad" role="alert">
        ${icon('warning')}<span>${t('desk.refused')}</span>
      </p>`;
    }
    return nothing;
  }

  #messages() {
    if (!messages.value.length) return nothing;
    return html`<ul class="messages" aria-label=${t('desk.messages')}>
      ${messages.value.map(
        ({ id, kind, who, why }) => html`<li class="message" data-tone="busy">
          ${icon('bell')}
          <span>${t(`message.${kind}`, { who, why })}</span>
          <button
            type="button"
            class="bare"
            aria-label=${t('message.dismiss')}
            @click=${() => dismiss(id)}
          >
            ${icon('close')}
          </button>
        </li>`,
      )}
    </ul>`;
  }

  #offers() {
    return html`<div class="offers">
      ${repeat(
        shift.offers,
        ({ sid }) => sid,
        (reservation, place) => html`<tandem-offer
          .reservation=${reservation}
          .brief=${place > 0}
          @accepted=${(/** @type {CustomEvent} */ event) => (selected.value = event.detail)}
          @decline=${() => this.#decline(reservation)}
        ></tandem-offer>`,
      )}
    </div>`;
  }

  #tasks() {
    const { tasks } = shift;
    const current = looked();
    if (!current) {
      if (shift.offers.length) return nothing;
      const isAvailable = shift.worker?.activity?.available;
      return html`<section class="card rest">
        ${isAvailable
          ? empty(t('desk.none'), { hint: t('desk.none_hint') })
          : empty(t('desk.away'), { hint: t('desk.away_hint'), image: 'clock' })}
      </section>`;
    }
    return html`
      ${tasks.length > 1
        ? html`<nav aria-label=${t('desk.tasks')}>
            <ul class="task-tabs">
              ${tasks.map((each) =>
                taskTab(each, each.sid === current.sid, () => (selected.value = each.sid)),
              )}
            </ul>
          </nav>`
        : nothing}
      <tandem-task .reservation=${current}></tandem-task>
    `;
  }

  #content() {
    if (!session.value) return failed({ status: 0 }, () => location.reload());
    const { user } = session.value;
    if (user && !user.worker_sid) return failed({ message: t('desk.no_worker') });
    if (!shift.worker) {
      if (shift.connection.value === 'lost') return failed({ status: 0 });
      return html`<main class="desk-page">${this.#banner()}${loading(t('desk.loading'))}</main>`;
    }
    return html`<main class="desk-page" id="main" ?data-old=${!shift.isReady}>
      <h1 class="heard-only">${t('agent.title')}</h1>
      ${this.#banner()}
      <div class="desk-columns">
        <div class="column work">
          ${this.#offers()} ${this.#messages()}
          <tandem-leftovers></tandem-leftovers>
          ${this.#tasks()}
        </div>
        <div class="column self">
          <tandem-status></tandem-status>
          <tandem-phone></tandem-phone>
        </div>
        <div class="column beside">
          <tandem-waiting></tandem-waiting>
          <tandem-history></tandem-history>
        </div>
      </div>
      <tandem-decline
        .reservation=${this.declining}
        @closed=${() => (this.declining = null)}
      ></tandem-decline>
    </main>`;
  }

  render() {
    return html`
      <tandem-bar .page=${'desk'} .connection=${shift.connection}></tandem-bar>
      ${this.#content()}
    `;
  }
}
