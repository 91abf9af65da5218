"""A header promises how much its stream costs at most; one that promises less than it takes is found out."""

from __future__ import annotations

import contextlib
import dataclasses
import math

import numpy as np
import pytest
from decoders import STREAMING
from random_streams import random_stream

import audio_gs
from audio_gs.backends import open_decoder
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import macs_per_sample, with_class
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import TONE
from audio_gs.codec.native import NativeDecoder
from audio_gs.codec.slots import encode_stream
from audio_gs.codec.stereo import PanningHeader
from audio_gs.errors import AudioGsError


def crowd(count: int = 12) -> tuple[StreamHeader, Gaussians]:
    """Many tones at once; the header keeps its promise."""
    table = TONE.empty(count)
    table["scale"], table["onset"], table["amplitude"] = 8, 2048, 100 + 9 * np.arange(count)
    table["bin"] = 1300 + np.sort(np.arange(count) * 37 % 2700)  # at the full rate
    table["phase"] = np.arange(count) % 8
    header = dataclasses.replace(
        random_stream(0).header,
        sample_rate=16000,
        samples=8192,
        slot_log2=5,
        smallest_scale=8,
        scales=1,
        amplitude_step=200,
        output_shift=2,
        seek_slots=0,
        loop=None,
        noise=None,
    )
    gaussians = Gaussians(tone=table)
    return with_class(header, gaussians), gaussians


def lying(header: StreamHeader, gaussians: Gaussians, peak_macs: int) -> bytes:
    return encode_stream(dataclasses.replace(header, peak_macs=peak_macs), gaussians)


def test_what_costs_more_than_it_promises_is_told() -> None:
    header, gaussians = crowd()
    peak = math.ceil(macs_per_sample(gaussians, header)[1])
    assert header.peak_macs == peak > 15
    for declared in (peak, peak + 1):
        data = lying(header, gaussians, declared)
        assert audio_gs.info(data).excess is None
        assert audio_gs.verify(data).excess is None
    for declared in (1, peak - 1):
        data = lying(header, gaussians, declared)
        said = f"it takes {peak} MACs a sample in some 20 ms, and its header promises {declared} at most"
        assert audio_gs.info(data).excess == said
        report = audio_gs.verify(data)
        assert report.agree and report.excess == said


def check(data: bytes) -> NativeDecoder:
    decoder = NativeDecoder(data)
    decoder.seek(decoder.header.samples)
    try:
        decoder.check()
    finally:
        assert decoder.position == 0
        np.testing.assert_array_equal(decoder.read(3000), audio_gs.decode(data)[0][:3000])
    return decoder


@pytest.mark.parametrize("first", [2048, 32768 + 8192])
def test_the_c_decoder_checks_what_tones_cost(first: int) -> None:
    """It finds twice as much as was promised, and nothing wrong with what was promised for."""
    header, gaussians = crowd()
    table = gaussians["tone"].copy()
    table["onset"] = first
    gaussians = Gaussians(tone=table)
    header = with_class(dataclasses.replace(header, samples=60000), gaussians)
    check(lying(header, gaussians, header.peak_macs))
    for declared in (0, 1, header.peak_macs // 2 - 2):
        with pytest.raises(AudioGsError, match="costs more than it promises"):
            check(lying(header, gaussians, declared))


def test_the_c_decoder_checks_what_sides_cost_where_it_gives_both_channels() -> None:
    """A promise that holds for the mid alone is found out by a decoder of left and right, and not by one of the mid."""
    header, gaussians = crowd()
    table = gaussians["tone"].copy()
    table["onset"], table["side_amplitude"] = 2048, 2
    gaussians = Gaussians(tone=table)
    panning = PanningHeader(side_step=0, side_base=0)
    header = with_class(dataclasses.replace(header, samples=60000, channels=2, panning=panning), gaussians)
    mid = with_class(dataclasses.replace(header, channels=1, panning=None), crowd()[1]).peak_macs
    for declared, is_stereo, holds in ((header.peak_macs, True, True), (mid, False, True), (mid, True, False)):
        decoder = NativeDecoder(lying(header, gaussians, declared))
        decoder.set_stereo(is_stereo)
        with contextlib.nullcontext() if holds else pytest.raises(AudioGsError, match="costs more than it promises"):
            decoder.check()
        assert decoder.position == 0


@pytest.mark.parametrize("seed", range(0, 200, 5))
def test_the_c_decoder_believes_the_honest(seed: int) -> None:
    header, gaussians = random_stream(seed).header, random_stream(seed).gaussians
    check(encode_stream(with_class(header, gaussians), gaussians))


@pytest.mark.parametrize("budget", [0, 1, 7, 100])
def test_a_budget_holds_whatever_is_promised(budget: int) -> None:
    """The samples are those of the loudest tones alone: as many as the budget pays for, 68 MACs each a block."""
    header, gaussians = crowd()
    data = lying(header, gaussians, 1)
    place = 2048 + 4096
    given = []
    for backend in STREAMING:
        decoder = open_decoder(data, backend)
        decoder.set_budget(budget)
        decoder.seek(place)
        given.append(decoder.read(64))
    np.testing.assert_array_equal(given[0], given[1])
    loudest = np.argsort(-gaussians["tone"]["amplitude"].astype(int), kind="stable")
    most = 64 * budget // 68
    rendered = []
    for count in range(most + 1):
        kept = gaussians["tone"][np.sort(loudest[:count])]
        rendered.append(audio_gs.decode(lying(header, Gaussians(tone=kept), 1))[0][place : place + 64])
    assert any((given[0] == one).all() for one in rendered)
