/**
 * <tandem-call>: the conversation of a call: who takes part, and mute, hold, keypad, transfer,
 * recording and hang-up. Each button shows what the server says is so.
 */

import { html, nothing, Part } from '../house/part.js';
import { session } from '../house/session.js';
import { t } from '../house/words.js';
import { icon } from '../parts/icons.js';
import '../parts/keypad.js';
import { pill } from '../parts/pill.js';
import { explained, loading } from '../parts/states.js';
import { conversationOf } from './call.js';
import { nameOf } from './directory.js';
import { shift } from './shift.js';
import './transfer.js';

export class TandemCall extends Part {
  static properties = {
    reservation: { attribute: false },
    isKeypadOpen: { state: true },
    isTransferOpen: { state: true },
    pressed: { state: true },
  };

  constructor() {
    super();
    /** @type {import('./shift.js').Reservation | null} */
    this.reservation = null;
    this.isKeypadOpen = false;
    this.isTransferOpen = false;
    this.pressed = '';
    this.watch(shift.connection, shift.changed);
    /** @type {(() => void)[]} */
    this.ends = [];
    /** @type {import('./call.js').Conversation | null} */
    this.conversation = null;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#forget();
  }

  #forget() {
    for (const end of this.ends) end();
    this.ends = [];
    this.conversation = null;
  }

  willUpdate() {
    const conversation = this.reservation && conversationOf(this.reservation);
    if (conversation === this.conversation) return;
    this.#forget();
    this.conversation = conversation;
    this.pressed = '';
    if (!conversation) return;
    const { conference, busy, error } = conversation;
    this.ends = [conference, busy, error].map((signal) =>
      signal.listen(() => this.requestUpdate()),
    );
  }

  // ---- what the page's shortcuts do ----

  toggleMute() {
    const own = this.conversation?.party('worker');
    if (own) this.conversation?.mute(!own.muted);
  }

  toggleHold() {
    const customer = this.conversation?.party('customer');
    if (customer) this.conversation?.hold(!customer.hold);
  }

  openTransfer() {
    if (this.conversation?.conference.value) this.isTransferOpen = true;
  }

  toggleKeypad() {
    if (this.conversation?.conference.value) this.isKeypadOpen = !this.isKeypadOpen;
  }

  hangUp() {
    this.conversation?.hangUp();
  }

  // ---- what is shown ----

  /**
   * @param {object} button
   * @param {string} button.name
   * @param {import('../parts/icons.js').Icon} button.image
   * @param {string} button.text
   * @param {() => void} button.act
   * @param {boolean} [button.isPressed]
   * @param {string} [button.kind]
   */
  #button({ name, image, text, act, isPressed, kind = '' }) {
    const isOff = !shift.isReady || Boolean(this.conversation?.busy.value);
    return html`<button
      type="button"
      class=${`control ${kind}`}
      aria-pressed=${isPressed === undefined ? nothing : String(isPressed)}
      ?disabled=${isOff}
      data-busy=${this.conversation?.busy.value === name ? '' : nothing}
      @click=${act}
    >
      ${icon(image)}<span>${text}</span>
    </button>`;
  }

  /** @param {import('./call.js').Conference} conference */
  #recording({ recording }) {
    const [action, text] =
      recording === 'in-progress'
        ? /** @type {const} */ (['pause', t('call.record_pause')])
        : recording === 'paused'
          ? /** @type {const} */ (['resume', t('call.record_resume')])
          : /** @type {const} */ (['start', t('call.record_start')]);
    return this.#button({
      name: 'record',
      image: recording === 'in-progress' ? 'hold' : 'record',
      text,
      act: () => this.conversation?.record(action),
    });
  }

  /** @param {import('./call.js').Party} party */
  #party(party) {
    const isSelf = party.worker_sid === session.value?.user?.worker_sid;
    const who = {
      customer: () => t('call.customer'),
      worker: () => (isSelf ? t('call.you') : nameOf(party.worker_sid ?? '')),
      outside: () => party.to ?? '',
    }[party.kind]();
    return html`<li>
      ${icon(party.kind === 'outside' ? 'accept' : 'person')}<span>${who}</span>
      ${party.status === 'in-progress' ? nothing : pill(t('call.ringing'), 'busy')}
      ${party.hold ? pill(t('call.on_hold'), 'busy') : nothing}
      ${party.muted ? pill(t('call.muted'), 'busy') : nothing}
      ${party.kind === 'outside' && party.sid
        ? html`<button
            type="button"
            class="small"
            ?disabled=${!shift.isReady}
            @click=${() => this.conversation?.remove(/** @type {string} */ (party.sid))}
          >
            ${t('call.remove')}
          </button>`
        : nothing}
    </li>`;
  }

  #mute() {
    const isMuted = Boolean(this.conversation?.party('worker')?.muted);
    return this.#button({
      name: 'mute',
      image: isMuted ? 'microphone' : 'mute',
      text: isMuted ? t('call.unmute') : t('call.mute'),
      isPressed: isMuted,
      act: () => this.toggleMute(),
    });
  }

  #hold() {
    const isHeld = Boolean(this.conversation?.party('customer')?.hold);
    return this.#button({
      name: 'hold',
      image: isHeld ? 'play' : 'hold',
      text: isHeld ? t('call.resume') : t('call.hold'),
      isPressed: isHeld,
      act: () => this.toggleHold(),
    });
  }

  /** @param {import('./call.js').Conference} conference */
  #controls(conference) {
    const others = conference.participants.length > 2;
    return html`<div class="controls" role="group" aria-label=${t('call.controls')}>
      ${this.#mute()} ${this.#hold()}
      ${this.#button({
        name: 'keypad',
        image: 'keypad',
        text: t('call.keypad'),
        isPressed: this.isKeypadOpen,
        act: () => this.toggleKeypad(),
      })}
      ${this.#button({
        name: 'transfer',
        image: 'transfer',
        text: t('call.transfer'),
        act: () => this.openTransfer(),
      })}
      ${this.#recording(conference)}
      ${this.#button({
        name: 'hang_up',
        image: 'hang_up',
        text: others ? t('call.leave') : t('call.hang_up'),
        kind: 'stop',
        act: () => this.hangUp(),
      })}
    </div>`;
  }

  #transferring() {
    const outgoing = this.reservation?.task.transfers?.outgoing;
    if (outgoing?.status !== /** @type {string} */ ('initiated')) return nothing;
    return html`<p class="message" data-tone="busy" role="status">
      ${icon('transfer')}
      <span>${t('call.asking', { who: nameOf(outgoing.to) })}</span>
      <button
        type="button"
        class="small"
        ?disabled=${!shift.isReady}
        @click=${() => this.conversation?.cancelTransfer()}
      >
        ${t('call.take_back')}
      </button>
    </p>`;
  }

  /** @param {string} digit */
  #press(digit) {
    this.pressed = (this.pressed + digit).slice(-24);
    const outside = this.conversation?.party('outside');
    this.conversation?.press(digit, outside?.sid ?? undefined);
  }

  render() {
    const conversation = this.conversation;
    const conference = conversation?.conference.value;
    if (!conversation) return nothing;
    return html`<section class="call" aria-label=${t('call.title')}>
      ${conference
        ? html`<ul class="parties">${conference.participants.map((each) => this.#party(each))}</ul>
            ${this.#controls(conference)}`
        : loading(t('call.connecting'))}
      ${this.#transferring()}
      ${conversation.error.value
        ? html`<p class="message" data-tone="bad" role="alert">
            ${icon('warning')}<span>${explained(conversation.error.value)}</span>
          </p>`
        : nothing}
      ${conference && this.isKeypadOpen
        ? html`<div class="keypad-box">
            <output aria-label=${t('call.pressed')}>${this.pressed}</output>
            <tandem-keypad
              .disabled=${!shift.isReady}
              @digit=${(/** @type {CustomEvent} */ event) => this.#press(event.detail)}
            ></tandem-keypad>
          </div>`
        : nothing}
      <tandem-transfer
        .open=${this.isTransferOpen}
        .conversation=${conversation}
        @closed=${() => (this.isTransferOpen = false)}
      ></tandem-transfer>
    </section>`;
  }
}

customElements.define('tandem-call', TandemCall);
