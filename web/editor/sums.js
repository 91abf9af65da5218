// Whether tones are together more than a decoder adds up in 32 bits, as loud ones can be that were moved to one place.

const LARGEST_SUM = 2 ** 31 - 2 ** 28; // of envelopes times cosines, with room for rounding
const SUM_SPAN = 1 << 14; // samples looked at together
const FULL_COSINE = 16384, FULL_ENVELOPE = 32767 / 32768;
const ENVELOPE_END = 2.5; // standard deviations
const LEAST_ENVELOPE = Math.exp(-(ENVELOPE_END ** 2) / 2);

// Adds a tone to the sums of its octave, which begin at a sample of that.
function addWave(sums, first, { start, length, octave, bin, scale, peak, phase, amplitude }) {
  const onset = Math.floor(start / 2 ** octave), lasting = length >> octave;
  const turn = (2 * Math.PI * bin) / lasting;
  const begins = 2 * Math.PI * (phase / 2 ** phaseBitsOf(amplitude) + (bin & 1) / 2);
  const size = (peak * FULL_ENVELOPE * FULL_COSINE) / (1 - LEAST_ENVELOPE);
  const middle = lasting / 2, spread = lasting / 2 / ENVELOPE_END;
  const end = Math.min(first + sums.length, onset + lasting);
  for (let sample = Math.max(first, onset); sample < end; sample += 1) {
    const age = sample - onset;
    const away = (age - middle) / spread;
    sums[sample - first] += size * (Math.exp((-away * away) / 2) - LEAST_ENVELOPE) * Math.cos(begins + turn * age);
  }
}

// Whether some sum is too large at a sample where one of the `changed` tones lies. Looks at the page now and then.
async function isTooLoud(tones, changed, pause) {
  for (let octave = 0; octave <= MAX_OCTAVE; octave += 1) {
    const placed = ({ start, length }) => [Math.floor(start / 2 ** octave), (start + length) / 2 ** octave];
    const here = tones.filter((tone) => tone.octave === octave);
    const spans = new Set();
    for (const tone of changed) {
      if (tone.octave !== octave) continue;
      const [from, to] = placed(tone).map((sample) => Math.floor(sample / SUM_SPAN));
      for (let span = from; span <= to; span += 1) spans.add(span);
    }
    for (const span of spans) {
      const first = span * SUM_SPAN;
      const near = here.filter((tone) => placed(tone)[0] < first + SUM_SPAN && placed(tone)[1] > first);
      // As if all of them peaked at one sample, which is seldom too much.
      if (near.reduce((sum, tone) => sum + tone.peak, 0) * FULL_COSINE <= LARGEST_SUM) continue;
      const sums = new Float64Array(SUM_SPAN);
      for (const tone of near) addWave(sums, first, tone);
      if (sums.some((sum) => Math.abs(sum) > LARGEST_SUM)) return true;
      await pause();
    }
  }
  return false;
}
