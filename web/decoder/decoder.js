// The C decoder in WebAssembly: one instance of the module is one decoder. Needs nothing of a browser or of node.

const LARGEST_STREAM = 256 * 1024 * 1024; // bytes
const TOO_LARGE = `streams of more than ${LARGEST_STREAM} bytes are not opened here`;
const MOST_SAMPLES = 4096; // that a call of the module gives
const NO_BUDGET = 65535;
const SHORTEST_LOOP = 64; // samples
// By the numbers of audio_gs.h, negated, in the words of gs_error_string.
const ERRORS = [
  ['ok', 'no error'],
  ['argument', 'wrong argument'],
  ['memory', 'memory too small or misaligned'],
  ['truncated', 'truncated stream'],
  ['corrupt', 'corrupt stream'],
  ['crc', 'corrupt stream: wrong checksum'],
  ['version', 'unknown format version'],
  ['unsupported', 'stream with an unknown feature'],
];
const UNSUPPORTED = -7;
const TAKES_ALL = 'takes the module with everything: compileAll()';
// By the numbers of the module's `info`.
const HEADER = [
  'sampleRate', 'samples', 'hasLoop', 'loopStart', 'loopEnd', 'peakMacs', 'kinds', 'tableSet', 'maxTones', 'maxNoises',
  'stateBytes', 'outputShift', 'noiseFrameLog2', 'channels',
];
const LISTED_COLUMNS = 8;
const LISTED_KINDS = ['tone', 'noise', 'coefficient'];
const KINDS_MUTED = { tones: 1, noise: 2, residual: 4 };
const HIGHEST_MUTE = 65535; // Hz
const PITCH_ONE = 16384;
const GAIN_ONE = 8192;
const LARGEST_STRENGTH = 0xffffffff;

// A stream that cannot be decoded, or a call that is wrong. `code` is the decoder's number, `kind` its name.
class AudioGsError extends Error {
  constructor(code, text) {
    super(text);
    this.name = 'AudioGsError';
    this.code = code;
    this.kind = ERRORS[-code]?.[0] ?? 'unknown';
  }

  // What a module returned, unless that is an error, which is thrown.
  static check(code) {
    if (code < 0) throw new AudioGsError(code, ERRORS[-code]?.[1] ?? 'unknown error');
    return code;
  }
}

// Whether a stream has two channels, as far as its first bytes tell.
const hasTwoChannels = (bytes) => (bytes[5] & 1) === 1;

function wholeOf(number, one, name) {
  const whole = Math.round(number * one);
  if (!(whole >= 0 && whole <= 0xffffffff)) throw new AudioGsError(-1, `${number} is no ${name}`);
  return whole;
}

class Decoder {
  // A decoder at sample 0 of a stream, from a compiled module and the stream's bytes, which are copied. The plain module
  // gives one channel, the middle of two, played as encoded; the one with everything gives all and plays otherwise.
  constructor(module, bytes) {
    this.wasm = new WebAssembly.Instance(module).exports;
    this.hasAll = 'set_pitch' in this.wasm;
    this.open(bytes);
  }

  // Opens another stream in the place of the one before, without its settings.
  open(bytes) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('the stream has to be a Uint8Array');
    if (bytes.length > LARGEST_STREAM) throw new AudioGsError(-2, TOO_LARGE);
    const room = this.wasm.stream_room(bytes.length);
    if (room === 0) throw new AudioGsError(-2, 'there is no memory for the stream');
    new Uint8Array(this.wasm.memory.buffer, room, bytes.length).set(bytes);
    const code = this.wasm.open(bytes.length);
    if (code === UNSUPPORTED && hasTwoChannels(bytes)) this.needAll('a stream of two channels');
    AudioGsError.check(code);
    this.leftOut = 0;
    this.loops = false;
    const facts = new Uint32Array(this.wasm.memory.buffer, this.wasm.info(), HEADER.length);
    const header = Object.fromEntries(HEADER.map((name, number) => [name, facts[number]]));
    const seconds = header.samples / header.sampleRate;
    const canLoop = header.loopEnd - header.loopStart >= SHORTEST_LOOP;
    this.header = Object.freeze({ ...header, hasLoop: header.hasLoop !== 0, canLoop, seconds });
    this.channels = this.hasAll ? header.channels : 1;
  }

  needAll(what) {
    if (!this.hasAll) throw new AudioGsError(UNSUPPORTED, `${what} ${TAKES_ALL}`);
  }

  // The number of the next sample.
  get position() {
    return this.wasm.tell() >>> 0;
  }

  // The next `count` samples, or fewer at the end of the stream or before damage, as a new Int16Array; of two channels
  // each has a left one and a right one.
  read(count) {
    if (!Number.isInteger(count) || count < 0) throw new AudioGsError(-1, `${count} is no number of samples`);
    const parts = [];
    let total = 0;
    while (total < count) {
      const got = this.wasm.read(Math.min(MOST_SAMPLES, count - total));
      // What came before damage is delivered; the next call reports it.
      if (got < 0 && total > 0) break;
      AudioGsError.check(got);
      if (got === 0) break;
      parts.push(new Int16Array(this.wasm.memory.buffer, this.wasm.pcm(), this.channels * got).slice());
      total += got;
    }
    if (parts.length === 1) return parts[0];
    const samples = new Int16Array(this.channels * total);
    let at = 0;
    for (const part of parts) {
      samples.set(part, at);
      at += part.length;
    }
    return samples;
  }

  // Move to a sample, 0 to header.samples.
  seek(sample) {
    if (!Number.isInteger(sample) || sample < 0 || sample > this.header.samples) {
      throw new AudioGsError(-1, `${sample} is no sample of the ${this.header.samples}`);
    }
    AudioGsError.check(this.wasm.seek(sample));
  }

  // Whether reading jumps from the end of the loop to its start; only for streams whose loop is not too short.
  setLoop(on) {
    AudioGsError.check(this.wasm.set_loop(on ? 1 : 0));
    this.loops = Boolean(on);
  }

  // Most MACs a sample for tones, of which the weakest are then left out; null for no limit.
  setBudget(macs) {
    const isNumber = Number.isInteger(macs) && macs >= 0;
    if (macs !== null && !isNumber) throw new AudioGsError(-1, `${macs} is no number of MACs`);
    AudioGsError.check(this.wasm.set_budget(macs === null ? NO_BUDGET : Math.min(macs, NO_BUDGET)));
  }

  // Play at a pitch, 0.5 to 2; 1 is as encoded.
  setPitch(pitch) {
    this.needAll('another pitch');
    AudioGsError.check(this.wasm.set_pitch(wholeOf(pitch, PITCH_ONE, 'pitch')));
  }

  // Play at a tempo, 0.5 to 2 times as fast; 1 is as encoded. Positions stay those of the clip.
  setTempo(tempo) {
    this.needAll('another tempo');
    AudioGsError.check(this.wasm.set_tempo(wholeOf(tempo, PITCH_ONE, 'tempo')));
  }

  // Of amplitude, 0 to 3.99.
  setGain(gain) {
    this.needAll('a gain');
    AudioGsError.check(this.wasm.set_gain(wholeOf(gain, GAIN_ONE, 'gain')));
  }

  // Leave out whole kinds, and all from one frequency in Hz to another one; nothing where there is nothing given.
  setMute({ tones = false, noise = false, residual = false, from = 0, to = 0 } = {}) {
    this.needAll('muting');
    const given = { tones, noise, residual };
    const kinds = Object.keys(KINDS_MUTED).reduce((sum, kind) => sum + (given[kind] ? KINDS_MUTED[kind] : 0), 0);
    const isBand = Number.isFinite(from) && Number.isFinite(to) && from >= 0 && from <= to;
    if (!isBand) throw new AudioGsError(-1, `${from} to ${to} Hz is no band`);
    const [low, high] = [from, to].map((hertz) => Math.min(Math.round(hertz), HIGHEST_MUTE));
    AudioGsError.check(this.wasm.set_mute(kinds, low, high));
  }

  // The least strengths, as listed, at which tones and noises are heard. Where either is not 0 the residual layer is
  // not.
  setLeast({ tone = 0, noise = 0 } = {}) {
    this.needAll('leaving out the weaker');
    for (const strength of [tone, noise]) {
      const isStrength = Number.isInteger(strength) && strength >= 0 && strength <= LARGEST_STRENGTH;
      if (!isStrength) throw new AudioGsError(-1, `${strength} is no strength`);
    }
    this.wasm.set_least(tone, noise);
  }

  // Whether the Gaussians of slots that are decoded from now on are kept for `takeGaussians`.
  setListing(on) {
    this.needAll('a list');
    this.wasm.set_listing(on ? 1 : 0);
  }

  // The Gaussians that were decoded since this was asked last, in the order of the stream, and the residual layer's
  // coefficients. There is room for 8192; those beyond are counted in `leftOut`.
  takeGaussians() {
    const count = this.wasm.listed_count();
    const rows = new Int32Array(this.wasm.memory.buffer, this.wasm.listed(), count * LISTED_COLUMNS).slice();
    this.leftOut += this.wasm.take_listed();
    return Array.from({ length: count }, (_, row) => this.listed(rows.subarray(LISTED_COLUMNS * row)));
  }

  // A row of the list in the words of SPEC, and in physical units.
  listed([kind, scale, onset, place, extent, level, peak, strength]) {
    const { sampleRate, noiseFrameLog2, outputShift } = this.header;
    const name = LISTED_KINDS[kind];
    if (name === 'coefficient') {
      const length = 2 << noiseFrameLog2; // the frame's window is around its centre
      const hertz = ((place + 0.5) * sampleRate) / length;
      const start = (onset << noiseFrameLog2) - length / 2;
      return { kind: name, start, length, hertz, frame: onset, bin: place, value: level };
    }
    if (name === 'noise') {
      const length = 4 << (noiseFrameLog2 + scale);
      const barks = 3 << extent;
      const bark = ((place + 0.5) * barks) / 4;
      const decibels = level * 10 * Math.log10(2);
      const own = { scale, width: extent, place, weight: level };
      return { kind: name, start: onset, length, bark, barks, decibels, strength, ...own };
    }
    const length = 32 << scale;
    const decibels = 20 * Math.log10(peak / 2 ** outputShift / 32768);
    const hertz = (place * sampleRate) / length;
    const own = { scale, bin: place, amplitude: level, phase: extent };
    return { kind: name, start: onset, length, hertz, decibels, strength, ...own };
  }

  // Decodes everything; throws if anything is damaged. The decoder is at sample 0 then.
  check() {
    AudioGsError.check(this.wasm.set_loop(0));
    this.seek(0);
    for (let got = 1; got > 0;) got = AudioGsError.check(this.wasm.read(MOST_SAMPLES));
    if (this.loops) this.setLoop(true);
    this.seek(0);
  }
}
