// What a clip takes on a core, from its MACs and what a MAC took on simulated cores.

const KEPT_CORE = 'cortex-m4';
const PCM_BYTES = 64; // of a block of 32 samples, in which the figures were taken
// docs/SIM.md, clang at -O2: bytes of a program that plays clips, at -O2 and -Os; bytes of stack, and cycles for a MAC
// of the mean and of the peak, each without and with a residual layer: the most of the streams that are measured.
const CORES = {
  'cortex-m0plus': { name: 'Cortex-M0+', rom: [24350, 17728], stack: [340, 1008], mean: [21.3, 24.5], peak: [27.5, 24.5] },
  'cortex-m3': { name: 'Cortex-M3', rom: [24626, 17320], stack: [316, 888], mean: [14.2, 16.6], peak: [18.9, 17.1] },
  'cortex-m4': { name: 'Cortex-M4', rom: [24856, 17100], stack: [316, 896], mean: [12.8, 15.4], peak: [17.2, 15.6] },
  'cortex-m7': { name: 'Cortex-M7', rom: [24968, 17100], stack: [312, 872], mean: [8.9, 10.6], peak: [11.8, 10.8] },
  'cortex-m33': { name: 'Cortex-M33', rom: [24892, 17100], stack: [316, 896], mean: [12.8, 15.4], peak: [17.2, 15.6] },
  riscv32: { name: 'RISC-V, RV32IMC', rom: [25638, 20700], stack: [324, 876], mean: [15.7, 18.3], peak: [20.8, 19.2] },
};

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
