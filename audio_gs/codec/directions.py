"""What two ears hear of a direction (SPEC 11.2): the table fitted to a measured head, and what it says. Integer.

`python -m audio_gs.codec.directions` writes it for C; `audio_gs.spatial.direction_table` makes it."""

from __future__ import annotations

import argparse
import functools
import json
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .tables import COSINE_STEPS, bark_hz, cosine

Integers = npt.NDArray[np.int64]

DEGREE = 5
"""Of the harmonics of levels."""
COMPONENTS = 6
"""Products of a shape over bands and a function of direction that levels are sums of."""
DELAY_DEGREE = 3
ORDER = tuple((n, s * m) for m in range(DEGREE + 1) for n in range(m, DEGREE + 1) for s in ((1, -1) if m else (1,)))
"""Degree and order of the harmonics; those of a negative order have the other sign for the other ear."""
DELAY_ORDER = tuple((n, m) for n, m in ORDER if m < 0 and n <= DELAY_DEGREE)
"""Those of delays."""

DIRECTIONS_FILE = Path(__file__).with_name("directions.json")

LOWEST_LEVEL, HIGHEST_LEVEL = -2048, 1023
ONE = 1 << 14
"""Of a direction's coordinates."""


def delay_harmonics() -> list[int]:
    """The places of `DELAY_ORDER` in `ORDER`."""
    return [ORDER.index(harmonic) for harmonic in DELAY_ORDER]


class Directions(NamedTuple):
    """The table, all bytes."""

    shapes: Integers
    """Over the bands, shape (COMPONENTS, bands)."""
    functions: Integers
    """Of the direction, shape (COMPONENTS, harmonics), in the order of `ORDER`."""
    shifts: Integers
    """By how much they are shifted to the right, shape (COMPONENTS,)."""
    delays_low: Integers
    """Of the right ear behind the left one at low frequencies, shape (len(DELAY_ORDER),), in 2^-17 s.."""
    delays_high: Integers
    """..and at high ones."""


@functools.cache
def directions() -> Directions:
    """The table of the decoder."""
    rows = json.loads(DIRECTIONS_FILE.read_text())
    return Directions(*(np.array(rows[name], np.int64) for name in Directions._fields))


class Ears(NamedTuple):
    """What both ears hear of a direction."""

    levels: Integers
    """Of left and right by band, shape (2, bands), 256 an octave of amplitude."""
    delay_low: int
    """By which the right ear hears later than the left one at low frequencies, in 2^-20 s.."""
    delay_high: int
    """..and at high ones."""


def _cosine(angle: int) -> int:
    return int(cosine()[((angle + 32) >> 6) % COSINE_STEPS])


def _sine(angle: int) -> int:
    return _cosine(angle - ONE)


def _sum(a: int, b: int, c: int = 0, d: int = 0) -> int:
    """Of two products, back to 14 bits."""
    return (a * b + c * d + (ONE >> 1)) >> 14


def in_head(azimuth: int, elevation: int, yaw: int, pitch: int, roll: int) -> tuple[int, int, int]:
    """A source's direction as the head has it: x to the front, y to the left, z up, 1/16384. Angles are 65536 a
    turn."""
    x = _sum(_cosine(azimuth - yaw), _cosine(elevation))
    y = _sum(_sine(azimuth - yaw), _cosine(elevation))
    z = _sine(elevation)
    x, z = _sum(x, _cosine(pitch), z, _sine(pitch)), _sum(z, _cosine(pitch), -x, _sine(pitch))
    y, z = _sum(y, _cosine(roll), z, _sine(roll)), _sum(z, _cosine(roll), -y, _sine(roll))
    return x, y, z


def recursion_factor(n: int, m: int) -> int:
    """What the harmonic of degree n has of that of degree n - 2, in 1/16384."""
    return (65536 * ((n - 1) ** 2 - m**2)) // ((2 * n - 1) * (2 * n - 3))


def harmonics(x: int, y: int, z: int) -> Integers:
    """The harmonics of a direction in the order of `ORDER`, about 1/16384."""
    values = []
    cosine_m, sine_m = ONE, 0
    for m in range(DEGREE + 1):
        before, here = 0, ONE
        for n in range(m, DEGREE + 1):
            if n > m:
                factor = recursion_factor(n, m)
                before, here = here, ((z * here) >> 13) - ((factor * before) >> 14)
            values.append((here * cosine_m) >> 14)
            if m:
                values.append((here * sine_m) >> 14)
        cosine_m, sine_m = _sum(x, cosine_m, -y, sine_m), _sum(x, sine_m, y, cosine_m)
    return np.array(values, np.int64)


def ears_of(azimuth: int, elevation: int, yaw: int, pitch: int, roll: int) -> Ears:
    """What ears hear of a source at an azimuth and elevation, of a head that is turned so."""
    table = directions()
    values = harmonics(*in_head(azimuth, elevation, yaw, pitch, roll))
    is_odd = np.array([m < 0 for _, m in ORDER])
    levels = []
    for sign in (1, -1):
        of_components = (table.functions * np.where(is_odd, sign * values, values)).sum(axis=1) >> table.shifts
        levels.append((of_components @ table.shapes + 128) >> 8)
    of_delays = values[delay_harmonics()]
    low, high = (int((row * of_delays).sum()) >> 11 for row in (table.delays_low, table.delays_high))
    return Ears(np.clip(np.array(levels), LOWEST_LEVEL, HIGHEST_LEVEL), low, high)


LOW_HZ, HIGH_HZ = 384, 1408
"""Up to which, and from which on, delays are those of low and of high frequencies."""


def levels_at(ears: Ears, hertz: Integers) -> Integers:
    """Levels of left and right at frequencies, shape (2, n): straight lines between the bands' centres."""
    centres = bark_hz().astype(np.int64)
    at = np.clip(np.searchsorted(centres, hertz, side="right") - 1, 0, len(centres) - 2)
    place = ((np.clip(hertz, centres[0], centres[-1]) - centres[at]) << 8) // (centres[at + 1] - centres[at])
    left = ears.levels[:, at]
    return left + (((ears.levels[:, at + 1] - left) * place) >> 8)


def delay_at(ears: Ears, hertz: Integers) -> Integers:
    """By how much the right ear hears frequencies later than the left one, in 2^-20 s."""
    above = np.clip(hertz - LOW_HZ, 0, HIGH_HZ - LOW_HZ)
    return ears.delay_low + (((ears.delay_high - ears.delay_low) * above) >> 10)


def _rows(name: str, kind: str, values: Iterable[Any], size: str) -> str:
    numbers = ", ".join(str(int(value)) for value in values)
    lines = textwrap.fill(numbers, 120, initial_indent="    ", subsequent_indent="    ")
    return f"static const {kind} {name}[{size}] = {{\n{lines}\n}};\n"


def c_header() -> str:
    """The text of decoder_c/src/gs_directions.h."""
    table = directions()
    return "\n".join(
        [
            "/* Generated by `python -m audio_gs.codec.directions`; do not edit. */",
            "#ifndef GS_DIRECTIONS_H\n#define GS_DIRECTIONS_H\n\n#include <stdint.h>\n",
            f"#define GS_DIRECTION_DEGREE {DEGREE}u\n#define GS_DIRECTION_COMPONENTS {COMPONENTS}u",
            f"#define GS_DIRECTION_HARMONICS {len(ORDER)}u\n#define GS_DIRECTION_DELAY_DEGREE {DELAY_DEGREE}u",
            f"#define GS_DIRECTION_DELAYS {len(DELAY_ORDER)}u\n",
            "/* Of each component, in the order in which gs_listener.c makes the harmonics. */",
            _rows("gs_direction_functions", "int8_t", table.functions.ravel(), "216"),
            "/* Of each component over the bands. */",
            _rows("gs_direction_shapes", "int8_t", table.shapes.ravel(), "150"),
            _rows("gs_direction_shifts", "uint8_t", table.shifts, "6"),
            "/* At low frequencies, then at high ones. */",
            _rows("gs_direction_delays", "int8_t", [*table.delays_low, *table.delays_high], "12"),
            "#endif\n",
        ]
    )


def main() -> int:
    """Writes the C header, or with --check compares it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m audio_gs.codec.directions", description="Make the table of C.")
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 if they differ")
    asked = parser.parse_args()
    path = Path(__file__).parents[2] / "decoder_c" / "src" / "gs_directions.h"
    if asked.check:
        return int(path.read_text() != c_header())
    path.write_text(c_header())
    return 0


if __name__ == "__main__":
    sys.exit(main())
