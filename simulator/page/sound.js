// What a telephone sounds like: speech by the browser's own voice, <Play> from where it is, and the tones
// that have no address (ringing, hold music, the beep, the keypad) made here. Silent until it is switched on.

const KEYPAD_HZ = { rows: [697, 770, 852, 941], columns: [1209, 1336, 1477], keys: "123456789*0#" };
const RING_HZ = [440, 480]; // North America's: two seconds of tone, four of silence
const MUSIC_HZ = [262, 330, 392, 523, 392, 330];

export class Loudspeaker {
  #context = null;
  #stop = () => {};
  #playing = null; // what is heard now, so that it does not begin again
  isOn = false;

  /** Browsers allow sound only after somebody has pressed something; call it from there. */
  switchOn(isOn) {
    this.isOn = isOn;
    if (!isOn) this.hush();
    else this.#context ??= new AudioContext();
    this.#context?.resume();
  }

  /** `sound` as the simulator tells it (verb, text, language, url, tone, loop); `key` says which one it is. */
  play(key, sound) {
    if (!this.isOn || this.#playing === key) return;
    this.hush();
    this.#playing = key;
    if (sound.verb === "Say") this.#speak(sound);
    else if (sound.url !== null) this.#fetch(sound);
    else if (sound.tone === "hold-music") this.#music();
    else if (sound.tone === "beep") this.#tone([1000], 0, 0.4);
    else if (sound.tone === "keys") this.keys(sound.text.replace(/^keys /, ""));
  }

  ring() {
    if (!this.isOn || this.#playing === "ringing") return;
    this.hush();
    this.#playing = "ringing";
    this.#again(6000, () => this.#tone(RING_HZ, 0, 2, 0.05));
  }

  keys(keys) {
    if (!this.isOn) return;
    [...keys].forEach((key, place) => {
      const at = KEYPAD_HZ.keys.indexOf(key);
      const pair = [KEYPAD_HZ.rows[Math.floor(at / 3)], KEYPAD_HZ.columns[at % 3]];
      if (at >= 0) this.#tone(pair, place * 0.25, 0.15, 0.05);
    });
  }

  hush() {
    this.#stop();
    this.#stop = () => {};
    this.#playing = null;
  }

  #speak({ text, language }) {
    if (!("speechSynthesis" in window) || text === "") return;
    const words = new SpeechSynthesisUtterance(text);
    words.lang = language ?? "en-US";
    speechSynthesis.speak(words);
    this.#stop = () => speechSynthesis.cancel();
  }

  #fetch({ url, loop }) {
    const audio = new Audio(url);
    audio.loop = loop === 0;
    audio.play().catch(() => {}); // an address without a sound is silence, as on a real line
    this.#stop = () => audio.pause();
  }

  #music() {
    this.#again(MUSIC_HZ.length * 500, () =>
      MUSIC_HZ.forEach((hertz, place) => this.#tone([hertz], place * 0.5, 0.45, 0.04)));
  }

  #again(milliseconds, work) {
    work();
    const timer = setInterval(work, milliseconds);
    this.#stop = () => {
      clearInterval(timer);
      this.#context?.close(); // tones that were ordered for later are dropped with it
      this.#context = this.isOn ? new AudioContext() : null;
    };
  }

  #tone(hertz, delay, seconds, volume = 0.1) {
    const context = this.#context;
    const gain = new GainNode(context, { gain: volume });
    gain.connect(context.destination);
    for (const frequency of hertz) {
      const oscillator = new OscillatorNode(context, { frequency });
      oscillator.connect(gain);
      oscillator.start(context.currentTime + delay);
      oscillator.stop(context.currentTime + delay + seconds);
    }
  }
}
