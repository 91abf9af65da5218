"""Every fixed table of the codec with its formula, and the C header made from them.

`python -m audio_gs.tables` writes decoder_c/src/gs_tables.h; `--check` only compares.
"""

from __future__ import annotations

import functools
import json
import math
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

FULL_SCALE = 32768
"""Output steps from silence to full scale."""
SHORTEST_SUPPORT = 32
ENVELOPE_SEGMENTS = 32
ENVELOPE_CUT = 2.5
"""Where the Gaussian envelope is cut and lowered to zero, in standard deviations."""
ENVELOPE_SIGMA = 0.9451655 / (2 * ENVELOPE_CUT)
"""Standard deviation, in supports, of the Gaussian nearest to the cut and lowered envelope (least squares over
the unit-norm inner product)."""
COSINE_STEPS = 1024
ADAPTATION_SHIFT = (1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5)
"""Shift of a context's adaptation after 0, 1, ... bits: close to the running mean, 1/(n + 1.5), down to 1/32."""
HALF_SQRT2_Q16 = 46341
"""round(65536 / sqrt(2))"""

TABLE_SETS = ("speech", "music", "sfx")


def envelope() -> npt.NDArray[np.int64]:
    """ENV, Q15, shape (33,): round(32767 (exp(-x^2/2) - c) / (1 - c)), x = 2.5 (i - 16)/16, c = exp(-2.5^2/2)."""
    x = (np.arange(ENVELOPE_SEGMENTS + 1) - ENVELOPE_SEGMENTS / 2) / (ENVELOPE_SEGMENTS / 2) * ENVELOPE_CUT
    cut = math.exp(-(ENVELOPE_CUT**2) / 2)
    return np.rint(32767 * (np.exp(-(x**2) / 2) - cut) / (1 - cut)).astype(np.int64)


def cosine() -> npt.NDArray[np.int64]:
    """COS, Q14, shape (1024,): round(16384 cos(2 pi i / 1024))."""
    return np.rint(16384 * np.cos(2 * np.pi * np.arange(COSINE_STEPS) / COSINE_STEPS)).astype(np.int64)


# Slots (SPEC 3): the contexts of one scale, by their offset.
MAX_SCALES = 8
MORE_ACTIVITIES, MORE_PLACES = 5, 4
GAMMA_LENGTHS, GAMMA_TOPS = 12, 11
"""Contexts of a gamma code's length and of the bit below its highest one."""
GAMMA_CONTEXTS = GAMMA_LENGTHS + GAMMA_TOPS
MORE = 0
FIRST_BIN = MORE + MORE_ACTIVITIES * MORE_PLACES
NEXT_BIN = FIRST_BIN + GAMMA_CONTEXTS
AMPLITUDE = NEXT_BIN + GAMMA_CONTEXTS
CONTEXTS_PER_SCALE = AMPLITUDE + GAMMA_CONTEXTS

AMPLITUDE_EXPONENT = 11
LARGEST_AMPLITUDE = (2 << AMPLITUDE_EXPONENT) - 1
START_COUNT = (0, 3, 6, 10)
"""Counts of bits seen that a prior can start a context with."""

FEWEST_PHASE_BITS = 3
PHASE_LIMITS = (3, 5, 10, 20, 40, 80, 160)
"""Amplitude indices from which the phase has one more bit: the smallest 2^m >= 3 that keeps the tangential step
2 pi (q + 3/8) / 2^m near 1.4 amplitude steps, so the complex amplitude is quantised evenly (SPEC 3)."""
PRIORS_FILE = Path(__file__).with_name("priors.json")


def phase_bits() -> npt.NDArray[np.int64]:
    """Bits of the phase index for amplitude index 0..LARGEST_AMPLITUDE."""
    q = np.arange(LARGEST_AMPLITUDE + 1)
    return FEWEST_PHASE_BITS + np.searchsorted(PHASE_LIMITS, q, side="right")


@functools.cache
def priors() -> npt.NDArray[np.int64]:
    """PRIOR, shape (table sets, MAX_SCALES, CONTEXTS_PER_SCALE): bytes, probability of a 1 in 1/64 in the high 6
    bits, index into START_COUNT in the low 2. Trained by `python -m audio_gs.encoder.train_priors`."""
    stored = json.loads(PRIORS_FILE.read_text())
    table = np.array([stored[name] for name in TABLE_SETS], np.int64)
    table.flags.writeable = False
    return table.reshape(len(TABLE_SETS), MAX_SCALES, CONTEXTS_PER_SCALE)


def initial_contexts(table_set: int, scales: int) -> npt.NDArray[np.uint16]:
    """Contexts at the start of a segment, shape (scales * CONTEXTS_PER_SCALE,) (SPEC R2)."""
    byte = priors()[table_set, :scales].ravel()
    probability = (byte >> 2) * 64 + 32
    return ((probability << 4) | np.array(START_COUNT)[byte & 3]).astype(np.uint16)


def _c_array(kind: str, name: str, formula: str, values: npt.NDArray[np.int64], dimensions: str) -> str:
    lines = []
    flat = [str(v) for v in values.ravel()]
    for start in range(0, len(flat), 16):
        lines.append("    " + ", ".join(flat[start : start + 16]))
    return f"/* {formula} */\nstatic const {kind} {name}{dimensions} = {{\n" + ",\n".join(lines) + "\n};\n"


def c_header() -> str:
    """The text of decoder_c/src/gs_tables.h."""
    prior = priors()
    sets, scales, contexts = prior.shape
    defines = {
        "GS_COSINE_STEPS": COSINE_STEPS,
        "GS_ENVELOPE_SEGMENTS": ENVELOPE_SEGMENTS,
        "GS_HALF_SQRT2_Q16": HALF_SQRT2_Q16,
        "GS_MAX_SCALES": MAX_SCALES,
        "GS_TABLE_SETS": sets,
        "GS_CONTEXT_MORE": MORE,
        "GS_MORE_ACTIVITIES": MORE_ACTIVITIES,
        "GS_MORE_PLACES": MORE_PLACES,
        "GS_CONTEXT_FIRST_BIN": FIRST_BIN,
        "GS_CONTEXT_NEXT_BIN": NEXT_BIN,
        "GS_CONTEXT_AMPLITUDE": AMPLITUDE,
        "GS_GAMMA_LENGTHS": GAMMA_LENGTHS,
        "GS_GAMMA_TOPS": GAMMA_TOPS,
        "GS_CONTEXTS_PER_SCALE": CONTEXTS_PER_SCALE,
        "GS_AMPLITUDE_EXPONENT": AMPLITUDE_EXPONENT,
        "GS_FEWEST_PHASE_BITS": FEWEST_PHASE_BITS,
        "GS_PHASE_LIMITS": len(PHASE_LIMITS),
    }
    parts = [
        "/* Generated by `python -m audio_gs.tables`; do not edit. */",
        "#ifndef GS_TABLES_H\n#define GS_TABLES_H\n\n#include <stdint.h>\n",
        "".join(f"#define {name} {value}\n" for name, value in defines.items()),
        _c_array(
            "int16_t",
            "gs_envelope",
            "Q15: round(32767 (exp(-x^2/2) - c) / (1 - c)), x = 2.5 (i - 16)/16, c = exp(-2.5^2/2)",
            envelope(),
            f"[{ENVELOPE_SEGMENTS + 1}]",
        ),
        _c_array("int16_t", "gs_cosine", "Q14: round(16384 cos(2 pi i / 1024))", cosine(), f"[{COSINE_STEPS}]"),
        _c_array(
            "uint8_t",
            "gs_adaptation_shift",
            "near the running mean, 1 / (n + 1.5), down to 1/32",
            np.array(ADAPTATION_SHIFT),
            f"[{len(ADAPTATION_SHIFT)}]",
        ),
        _c_array(
            "uint8_t",
            "gs_start_count",
            "counts that priors start with",
            np.array(START_COUNT),
            f"[{len(START_COUNT)}]",
        ),
        _c_array(
            "uint8_t",
            "gs_phase_limits",
            "amplitude indices from which the phase has one more bit",
            np.array(PHASE_LIMITS),
            f"[{len(PHASE_LIMITS)}]",
        ),
        _c_array(
            "uint8_t",
            "gs_prior",
            "trained: probability of a 1 in 1/64 in the high 6 bits, index into gs_start_count in the low 2",
            prior,
            f"[{sets * scales * contexts}]",
        ),
        "#endif",
    ]
    return "\n".join(parts) + "\n"


def main() -> int:
    """Writes the C header, or with --check compares it; returns the exit code."""
    path = Path(__file__).parent.parent / "decoder_c" / "src" / "gs_tables.h"
    text = c_header()
    if "--check" in sys.argv[1:]:
        if path.read_text() != text:
            print(
                f"{path.name} is not what audio_gs/tables.py makes; run python -m audio_gs.tables",
                file=sys.stderr,
            )
            return 1
        return 0
    path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
