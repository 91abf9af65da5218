// The container of a stream, SPEC 1: what its header says beside what a Decoder tells, and its segments.

const RATE_CODED = [0, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000];
const NOISE_BIT = 2, PANNED_BIT = 16, RESIDUAL_BIT = 32;
const KINDS_EDITED = 1 | NOISE_BIT | PANNED_BIT | RESIDUAL_BIT;
const CENTRE = 64; // of directions, half a turn of which are 256
const KINDS_AT = 4, LAYOUT_AT = 5; // bytes of the header
const SILENT_SIDE = 128; // a base of -128 half octaves
const LARGEST_SIDE_STEP = 15, LARGEST_SIDE_INDEX = 1023;
const NOISE_SCALES = 6;
const MOST_SAMPLES_EDITED = 2 ** 28, MOST_PARTS = 2 ** 20; // slots, and frames of noise: those are hours
const BLOCK = 64; // samples of a block of tones

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function varintOf(number) {
  const bytes = [];
  let rest = number;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

// A stream whose header a Decoder has taken.
class Container {
  constructor(bytes) {
    let offset = 0;
    const take = () => bytes[offset++] ?? 0;
    const varint = () => {
      let value = 0;
      for (let shift = 0; shift < 35; shift += 7) {
        const byte = take();
        value |= (byte & 127) << shift;
        if (byte < 128) break;
      }
      return value >>> 0;
    };
    offset = 3;
    const rate = take();
    this.slotLog2 = rate >> 4;
    this.kinds = take();
    const layout = take();
    const scales = take();
    this.smallestScale = scales & 15;
    this.scales = (scales >> 4) + 1;
    const step = take() | (take() << 8);
    this.amplitudeStep = step & 0x7ff;
    this.outputShift = step >> 11;
    this.start = bytes.slice(0, offset);
    this.maxTones = varint();
    this.peakMacs = varint();
    const rest = offset;
    this.seekSlots = varint();
    this.samples = varint();
    const stated = RATE_CODED[rate & 15];
    this.sampleRate = stated || take() + (take() << 8) + (take() << 16) + take() * 2 ** 24;
    if (layout & 2) {
      varint();
      varint();
    }
    this.hasNoise = (this.kinds & NOISE_BIT) !== 0;
    this.hasResidual = (this.kinds & RESIDUAL_BIT) !== 0;
    this.mostNoisesAt = null; // in `rest`
    this.noiseFrameLog2 = 0;
    if (this.hasNoise) {
      this.noiseFrameLog2 = take() & 15;
      take();
      this.mostNoisesAt = offset - rest;
      this.maxNoises = take();
    }
    if (this.hasResidual) {
      offset += 2;
      this.coded = take() & 31;
      offset += 2;
    }
    this.channels = 1 + (layout & 1);
    this.isPanned = (this.kinds & PANNED_BIT) !== 0;
    this.direction = this.channels === 2 ? take() : CENTRE;
    this.sideStep = this.isPanned ? take() : 0; // quarters of an octave
    if (this.isPanned) take();
    this.rest = bytes.slice(rest, offset);
    offset += 2;
    const longestTone = 32 << (this.smallestScale + this.scales - 1);
    const longest = Math.max(longestTone, this.hasNoise ? 128 << this.noiseFrameLog2 : 0);
    this.leadSlots = Math.max(1, longest >> this.slotLog2); // before sample 0
    this.slots = Math.floor((this.samples - 1) / 2 ** this.slotLog2) + 1;
    this.ahead = this.hasResidual ? Math.max(BLOCK, 1 << this.noiseFrameLog2) : BLOCK; // samples
    this.scalesOfAll = this.scales + (this.hasNoise ? NOISE_SCALES : 0);
    this.segments = this.seekSlots ? Math.max(1, Math.ceil(this.slots / this.seekSlots)) : 1;
    const parts = Math.max(this.slots, this.hasNoise ? this.samples / 2 ** this.noiseFrameLog2 : 0);
    const isTooLong = this.samples > MOST_SAMPLES_EDITED || parts > MOST_PARTS;
    const isKnown = (this.kinds & ~KINDS_EDITED) === 0;
    this.isEditable = isKnown && !isTooLong;
    this.payloads = []; // of the segments, as they lie in the stream
    for (let segment = 0; segment < this.segments && this.isEditable; segment += 1) {
      const begin = offset;
      const length = varint();
      offset += 4 + length;
      this.payloads.push(bytes.slice(begin, offset));
    }
  }

  // The segment that codes what begins at a sample.
  segmentAt(sample) {
    const slot = Math.floor(sample / 2 ** this.slotLog2);
    return this.seekSlots ? Math.min(this.segments - 1, Math.max(0, Math.floor(slot / this.seekSlots))) : 0;
  }

  // Its own that states sides of Gaussians, too, in a step in which those of indices up to `largest` have one.
  panned(largest) {
    const made = Object.assign(Object.create(Container.prototype), this);
    made.start = this.start.slice();
    made.start[KINDS_AT] = made.kinds = this.kinds | PANNED_BIT;
    made.start[LAYOUT_AT] |= 1;
    const step = Math.ceil(4 * Math.log2(Math.max(1, largest / LARGEST_SIDE_INDEX)));
    made.sideStep = Math.min(LARGEST_SIDE_STEP, step);
    const direction = this.channels === 2 ? [] : [CENTRE];
    made.rest = Uint8Array.of(...this.rest, ...direction, made.sideStep, SILENT_SIDE);
    return Object.assign(made, { isPanned: true, channels: 2 });
  }

  // The header with another class, with its check.
  header({ maxTones, maxNoises, peakMacs }) {
    const rest = this.rest.slice();
    if (this.hasNoise) rest[this.mostNoisesAt] = maxNoises;
    const bytes = Uint8Array.of(...this.start, ...varintOf(maxTones), ...varintOf(peakMacs), ...rest, 0, 0);
    const check = crc32(bytes.subarray(0, -2));
    bytes[bytes.length - 2] = check & 255;
    bytes[bytes.length - 1] = (check >> 8) & 255;
    return bytes;
  }
}

// A segment as it lies in a stream, from what is coded in it and the CRC of that.
function payloadOf(coded, crc) {
  const head = [...varintOf(coded.length), ...[0, 8, 16, 24].map((shift) => (crc >>> shift) & 255)];
  return joined([Uint8Array.from(head), coded]);
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
