// Edits of tones and noises on the lattice of their stream. Each gives, for the Gaussians that are edited, what they
// become: others, or null for one that is left out because it would lie outside of the clip or be too soft to state.

const MOST_SEMITONES = 48, MOST_DECIBELS = 60;
const PAN_ONE = 16; // a noise's pan at which the side has all of it
const INDEX_OFFSET = 3 / 8; // an amplitude index q stands for q + 3/8 steps

const barkOf = (hertz) => (26.81 * hertz) / (1960 + hertz) - 0.53;
const hertzOfPlace = ({ bark }) => (1960 * (bark + 0.53)) / (26.28 - Math.min(bark, 26));

// The nearest index for a phase in turns.
function phaseIndex(turns, amplitude) {
  const steps = 2 ** phaseBitsOf(amplitude);
  return ((nearest(turns * steps) % steps) + steps) % steps;
}

function withinClip(one, header) {
  return one.start + one.length > 0 && one.start < header.samples;
}

// A tone as near as the lattice allows to a middle, in samples, a frequency, in cycles a sample, and a phase there. The
// wave stays where it is wanted: what the envelope is moved by, the phase makes up for.
function placedTone(tone, middle, frequency, turns, header) {
  const { length, amplitude, sideAmplitude } = tone;
  const hop = length / 4;
  const start = nearest((middle - length / 2) / hop) * hop;
  const bin = nearest(frequency * length);
  if (bin < 0 || bin >= length / 2 || !withinClip({ start, length }, header)) return null;
  const there = turns + frequency * (start + length / 2 - middle);
  const phase = phaseIndex(there, amplitude);
  const sidePhase = sideAmplitude ? phaseIndex(there + sideTurnsOf(tone) - turnsOf(tone), sideAmplitude) : 0;
  return toneOf({ ...tone, start, bin, phase, sidePhase }, header);
}

function placedNoise(noise, by, hertz, header) {
  const hop = noise.length / 4;
  const start = nearest((noise.start + by) / hop) * hop;
  const place = hertz === null ? noise.place : hertz < 0 ? -1 : nearest(barkOf(hertz) / (noise.barks / 4) - 0.5);
  if (place < 0 || place >= NOISE_PLACES >> noise.width) return null;
  return withinClip({ start, length: noise.length }, header) ? noiseOf({ ...noise, start, place }, header) : null;
}

// So many samples later and hertz higher.
function shifted(gaussians, { samples = 0, hertz = 0 }, header) {
  return gaussians.map((one) => {
    if (one.kind === 'noise') {
      return placedNoise(one, samples, hertz ? hertzOfPlace(one) + hertz : null, header);
    }
    const middle = middleOf(one) + samples, by = hertz / header.sampleRate;
    // What all frequencies gain alike is a wave of its own, and it runs through the whole clip.
    return placedTone(one, middle, frequencyOf(one) + by, turnsOf(one) + by * middle, header);
  });
}

// So many semitones higher: partials go on from tone to tone, noises go to the nearest place.
async function transposed(gaussians, semitones, header, breathe = () => {}) {
  const factor = 2 ** (semitones / 12);
  const tones = gaussians.filter(({ kind }) => kind === 'tone').sort((one, other) => one.start - other.start);
  const partials = await partialsOf(tones, header.sampleRate, breathe);
  const rotations = await rotationsOf(tones, partials, factor - 1, breathe);
  const become = new Map();
  tones.forEach((tone, index) => {
    const frequency = Math.max(0, frequencyOf(tone) + (factor - 1) * partials[index]);
    become.set(tone, placedTone(tone, middleOf(tone), frequency, turnsOf(tone) + rotations[index], header));
  });
  return gaussians.map((one) =>
    one.kind === 'tone' ? become.get(one) : placedNoise(one, 0, hertzOfPlace(one) * factor, header),
  );
}

// So many decibels louder: tones to the nearest index of their amplitude, noises in steps of 3 dB of what they add.
function louder(gaussians, decibels, header) {
  const factor = 10 ** (decibels / 20);
  return gaussians.map((one) => {
    if (one.kind === 'noise') {
      const weight = one.weight + nearest(decibels / DECIBELS_A_WEIGHT);
      if (weight === 0) return null;
      return noiseOf({ ...one, weight: Math.max(-LARGEST_WEIGHT, Math.min(LARGEST_WEIGHT, weight)) }, header);
    }
    const amplitude = Math.min(LARGEST_INDEX, nearest((one.amplitude + INDEX_OFFSET) * factor - INDEX_OFFSET));
    if (amplitude < 1) return null;
    const side = one.sideAmplitude ? (one.sideAmplitude + INDEX_OFFSET) * factor : 0;
    const phases = { phase: phaseIndex(turnsOf(one), amplitude), ...sideAt(side, sideTurnsOf(one)) };
    return toneOf({ ...one, amplitude, ...phases }, header);
  });
}

// Fields of the side of a tone, of so many of its steps and a phase in turns.
function sideAt(steps, turns) {
  const sideAmplitude = Math.max(0, Math.min(LARGEST_SIDE_INDEX, nearest(steps - INDEX_OFFSET)));
  return { sideAmplitude, sidePhase: sideAmplitude ? phaseIndex(turns, sideAmplitude) : 0 };
}

// Where Gaussians lie between left, -1, and right, 1: a tone by what it has in both channels, a noise by its own pan,
// beside that of others.
function panOf(one, header) {
  const centre = (header.direction * Math.PI) / 256;
  let angle;
  if (one.kind === 'noise') angle = centre + Math.atan(one.panWeight / PAN_ONE);
  else {
    const side = one.sideAmplitude ? (one.sideAmplitude + INDEX_OFFSET) * 2 ** (header.sideStep / 4) : 0;
    const mid = one.amplitude + INDEX_OFFSET, turned = 2 * Math.PI * (sideTurnsOf(one) - turnsOf(one));
    const of = (ownMid, ownSide) => Math.hypot(ownMid * mid + ownSide * side * Math.cos(turned), ownSide * side * Math.sin(turned));
    angle = Math.atan2(of(Math.sin(centre), Math.cos(centre)), of(Math.cos(centre), -Math.sin(centre)));
  }
  return Math.max(-1, Math.min(1, (4 * angle) / Math.PI - 1));
}

// Panned to a place between left, -1, and right, 1, or by so much; as loud in both channels together. A noise takes so
// much of the noise of its place with it.
function panned(gaussians, { to = null, by = 0 }, header) {
  const centre = (header.direction * Math.PI) / 256;
  return gaussians.map((one) => {
    const place = Math.max(-1, Math.min(1, to ?? panOf(one, header) + by));
    const turn = ((place + 1) * Math.PI) / 4 - centre;
    if (one.kind === 'noise') {
      const share = Math.abs(turn) < Math.PI / 2 ? Math.tan(turn) : Math.sign(turn);
      return noiseOf({ ...one, panWeight: nearest(PAN_ONE * Math.max(-1, Math.min(1, share))) + 0 }, header);
    }
    const unit = 2 ** (header.sideStep / 4);
    const before = one.sideAmplitude ? (one.sideAmplitude + INDEX_OFFSET) * unit : 0;
    const size = Math.hypot(one.amplitude + INDEX_OFFSET, before);
    const [mid, side] = [size * Math.cos(turn), (size * Math.sin(turn)) / unit];
    const amplitude = Math.max(1, Math.min(LARGEST_INDEX, nearest(Math.abs(mid) - INDEX_OFFSET)));
    const turns = turnsOf(one) + (mid < 0 ? 0.5 : 0);
    const there = sideAt(Math.abs(side), turnsOf(one) + (side < 0 ? 0.5 : 0));
    return toneOf({ ...one, amplitude, phase: phaseIndex(turns, amplitude), ...there }, header);
  });
}

// What a clip's Gaussians are when some of them become others; `become` has an entry for each that is edited.
function exchanged(gaussians, become) {
  return gaussians.map((one) => (become.has(one) ? become.get(one) : one)).filter(Boolean);
}
