"""The Gaussians of a clip as rows to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.gaussians import pans

from .clip import GaussianClip
from .selection import ALL, Selection

_FAINTEST = 1e-12


def rows(clip: GaussianClip, selection: Selection = ALL) -> Iterator[dict[str, Any]]:
    """Each Gaussian that is selected, in the order of the stream, and then each coefficient of the residual layer.

    A row has its kind, its number in the table, its middle in seconds and hertz, standard deviations, its level in dB
    (of a tone under full scale, of a noise what it adds), the phase of a tone in radians, in a clip of two channels its
    pan from left, -1, to right, 1, and the stream's integers.
    """
    header = clip.header
    pan = pans(Gaussians(tone=clip.tones, noise=clip.noises), header) if header.channels == 2 else {}
    for kind, table, chosen in (
        (TONE, clip.tones, selection.of_tones(clip.tones, header)),
        (NOISE, clip.noises, selection.of_noises(clip.noises, header)),
    ):
        units = kind.physical(table, header)
        for number in np.flatnonzero(chosen):
            unit, weight = units[number], float(units["weight"][number])
            row = {
                "kind": kind.name,
                "number": int(number),
                "time": float(unit["time"]),
                "frequency": float(unit["frequency"]),
                "spread_time": float(unit["spread_time"]),
                "spread_frequency": float(unit["spread_frequency"]),
                "level_db": 20 * float(np.log10(max(weight, _FAINTEST))) if kind is TONE else weight,
            }
            if kind is TONE:
                row["phase"] = float(unit["phase"])
            if kind.name in pan:
                row["pan"] = round(float(pan[kind.name][number]), 4)
            names = kind.columns(header.panning is not None)
            yield {**row, "coded": {name: int(table[name][number]) for name in names}}
    coefficients = clip.carried.coefficients
    if header.noise is None:
        return
    size = header.noise.frame_samples
    for number in np.flatnonzero(selection.of_coefficients(coefficients, header)):
        frame, place, amplitude = (coefficients[name][number] for name in ("frame", "bin", "amplitude"))
        yield {
            "kind": "residual",
            "number": int(number),
            "time": float(frame * size / header.sample_rate),
            "frequency": float((place + 0.5) * header.sample_rate / (2 * size)),
            "level_db": 20 * float(np.log10(max(abs(amplitude) * np.sqrt(2 / size) / 32768, _FAINTEST))),
            "coded": {"frame": int(frame), "bin": int(place)},
        }
