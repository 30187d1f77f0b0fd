/**
 * The sound of an offer, made here: two soft tones, twice, every three seconds, until it is over.
 *
 * Browsers let no page sound before somebody has touched it; `isBlocked` tells, and the first touch
 * unblocks it.
 */

import { remember, remembered } from '../house/memory.js';
import { Signal } from '../house/signal.js';

const EVERY_MS = 3000;
/** [seconds after the beginning, hertz] */
const TONES = [
  [0, 659.3],
  [0.18, 880],
  [0.55, 659.3],
  [0.73, 880],
];
const LOUDNESS = 0.18;
const TONE_SECONDS = 0.32;

export const isOn = new Signal(remembered('sound') !== 'off');
export const isBlocked = new Signal(false);

/** @type {AudioContext | null} */
let context = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;
let isRinging = false;

/** @param {boolean} on */
export function switchSound(on) {
  remember('sound', on ? null : 'off');
  isOn.value = on;
  if (on && isRinging) sound();
}

/** Prepares the sound, and asks the browser whether it may be heard. */
export function prepare() {
  if (context || typeof AudioContext === 'undefined') return;
  context = new AudioContext();
  look();
  const wake = () => {
    context?.resume().then(look, look);
  };
  for (const event of ['pointerdown', 'keydown']) document.addEventListener(event, wake);
  context.onstatechange = look;
}

function look() {
  isBlocked.value = context?.state === 'suspended';
}

/** @param {boolean} on  Is something being offered? */
export function ring(on) {
  if (on === isRinging) return;
  isRinging = on;
  clearInterval(timer);
  if (!on) return;
  sound();
  timer = setInterval(sound, EVERY_MS);
}

function sound() {
  if (!isOn.value || context?.state !== 'running') return;
  for (const [after, hertz] of TONES) tone(context, context.currentTime + after, hertz);
}

/**
 * @param {AudioContext} audio
 * @param {number} at  Seconds, by the context's clock.
 * @param {number} hertz
 */
function tone(audio, at, hertz) {
  const [source, volume] = [audio.createOscillator(), audio.createGain()];
  source.type = 'sine';
  source.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0005, at + TONE_SECONDS);
  source.connect(volume).connect(audio.destination);
  source.start(at);
  source.stop(at + TONE_SECONDS + 0.02);
}
