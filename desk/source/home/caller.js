/**
 * <home-caller>: the caller's telephone: dial, read and hear what is said, press keys, hang up.
 */

import { repeat } from 'lit/directives/repeat.js';
import { timeOfDay } from '../house/clock.js';
import { html, nothing, Part } from '../house/part.js';
import { remember, remembered } from '../house/memory.js';
import { language, named, t } from '../house/words.js';
import { icon } from '../parts/icons.js';
import '../parts/keypad.js';
import { pill } from '../parts/pill.js';
import { explained } from '../parts/states.js';
import { Loudspeaker } from './loudspeaker.js';

const CALLER = '+15550123456';
const NUMBER = '+15550100000';
/** @type {Record<string, import('../house/types.js').Tone>} */
const TONES = { queued: 'busy', ringing: 'busy', 'in-progress': 'good' };

export class HomeCaller extends Part {
  static properties = { stage: { attribute: false }, isDialling: { state: true } };

  constructor() {
    super();
    /** Given before it is on the page. */
    this.stage = /** @type {import('./stage.js').Stage} */ (/** @type {unknown} */ (null));
    this.isDialling = false;
    this.loudspeaker = new Loudspeaker();
    this.isLoud = remembered('caller.sound') !== 'off';
  }

  connectedCallback() {
    this.watch(this.stage.changed, this.stage.error, this.stage.network.connection);
    super.connectedCallback();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.loudspeaker.hush();
  }

  /** @param {SubmitEvent} event */
  async #dial(event) {
    event.preventDefault();
    const told = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.loudspeaker.switchOn(this.isLoud);
    this.isDialling = true;
    await this.stage.dial(String(told.get('from')).trim(), String(told.get('to')).trim());
    this.isDialling = false;
  }

  /** @param {CustomEvent<string>} event */
  #press({ detail: digit }) {
    this.loudspeaker.key(digit);
    this.stage.press(digit);
  }

  /** @param {SubmitEvent} event */
  #say(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const text = String(new FormData(form).get('text')).trim();
    if (text) this.stage.say(text);
    form.reset();
  }

  /** @param {Event} event */
  #switchSound({ target }) {
    this.isLoud = /** @type {HTMLInputElement} */ (target).checked;
    remember('caller.sound', this.isLoud ? null : 'off');
    this.loudspeaker.switchOn(this.isLoud);
    this.#sound();
  }

  /** Lets the loudspeaker do what the line does; a last word is not cut off by the end of the call. */
  #sound() {
    const { call } = this.stage;
    if (!call) return this.loudspeaker.hush();
    if (call.status === 'queued' || call.status === 'ringing') return this.loudspeaker.ring();
    const now = call.heard.find(({ number }) => number === call.sounding);
    if (now) return this.loudspeaker.play(`${call.sid} ${now.number}`, now);
    const isLastWord = call.status === 'completed' && call.heard.at(-1)?.verb === 'Say';
    return isLastWord ? undefined : this.loudspeaker.hush();
  }

  updated() {
    this.#sound();
    const heard = this.querySelector('.heard');
    if (heard) heard.scrollTop = heard.scrollHeight;
  }

  #form() {
    const numbers = this.stage.network.numbers;
    return html`<form class="stack" @submit=${this.#dial}>
      <label>
        ${t('caller.from')}
        <input name="from" inputmode="tel" autocomplete="off" spellcheck="false" required value=${CALLER} />
      </label>
      <label>
        ${t('caller.to')}
        <input
          name="to" inputmode="tel" autocomplete="off" spellcheck="false" required list="numbers"
          value=${numbers[0] ?? NUMBER}
        />
      </label>
      <datalist id="numbers">${numbers.map((each) => html`<option value=${each}></option>`)}</datalist>
      <button class="go wide" ?disabled=${this.isDialling}>${icon('accept')}${t('caller.dial')}</button>
    </form>`;
  }

  #heard() {
    const heard = this.stage.call?.heard ?? [];
    const said = (/** @type {import('./network.js').Heard} */ one) =>
      one.verb === 'Say' ? one.text : one.url ? t('caller.plays', { url: one.url }) : named('caller.tone', one.tone ?? '');
    return html`<div class="heard" role="log" aria-label=${t('caller.heard')} tabindex="0"><ol>
      ${heard.length ? nothing : html`<li class="faint">${t('caller.silence')}</li>`}
      ${repeat(
        heard,
        ({ number }) => number,
        (one) => html`<li data-verb=${one.verb}>
          <small><time>${timeOfDay(one.at, language.value)}</time></small>
          <span lang=${one.language ?? nothing}>${said(one)}</span>
        </li>`,
      )}
    </ol></div>`;
  }

  #line() {
    const { call, isOnTheLine } = this.stage;
    if (!call) return this.#form();
    return html`
      <p class="row apart">
        <span>${call.from} → ${call.to}</span>
        ${pill(named('caller.status', call.status), TONES[call.status] ?? 'calm')}
      </p>
      ${this.#heard()}
      ${isOnTheLine
        ? html`
            <tandem-keypad @digit=${this.#press} .disabled=${call.status !== 'in-progress'}></tandem-keypad>
            <form class="row say" @submit=${this.#say}>
              <input name="text" aria-label=${t('caller.say_label')} placeholder=${t('caller.say_label')} autocomplete="off" maxlength="500" />
              <button class="small">${t('caller.say')}</button>
            </form>
            <button type="button" class="stop wide" @click=${() => this.stage.hangUp()}>
              ${icon('hang_up')}${t('caller.hang_up')}
            </button>`
        : this.#form()}
    `;
  }

  render() {
    const error = this.stage.error.value;
    return html`<section class="card caller stack" aria-labelledby="caller-title">
      <header class="row apart">
        <h2 id="caller-title">${t('caller.title')}</h2>
        <label class="check">
          <input type="checkbox" role="switch" ?checked=${this.isLoud} @change=${this.#switchSound} />
          ${t('caller.sound')}
        </label>
      </header>
      ${this.#line()}
      ${error ? html`<p class="message" data-tone="bad" role="alert">${icon('warning')}<span>${explained(error)}</span></p>` : nothing}
    </section>`;
  }
}

customElements.define('home-caller', HomeCaller);
