// What tones have to do with each other: where the partials that several of them make up together have to go on when
// their frequencies change, or they would cancel where they overlap. The frequency of a partial is read from the phases
// of its tones, and the phase that it gains by the change is carried from tone to tone.

const SHORT_SECONDS = 0.012; // tones up to this long have no partial's frequency but their own
const FREQUENCY_ROUNDS = 4;
const NEAR = 1.25; // how far apart tones of a partial are at most, in units of the sum of 1 / length of both
const LARGEST_TURN = 0.25; // between what two phases say and what is known, up to which they count as one partial's
const OWN_SHARE = 0.02; // what a tone's own bin counts beside what the phases say
const LEAST_LINK = 0.03; // of a tone's own weight, what those before it must weigh for it to go on from them

const middleOf = ({ start, length }) => start + length / 2;
const frequencyOf = ({ bin, length }) => bin / length; // cycles a sample
const sideTurnsOf = ({ sidePhase, sideAmplitude }) => sidePhase / 2 ** phaseBitsOf(sideAmplitude);
const turnsOf = ({ phase, amplitude }) => phase / 2 ** phaseBitsOf(amplitude);
const loudnessOf = ({ peak }) => peak;

// Frequency of each tone's partial, in cycles a sample, of tones in order of start.
async function partialsOf(tones, rate, breathe) {
  const longest = tones.reduce((most, { length }) => Math.max(most, length), 0);
  let found = tones.map(frequencyOf);
  for (let round = 0; round < FREQUENCY_ROUNDS; round += 1) {
    const before = found;
    found = before.slice();
    for (let i = 0; i < tones.length; i += 1) {
      const tone = tones[i], own = frequencyOf(tone), size = loudnessOf(tone);
      if (tone.length <= SHORT_SECONDS * rate) continue;
      let weights = OWN_SHARE * size ** 2 * tone.length ** 3, total = weights * own;
      for (const way of [-1, 1]) {
        for (let j = i + way; j >= 0 && j < tones.length; j += way) {
          const other = tones[j];
          if (other.start >= tone.start + tone.length || other.start + longest <= tone.start) break;
          const apart = middleOf(tone) - middleOf(other);
          const near = NEAR * (1 / tone.length + 1 / other.length);
          const away = Math.abs(frequencyOf(other) - own);
          if (Math.abs(apart) < 1 || 2 * Math.abs(apart) >= tone.length + other.length || away >= near) continue;
          const mean = (before[i] + before[j]) / 2;
          let error = turnsOf(tone) - turnsOf(other) - mean * apart;
          error -= Math.floor(error + 0.5);
          if (Math.abs(error) >= LARGEST_TURN) continue;
          const most = Math.min(loudnessOf(other) ** 2 * other.length, 4 * size ** 2 * tone.length);
          const weight = most * (1 - away / near) * apart ** 2;
          total += weight * (mean + error / apart);
          weights += weight;
        }
      }
      const limit = 1 / tone.length;
      found[i] = Math.min(Math.max(total / weights, own - limit), own + limit);
      if (i % 64 === 0) await breathe();
    }
  }
  return found;
}

// Turns that each tone's phase gains where those of partials run `gained` times as much further: the mean direction,
// by weights, over those that begin before it.
async function rotationsOf(tones, partials, gained, breathe) {
  const longest = tones.reduce((most, { length }) => Math.max(most, length), 0);
  const rotations = new Float64Array(tones.length);
  for (let i = 0; i < tones.length; i += 1) {
    const tone = tones[i];
    let re = 0, im = 0;
    for (let j = i - 1; j >= 0; j -= 1) {
      const other = tones[j];
      if (other.start + longest <= tone.start) break;
      const apart = middleOf(tone) - middleOf(other), reach = (tone.length + other.length) / 2;
      const near = 2 * NEAR * (1 / tone.length + 1 / other.length), away = Math.abs(partials[i] - partials[j]);
      if (Math.abs(apart) >= reach || away >= near) continue;
      const share = (1 - Math.abs(apart) / reach) * (1 - away / near);
      const weight = loudnessOf(other) * Math.sqrt(other.length) * share;
      const turn = 2 * Math.PI * (rotations[j] + (gained * (partials[i] + partials[j]) * apart) / 2);
      re += weight * Math.cos(turn);
      im += weight * Math.sin(turn);
    }
    if (Math.hypot(re, im) > LEAST_LINK * loudnessOf(tone) * Math.sqrt(tone.length)) {
      rotations[i] = Math.atan2(im, re) / (2 * Math.PI);
    }
    if (i % 64 === 0) await breathe();
  }
  return rotations;
}
