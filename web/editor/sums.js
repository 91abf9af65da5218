// Whether tones are together more than a decoder adds up in 32 bits, as loud ones can be that were moved to one place.

const LARGEST_SUM = 2 ** 31 - 2 ** 28; // of envelopes times cosines, with room for rounding
const SUM_SPAN = 1024; // samples of an octave looked at together
const COSINE_STEPS = 1024, ENVELOPE_PIECES = 32;
const COSINE = Float64Array.from({ length: COSINE_STEPS }, (_, step) => 16384 * Math.cos((2 * Math.PI * step) / COSINE_STEPS));
const ENVELOPE_END = 2.5; // standard deviations
const ENVELOPE = Float64Array.from({ length: ENVELOPE_PIECES + 1 }, (_, piece) => {
  const least = Math.exp(-(ENVELOPE_END ** 2) / 2), away = ENVELOPE_END * (piece / 16 - 1);
  return (Math.exp((-away * away) / 2) - least) / (1 - least);
});

// Adds a tone to the sums of its octave, which begin at a sample of that.
function addWave(sums, first, { start, length, octave, bin, scale, peak, phase, amplitude }) {
  const onset = Math.floor(start / 2 ** octave), piece = 2 ** (scale - octave);
  const step = (bin * COSINE_STEPS) / (length >> octave);
  const begins = COSINE_STEPS * (phase / 2 ** phaseBitsOf(amplitude) + (bin & 1) / 2);
  const end = Math.min(first + sums.length, onset + (length >> octave));
  for (let sample = Math.max(first, onset); sample < end; sample += 1) {
    const age = sample - onset, number = Math.floor(age / piece), rest = age / piece - number;
    const height = ENVELOPE[number] + rest * (ENVELOPE[number + 1] - ENVELOPE[number]);
    sums[sample - first] += peak * height * COSINE[Math.floor(begins + step * age) & (COSINE_STEPS - 1)];
  }
}

// Whether some sum is too large at a sample where one of the `changed` tones lies. Looks at the page now and then.
async function isTooLoud(tones, changed, breathe) {
  for (let octave = 0; octave <= MAX_OCTAVE; octave += 1) {
    const spanOf = (sample) => Math.floor(sample / 2 ** octave / SUM_SPAN);
    const spans = new Map(); // of the changed tones, and which tones lie in them
    for (const tone of changed) {
      if (tone.octave !== octave) continue;
      for (let span = spanOf(tone.start); span <= spanOf(tone.start + tone.length - 1); span += 1) spans.set(span, []);
    }
    if (spans.size === 0) continue;
    for (const tone of tones) {
      if (tone.octave !== octave) continue;
      for (let span = spanOf(tone.start); span <= spanOf(tone.start + tone.length - 1); span += 1) {
        spans.get(span)?.push(tone);
      }
    }
    for (const [span, near] of spans) {
      // As if all of them peaked at one sample, which is seldom too much.
      if (near.reduce((sum, { peak }) => sum + peak, 0) * COSINE[0] <= LARGEST_SUM) continue;
      const sums = new Float64Array(SUM_SPAN);
      for (const tone of near) addWave(sums, span * SUM_SPAN, tone);
      if (sums.some((sum) => Math.abs(sum) > LARGEST_SUM)) return true;
      await breathe();
    }
  }
  return false;
}
