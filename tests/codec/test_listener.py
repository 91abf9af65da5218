"""A listener: C and the reference give the same, wherever a source is and a head turns, and what SPEC 11 promises."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from audio_gs import api
from audio_gs.backends import open_decoder
from audio_gs.codec.backend import Decoder
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.directions import c_header, directions, ears_of, in_head
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.stereo import PanningHeader
from audio_gs.gaussians import write_gaussians

Pcm = npt.NDArray[np.int16]

VECTORS = Path(__file__).parents[1] / "vectors"
NAMES = ("speech-3", "speech-8", "music-12", "sfx-12", "residual-610", "residual-713", "random-54", "random-877")
QUARTER = 16384
LATE = 32
"""Samples behind a jump in which noise may be that is late."""
HEADER = StreamHeader(
    sample_rate=16000,
    samples=6000,
    slot_log2=9,
    smallest_scale=1,
    scales=6,
    amplitude_step=40,
    output_shift=2,
    max_tones=64,
    peak_macs=0,
    noise=NoiseHeader(frame_log2=6, shift=4, base=-20, max_noises=8),
)


def stream(is_noise: bool = False, is_tone: bool = True) -> bytes:
    tone, noise = TONE.empty(int(is_tone)), NOISE.empty(int(is_noise))
    for name, value in {"scale": 5, "onset": 512, "bin": 30, "amplitude": 2000, "phase": 5}.items():
        tone[name] = value
    for name, value in {"scale": 5, "onset": -2048, "width": 3, "place": 1, "weight": 40}.items():
        noise[name] = value
    return write_gaussians(Gaussians({"tone": tone, "noise": noise}), HEADER)


def heard(data: bytes, azimuth: int = 0, elevation: int = 0, *head: int, backend: str = "c") -> Pcm:
    decoder = open_decoder(data, backend)
    decoder.set_direction(azimuth, elevation)
    if head:
        decoder.set_listener(*head)
    return decoder.read(decoder.header.samples)


def played(decoder: Decoder, most: int, seed: int) -> list[Pcm]:
    random = np.random.default_rng(seed)

    def angles(*limits: int) -> list[int]:
        return [int(random.integers(-limit, limit + 1)) for limit in limits]

    pieces = []
    decoder.set_direction(*angles(2 * QUARTER, QUARTER))
    for step in range(7):
        pieces.append(decoder.read(int(random.integers(1, most // 3))))
        decoder.set_listener(*angles(2 * QUARTER, QUARTER, 2 * QUARTER))
        if step == 2:
            decoder.set_direction(*angles(2 * QUARTER, QUARTER))
        if step == 3:
            decoder.seek(int(random.integers(0, most)))
        if step == 4:
            decoder.set_budget(15)
    return pieces


@pytest.mark.parametrize("name", NAMES)
def test_c_gives_what_the_reference_gives(name: str) -> None:
    data = (VECTORS / f"{name}.bin").read_bytes()
    first, second = (
        played(decoder, min(decoder.header.samples, 12000), 1)
        for decoder in (open_decoder(data, backend) for backend in ("c", "numba"))
    )
    assert any(piece.any() for piece in first)
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        np.testing.assert_array_equal(one, other, err_msg=f"{name}, piece {number}")


@pytest.mark.parametrize("backend", ["c", "numba"])
def test_a_jump_gives_what_was_given(backend: str) -> None:
    data = (VECTORS / "speech-8.bin").read_bytes()
    decoder = open_decoder(data, backend)
    decoder.set_direction(9000, -2000)
    whole = decoder.read(9000)
    for start in (0, 128, 4999):
        decoder.seek(start)
        after = decoder.read(9000 - start)
        np.testing.assert_array_equal(after[LATE:], whole[start + LATE :])
    decoder.set_stereo(False)
    decoder.rewind()
    np.testing.assert_array_equal(decoder.read(9000), open_decoder(data, backend).read(9000))


def test_a_tone_keeps_what_it_began_with() -> None:
    data = stream()
    steady = heard(data, QUARTER)
    decoder = open_decoder(data, "c")
    decoder.set_direction(QUARTER, 0)
    pieces = [decoder.read(1000)]
    decoder.set_listener(-2 * QUARTER, 0, 0)
    pieces.append(decoder.read(5000))
    np.testing.assert_array_equal(np.concatenate(pieces), steady)
    assert not np.array_equal(heard(data, QUARTER, 0, -2 * QUARTER, 0, 0), steady)


def test_noise_turns_without_a_step() -> None:
    decoder = open_decoder(stream(is_noise=True, is_tone=False), "c")
    decoder.set_direction(QUARTER, 0)
    before = decoder.read(3000)
    decoder.set_direction(-QUARTER, 0)
    after = decoder.read(3000)
    levels = [np.sqrt(np.mean(piece[500:2500].astype(float) ** 2, axis=0)) for piece in (before, after)]
    assert levels[0][0] > 1.5 * levels[0][1] and levels[1][1] > 1.5 * levels[1][0]
    steps = np.abs(np.diff(np.concatenate([before, after]).astype(int), axis=0))
    assert steps[2990:3200].max() <= steps.max(initial=0, where=np.arange(len(steps))[:, None] < 2990)


@pytest.mark.parametrize(
    ("azimuth", "head"),
    [(QUARTER, (0, 0, 0)), (0, (-QUARTER, 0, 0)), (2 * QUARTER, (QUARTER, 0, 0)), (-QUARTER, (2 * QUARTER, 0, 0))],
)
def test_a_source_on_the_left(azimuth: int, head: tuple[int, int, int]) -> None:
    """Azimuths are positive to the left, and so is a head's yaw: it hears from there."""
    left, right = heard(stream(), azimuth, 0, *head).astype(float).T
    assert np.sqrt(np.mean(left**2)) > 1.1 * np.sqrt(np.mean(right**2))
    spectra = np.fft.rfft(left), np.fft.rfft(right)
    peak = int(np.argmax(np.abs(spectra[0])))
    hertz = peak * HEADER.sample_rate / len(left)
    late = -np.angle(spectra[1][peak] / spectra[0][peak]) / (2 * np.pi * hertz)
    assert 600e-6 < late < 850e-6


def test_heads_turn_as_they_say() -> None:
    assert in_head(0, 0, 0, 0, 0) == (16384, 0, 0)
    assert in_head(QUARTER, 0, 0, 0, 0) == (0, 16384, 0)
    assert in_head(0, QUARTER, 0, 0, 0) == (0, 0, 16384)
    assert in_head(0, 0, 0, QUARTER, 0) == (0, 0, -16384)  # looks up: what was in front is below
    assert in_head(QUARTER, 0, 0, 0, QUARTER) == (0, 0, -16384)  # tilts to the right: so is what was on the left
    assert in_head(0, 0, QUARTER, 0, 0) == (0, -16384, 0)


def test_ears_are_mirrored() -> None:
    one, other = ears_of(5000, 3000, 0, 0, 0), ears_of(-5000, 3000, 0, 0, 0)
    assert np.abs(one.levels - other.levels[::-1]).max() <= 4
    assert abs(one.delay_low + other.delay_low) <= 2
    front = ears_of(0, 0, 0, 0, 0)
    assert np.array_equal(*front.levels) and front.delay_low == front.delay_high == 0


def test_the_table_in_c_is_that_of_python() -> None:
    source = Path(__file__).parents[2] / "decoder_c" / "src" / "gs_directions.h"
    assert source.read_text() == c_header()
    assert sum(part.size for part in directions()) <= 400
    assert all(np.abs(part).max() < 128 for part in directions())


def test_what_is_refused() -> None:
    data = stream()
    panned = dataclasses.replace(HEADER, channels=2, panning=PanningHeader(8, -60))
    two = write_gaussians(Gaussians({"tone": TONE.empty(), "noise": NOISE.empty()}), panned)
    for backend in ("c", "numba"):
        with pytest.raises(ValueError):
            open_decoder(two, backend).set_listener(0, 0, 0)
    with pytest.raises(ValueError, match="two channels"):
        api.decode(two, listening=api.Listening())
    with pytest.raises(ValueError, match="as it was encoded"):
        api.decode(data, listening=api.Listening(), playback=api.Playback(gain_db=-3))
    wrong: list[dict[str, Any]] = [{"azimuth": 181}, {"elevation": -91}, {"pitch": 100}, {"yaw": float("nan")}]
    for angles in wrong:
        with pytest.raises(ValueError, match="degrees"):
            api.Listening(**angles)
    decoder = api.StreamDecoder(data)
    decoder.set_gain(-3)
    with pytest.raises(ValueError, match="otherwise than encoded"):
        decoder.listen(api.Listening(yaw=10))
    decoder = api.StreamDecoder(data)
    decoder.listen(api.Listening(yaw=10))
    with pytest.raises(ValueError, match="listener"):
        decoder.set_pitch(1.5)
    assert decoder.read(100).shape == (100, 2)


def test_decoding_gives_two_channels() -> None:
    data = stream(is_noise=True)
    one, rate = api.decode(data, listening=api.Listening(azimuth=40, roll=-10))
    other, _ = api.decode(data, listening=api.Listening(azimuth=40, roll=-10), backend="numba")
    assert (one.shape, rate) == ((HEADER.samples, 2), HEADER.sample_rate)
    np.testing.assert_array_equal(one, other)
    partial = api.decode_blocks(data[:-3], partial=True, listening=api.Listening(azimuth=40, roll=-10))
    assert partial.channels == 2
    given = partial.joined()
    assert partial.damage
    np.testing.assert_array_equal(given, one[: len(given)])
