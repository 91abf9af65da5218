"""The direction table of SPEC 11, fitted to MIT's KEMAR: what each ear hears of a direction, in a few hundred bytes.

    python -m audio_gs.spatial.direction_table [--check]

writes audio_gs/codec/directions.json anew. Levels of the left ear by direction and band are those of the measured
head above the mean power of all directions (headphones have an ear's own resonance already). They are fitted by
spherical harmonics, of these the best products of a shape over bands and a function of direction are taken, and both
rounded to bytes, functions anew after shapes. Delays are those that the phases of both ears tell, below and above
where they change.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audio_gs.codec.directions import (
    COMPONENTS,
    DEGREE,
    DIRECTIONS_FILE,
    ORDER,
    Directions,
    delay_harmonics,
)
from audio_gs.codec.tables import bark_hz

from .bands import Array, bark
from .head import MEASURED_RATE, measured_head, shares

_HORIZON = 6.0
"""By how much more directions at the height of the ears count."""
_DIFFERENCE = 1.5
"""By how much more what ears differ in counts than what they have in common."""
_LAST_HEARD_HZ = 10000
"""Bands above count a quarter."""
_LOW_HZ, _HIGH_HZ = (300.0, 480.0), (1200.0, 4000.0)
_NEARNESS = {_LOW_HZ: 0.001, _HIGH_HZ: 0.3}
"""By how much a delay must agree better that is 0.2 ms off that of the onset."""
_SMALLEST_SHIFT, _LARGEST_SHIFT = 6, 15
_ONE_DECIBEL = 256 / (20 * np.log10(2))
"""In the table's units."""


def levels_of_bands() -> Array:
    """The left ear's levels, dB above the mean power of all directions, shape (directions, bands)."""
    head = measured_head()
    spectra = np.abs(np.fft.rfft(head.responses[:, 0])) ** 2
    place = bark(np.fft.rfftfreq(head.responses.shape[-1], 1 / MEASURED_RATE))
    near = np.clip(1 - np.abs(place[:, None] - (np.arange(len(bark_hz())) + 0.5)), 0, None)
    power = spectra @ near / near.sum(axis=0)
    return 10 * np.log10(power / (shares(head.directions) @ power))


def delays_between(band: tuple[float, float]) -> Array:
    """By how much the right ear hears later in a band of frequencies, seconds, shape (directions,)."""
    head = measured_head()
    frequencies = np.fft.rfftfreq(head.responses.shape[-1], 1 / MEASURED_RATE)
    inside = (frequencies >= band[0]) & (frequencies < band[1])
    spectra = np.fft.rfft(head.responses)[..., inside]
    found = head.delays[:, 1] - head.delays[:, 0]
    both = spectra[:, 1] * np.conj(spectra[:, 0]) * np.exp(-2j * np.pi * frequencies[inside] * found[:, None])
    both /= np.abs(both)
    times = np.linspace(-1.2e-3, 1.2e-3, 1201)
    # Of high frequencies one that is a turn off fits as well: the one near the delay of the onset is meant.
    nearness = _NEARNESS[band] * np.abs(times[None] - 1.1 * found[:, None]) / 2e-4
    agreement = (both @ np.exp(2j * np.pi * np.outer(frequencies[inside], times))).real / inside.sum()
    return np.asarray(times[(agreement - nearness).argmax(axis=1)])


def harmonics_at(directions: Array) -> Array:
    """The table's harmonics, shape (directions, harmonics), in the order of `ORDER`."""
    x, y, z = np.asarray(directions).T
    turn = [np.stack([np.ones_like(x), np.zeros_like(x)])]
    for _ in range(DEGREE):
        cosine, sine = turn[-1]
        turn.append(np.stack([x * cosine - y * sine, x * sine + y * cosine]))
    columns = []
    for n, m in ORDER:
        order = abs(m)
        before, here = np.zeros_like(z), np.ones_like(z)
        for degree in range(order + 1, n + 1):
            factor = 4 * ((degree - 1) ** 2 - order**2) / ((2 * degree - 1) * (2 * degree - 3))
            before, here = here, 2 * z * here - factor * before
        columns.append(here * turn[order][int(m < 0)])
    return np.stack(columns, axis=1)


def fitted() -> Directions:
    """The table."""
    directions = measured_head().directions
    weights = shares(directions) * np.where(np.abs(directions[:, 2]) < 0.02, _HORIZON, 1)
    levels = levels_of_bands() * _ONE_DECIBEL
    heard = np.where(bark_hz() > _LAST_HEARD_HZ, 0.5, 1.0)
    is_odd = np.array([m < 0 for _, m in ORDER])
    basis = harmonics_at(directions) * np.where(is_odd, _DIFFERENCE, 1)
    normal = basis.T @ (weights[:, None] * basis) + 1e-5 * np.eye(len(ORDER))
    full = np.linalg.solve(normal, basis.T @ (weights[:, None] * levels * heard))
    root = np.linalg.cholesky(normal).T
    _, _, shapes = np.linalg.svd(root @ full, full_matrices=False)
    shapes = shapes[:COMPONENTS] / heard
    shapes = np.round(127 * shapes / np.abs(shapes).max(axis=1, keepdims=True))
    of_bands = np.linalg.lstsq((shapes * heard).T, (full * heard**0).T, rcond=None)[0].T
    functions = (of_bands * np.where(is_odd, _DIFFERENCE, 1)[:, None]).T * 256
    shifts = np.floor(np.log2(127 / np.abs(functions).max(axis=1))).astype(int) + 14
    shifts = np.clip(shifts, _SMALLEST_SHIFT, _LARGEST_SHIFT)
    rounded = np.round(functions * 2.0 ** (shifts[:, None] - 14))
    delays = [_delay_functions(delays_between(band), weights) for band in (_LOW_HZ, _HIGH_HZ)]
    return Directions(shapes.astype(int), rounded.astype(int), shifts, *delays)


def _delay_functions(delays: Array, weights: Array) -> npt.NDArray[np.int64]:
    basis = harmonics_at(measured_head().directions)[:, delay_harmonics()]
    normal = basis.T @ (weights[:, None] * basis)
    exact = np.linalg.solve(normal, basis.T @ (weights * delays))
    return np.round(exact * 2**17).astype(np.int64)


def as_json(table: Directions) -> str:
    """The text of the table's file."""
    rows = {name: np.asarray(values).tolist() for name, values in table._asdict().items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in rows.items())
    return "{\n" + lines.replace("], [", "],\n [") + "\n}\n"


def main() -> int:
    """Writes the table's file, or compares it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m audio_gs.spatial.direction_table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 if they differ")
    parser.add_argument("-o", "--output", type=Path, default=DIRECTIONS_FILE, help="in place of the codec's own")
    asked = parser.parse_args()
    text = as_json(fitted())
    if asked.check:
        return int(asked.output.read_text() != text)
    asked.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
