// Made by `make budgets` from docs/SIM.md; do not edit. Clang at -O2: bytes of a program that plays clips, at -O2 and
// -Os; bytes of stack, and cycles for a MAC of the mean and of the peak, each without and with a residual layer: the
// most of the streams that are measured.
const CORES = {
  'cortex-m0plus': {
    name: 'Cortex-M0+',
    rom: [24290, 14908],
    stack: [336, 992],
    mean: [21.0, 24.3],
    peak: [27.5, 24.5],
  },
  'cortex-m3': {
    name: 'Cortex-M3',
    rom: [24326, 14526],
    stack: [316, 880],
    mean: [14.2, 16.3],
    peak: [18.9, 17.0],
  },
  'cortex-m4': {
    name: 'Cortex-M4',
    rom: [24280, 14366],
    stack: [316, 876],
    mean: [12.1, 15.1],
    peak: [16.8, 15.3],
  },
  'cortex-m7': {
    name: 'Cortex-M7',
    rom: [24864, 14362],
    stack: [312, 880],
    mean: [8.5, 10.4],
    peak: [11.6, 10.7],
  },
  'cortex-m33': {
    name: 'Cortex-M33',
    rom: [24316, 14366],
    stack: [316, 876],
    mean: [12.1, 15.1],
    peak: [16.8, 15.2],
  },
  'riscv32': {
    name: 'RISC-V, RV32IMC',
    rom: [25696, 17592],
    stack: [324, 864],
    mean: [15.6, 18.4],
    peak: [20.8, 19.3],
  },
};
