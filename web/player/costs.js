// What a clip takes on a core, from its MACs and what a MAC took on simulated cores.

const KEPT_CORE = 'cortex-m4';
const PCM_BYTES = 64; // of a block of 32 samples, in which the figures were taken

// Terms and what they are, of a clip on a core; the mean only where it is known.
function costRows({ meanMacs, peakMacs, stateBytes, hasResidual, sampleRate, bytes }, core) {
  const { rom, stack, mean, peak } = CORES[core];
  const layer = hasResidual ? 1 : 0;
  const megahertz = (macs, cycles) => (macs * cycles[layer] * sampleRate) / 1e6;
  const shown = (number) => number.toFixed(number < 10 ? 1 : 0);
  const known = meanMacs !== null;
  const macs = known ? `${meanMacs.toFixed(1)} mean, ${peakMacs} peak` : `${peakMacs} peak`;
  const clock = [...(known ? [`${shown(megahertz(meanMacs, mean))} mean`] : []), `${shown(megahertz(peakMacs, peak))} peak`];
  return [
    ['MACs a sample', macs],
    ['Clock, MHz', `about ${clock.join(', ')}`],
    ['RAM', `${stateBytes + stack[layer] + PCM_BYTES} bytes`],
    ['Flash, -O2 or -Os', `${rom[0]} or ${rom[1]} bytes`],
    ['Clip in flash', `${bytes} bytes`],
  ];
}
