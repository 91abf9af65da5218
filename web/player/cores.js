// Made by `make budgets` from docs/SIM.md; do not edit. Clang at -O2: bytes of a program that plays clips, at -O2 and
// -Os; bytes of stack, and cycles for a MAC of the mean and of the peak, each without and with a residual layer: the
// most of the streams that are measured.
const CORES = {
  'cortex-m0plus': {
    name: 'Cortex-M0+',
    rom: [24350, 17728],
    stack: [340, 1008],
    mean: [21.3, 24.5],
    peak: [27.7, 24.5],
  },
  'cortex-m3': {
    name: 'Cortex-M3',
    rom: [24626, 17320],
    stack: [316, 888],
    mean: [14.2, 16.6],
    peak: [19.0, 17.1],
  },
  'cortex-m4': {
    name: 'Cortex-M4',
    rom: [24856, 17100],
    stack: [316, 896],
    mean: [12.8, 15.4],
    peak: [17.3, 15.7],
  },
  'cortex-m7': {
    name: 'Cortex-M7',
    rom: [24968, 17100],
    stack: [312, 872],
    mean: [8.9, 10.6],
    peak: [11.8, 10.8],
  },
  'cortex-m33': {
    name: 'Cortex-M33',
    rom: [24892, 17100],
    stack: [316, 896],
    mean: [12.8, 15.4],
    peak: [17.3, 15.7],
  },
  'riscv32': {
    name: 'RISC-V, RV32IMC',
    rom: [25638, 20700],
    stack: [324, 876],
    mean: [15.7, 18.6],
    peak: [20.9, 19.3],
  },
};
