// The C decoder in WebAssembly: one instance of the module is one decoder. Needs nothing of a browser or of node.

const LARGEST_STREAM = 256 * 1024 * 1024; // bytes
const TOO_LARGE = `streams of more than ${LARGEST_STREAM} bytes are not opened here`;
const MOST_SAMPLES = 4096; // that a call of the module gives
const NO_BUDGET = 65535;
const SHORTEST_LOOP = 64; // samples
const ERROR_NAMES = ['ok', 'argument', 'memory', 'truncated', 'corrupt', 'crc', 'version', 'unsupported', 'io'];
// By the numbers of the module's `info`.
const HEADER = [
  'sampleRate', 'samples', 'hasLoop', 'loopStart', 'loopEnd', 'peakMacs', 'kinds', 'tableSet', 'maxTones', 'maxNoises',
  'stateBytes',
];

// A stream that cannot be decoded, or a call that is wrong. `code` is the decoder's number, `kind` its name.
class AudioGsError extends Error {
  constructor(code, text) {
    super(text);
    this.name = 'AudioGsError';
    this.code = code;
    this.kind = ERROR_NAMES[-code] ?? 'unknown';
  }
}

class Decoder {
  // A decoder at sample 0 of a stream, from the compiled module and the stream's bytes, which are copied.
  constructor(module, bytes) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('the stream has to be a Uint8Array');
    this.wasm = new WebAssembly.Instance(module).exports;
    if (bytes.length > LARGEST_STREAM) throw new AudioGsError(-2, TOO_LARGE);
    const room = this.wasm.stream_room(bytes.length);
    if (room === 0) throw new AudioGsError(-2, 'there is no memory for the stream');
    new Uint8Array(this.wasm.memory.buffer, room, bytes.length).set(bytes);
    this.must(this.wasm.open(bytes.length));
    const header = Object.fromEntries(HEADER.map((name, number) => [name, this.wasm.info(number) >>> 0]));
    const seconds = header.samples / header.sampleRate;
    const canLoop = header.loopEnd - header.loopStart >= SHORTEST_LOOP;
    this.header = Object.freeze({ ...header, hasLoop: header.hasLoop !== 0, canLoop, seconds });
  }

  // The number of the next sample.
  get position() {
    return this.wasm.tell() >>> 0;
  }

  // The next `count` samples, or fewer at the end of the stream or before damage, as a new Int16Array.
  read(count) {
    if (!Number.isInteger(count) || count < 0) throw new AudioGsError(-1, `${count} is no number of samples`);
    const parts = [];
    let total = 0;
    while (total < count) {
      const got = this.wasm.read(Math.min(MOST_SAMPLES, count - total));
      // What came before damage is delivered; the next call reports it.
      if (got < 0 && total > 0) break;
      this.must(got);
      if (got === 0) break;
      parts.push(new Int16Array(this.wasm.memory.buffer, this.wasm.pcm(), got).slice());
      total += got;
    }
    if (parts.length === 1) return parts[0];
    const samples = new Int16Array(total);
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
    this.must(this.wasm.seek(sample));
  }

  // Whether reading jumps from the end of the loop to its start; only for streams whose loop is not too short.
  setLoop(on) {
    this.must(this.wasm.set_loop(on ? 1 : 0));
  }

  // Most MACs a sample for tones, of which the weakest are then left out; null for no limit.
  setBudget(macs) {
    const isNumber = Number.isInteger(macs) && macs >= 0;
    if (macs !== null && !isNumber) throw new AudioGsError(-1, `${macs} is no number of MACs`);
    this.must(this.wasm.set_budget(macs === null ? NO_BUDGET : Math.min(macs, NO_BUDGET)));
  }

  // Decode everything without rendering; throws if anything is damaged. The decoder is at sample 0 then.
  check() {
    this.must(this.wasm.check());
  }

  must(code) {
    if (code < 0) throw new AudioGsError(code, this.textOf(code));
  }

  textOf(code) {
    const bytes = new Uint8Array(this.wasm.memory.buffer, this.wasm.error_string(code));
    return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
  }
}
