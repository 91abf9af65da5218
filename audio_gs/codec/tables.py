"""Every fixed table of the codec with its formula, and the C header made from them.

`python -m audio_gs.codec.tables`, in a source tree, writes decoder_c/src/gs_tables.h; `--check` only compares, and
`--priors FILE` takes the trained table from a file that `audio_gs.encoder.train_priors` wrote. Another table is another
format: package and C decoder have to be built anew, and read none of the streams made before.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

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
OCTAVES = 4
"""Sample rates at which tones are rendered, each half of the one before."""
OCTAVE_INCREMENT = 19200
"""Largest phase step, 65536 a turn, of a tone in an octave but the first: what lies below passes the half-band filter
within -58 dB, and its image behind it stays under -52 dB."""
OCTAVE_SCALE = 2
"""Smallest scale, at its own rate, of a tone in an octave but the first."""
RENDER_BLOCK = 64
"""Samples that a decoder makes at a time; it decodes the slots that begin in the next block too."""
WARM_UP_BLOCKS = 2
"""Blocks before a jump's target that decide on what the half-band filters give from there on."""
MACS_PER_PIECE = 4
"""Multiplications for each straight piece of an envelope, beside one for each sample (SPEC 4.5)."""
HALF_BAND_TAPS = 4
"""On either side."""
HALF_BAND_BETA = 5.25

TABLE_SETS = ("speech", "music", "sfx")


def envelope() -> npt.NDArray[np.int64]:
    """ENV, Q15, shape (33,): round(32767 (exp(-x^2/2) - c) / (1 - c)), x = 2.5 (i - 16)/16, c = exp(-2.5^2/2)."""
    x = (np.arange(ENVELOPE_SEGMENTS + 1) - ENVELOPE_SEGMENTS / 2) / (ENVELOPE_SEGMENTS / 2) * ENVELOPE_CUT
    cut = math.exp(-(ENVELOPE_CUT**2) / 2)
    return np.rint(32767 * (np.exp(-(x**2) / 2) - cut) / (1 - cut)).astype(np.int64)


def cosine() -> npt.NDArray[np.int64]:
    """COS, Q14, shape (1024,): round(16384 cos(2 pi i / 1024))."""
    return np.rint(16384 * np.cos(2 * np.pi * np.arange(COSINE_STEPS) / COSINE_STEPS)).astype(np.int64)


def half_band() -> npt.NDArray[np.int64]:
    """HALF_BAND, Q12, shape (4,): what the samples i + 1/2 away count in the middle between two samples, for i > 0
    round(4096 sinc(x) kaiser(x) / s), x = i + 1/2, sinc(x) = sin(pi x) / (pi x), kaiser(x) = I0(5.25 sqrt(1 - x^2/16)),
    s = 2 times the sum of sinc(x) kaiser(x) over all i; and for i = 0 what makes their sum 2048."""
    x = np.arange(HALF_BAND_TAPS) + 0.5
    weights = np.sinc(x) * np.i0(HALF_BAND_BETA * np.sqrt(1 - (x / HALF_BAND_TAPS) ** 2))
    taps = np.rint(2048 * weights / weights.sum()).astype(np.int64)
    taps[0] = 2048 - taps[1:].sum()
    return taps


def bark_hz() -> npt.NDArray[np.int64]:
    """BARK_HZ, shape (25,): round(1960 (z + 0.53) / (26.28 - z)), z = i + 0.5; the centres of the bands one Bark apart
    (Traunmueller: Analytical expressions for the tonotopic sensory scale, 1990)."""
    return np.rint(hz_of_bark(np.arange(BARK_BANDS) + 0.5)).astype(np.int64)


def hz_of_bark(bark: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Hertz of positions on the Bark axis."""
    z = np.asarray(bark, np.float64)
    return 1960 * (z + 0.53) / (26.28 - z)


def gain() -> npt.NDArray[np.int64]:
    """GAIN, Q13, shape (32,): round(8192 * 2^(i / 32))."""
    return np.rint(8192 * 2 ** (np.arange(GAIN_STEPS) / GAIN_STEPS)).astype(np.int64)


def noise_profile() -> npt.NDArray[np.int64]:
    """Over Bark, of every width of noise (SPEC 5.3: eb), shape (60,): of width c those from 12 c on, and the values at
    d = 1, 3, .. 23 of width 0, 2, 6, .. 46 of width 1, 8, 16, .. 88 of width 2, 4, 12, .. 188 of width 3, that is,
    at every d that a noise of the width meets, as number d >> min(c + 1, 3) of the width."""
    env = envelope()
    profile = np.zeros(NOISE_PROFILE_OF_WIDTH * (NOISE_WIDTHS + 1), np.int64)
    for c, (first, step) in enumerate(((1, 2), (2, 4), (8, 8), (4, 8))):
        d = np.arange(first, 8 * NOISE_NARROWEST_SUPPORT << c, step)
        x = (d * 341) >> c
        i, rest = x >> 8, x & 255
        profile[NOISE_PROFILE_OF_WIDTH * c + (d >> min(c + 1, 3))] = env[i] + (((env[i + 1] - env[i]) * rest) >> 8)
    return profile


def _tone_in_frame(supports_in_frames: float) -> float:
    """What a noise frame, its window squared, holds of the energy of a tone in its middle, by the energy of a wave of
    the tone's peak in half a frame."""
    time = (np.arange(1 << 14) + 0.5) / (1 << 13) - 1
    height = np.interp(time / supports_in_frames + 0.5, np.arange(33) / 32, envelope() / 32767, left=0, right=0)
    return float(np.mean((height * np.cos(np.pi / 2 * time)) ** 2)) * 2


def residual_share() -> npt.NDArray[np.int64]:
    """SHARE, shape (15,): round(128 log2(the mean over a frame of (e w)^2, doubled)), w = its window, e = the envelope,
    in the middle of the frame, of a tone of 2^(i - 4) times N samples."""
    return np.array(
        [round(128 * math.log2(_tone_in_frame(2.0 ** (i + RESIDUAL_SHORTEST_SCALE)))) for i in range(RESIDUAL_SCALES)]
    )


def residual_curvature() -> npt.NDArray[np.int64]:
    """CURVATURE, shape (15,): round(max(1, r^2) / (0.693 (0.0179 r^2 + 0.13))), r = 2^(i - 4): how the level falls
    with the distance of the middles of a tone and a frame, in 1/32 of the longer one, squared, in 1/16; variances of
    the envelope and the window, both squared, are 0.0179 supports^2 and 0.13 N^2."""
    ratio = 2.0 ** (np.arange(RESIDUAL_SCALES) + RESIDUAL_SHORTEST_SCALE)
    return np.rint(np.maximum(1, ratio**2) / (math.log(2) * (0.0179 * ratio**2 + 0.13))).astype(np.int64)


def residual_sum() -> npt.NDArray[np.int64]:
    """SUM, shape (10,): round(128 log2(1 + 2^-(i + 1/2) / 2)): what a level that is i / 4 octaves lower adds."""
    return np.rint(128 * np.log2(1 + 2.0 ** (-(np.arange(10) + 0.5) / 2))).astype(np.int64)


def residual_cut() -> npt.NDArray[np.int64]:
    """CUT, shape (16,): round(-32 log2(v)), v = the standard deviation of a normal variable that lies within t of 0, as
    t = 0.85 / 2^((i + 1/2) / 2 - 2): how much softer what was quantised to 0 is."""
    out = []
    for i in range(RESIDUAL_CLASSES):
        t = 0.85 / 2 ** ((i + 0.5) / 2 - 2)
        density = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
        variance = 1 - 2 * t * density / math.erf(t / math.sqrt(2))
        out.append(round(-32 * math.log2(math.sqrt(variance))))
    return np.array(out)


def residual_prior() -> npt.NDArray[np.int64]:
    """Initial probabilities of the residual's contexts, 1/4096, shape (contexts,): 128 times the number of the
    neighbourhood, from 1 on, of coefficients; 1024 for magnitudes and fine levels; 2048 for the rest."""
    prior = np.full(RESIDUAL_CONTEXTS, 1024, np.int64)
    prior[RESIDUAL_FRAME:RESIDUAL_ZERO] = 2048
    prior[RESIDUAL_LEVEL_SIGN:RESIDUAL_LEVEL_MAGNITUDE] = 2048
    prior[RESIDUAL_ZERO:RESIDUAL_MAGNITUDE] = np.tile(128 * (np.arange(RESIDUAL_NEIGHBOURHOODS) + 1), RESIDUAL_CLASSES)
    return prior


def tone_side_prior() -> npt.NDArray[np.int64]:
    """Initial probabilities, 1/4096, of the contexts of a tone's side, shape (TONE_SIDE_CONTEXTS,): of whether there is
    one 256 times the number of the tone's class, from 1 on, and 1024 more after a tone that has one; 2048 for the
    rest."""
    prior = np.full(TONE_SIDE_CONTEXTS, 2048, np.int64)
    of_class = 256 * (np.arange(SIDE_CLASSES) + 1)
    prior[SIDE_PRESENT:SIDE_AMPLITUDE] = np.concatenate([of_class, of_class + 1024])
    return prior


def noise_side_prior() -> npt.NDArray[np.int64]:
    """The same of the contexts of a noise's weights in the side, shape (NOISE_SIDE_CONTEXTS,): 1024 of whether there is
    one, 3072 after a noise that has one; 2048 for the rest."""
    prior = np.full(SIDE_WEIGHT_CONTEXTS, 2048, np.int64)
    prior[SIDE_WEIGHT_PRESENT:SIDE_WEIGHT_SIGN] = 1024, 3072
    return np.tile(prior, 2)


# Tones (SPEC 4.2): the contexts of one scale, by their offset.
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

# Noises (SPEC 5.1 and 5.2): the contexts come after those of the tones, first those of each spread in time.
NOISE_SCALES = 6
NOISE_SHORTEST_SUPPORT = 4
"""Frames that a noise Gaussian of scale 0 lasts."""
NOISE_WIDTHS = 4
NOISE_NARROWEST_SUPPORT = 3
"""Bark that a noise Gaussian of width 0 covers."""
NOISE_PLACES_LOG2 = 5
"""Log2 of the places on the Bark axis for width 0; each width has half as many as the one before."""
NOISE_MORE = 0
NOISE_WIDTH = NOISE_MORE + MORE_ACTIVITIES * MORE_PLACES
CONTEXTS_PER_NOISE_SCALE = NOISE_WIDTH + NOISE_WIDTHS - 1
NOISE_PLACE = NOISE_SCALES * CONTEXTS_PER_NOISE_SCALE
NOISE_SIGN = NOISE_PLACE + (2 << NOISE_PLACES_LOG2) - (2 << (NOISE_PLACES_LOG2 - NOISE_WIDTHS)) - NOISE_WIDTHS
NOISE_WEIGHT = NOISE_SIGN + NOISE_WIDTHS
NOISE_WEIGHT_EXPONENT = 5
NOISE_WEIGHT_CONTEXTS = 2 * NOISE_WEIGHT_EXPONENT
NOISE_CONTEXTS = NOISE_WEIGHT + NOISE_WIDTHS * NOISE_WEIGHT_CONTEXTS
LARGEST_NOISE_WEIGHT = (2 << NOISE_WEIGHT_EXPONENT) - 1

NOISE_PROFILE_OF_WIDTH = 12
"""Values in the profile of a width of noise; the widest has twice as many."""

BARK_BANDS = 25
GAIN_STEPS = 32

# The residual layer (SPEC 8): its contexts, by their offset, come after those of all kinds.
RESIDUAL_CLASSES, RESIDUAL_NEIGHBOURHOODS, RESIDUAL_MAGNITUDES = 16, 6, 8
RESIDUAL_FIRST_RATIO = -512
"""Level of the noise above the step, 256 an octave, from which on a cell has coefficients."""
RESIDUAL_LONGEST_UNARY = 15
RESIDUAL_FRAME = 0
RESIDUAL_ZERO = RESIDUAL_FRAME + 2
RESIDUAL_MAGNITUDE = RESIDUAL_ZERO + RESIDUAL_CLASSES * RESIDUAL_NEIGHBOURHOODS
RESIDUAL_LEVEL_ZERO = RESIDUAL_MAGNITUDE + 2 * RESIDUAL_MAGNITUDES
RESIDUAL_LEVEL_SIGN = RESIDUAL_LEVEL_ZERO + 6
RESIDUAL_LEVEL_MAGNITUDE = RESIDUAL_LEVEL_SIGN + 3
RESIDUAL_LEVEL_MAGNITUDES = 2
RESIDUAL_CONTEXTS = RESIDUAL_LEVEL_MAGNITUDE + RESIDUAL_LEVEL_MAGNITUDES
RESIDUAL_SHORTEST_SCALE = -4
"""Logarithm of the shortest support of a tone in noise frames."""
RESIDUAL_SCALES = 15

# Two channels (SPEC 10.2): contexts of a tone's side and of a noise's weights in the side, by their offset; they come
# after those of all kinds, and no table set has a prior for them.
SIDE_CLASSES = 8
"""Of the amplitude of the tone that may have a side, by the bits of its phase."""
SIDE_AMPLITUDE_EXPONENT = 9
LARGEST_SIDE_AMPLITUDE = (2 << SIDE_AMPLITUDE_EXPONENT) - 1
SIDE_AMPLITUDE_CONTEXTS = 2 * SIDE_AMPLITUDE_EXPONENT
SIDE_PRESENT = 0
SIDE_AMPLITUDE = SIDE_PRESENT + 2 * SIDE_CLASSES
TONE_SIDE_CONTEXTS = SIDE_AMPLITUDE + SIDE_CLASSES // 2 * SIDE_AMPLITUDE_CONTEXTS
SIDE_WEIGHT_PRESENT = 0
SIDE_WEIGHT_SIGN = SIDE_WEIGHT_PRESENT + 2
SIDE_WEIGHT_SIZE = SIDE_WEIGHT_SIGN + 1
SIDE_WEIGHT_CONTEXTS = SIDE_WEIGHT_SIZE + NOISE_WEIGHT_CONTEXTS
NOISE_SIDE_CONTEXTS = 2 * SIDE_WEIGHT_CONTEXTS
LARGEST_SIDE_STEP = 15

FEWEST_PHASE_BITS = 3
PHASE_LIMITS = (3, 5, 10, 20, 40, 80, 160)
"""Amplitude indices from which the phase has one more bit: the smallest 2^m >= 3 that keeps the tangential step
2 pi (q + 3/8) / 2^m near 1.4 amplitude steps, so the complex amplitude is quantised evenly (SPEC 4.1)."""
UNTRAINED_PRIOR = 128
"""Even chances, and no bits seen: contexts that training never met, or that no stream can meet."""
PRIORS_FILE = Path(__file__).with_name("priors.json")


def phase_bits() -> npt.NDArray[np.int64]:
    """Bits of the phase index for amplitude index 0..LARGEST_AMPLITUDE."""
    q = np.arange(LARGEST_AMPLITUDE + 1)
    return FEWEST_PHASE_BITS + np.searchsorted(PHASE_LIMITS, q, side="right")


@functools.cache
def priors() -> npt.NDArray[np.int64]:
    """PRIOR, shape (table sets, contexts of all kinds): bytes, probability of a 1 in 1/64 in the high 6 bits, index
    into START_COUNT in the low 2. Trained by `python -m audio_gs.encoder.train_priors`."""
    return read_priors(PRIORS_FILE)


def read_priors(path: Path, contexts: int | None = None) -> npt.NDArray[np.int64]:
    """The trained table in a file of JSON, a list of bytes by the name of each table set: so many, or without
    `contexts` the same number in each.

    Raises ValueError for a file that holds anything else, and OSError.
    """
    stored = json.loads(path.read_text())
    if not isinstance(stored, dict) or set(stored) != set(TABLE_SETS):
        raise ValueError(f"{path} does not hold the table sets {', '.join(TABLE_SETS)}")
    for name, values in stored.items():
        if contexts is None and isinstance(values, list):
            contexts = len(values)
        is_table = isinstance(values, list) and len(values) == contexts
        if not is_table or not all(type(value) is int and 0 <= value <= 255 for value in values):
            raise ValueError(f"{path} does not hold {contexts} bytes for {name}")
    table = np.array([stored[name] for name in TABLE_SETS], np.int64)
    table.flags.writeable = False
    return table


def unused_prior() -> int:
    """The first byte that is in no prior, which stands for a run in `packed_priors`.

    Raises ValueError if there is none.
    """
    unused = np.setdiff1d(np.arange(256), priors())
    if len(unused) == 0:
        raise ValueError("the priors have every byte, so that none is left to stand for a run")
    return int(unused[0])


def packed_prior(prior: npt.NDArray[np.int64]) -> list[int]:
    """Prior bytes as a smaller C decoder has them: three of UNTRAINED_PRIOR or more in a row, up to 255, are
    `unused_prior` and their number."""
    packed: list[int] = []
    for value, of_them in itertools.groupby(prior.tolist()):
        count = len(list(of_them))
        while value == UNTRAINED_PRIOR and count >= 3:
            packed += [unused_prior(), min(count, 255)]
            count -= packed[-1]
        packed += [value] * count
    return packed


def contexts_of_prior(prior: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
    """The contexts that prior bytes stand for."""
    probability = (prior >> 2) * 64 + 32
    return ((probability << 4) | np.array(START_COUNT)[prior & 3]).astype(np.uint16)


@dataclasses.dataclass(frozen=True)
class Table:
    """A fixed table as it is handed out: in C, and by gs-export tables."""

    name: str
    values: npt.NDArray[np.int64]
    c_type: str
    formula: str
    """In one line; what it says of names in C holds for all forms."""
    q: int | None = None
    """Bits behind the binary point; None: the values are plain integers."""
    array_in_c: bool = True
    """False: C has it in another form, such as one of `constants` for each value."""
    smaller_in_c: str | None = None
    """The table of `smaller_tables` that C has in its place unless GS_WHOLE_COSINE is 1."""
    reckoned_in_c: bool = False
    """C has it only where GS_WHOLE_TABLES is 1, and makes its values when they are needed elsewhere."""
    shared_in_c: bool = False
    """More than one of the C decoder's files reads it, so that only one of them may contain it."""

    @property
    def stored(self) -> npt.NDArray[Any]:
        """The values in their type of C, little-endian. Raises ValueError if they do not fit."""
        kind = np.dtype(self.c_type.removesuffix("_t"))
        limits = np.iinfo(kind)
        if self.values.min() < limits.min or self.values.max() > limits.max:
            raise ValueError(f"the table {self.name} does not fit {self.c_type}")
        return self.values.astype(kind.newbyteorder("<"))

    @property
    def q_format(self) -> str | None:
        """Q15 and the like; None for plain integers."""
        return None if self.q is None else f"Q{self.q}"


def quarter_cosine() -> npt.NDArray[np.int64]:
    """A quarter of it with both ends, Q14, shape (257,)."""
    return cosine()[: COSINE_STEPS // 4 + 1]


def all_tables() -> tuple[Table, ...]:
    """Every table, in the order of the C header."""
    return (
        Table(
            "envelope",
            envelope(),
            "int16_t",
            "round(32767 (exp(-x^2/2) - c) / (1 - c)), x = 2.5 (i - 16)/16, c = exp(-2.5^2/2)",
            q=15,
            shared_in_c=True,
        ),
        Table(
            "cosine",
            cosine(),
            "int16_t",
            "round(16384 cos(2 pi i / 1024))",
            q=14,
            shared_in_c=True,
            smaller_in_c="quarter_cosine",
        ),
        Table(
            "half_band",
            half_band(),
            "int16_t",
            "round(4096 sinc(x) kaiser(x) / s), x = i + 1/2, kaiser(x) = I0(5.25 sqrt(1 - x^2/16)), s = 2 times the "
            "sum of sinc(x) kaiser(x); the first is what makes their sum 2048",
            q=12,
            array_in_c=False,
        ),
        Table("bark_hz", bark_hz(), "uint16_t", "round(1960 (z + 0.53) / (26.28 - z)), z = i + 0.5"),
        Table("gain", gain(), "uint16_t", "round(8192 * 2^(i / 32))", q=13, shared_in_c=True),
        Table(
            "noise_profile",
            noise_profile(),
            "uint16_t",
            "a noise over Bark at every d that occurs, as SPEC 5.3 interpolates it",
            shared_in_c=True,
            reckoned_in_c=True,
        ),
        Table(
            "residual_share",
            residual_share(),
            "int16_t",
            "128 log2 of what a noise frame holds of a tone of 2^(i - 4) frames in its middle",
        ),
        Table(
            "residual_curvature",
            residual_curvature(),
            "uint8_t",
            "round(max(1, r^2) / (0.693 (0.0179 r^2 + 0.13))), r = 2^(i - 4): how that falls beside its middle",
        ),
        Table(
            "residual_sum",
            residual_sum(),
            "uint8_t",
            "round(128 log2(1 + 2^-(i + 1/2) / 2)): what a level that is i / 4 octaves lower adds",
        ),
        Table(
            "residual_cut",
            residual_cut(),
            "uint8_t",
            "round(-32 log2(v)), v = deviation of a normal variable within t of 0, t = 0.85 / 2^((i + 1/2) / 2 - 2)",
        ),
        Table(
            "adaptation_shift",
            np.array(ADAPTATION_SHIFT),
            "uint8_t",
            "near the running mean, 1 / (n + 1.5), down to 1/32",
        ),
        Table("start_count", np.array(START_COUNT), "uint8_t", "counts that priors start with"),
        Table(
            "phase_limits",
            np.array(PHASE_LIMITS),
            "uint8_t",
            "amplitude indices from which the phase has one more bit",
        ),
        Table(
            "prior",
            priors(),
            "uint8_t",
            "trained: probability of a 1 in 1/64 in the high 6 bits, index into gs_start_count in the low 2",
            array_in_c=False,
        ),
    )


def smaller_tables() -> tuple[Table, ...]:
    """Those from which C reckons others, in builds where size is all that counts."""
    return (
        Table(
            "quarter_cosine",
            quarter_cosine(),
            "int16_t",
            "round(16384 cos(2 pi i / 1024))",
            q=14,
            shared_in_c=True,
        ),
    )


_SHARED_TABLES = """\
/* Tables that several files of a program read are in the one that defines GS_SHARED_TABLES_HERE before it includes this
 * header, where the others define GS_SHARED_TABLES_ELSEWHERE; with neither, in each file. */
#ifdef GS_SHARED_TABLES_HERE
#define GS_SHARED_TABLE
#else
#define GS_SHARED_TABLE static
#endif
"""


def _rows(values: Iterable[int]) -> str:
    flat = [str(value) for value in values]
    return ",\n".join("    " + ", ".join(flat[start : start + 16]) for start in range(0, len(flat), 16))


def _c_array(table: Table) -> str:
    flat = table.stored.ravel().tolist()
    comment = table.formula if table.q_format is None else f"{table.q_format}: {table.formula}"
    declaration = f"const {table.c_type} gs_{table.name}[{len(flat)}]"
    values = f" = {{\n{_rows(flat)}\n}};\n"
    if not table.shared_in_c:
        return f"/* {comment} */\nstatic {declaration}{values}"
    elsewhere = f"#ifdef GS_SHARED_TABLES_ELSEWHERE\nextern {declaration};\n#else\n"
    return f"/* {comment} */\n{elsewhere}GS_SHARED_TABLE {declaration}{values}#endif\n"


def _c_priors() -> str:
    """Those of each table set under a condition of its own: whole, or packed, with where each set begins."""
    (table,) = (table for table in all_tables() if table.name == "prior")
    whole, packed, places = [], [], []
    place = "0"
    for number, prior in enumerate(priors()):
        condition = f"#if GS_HAS_TABLE_SET({number})\n{{}},\n#endif\n"
        whole.append(condition.format(_rows(prior.tolist())))
        packed.append(condition.format(_rows(packed_prior(prior))))
        places.append(condition.format(f"    {place}"))
        place += f" + {len(packed_prior(prior))} * GS_HAS_TABLE_SET({number})"
    return (
        f"/* {table.formula} */\n"
        f"#if GS_WHOLE_TABLES\nstatic const uint8_t gs_prior[] = {{\n{''.join(whole)}}};\n"
        f"#else\nstatic const uint8_t gs_prior[] = {{\n{''.join(packed)}}};\n\n"
        f"/* Where each table set begins in it. */\n"
        f"static const uint16_t gs_prior_at[] = {{\n{''.join(places)}}};\n#endif\n"
    )


def _c_tables() -> Iterator[str]:
    smaller = {table.name: table for table in smaller_tables()}
    for table in all_tables():
        if table.smaller_in_c is not None:
            in_its_place = _c_array(smaller[table.smaller_in_c])
            yield f"#if GS_WHOLE_COSINE\n{_c_array(table)}#else\n{in_its_place}#endif\n"
        elif table.reckoned_in_c:
            yield f"#if GS_WHOLE_TABLES\n{_c_array(table)}#endif\n"
        elif table.array_in_c:
            yield _c_array(table)


def constants() -> dict[str, int]:
    """The constants of the C header by their names there."""
    return {
        "GS_COSINE_STEPS": COSINE_STEPS,
        "GS_ENVELOPE_SEGMENTS": ENVELOPE_SEGMENTS,
        "GS_HALF_SQRT2_Q16": HALF_SQRT2_Q16,
        "GS_OCTAVES": OCTAVES,
        "GS_BLOCK_SAMPLES": RENDER_BLOCK,
        "GS_WARM_UP_BLOCKS": WARM_UP_BLOCKS,
        "GS_OCTAVE_INCREMENT": OCTAVE_INCREMENT,
        "GS_OCTAVE_SCALE": OCTAVE_SCALE,
        "GS_HALF_BAND_TAPS": HALF_BAND_TAPS,
        **{f"GS_HALF_BAND_{i}": tap for i, tap in enumerate(half_band().tolist())},
        "GS_MAX_SCALES": MAX_SCALES,
        "GS_TABLE_SETS": len(TABLE_SETS),
        "GS_UNTRAINED_PRIOR": UNTRAINED_PRIOR,
        "GS_PRIOR_CONTEXTS": priors().shape[1],
        "GS_PRIOR_RUN": unused_prior(),
        "GS_TONE_CONTEXT_MORE": MORE,
        "GS_MORE_ACTIVITIES": MORE_ACTIVITIES,
        "GS_MORE_PLACES": MORE_PLACES,
        "GS_TONE_CONTEXT_FIRST_BIN": FIRST_BIN,
        "GS_TONE_CONTEXT_NEXT_BIN": NEXT_BIN,
        "GS_TONE_CONTEXT_AMPLITUDE": AMPLITUDE,
        "GS_GAMMA_LENGTHS": GAMMA_LENGTHS,
        "GS_GAMMA_TOPS": GAMMA_TOPS,
        "GS_TONE_CONTEXTS_PER_SCALE": CONTEXTS_PER_SCALE,
        "GS_TONE_AMPLITUDE_EXPONENT": AMPLITUDE_EXPONENT,
        "GS_FEWEST_PHASE_BITS": FEWEST_PHASE_BITS,
        "GS_PHASE_LIMITS": len(PHASE_LIMITS),
        "GS_NOISE_SCALES": NOISE_SCALES,
        "GS_NOISE_SHORTEST_SUPPORT": NOISE_SHORTEST_SUPPORT,
        "GS_NOISE_WIDTHS": NOISE_WIDTHS,
        "GS_NOISE_PLACES_LOG2": NOISE_PLACES_LOG2,
        "GS_NOISE_CONTEXT_MORE": NOISE_MORE,
        "GS_NOISE_CONTEXT_WIDTH": NOISE_WIDTH,
        "GS_NOISE_CONTEXTS_PER_SCALE": CONTEXTS_PER_NOISE_SCALE,
        "GS_NOISE_CONTEXT_PLACE": NOISE_PLACE,
        "GS_NOISE_CONTEXT_SIGN": NOISE_SIGN,
        "GS_NOISE_CONTEXT_WEIGHT": NOISE_WEIGHT,
        "GS_NOISE_WEIGHT_EXPONENT": NOISE_WEIGHT_EXPONENT,
        "GS_NOISE_WEIGHT_CONTEXTS": NOISE_WEIGHT_CONTEXTS,
        "GS_NOISE_CONTEXTS": NOISE_CONTEXTS,
        "GS_NOISE_PROFILE_OF_WIDTH": NOISE_PROFILE_OF_WIDTH,
        "GS_BARK_BANDS": BARK_BANDS,
        "GS_GAIN_STEPS": GAIN_STEPS,
        "GS_SIDE_CLASSES": SIDE_CLASSES,
        "GS_SIDE_AMPLITUDE_EXPONENT": SIDE_AMPLITUDE_EXPONENT,
        "GS_SIDE_CONTEXT_PRESENT": SIDE_PRESENT,
        "GS_SIDE_CONTEXT_AMPLITUDE": SIDE_AMPLITUDE,
        "GS_SIDE_AMPLITUDE_CONTEXTS": SIDE_AMPLITUDE_CONTEXTS,
        "GS_TONE_SIDE_CONTEXTS": TONE_SIDE_CONTEXTS,
        "GS_SIDE_WEIGHT_CONTEXT_PRESENT": SIDE_WEIGHT_PRESENT,
        "GS_SIDE_WEIGHT_CONTEXT_SIGN": SIDE_WEIGHT_SIGN,
        "GS_SIDE_WEIGHT_CONTEXT_SIZE": SIDE_WEIGHT_SIZE,
        "GS_SIDE_WEIGHT_CONTEXTS": SIDE_WEIGHT_CONTEXTS,
        "GS_NOISE_SIDE_CONTEXTS": NOISE_SIDE_CONTEXTS,
        "GS_LARGEST_SIDE_STEP": LARGEST_SIDE_STEP,
        "GS_RESIDUAL_CLASSES": RESIDUAL_CLASSES,
        "GS_RESIDUAL_NEIGHBOURHOODS": RESIDUAL_NEIGHBOURHOODS,
        "GS_RESIDUAL_MAGNITUDES": RESIDUAL_MAGNITUDES,
        "GS_RESIDUAL_LONGEST_UNARY": RESIDUAL_LONGEST_UNARY,
        "GS_RESIDUAL_FIRST_RATIO": RESIDUAL_FIRST_RATIO,
        "GS_RESIDUAL_SHORTEST_SCALE": RESIDUAL_SHORTEST_SCALE,
        "GS_RESIDUAL_SUMS": len(residual_sum()),
        "GS_RESIDUAL_CONTEXT_FRAME": RESIDUAL_FRAME,
        "GS_RESIDUAL_CONTEXT_ZERO": RESIDUAL_ZERO,
        "GS_RESIDUAL_CONTEXT_MAGNITUDE": RESIDUAL_MAGNITUDE,
        "GS_RESIDUAL_CONTEXT_LEVEL_ZERO": RESIDUAL_LEVEL_ZERO,
        "GS_RESIDUAL_CONTEXT_LEVEL_SIGN": RESIDUAL_LEVEL_SIGN,
        "GS_RESIDUAL_CONTEXT_LEVEL_MAGNITUDE": RESIDUAL_LEVEL_MAGNITUDE,
        "GS_RESIDUAL_CONTEXTS": RESIDUAL_CONTEXTS,
    }


def c_header() -> str:
    """The text of decoder_c/src/gs_tables.h."""
    parts = [
        "/* Generated by `python -m audio_gs.codec.tables`; do not edit. */",
        '#ifndef GS_TABLES_H\n#define GS_TABLES_H\n\n#include "gs_platform.h"\n',
        "".join(f"#define {name} {value if value >= 0 else f'({value})'}\n" for name, value in constants().items()),
        _SHARED_TABLES,
        *_c_tables(),
        _c_priors(),
        "#endif",
    ]
    return "\n".join(parts) + "\n"


def main() -> int:
    """Writes the C header, or with --check compares it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m audio_gs.codec.tables", description="Make the tables of C.")
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 if they differ")
    parser.add_argument("--priors", type=Path, metavar="FILE", help="take the trained table from FILE from now on")
    asked = parser.parse_args()
    path = Path(__file__).parents[2] / "decoder_c" / "src" / "gs_tables.h"
    if not path.is_file():
        return _failed(f"{path} does not exist; run this in a source tree")
    if asked.check:
        if path.read_text() != c_header():
            return _failed(f"{path.name} is not what {Path(__file__).name} makes; run python -m audio_gs.codec.tables")
        return 0
    if asked.priors is not None:
        try:
            read_priors(asked.priors, contexts=priors().shape[1])
        except (OSError, ValueError) as error:
            return _failed(str(error))
        PRIORS_FILE.write_text(asked.priors.read_text())
        priors.cache_clear()
    path.write_text(c_header())
    return 0


def _failed(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
