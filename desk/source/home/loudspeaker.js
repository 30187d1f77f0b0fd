/**
 * What the caller's telephone sounds like: speech by the browser's own voice, a <Play> from where it
 * is, and the tones that have no address, made here. Silent until it is switched on.
 */

/** @typedef {import('./network.js').Heard} Heard */

const KEYS = '123456789*0#';
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
/** North America's: two seconds of tone, four of silence. */
const RINGING = { hertz: [440, 480], seconds: 2, everyMs: 6000 };
/** A slow arpeggio that may go on for as long as somebody waits. */
const MUSIC = [262, 330, 392, 523, 392, 330];
const NOTE_SECONDS = 0.5;

export class Loudspeaker {
  isOn = false;
  /** @type {AudioContext | null} */
  #context = null;
  /** What is heard now, so that it does not begin again. */
  #playing = '';
  #stop = () => {};

  /** Browsers allow sound only after somebody has pressed something: called from there. @param {boolean} isOn */
  switchOn(isOn) {
    this.isOn = isOn;
    if (!isOn) return this.hush();
    this.#context ??= new AudioContext();
    this.#context.resume().catch(() => {});
  }

  /** @param {string} key  Tells this sound from others. @param {Heard} sound */
  play(key, sound) {
    if (!this.#turnTo(key)) return;
    if (sound.verb === 'Say') this.#speak(sound);
    else if (sound.url) this.#fetch(sound.url, sound.loop === 0);
    else if (sound.tone === 'beep') this.#tone([1000], 0, 0.4);
    else if (sound.tone === 'hold-music') this.#music();
  }

  ring() {
    if (!this.#turnTo('ringing')) return;
    this.#again(RINGING.everyMs, () => this.#tone(RINGING.hertz, 0, RINGING.seconds, 0.05));
  }

  /** @param {string} digit */
  key(digit) {
    const place = KEYS.indexOf(digit);
    if (this.isOn && place >= 0) {
      this.#tone([ROWS[Math.floor(place / 3)], COLUMNS[place % 3]], 0, 0.15, 0.05);
    }
  }

  hush() {
    this.#stop();
    this.#stop = () => {};
    this.#playing = '';
  }

  /** @param {string} key @returns {boolean}  Whether it has to begin. */
  #turnTo(key) {
    if (!this.isOn || this.#playing === key) return false;
    this.hush();
    this.#playing = key;
    return true;
  }

  /** @param {Heard} sound */
  #speak({ text, language }) {
    if (!('speechSynthesis' in window) || !text) return;
    const words = new SpeechSynthesisUtterance(text);
    words.lang = language ?? 'en-US';
    speechSynthesis.speak(words);
    this.#stop = () => speechSynthesis.cancel();
  }

  /** @param {string} url @param {boolean} endless */
  #fetch(url, endless) {
    const audio = new Audio(url);
    audio.loop = endless;
    audio.play().catch(() => {}); // where there is no sound there is silence, as on a real line
    this.#stop = () => audio.pause();
  }

  #music() {
    this.#again(MUSIC.length * NOTE_SECONDS * 1000, () =>
      MUSIC.forEach((hertz, place) => this.#tone([hertz], place * NOTE_SECONDS, 0.45, 0.04)),
    );
  }

  /** @param {number} everyMs @param {() => void} sound */
  #again(everyMs, sound) {
    sound();
    const timer = setInterval(sound, everyMs);
    this.#stop = () => {
      clearInterval(timer);
      // Tones that were ordered for later are dropped with it.
      this.#context?.close();
      this.#context = this.isOn ? new AudioContext() : null;
    };
  }

  /** @param {number[]} hertz @param {number} after @param {number} seconds @param {number} [volume] */
  #tone(hertz, after, seconds, volume = 0.1) {
    const context = this.#context;
    if (!context) return;
    const gain = new GainNode(context, { gain: volume });
    gain.connect(context.destination);
    for (const frequency of hertz) {
      const source = new OscillatorNode(context, { frequency });
      source.connect(gain);
      source.start(context.currentTime + after);
      source.stop(context.currentTime + after + seconds);
    }
  }
}
