"""The memory of a decoder: what the C library says here, and what follows for any machine."""

from __future__ import annotations

from ctypes import c_void_p, sizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_gs.codec._decoder import ffi, lib
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.memory import decoder_memory, tones_within
from audio_gs.codec.native import decoder_bytes
from audio_gs.codec.residual import ResidualHeader

RESIDUAL = ResidualHeader(
    step=60, tilt=8, intervals=20, fine_from=14, level_step=0, fill=1, lift_low=4, lift_high=2, quiet=100
)


def header_of(max_tones: int, scales: int, max_noises: int, noise_frame_log2: int, residual: int = 0) -> StreamHeader:
    return StreamHeader(
        sample_rate=16000,
        samples=1,
        slot_log2=9,
        smallest_scale=0,
        scales=scales,
        amplitude_step=1,
        output_shift=0,
        max_tones=max_tones,
        peak_macs=0,
        noise=NoiseHeader(noise_frame_log2, 1, 0, max_noises) if max_noises else None,
        residual=RESIDUAL if residual else None,
    )


SPEECH = header_of(216, 6, 80, 7, 1)
noise = st.one_of(
    st.just((0, 0, 0)),
    st.tuples(st.integers(1, 255), st.integers(5, 9), st.just(0)),
    st.tuples(st.integers(1, 255), st.integers(6, 9), st.just(1)),
)


@given(st.integers(1, 4096), st.integers(1, 8), noise)
def test_it_grows_as_the_public_header_says(max_tones: int, scales: int, noise: tuple[int, int, int]) -> None:
    header, (max_noises, frame_log2, residual) = header_of(max_tones, scales, *noise), noise
    assert decoder_bytes(header) == decoder_memory(header, pointer_bytes=sizeof(c_void_p))
    of_noise = 560 + 4 * max_noises + (3 << frame_log2) if max_noises else 0
    of_residual = 316 + (1 << frame_log2) if residual else 0
    smallest = decoder_memory(header_of(1, 1, 0, 0))
    assert decoder_memory(header) - smallest == 12 * (max_tones - 1) + 178 * (scales - 1) + of_noise + of_residual


@pytest.mark.parametrize(
    "bad",
    [
        (0, 6, 80, 7, 0),
        (4097, 6, 80, 7, 0),
        (254, 0, 80, 7, 0),
        (254, 9, 80, 7, 0),
        (254, 6, 80, 4, 0),
        (254, 6, 80, 5, 1),
        (254, 6, 80, 6, 2),
        (254, 6, 0, 0, 1),
    ],
)
def test_the_library_knows_no_class_beyond_the_bounds(bad: tuple[int, int, int, int, int]) -> None:
    assert lib.gs_decoder_size(ffi.new("gs_class *", bad)) == 0


def test_speech_on_a_32_bit_core() -> None:
    assert decoder_memory(SPEECH) == 6140


@given(st.integers(1, 4096), st.integers(1, 8), noise, st.integers(0, 11))
def test_tones_within_is_its_inverse(max_tones: int, scales: int, noise: tuple[int, int, int], spare: int) -> None:
    header = header_of(max_tones, scales, *noise)
    assert tones_within(decoder_memory(header) + spare, header) == max_tones
