"""Rendering in torch agrees with the integer decoders, and nobody who only decodes needs it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from demo_clips import NAMES, demo_stream
from random_streams import random_stream
from residual_streams import RESIDUAL_SEEDS, with_residual

import audio_gs
from audio_gs.codec.decoder import ReferenceDecoder
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.slots import encode_stream
from audio_gs.encoder.gradient.render import Waves, render, render_both, render_stream, waves_of

KBIT_S = {"speech": 6, "music": 6, "sfx": 12}


@pytest.mark.parametrize("name", NAMES)
def test_within_60_db_of_the_integer_decoder(name: str) -> None:
    report = audio_gs.verify(demo_stream(name, bitrate=KBIT_S[name]))
    assert report.agree
    assert report.agreement_db["torch"] > 60


def test_a_clip_that_is_all_rounding_agrees() -> None:
    """A weak tone under the weakest noise, in steps of a quarter of the output's."""
    stream = random_stream(0)
    header = dataclasses.replace(
        stream.header,
        sample_rate=8000,
        samples=1000,
        slot_log2=8,
        smallest_scale=3,
        scales=6,
        amplitude_step=100,
        output_shift=2,
        max_tones=300,
        seek_slots=0,
        loop=None,
        noise=NoiseHeader(frame_log2=7, shift=8, base=2, max_noises=40),
    )
    tone = np.array([(6, 512, 18, 3, 9, 0, 0)], TONE.dtype)
    noises = [(5, 0, 1, 10, 3), (0, 384, 3, 2, 2), (0, 384, 1, 11, -5), (1, 256, 1, 12, 3), (0, 512, 1, 11, 4)]
    data = encode_stream(header, Gaussians(tone=tone, noise=np.array([(*row, 0, 0) for row in noises], NOISE.dtype)))
    assert np.abs(audio_gs.decode(data)[0]).max() < 20
    assert audio_gs.verify(data).agree


def test_torch_backend_rounds_and_limits_the_rendering() -> None:
    data = demo_stream("speech", bitrate=6)
    exact = audio_gs.decode(data)[0].astype(float)
    rendered = np.clip(render_stream(data), -32768, 32767)
    assert 10 * np.log10(np.sum(exact**2) / np.sum((rendered - exact) ** 2)) > 50
    np.testing.assert_array_equal(audio_gs.decode(data, backend="torch")[0], np.rint(rendered))


def test_both_channels_are_within_60_db() -> None:
    speech = audio_gs.edit.edited(demo_stream("speech", bitrate=6), [{"cut": {"to": 1.5}}])
    panned = audio_gs.edit.edited(speech, [{"pan": {"position": 0.6, "kind": ["tone", "noise"]}}])
    turned = audio_gs.edit.edited(speech, [{"pan": {"position": -0.3}}])
    for data in (panned, turned):
        report = audio_gs.verify(data)
        assert report.agree
        assert report.agreement_db["torch"] > 60
        exact, rendered = audio_gs.decode(data)[0].astype(float), render_both(data)
        assert 10 * np.log10(np.sum(exact**2) / np.sum((rendered - exact) ** 2)) > 50
        assert abs(np.std(exact[:, 0]) / np.std(exact[:, 1]) - 1) > 0.2


@pytest.mark.parametrize("seed", RESIDUAL_SEEDS)
def test_a_residual_is_rendered_exactly(seed: int) -> None:
    stream = random_stream(seed)
    header, gaussians = with_residual(stream.header, Gaussians(noise=stream.gaussians["noise"]), seed)
    data = encode_stream(header, gaussians)
    rendered = np.clip(render_stream(data), -32768, 32767)
    np.testing.assert_array_equal(rendered, ReferenceDecoder(data).read(header.samples))


def test_every_parameter_has_a_gradient() -> None:
    table = TONE.empty(2)
    table[0] = 3, 100, 20, 100, 40, 0, 0
    table[1] = 5, -256, 9, 50, 33, 0, 0
    fields = [field.requires_grad_() for field in waves_of(table, 64, 2)]
    target = torch.sin(torch.arange(600, dtype=torch.float64))
    torch.autograd.backward(((render(Waves(*fields), 600) - target) ** 2).sum())
    for field in fields:
        assert field.grad is not None
        assert torch.isfinite(field.grad).all()
        assert (field.grad != 0).all()


WITHOUT_TORCH = """
import sys
import audio_gs
from audio_gs.cli import gs_decode, gs_encode, gs_info, gs_verify
data = open(sys.argv[1], "rb").read()
for backend in ("c", "numba"):
    audio_gs.decode(data, backend=backend)
    audio_gs.decode(data, backend=backend, partial=True)
    audio_gs.StreamDecoder(data, backend).read(10)
audio_gs.info(data)
audio_gs.read_gaussians(data)
sys.exit("torch is imported" if "torch" in sys.modules else 0)
"""


def test_decoding_does_not_import_torch(tmp_path: Path) -> None:
    (tmp_path / "clip.gs").write_bytes(demo_stream("speech", bitrate=6))
    command = [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "clip.gs")]
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
