// What decoding costs, in MACs, and the class that a header states for it, SPEC 4.5, 5.5, 7.4 and 8.5.

const GRAIN = 32; // samples; all that costs something is due at a multiple of it
const PEAK_SECONDS = 0.02;
const MACS_A_GAUSSIAN = 32, MACS_A_PANNED_GAUSSIAN = 48, MACS_A_BLOCK = 224, MACS_A_PIECE = 4;
const BARK_BANDS = 25, CELLS = 52;
const MACS_A_CELL = 2, MACS_A_BIN = 3, MACS_A_VALUE = 4, MACS_A_TONE = 6;
const BARK_HZ = Array.from({ length: BARK_BANDS }, (_, band) => Math.round((1960 * (band + 1.03)) / (25.78 - band)));
const WARM_UP_BLOCKS = 2;

// The even one of two that are as near.
function nearest(number) {
  const floor = Math.floor(number), rest = number - floor;
  return rest === 0.5 ? floor + (floor & 1) : Math.round(number);
}

// How many samples before a slot begins it is needed, and where that is.
function neededFrom(start, { slotLog2, ahead }) {
  const slot = Math.floor(start / 2 ** slotLog2) * 2 ** slotLog2;
  return Math.max(0, Math.floor(slot / BLOCK) * BLOCK - ahead);
}

// The most of some Gaussians that are held at a time (SPEC P1).
function mostHeld(gaussians, { slotLog2, leadSlots, slots, ahead }) {
  const change = new Int32Array(slots + leadSlots + 1);
  for (const { start, length } of gaussians) {
    const end = start + length;
    const begin = Math.floor(start / 2 ** slotLog2);
    const last = Math.floor((Math.ceil(end / BLOCK) * BLOCK + ahead - 1) / 2 ** slotLog2);
    const dropped = end <= -WARM_UP_BLOCKS * BLOCK ? begin : Math.max(begin, last);
    change[begin + leadSlots] += 1;
    change[Math.min(dropped + 1, slots) + leadSlots] -= 1;
  }
  let held = 0, most = 1;
  for (const by of change.subarray(0, -1)) {
    held += by;
    most = Math.max(most, held);
  }
  return most;
}

function addTone(due, { octave, scale, start, length, sideAmplitude }, samples) {
  const channels = sideAmplitude > 0 ? 2 : 1;
  const rate = scale - octave, onset = Math.floor(start / 2 ** octave), lasting = length >> octave;
  const ahead = (8 << octave) - 8, size = BLOCK >> octave;
  let block = Math.max(-WARM_UP_BLOCKS, Math.floor((onset * 2 ** octave - ahead) / BLOCK));
  for (; block * BLOCK < samples; block += 1) {
    const begin = (block * BLOCK + ahead) >> octave;
    if (begin - onset >= lasting) return;
    const age = Math.max(0, begin - onset);
    const count = Math.min(begin + size - onset, lasting) - age;
    if (count > 0) {
      const pieces = ((age + count - 1) >> rate) - (age >> rate) + 1;
      due[Math.max(0, block * BLOCK) / GRAIN] += channels * (count + MACS_A_PIECE * pieces);
    }
  }
}

// Adds so much to each of some frames, of which the array has the changes from one to the next.
function addFrames(changes, from, to, each) {
  const within = (frame) => Math.max(0, Math.min(changes.length - 1, frame));
  changes[within(from)] += each;
  changes[within(to)] -= each;
}

function addNoise(due, tones, noises, frames, header) {
  const log2 = header.noiseFrameLog2, size = 1 << log2;
  const count = ((header.samples - 1) >> log2) + 2;
  const coded = Math.min(count, header.slots << (header.slotLog2 - log2)); // of the residual layer
  const levels = new Float64Array(count + 1), ofTones = new Float64Array(count + 1);
  const ofSides = new Float64Array(count + 1);
  for (const { start, scale, barks, sideWeight, panWeight } of noises) {
    const first = start / size + 1, end = first + (4 << scale) - 1;
    addFrames(levels, first, end, 3 + 2 * barks);
    for (const isStated of [true, sideWeight !== 0, panWeight !== 0]) {
      if (header.isPanned && isStated) addFrames(ofSides, first, end, 3 + 2 * barks);
    }
  }
  if (header.hasResidual) {
    for (const { start, length } of tones) {
      addFrames(ofTones, Math.floor(start / size), Math.floor((start + length - 1) / size) + 2, MACS_A_TONE);
    }
  }
  const places = BARK_HZ.map((hertz) => Math.floor((hertz * 2 * size) / header.sampleRate)).filter((bin) => bin < size);
  const edges = [0, ...places, size];
  const bins = edges[Math.min(header.coded ?? 0, edges.length - 1)];
  const side = header.isPanned ? size * (log2 + 6) + 4 * BARK_BANDS : 0;
  let ofLevels = 0, ofTone = 0, ofSide = side;
  for (let frame = 0; frame < count; frame += 1) {
    ofLevels += levels[frame];
    ofTone += ofTones[frame];
    ofSide += ofSides[frame];
    let macs = size * (log2 + 5) + 2 * BARK_BANDS + ofLevels + ofSide;
    if (header.hasResidual && frame < coded) {
      const { values = 0, hasCoefficients = false } = frames.get(frame) ?? {};
      macs += MACS_A_CELL * CELLS + ofLevels + ofTone + MACS_A_VALUE * values;
      if (hasCoefficients) macs += MACS_A_BIN * bins;
    }
    due[Math.max(0, (frame - 1) * size) / GRAIN] += macs;
  }
}

// Class and mean of a stream of these tones and noises; `frames` says of frames of the residual layer, by number, how
// many `values` they have and whether they have coefficients.
function costOf(tones, noises, frames, header) {
  const { samples, slotLog2 } = header;
  const due = new Float64Array(Math.ceil(samples / GRAIN) + 1);
  const block = header.isPanned ? 2 * MACS_A_BLOCK : MACS_A_BLOCK;
  const each = header.isPanned ? MACS_A_PANNED_GAUSSIAN : MACS_A_GAUSSIAN;
  const mix = header.channels === 1 ? 0 : header.isPanned ? 4 : 2; // MACs a sample
  for (let sample = 0; sample < samples; sample += BLOCK) due[sample / GRAIN] += block;
  due[0] += WARM_UP_BLOCKS * block;
  for (const one of [...tones, ...noises]) {
    const from = neededFrom(one.start, header);
    if (from < samples) due[from / GRAIN] += each;
  }
  for (const tone of tones) addTone(due, tone, samples);
  if (header.hasNoise) addNoise(due, tones, noises, frames, header);
  const window = Math.max(1, nearest(PEAK_SECONDS * header.sampleRate));
  const sums = new Float64Array(due.length + 1);
  for (let index = 0; index < due.length; index += 1) sums[index + 1] = sums[index] + due[index];
  const before = (sample) => sums[Math.ceil(sample / GRAIN)]; // what is due before a sample
  const total = before(samples);
  const missing = mix * Math.max(0, window - samples); // in a clip that is shorter than the window
  let peak = Math.max(block * Math.ceil(window / BLOCK), samples < window ? total - missing : 0);
  for (let start = 0; start <= samples - window; start += GRAIN) {
    peak = Math.max(peak, before(start + window) - before(start));
  }
  if (samples >= window) peak = Math.max(peak, total - before(samples - window));
  const ends = header.scalesOfAll * ((window >> slotLog2) + 2);
  return {
    maxTones: mostHeld(tones, header),
    maxNoises: header.hasNoise ? mostHeld(noises, header) : 0,
    peakMacs: Math.ceil((peak + ends) / window + mix),
    meanMacs: mix + (total + header.scalesOfAll * (header.slots + header.leadSlots)) / samples,
  };
}
