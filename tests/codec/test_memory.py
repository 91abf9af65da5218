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


def header_of(max_tones: int, scales: int, max_noises: int, noise_frame_log2: int) -> StreamHeader:
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
    )


SPEECH = header_of(254, 6, 80, 7)
noise = st.one_of(st.just((0, 0)), st.tuples(st.integers(1, 255), st.integers(5, 9)))


@given(st.integers(1, 4096), st.integers(1, 8), noise)
def test_it_grows_as_the_public_header_says(max_tones: int, scales: int, noise: tuple[int, int]) -> None:
    header, (max_noises, frame_log2) = header_of(max_tones, scales, *noise), noise
    assert decoder_bytes(header) == decoder_memory(header, pointer_bytes=sizeof(c_void_p))
    of_noise = 560 + 4 * max_noises + (3 << frame_log2) if max_noises else 0
    smallest = decoder_memory(header_of(1, 1, 0, 0))
    assert decoder_memory(header) - smallest == 12 * (max_tones - 1) + 178 * (scales - 1) + of_noise


@pytest.mark.parametrize("bad", [(0, 6, 80, 7), (4097, 6, 80, 7), (254, 0, 80, 7), (254, 9, 80, 7), (254, 6, 80, 4)])
def test_the_library_knows_no_class_beyond_the_bounds(bad: tuple[int, int, int, int]) -> None:
    assert lib.gs_decoder_size(ffi.new("gs_class *", bad)) == 0


def test_speech_on_a_32_bit_core() -> None:
    assert decoder_memory(SPEECH) == 6144


@given(st.integers(1, 4096), st.integers(1, 8), noise, st.integers(0, 11))
def test_tones_within_is_its_inverse(max_tones: int, scales: int, noise: tuple[int, int], spare: int) -> None:
    header = header_of(max_tones, scales, *noise)
    assert tones_within(decoder_memory(header) + spare, header) == max_tones
