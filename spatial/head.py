"""The head: MIT's KEMAR as it was measured, and a small table of level and delay by direction fitted to it.

Directions are unit vectors in the head's frame: x to the front, y to the left, z up. Ears are left, right.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from .bands import BANDS, Array, bark, from_knots, minimum_phase
from .harmonics import harmonics

MEASURED_RATE = 44100
DEGREE = 4
"""Of the table's spherical harmonics."""
_SIZE = 2048
_FINER = 8
"""Times as fine as samples are delays found."""
_MOST_DELAY = 0.0015
"""Seconds; sound is behind the head after that."""
_REFERENCE_HZ = (200.0, 2000.0)
"""Where a source in front has gain 1."""
_RIDGE = 1e-4


@dataclasses.dataclass(frozen=True)
class MeasuredHead:
    """Impulse responses of a head, at their own rate."""

    directions: Array
    """Shape (directions, 3)."""
    responses: Array
    """Shape (directions, 2, taps), at `MEASURED_RATE`; without the delays."""
    delays: Array
    """Seconds, shape (directions, 2): what comes on top of the minimum phase, 0 for the mean of the ears in front."""


@dataclasses.dataclass(frozen=True)
class HeadTable:
    """Spherical harmonics of the left ear; the right ear's are those of the mirrored direction."""

    levels: Array
    """dB by Bark band, shape (harmonics, bands)."""
    delays: Array
    """Seconds, shape (harmonics,)."""


@functools.cache
def measured_head() -> MeasuredHead:
    """MIT's KEMAR with normal pinnae, from slab's package; 710 directions."""
    slab = _import_slab()
    head = slab.HRTF.kemar()
    azimuth, elevation = np.radians(np.asarray(head.sources.vertical_polar, float)[:, :2]).T
    directions = np.stack(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)], axis=1
    )
    responses = np.stack([np.asarray(one.data, float).T for one in head.data])
    front = int(np.argmax(directions[:, 0]))
    frequencies = np.asarray(np.fft.rfftfreq(_SIZE, 1 / MEASURED_RATE), np.float64)
    spectra = np.fft.rfft(responses, _SIZE)
    inside = (frequencies >= _REFERENCE_HZ[0]) & (frequencies <= _REFERENCE_HZ[1])
    spectra /= np.abs(spectra[front][:, inside]).mean()
    delays = _delays(spectra, frequencies)
    spectra *= np.exp(2j * np.pi * frequencies * delays[..., None])
    delays = delays - delays[front].mean()
    return MeasuredHead(directions, np.fft.irfft(spectra, _SIZE), delays)


def _import_slab() -> Any:
    """slab plays sounds if it finds sounddevice, which fails to import where there is no PortAudio."""
    hidden = sys.modules.get("sounddevice")
    sys.modules["sounddevice"] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import slab
    finally:
        if hidden is None:
            del sys.modules["sounddevice"]
        else:
            sys.modules["sounddevice"] = hidden
    return slab


def responses_at(rate: int) -> Array:
    """The measured responses at another rate, shape (directions, 2, taps); gain in front stays 1."""
    head = measured_head()
    flat = head.responses.reshape(-1, head.responses.shape[-1]).T
    # Responses end in a lead of what lies before time 0: resampled in the middle, so that nothing is cut.
    middle = np.roll(flat, _SIZE // 2, axis=0)
    there = soxr.resample(middle, MEASURED_RATE, rate) * (MEASURED_RATE / rate)
    start = round(_SIZE // 2 * rate / MEASURED_RATE)
    shift = _SIZE / 2 / MEASURED_RATE - start / rate
    taps = start * 2
    there = np.concatenate([there, np.zeros((max(0, taps - len(there)), there.shape[1]))])[:taps]
    spectrum = np.fft.rfft(np.roll(there, -start, axis=0), axis=0)
    spectrum *= np.exp(2j * np.pi * np.fft.rfftfreq(taps, 1 / rate) * shift)[:, None]
    return np.fft.irfft(spectrum, taps, axis=0).T.reshape(*head.responses.shape[:2], taps)


@functools.cache
def head_table() -> HeadTable:
    """The table fitted to the measured head by least squares, each direction weighted by its share of the sphere."""
    head = measured_head()
    frequencies = np.asarray(np.fft.rfftfreq(head.responses.shape[-1], 1 / MEASURED_RATE), np.float64)
    levels = _band_levels(np.fft.rfft(head.responses), frequencies)
    basis = at_directions(head.directions)
    weights = shares(head.directions)[:, None]
    normal = basis.T @ (weights * basis)
    ridge = _RIDGE * np.eye(len(normal))
    return HeadTable(
        np.linalg.solve(normal + ridge, basis.T @ (weights * levels[:, 0])),
        np.linalg.solve(normal, basis.T @ (weights[:, 0] * head.delays[:, 0])),
    )


def at_directions(directions: npt.NDArray[np.floating], degree: int = DEGREE) -> Array:
    """The harmonics at directions of shape (..., 3), shape (..., harmonics)."""
    return np.stack(harmonics(degree, *np.moveaxis(np.asarray(directions, float), -1, 0)), axis=-1)


def _band_levels(spectra: npt.NDArray[np.complexfloating], frequencies: Array) -> Array:
    """Mean power in Bark bands, dB, shape (..., bands)."""
    band = np.floor(bark(frequencies)).astype(int)
    power = np.abs(spectra) ** 2
    return 10 * np.log10(np.stack([power[..., band == number].mean(axis=-1) for number in range(BANDS)], axis=-1))


def _delays(spectra: npt.NDArray[np.complexfloating], frequencies: Array) -> Array:
    """How much later than the minimum phase of its own band levels each response comes, in seconds."""
    to_log = from_knots(frequencies) * (np.log(10) / 20)
    levels = _band_levels(spectra, frequencies)
    ideal = np.exp(levels @ to_log.T + 1j * (levels @ minimum_phase(_SIZE, to_log).T))
    correlation = np.fft.irfft(spectra * np.conj(ideal), _SIZE * _FINER, axis=-1)
    most = round(_MOST_DELAY * MEASURED_RATE * _FINER)
    found: Array = correlation[..., : 2 * most].argmax(axis=-1) / (MEASURED_RATE * _FINER)
    return found


def shares(directions: Array) -> Array:
    """Each direction's share of the sphere, by rings of one elevation; they sum up to 1."""
    elevation = np.round(np.degrees(np.arcsin(np.clip(directions[:, 2], -1, 1))))
    shares = np.empty(len(directions))
    for ring in np.unique(elevation):
        inside = elevation == ring
        shares[inside] = max(np.cos(np.radians(ring)), np.cos(np.radians(88))) / inside.sum()
    return shares / shares.sum()
