"""How near a decoder with a listener (SPEC 11) comes to the measured head: what it gives of a stream in eight
directions, beside the decoded clip convolved with the head's responses.

    python -m audio_gs.spatial.heard clip.gs ...

LSD: root of the mean square of differences in dB, over all cells of a spectrogram that are not 50 dB under its highest
one, of each ear. ILD: mean difference of the two ears' difference in level by Bark band, of bands that are not 40 dB
under the loudest one. ITD: in those of them below 1500 Hz, by how much one ear is to be moved against the other to
agree most with what is expected, within half a period: mean, in microseconds. The head is equalised by the mean power
of all directions, as headphones have an ear's resonance themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import stft

from audio_gs import api

from .bands import Array, bark
from .head import measured_head, responses_at, shares

DIRECTIONS = ((0, 0), (30, 0), (60, 0), (90, 0), (130, 0), (180, 0), (45, 40), (-60, -20))
"""Azimuth and elevation, degrees."""
_WINDOW, _HOP = 512, 128
_QUIET_CELL, _QUIET_BAND = 1e-5, 1e-4
_HIGHEST_OF_ITD_HZ = 1500
_LAGS = 500
_FULL_SCALE = 32768


class Cues(NamedTuple):
    """Of a pair of ears."""

    ild: Array
    """dB by Bark band."""
    between: npt.NDArray[np.complex128]
    """What the right ear has of the left one by frequency, times the power of both."""
    power: Array
    """Of both ears by band."""


class Errors(NamedTuple):
    """Of what a decoder gives."""

    lsd_left: float
    lsd_right: float
    ild: float
    itd: float
    """Microseconds."""


def convolved(mono: Array, rate: int, azimuth: float, elevation: float) -> Array:
    """A clip as the measured head hears it from the measured direction next to this one, shape (2, n)."""
    head = measured_head()
    a, e = np.radians([azimuth, elevation])
    wanted = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
    nearest = int(np.argmax(head.directions @ wanted))
    size = 1 << int(np.ceil(np.log2(len(mono) + 4096)))
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    responses = responses_at(rate)
    mean = np.sqrt(np.tensordot(shares(head.directions), np.abs(np.fft.rfft(responses)[:, 0]) ** 2, 1))
    mean = np.interp(frequencies, np.fft.rfftfreq(responses.shape[-1], 1 / rate), mean)
    spectra = np.fft.rfft(_unwrapped(responses[nearest], size)) / mean
    spectra *= np.exp(-2j * np.pi * frequencies * head.delays[nearest][:, None])
    return np.fft.irfft(np.fft.rfft(mono, size) * spectra, size)[:, : len(mono)]


def _unwrapped(responses: Array, size: int) -> Array:
    """Responses whose second half lies before time 0, in more samples."""
    half = responses.shape[-1] // 2
    out = np.zeros((2, size))
    out[:, :half], out[:, -half:] = responses[:, :half], responses[:, -half:]
    return out


def lsd(expected: Array, given: Array) -> float:
    """Of one ear, dB."""
    cells = [np.abs(stft(ear, nperseg=_WINDOW, noverlap=_WINDOW - _HOP)[2]) ** 2 for ear in (expected, given)]
    loud = cells[0] > _QUIET_CELL * cells[0].max()
    return float(np.sqrt(np.mean((10 * np.log10((cells[1][loud] + 1e-12) / cells[0][loud])) ** 2)))


def cues(ears: Array, rate: int) -> Cues:
    """Of a clip, shape (2, n)."""
    left, right = np.fft.rfft(ears)
    place = bark(np.fft.rfftfreq(ears.shape[1], 1 / rate))
    ild, powers = [], []
    for number in range(int(bark(rate / 2))):
        inside = (place >= number) & (place < number + 1)
        power = [float(np.sum(np.abs(ear[inside]) ** 2)) + 1e-9 for ear in (left, right)]
        ild.append(10 * np.log10(power[0] / power[1]))
        powers.append(sum(power))
    return Cues(np.array(ild), right * np.conj(left), np.array(powers))


def _lag(between: npt.NDArray[np.complex128], frequencies: Array) -> float:
    """Seconds, within half a period, by which phases between spectra are explained best."""
    half = 0.5 / float(frequencies.mean())
    lags = np.linspace(-half, half, 2 * _LAGS + 1)
    return float(lags[np.argmax((np.exp(2j * np.pi * np.outer(lags, frequencies)) @ between).real)])


def errors(expected: Array, given: Array, rate: int) -> Errors:
    """Of what is given in place of what is expected, both of shape (2, n)."""
    right, found = cues(expected, rate), cues(given, rate)
    is_loud = right.power > _QUIET_BAND * right.power.max()
    frequencies = np.fft.rfftfreq(expected.shape[1], 1 / rate)
    between = found.between * np.conj(right.between) / (np.abs(right.between) + 1e-12)
    of_itd = [
        abs(_lag(between[inside], frequencies[inside]))
        for inside in (np.floor(bark(frequencies)) == number for number in np.flatnonzero(is_loud))
        if frequencies[inside].max() < _HIGHEST_OF_ITD_HZ
    ]
    return Errors(
        lsd(expected[0], given[0]),
        lsd(expected[1], given[1]),
        float(np.mean(np.abs(found.ild - right.ild)[is_loud])),
        1e6 * float(np.mean(of_itd)),
    )


def measure(data: bytes) -> Iterator[tuple[Errors, Errors]]:
    """In each of `DIRECTIONS` the errors of a decoder with a listener, and those of one channel at both ears."""
    mono, rate = api.decode(data)
    clip = np.asarray(mono, np.float64) / _FULL_SCALE
    for azimuth, elevation in DIRECTIONS:
        heard, _ = api.decode(data, listening=api.Listening(azimuth=azimuth, elevation=elevation))
        expected = convolved(clip, rate, azimuth, elevation)
        yield errors(expected, heard.T / _FULL_SCALE, rate), errors(expected, np.stack([clip, clip]), rate)


def _row(values: npt.NDArray[np.float64]) -> str:
    return f"{values[0]:.2f} / {values[1]:.2f} dB, {values[2]:.2f} dB, {values[3]:.1f} us"


def main() -> int:
    """Prints means over directions and streams; returns the exit code."""
    if len(sys.argv) < 2:
        print("usage: python -m audio_gs.spatial.heard STREAM...", file=sys.stderr)
        return 2
    of_all = []
    for name in sys.argv[1:]:
        of_clip = np.array(list(measure(Path(name).read_bytes())))
        of_all.append(of_clip.mean(axis=0))
        for (azimuth, elevation), row in zip(DIRECTIONS, of_clip, strict=True):
            print(f"{name} {azimuth} {elevation}: {_row(row[0])}")
        print(f"{name}: LSD left / right, ILD, ITD: {_row(of_all[-1][0])}; one channel {_row(of_all[-1][1])}")
    if len(of_all) > 1:
        heard, one = np.mean(of_all, axis=0)
        print(f"all: {_row(heard)}; one channel {_row(one)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
