// A tone or a noise from the integers that a stream has of it, SPEC 4 and 5: as a Decoder lists it, to the last bit.

const PHASE_LIMITS = [3, 5, 10, 20, 40, 80, 160];
const HALF_SQRT2 = 46341; // Q16
const LARGEST_PEAK = 32767;
const LARGEST_INDEX = 4095;
const LARGEST_WEIGHT = 63;
const MAX_SCALE = 11;
const MAX_OCTAVE = 3;
const OCTAVE_INCREMENT = 19200; // phase steps a sample up to which a tone is rendered in an octave
const NOISE_PLACES = 32;
const DECIBELS_A_WEIGHT = 10 * Math.log10(2);

const phaseBitsOf = (amplitude) => 3 + PHASE_LIMITS.filter((limit) => limit <= amplitude).length;
const strengthOf = (size, log2) => (size << (log2 >> 1)) * (log2 & 1 ? 181 : 128);

// Peak of an envelope before it is limited, and the octave in which it is rendered.
function peakOf(amplitude, scale, amplitudeStep) {
  const step = scale & 1 ? (amplitudeStep * HALF_SQRT2 + 2048) >>> 12 : 16 * amplitudeStep;
  return Math.floor((step * (8 * amplitude + 3)) / 2 ** (5 + (scale >> 1)));
}

function octaveOf(bin, scale) {
  const increment = bin << (MAX_SCALE - scale);
  let octave = 0;
  while (octave < MAX_OCTAVE && scale > octave + 2 && increment << (octave + 1) <= OCTAVE_INCREMENT) octave += 1;
  return octave;
}

// Peak of a tone's side; of a stream whose Gaussians are not panned 0.
function sidePeakOf(index, scale, { amplitudeStep, sideStep }) {
  if (index === 0) return 0;
  const gain = Math.round(8192 * 2 ** ((sideStep & 3) / 4)) / 8192;
  return Math.min(LARGEST_PEAK, peakOf(index, scale, amplitudeStep * gain * 2 ** (sideStep >> 2)));
}

function toneOf({ scale, start, bin, amplitude, phase, sideAmplitude = 0, sidePhase = 0 }, header) {
  const length = 32 << scale;
  const octave = octaveOf(bin, scale);
  const peak = Math.min(LARGEST_PEAK, peakOf(amplitude, scale, header.amplitudeStep));
  return {
    kind: 'tone',
    start,
    length,
    hertz: (bin * header.sampleRate) / length,
    decibels: 20 * Math.log10(peak / 2 ** header.outputShift / 32768),
    strength: strengthOf(peak, scale),
    scale,
    bin,
    amplitude,
    phase,
    sideAmplitude,
    sidePhase,
    octave,
    peak,
    sidePeak: sidePeakOf(sideAmplitude, scale, header),
  };
}

function noiseOf({ scale, start, width, place, weight, sideWeight = 0, panWeight = 0 }, header) {
  const barks = 3 << width;
  return {
    kind: 'noise',
    start,
    length: 4 << (header.noiseFrameLog2 + scale),
    bark: ((place + 0.5) * barks) / 4,
    barks,
    decibels: weight * DECIBELS_A_WEIGHT,
    strength: strengthOf(Math.abs(weight), scale + width),
    scale,
    width,
    place,
    weight,
    sideWeight,
    panWeight,
  };
}

const gaussianOf = (fields, header) => (fields.kind === 'tone' ? toneOf : noiseOf)(fields, header);
