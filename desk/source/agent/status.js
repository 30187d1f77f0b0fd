/**
 * <tandem-status>: what the agent does at the moment, since when, and how much work of each channel
 * they take.
 */

import { duration, isoDuration, since } from '../house/clock.js';
import { html, nothing, Part } from '../house/part.js';
import { ask, workspace } from '../house/rest.js';
import { tick } from '../house/tick.js';
import { named, t } from '../house/words.js';
import '../parts/dialog.js';
import { channelIcon, icon } from '../parts/icons.js';
import { explained } from '../parts/states.js';
import { shift } from './shift.js';

/** In this order; what is not here comes after. */
const ORDER = ['voice', 'chat', 'sms', 'video', 'email', 'default'];

/** @param {import('twilio-taskrouter').Channel} channel */
function place({ taskChannelUniqueName: name }) {
  return ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length;
}

export class TandemStatus extends Part {
  static properties = {
    wanted: { state: true },
    busy: { state: true },
    error: { state: true },
  };

  constructor() {
    super();
    /** An Activity that waits for a word, because something is being offered. */
    this.wanted = '';
    /** What is being changed. */
    this.busy = '';
    /** @type {unknown} */
    this.error = null;
    this.watch(shift.changed, shift.connection, tick);
  }

  /** The focus is put onto the switch. */
  focusSwitch() {
    this.querySelector('select')?.focus();
  }

  /** @param {string} sid  Of an Activity. */
  #choose(sid) {
    const activity = shift.worker?.activities.get(sid);
    if (activity && !activity.available && shift.offers.length) this.wanted = sid;
    else this.#set(sid, false);
  }

  /** @param {string} sid @param {boolean} declining */
  async #set(sid, declining) {
    this.wanted = '';
    await this.#do('activity', async () => {
      const activity = shift.worker?.activities.get(sid);
      await activity?.setAsCurrent(declining ? { rejectPendingReservations: true } : undefined);
    });
  }

  /** @param {string} what @param {() => Promise<unknown>} act */
  async #do(what, act) {
    this.busy = what;
    this.error = null;
    try {
      await act();
    } catch (error) {
      this.error = error;
    }
    this.busy = '';
  }

  /** @param {import('twilio-taskrouter').Channel} channel */
  #switch(channel) {
    const path = `${workspace()}/Workers/${channel.workerSid}/Channels/${channel.sid}`;
    return this.#do(channel.sid, () => ask('POST', path, { Available: !channel.available }));
  }

  #activity() {
    const worker = shift.worker;
    const current = worker?.activity;
    const spent = since(worker?.dateStatusChanged ?? Date.now());
    return html`<div class="activity" data-available=${Boolean(current?.available)}>
      <label>
        <span class="heard-only">${t('status.activity')}</span>
        <select
          ?disabled=${!shift.isReady || this.busy === 'activity'}
          .value=${current?.sid ?? ''}
          @change=${(/** @type {Event} */ event) => {
            const select = /** @type {HTMLSelectElement} */ (event.target);
            this.#choose(select.value);
            // What is shown is what the server says, until it says something else.
            select.value = current?.sid ?? '';
          }}
        >
          ${[...(worker?.activities.values() ?? [])].map(
            ({ sid, name }) => html`<option value=${sid} ?selected=${sid === current?.sid}>
              ${named('activity', name)}
            </option>`,
          )}
        </select>
      </label>
      <p class="faint">
        ${t('status.since')}
        <time datetime=${isoDuration(spent)}>${duration(spent)}</time>
      </p>
    </div>`;
  }

  /** @param {import('twilio-taskrouter').Channel} channel */
  #channel(channel) {
    const { taskChannelUniqueName: name, capacity, available, sid } = channel;
    const load = shift.load(name);
    const shown = named('channel', name);
    return html`<li class="channel" data-available=${available}>
      ${channelIcon(name)}
      <span class="channel-name">${shown}</span>
      <span class="number" aria-label=${t('status.load', { load, capacity })}>${load}/${capacity}</span>
      <meter min="0" max=${capacity || 1} value=${load} aria-hidden="true"></meter>
      <input
        type="checkbox"
        role="switch"
        aria-label=${t('status.available', { channel: shown })}
        .checked=${available}
        ?disabled=${!shift.isReady || this.busy === sid}
        @click=${(/** @type {Event} */ event) => {
          event.preventDefault();
          this.#switch(channel);
        }}
      />
    </li>`;
  }

  #question() {
    return html`
      <p>${t('status.offered')}</p>
      <div class="row">
        <button type="button" class="stop" @click=${() => this.#set(this.wanted, true)}>
          ${t('status.decline_and_go')}
        </button>
        <button type="button" @click=${() => (this.wanted = '')}>${t('dialog.cancel')}</button>
      </div>
    `;
  }

  render() {
    const channels = [...(shift.worker?.channels.values() ?? [])]
      .filter(({ capacity, taskChannelUniqueName: name }) => capacity > 0 || shift.load(name))
      .sort((one, other) => place(one) - place(other));
    return html`<section class="card" aria-label=${t('status.title')}>
        ${this.#activity()}
        ${this.error
          ? html`<p class="message" data-tone="bad" role="alert">
              ${icon('warning')}<span>${explained(this.error)}</span>
            </p>`
          : nothing}
        ${channels.length
          ? html`<h2 class="small">${t('status.channels')}</h2>
              <ul class="channels">${channels.map((channel) => this.#channel(channel))}</ul>`
          : nothing}
      </section>
      <tandem-dialog
        .heading=${t('status.question')}
        .open=${Boolean(this.wanted)}
        .content=${this.#question()}
        @closed=${() => (this.wanted = '')}
      ></tandem-dialog>`;
  }
}

customElements.define('tandem-status', TandemStatus);
