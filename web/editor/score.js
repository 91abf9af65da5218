// A clip as its Gaussians, read from a stream and written to one. What is not changed keeps its bytes.

const ROW = 8; // numbers: kind, scale, onset, place, extent, level, side, pan
const ROW_KINDS = { tone: 0, noise: 1, coefficient: 2, fine: 3, frame: 4 };
const SLOTS_A_SLICE = 32;
const NOT_EDITABLE = 'the clip is too long to be edited here, or has what is not edited here';

// The module that reads and writes; one instance is one clip.
class Writer {
  constructor(module) {
    this.wasm = new WebAssembly.Instance(module).exports;
  }

  open(bytes) {
    const room = this.wasm.stream_room(bytes.length);
    if (room === 0) throw new AudioGsError(-2, 'there is no memory for the stream');
    new Uint8Array(this.wasm.memory.buffer, room, bytes.length).set(bytes);
    AudioGsError.check(this.wasm.open(bytes.length));
  }

  takeRows() {
    const count = this.wasm.take_rows();
    return new Int32Array(this.wasm.memory.buffer, this.wasm.rows_read(), count * ROW).slice();
  }

  // The rows of the stream that is open, a piece at a time.
  async *read(breathe) {
    let left = 1;
    while (left > 0) {
      left = AudioGsError.check(this.wasm.read_slots(SLOTS_A_SLICE));
      yield this.takeRows();
      await breathe();
    }
  }

  // A segment of the stream that is open, and the rows of its frames' costs.
  async write(segment, gaussians, values, breathe) {
    const room = this.wasm.rows_room(gaussians.length / ROW, values.length / ROW);
    if (room === 0) throw new AudioGsError(-2, 'there is no memory for the stream');
    const rows = new Int32Array(this.wasm.memory.buffer, room, gaussians.length + values.length);
    rows.set(gaussians);
    rows.set(values, gaussians.length);
    AudioGsError.check(this.wasm.begin_segment(segment));
    const costs = [];
    for (let left = 1; left > 0;) {
      left = AudioGsError.check(this.wasm.write_slots(SLOTS_A_SLICE));
      costs.push(this.takeRows());
      await breathe();
    }
    const coded = new Uint8Array(this.wasm.memory.buffer, this.wasm.segment(), this.wasm.segment_bytes()).slice();
    return { payload: payloadOf(coded, this.wasm.segment_crc() >>> 0), costs };
  }
}

// Pauses where the last pause was too long ago.
function breather(pause, milliseconds) {
  let until = performance.now() + milliseconds;
  return async () => {
    if (performance.now() < until) return;
    await pause();
    until = performance.now() + milliseconds;
  };
}

function rowOf(one) {
  const own =
    one.kind === 'tone'
      ? [one.bin, one.phase, one.amplitude, one.sideAmplitude, one.sidePhase]
      : [one.place, one.width, one.weight, one.sideWeight, one.panWeight];
  return [ROW_KINDS[one.kind], one.scale, one.start, ...own];
}

function gaussianOfRow([kind, scale, start, place, extent, level, side, pan], header) {
  if (kind === ROW_KINDS.noise) {
    return noiseOf({ scale, start, width: extent, place, weight: level, sideWeight: side, panWeight: pan }, header);
  }
  const own = { amplitude: level, phase: extent, sideAmplitude: side, sidePhase: pan };
  return toneOf({ scale, start, bin: place, ...own }, header);
}

const hasSide = ({ sideAmplitude = 0, sideWeight = 0, panWeight = 0 }) => (sideAmplitude || sideWeight || panWeight) !== 0;

// Index of the first row of a frame, of rows of the residual layer in the order of frames.
function rowOfFrame(values, frame) {
  let from = 0, to = values.length / ROW;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (values[ROW * middle + 2] < frame) from = middle + 1;
    else to = middle;
  }
  return ROW * from;
}

class Score {
  // `gaussians` are tones and noises in any order, `values` the rows of the residual layer as it was read, `payloads`
  // the segments, `frames` what costOf takes of their frames.
  constructor(header, gaussians, values, payloads, frames) {
    Object.assign(this, { header, gaussians, values, payloads, frames });
    this.tones = gaussians.filter(({ kind }) => kind === 'tone');
    this.noises = gaussians.filter(({ kind }) => kind === 'noise');
    this.cost = costOf(this.tones, this.noises, frames, header);
    this.bytes = joined([header.header(this.cost), ...payloads]);
  }

  // The score of a stream. AudioGsError for one that is damaged, or too long.
  static async read(writer, bytes, breathe = () => {}) {
    const header = new Container(bytes);
    writer.open(bytes);
    if (!header.isEditable) throw new AudioGsError(-1, NOT_EDITABLE);
    const gaussians = [], values = [], frames = new Map();
    for await (const rows of writer.read(breathe)) {
      for (let at = 0; at < rows.length; at += ROW) {
        const row = rows.subarray(at, at + ROW);
        if (row[0] <= ROW_KINDS.noise) gaussians.push(gaussianOfRow(row, header));
        else if (row[0] === ROW_KINDS.frame) noteFrame(frames, row);
        else values.push(...row);
      }
    }
    return new Score(header, gaussians, Int32Array.from(values), header.payloads, frames);
  }

  // The header for some of its Gaussians to be panned.
  get pannedHeader() {
    return this.header.isPanned ? this.header : this.header.panned(largestOf(this.tones));
  }

  // The score with other Gaussians, of which those that are the same objects are the same. Where one of them is panned
  // and none was, all of the stream is written anew, with two channels. AudioGsError for more than the format has words
  // for.
  async with(writer, gaussians, breathe = () => {}) {
    const isWider = !this.header.isPanned && gaussians.some(hasSide);
    const header = isWider ? this.pannedHeader : this.header;
    const before = new Set(this.gaussians), after = new Set(gaussians);
    const changed = [...gaussians.filter((one) => !before.has(one)), ...this.gaussians.filter((one) => !after.has(one))];
    const all = Array.from({ length: header.segments }, (_, segment) => segment);
    const segments = new Set(isWider ? all : changed.map(({ start }) => header.segmentAt(start)));
    const tones = gaussians.filter(({ kind }) => kind === 'tone');
    const maxTones = mostHeld(tones, header);
    const maxNoises = header.hasNoise ? mostHeld(gaussians.filter(({ kind }) => kind === 'noise'), header) : 0;
    if (maxTones > MOST_TONES) throw new AudioGsError(-1, `that would be more than ${MOST_TONES} tones at a time`);
    if (maxNoises > MOST_NOISES) throw new AudioGsError(-1, `that would be more than ${MOST_NOISES} noises at a time`);
    const moved = tones.filter((one) => !before.has(one));
    const sides = (those) => those.filter(({ sideAmplitude }) => sideAmplitude > 0).map(sideOf);
    const isLoud = (await isTooLoud(tones, moved, breathe)) || (await isTooLoud(sides(tones), sides(moved), breathe));
    if (isLoud) {
      throw new AudioGsError(-1, 'the tones together would be louder than a decoder can add up; make them softer first');
    }
    writer.open(header.header({ maxTones, maxNoises, peakMacs: 0 }));
    const payloads = this.payloads.slice(), frames = new Map(this.frames);
    for (const segment of segments) {
      const [first, stop] = this.framesOf(segment);
      const values = this.values.subarray(rowOfFrame(this.values, first), rowOfFrame(this.values, stop));
      const rows = sortedRows(gaussians.filter(({ start }) => header.segmentAt(start) === segment), header);
      const written = await writer.write(segment, rows, values, breathe);
      payloads[segment] = written.payload;
      for (let frame = first; frame < stop; frame += 1) frames.delete(frame);
      for (const costs of written.costs) {
        for (let at = 0; at < costs.length; at += ROW) noteFrame(frames, costs.subarray(at, at + ROW));
      }
    }
    return new Score(header, gaussians, this.values, payloads, frames);
  }

  // The frames of the residual layer that a segment codes: the first one, and the one after the last.
  framesOf(segment) {
    const { seekSlots, slots, slotLog2, noiseFrameLog2, segments } = this.header;
    const shift = slotLog2 - noiseFrameLog2;
    const last = segment === segments - 1 ? slots : (segment + 1) * seekSlots;
    return [(segment * seekSlots) << shift, last << shift];
  }
}

const MOST_TONES = 4096, MOST_NOISES = 255;

// The largest index of a side that panning tones may take.
function largestOf(tones) {
  return tones.reduce((most, { amplitude }) => Math.max(most, amplitude), 1);
}

// The side of a tone, as a tone.
function sideOf(tone) {
  return { ...tone, peak: tone.sidePeak, amplitude: tone.sideAmplitude, phase: tone.sidePhase };
}

function noteFrame(frames, [, , frame, values, , hasCoefficients]) {
  frames.set(frame, { values, hasCoefficients: hasCoefficients !== 0 });
}

// Rows of Gaussians in the order of the stream (SPEC S2).
function sortedRows(gaussians, { slotLog2 }) {
  const slot = (one) => Math.floor(one.start / 2 ** slotLog2);
  const kind = (one) => ROW_KINDS[one.kind];
  const place = (one) => (one.kind === 'tone' ? one.bin : one.place);
  // Nearly in order as they come, and only compared: a drag has this done many times a second.
  const ordered = gaussians.slice().sort(
    (a, b) => slot(a) - slot(b) || kind(a) - kind(b) || a.scale - b.scale || place(a) - place(b) || a.start - b.start,
  );
  const rows = new Int32Array(ROW * ordered.length);
  ordered.forEach((one, index) => rows.set(rowOf(one), ROW * index));
  return rows;
}
