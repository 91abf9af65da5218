"""What is said of a stream with a residual layer, and its tables after a change."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from random_streams import random_stream
from residual_streams import random_residual

import audio_gs
from audio_gs.cli import gs_info
from audio_gs.codec.decoder import ReferenceDecoder
from audio_gs.codec.residual import COEFFICIENT, LEVEL
from audio_gs.codec.slots import encode_stream
from audio_gs.gaussians import RESIDUAL_DTYPE, read_gaussians, write_gaussians
from audio_gs.picture import draw_clip

SEGMENTED = 22
"""Of 21 segments, with values where there is no place in a single one."""


@pytest.fixture
def data() -> bytes:
    return encode_stream(*random_residual(SEGMENTED))


def test_info_counts_the_residual_apart(data: bytes) -> None:
    header, gaussians = random_residual(SEGMENTED)
    info = audio_gs.info(data)
    assert info.gaussians == {"tone": len(gaussians["tone"]), "noise": len(gaussians["noise"])}
    layer = gaussians["residual"]["layer"]
    assert info.residual_values == {
        "coefficient": np.sum(layer == COEFFICIENT),
        "fine_level": np.sum(layer == LEVEL),
    }
    plain = dataclasses.replace(header, residual=None)
    bare = gaussians.replaced(residual=gaussians["residual"][:0])
    without = len(encode_stream(plain, bare))
    assert info.residual_bits == 8 * (len(data) - without) > 8 * 5
    with pytest.raises(ValueError, match="no place for one"):
        encode_stream(dataclasses.replace(header, seek_slots=0), gaussians)
    one = len(encode_stream(dataclasses.replace(plain, seek_slots=0), bare))
    assert info.seek_point_bits == 8 * (without - one) > 0


def test_without_a_residual_nothing_is_said_of_it() -> None:
    info = audio_gs.info(random_stream(SEGMENTED).data)
    assert (info.residual_values, info.residual_bits, info.as_dict()["residual"]) == ({}, 0, None)


def test_gs_info(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "clip.gs").write_bytes(data)
    shown = json.loads(CliRunner().invoke(gs_info.command, [str(tmp_path / "clip.gs"), "--json"]).stdout)
    info = audio_gs.info(data)
    assert info.header.residual
    assert shown["residual"] == dataclasses.asdict(info.header.residual)
    assert (shown["residual_values"], shown["residual_bits"]) == (info.residual_values, info.residual_bits)
    assert shown["kinds"] == ["tone", "noise"]
    lines = CliRunner().invoke(gs_info.command, [str(tmp_path / "clip.gs")]).stdout
    counts = info.residual_values
    said = f"{counts['coefficient']} coefficients, {counts['fine_level']} fine levels, {info.residual_bits} bits"
    assert said in lines
    assert f"step {info.header.residual.step}, tilt" in lines


def test_tables_come_back(data: bytes) -> None:
    gaussians = read_gaussians(data)
    assert gaussians["residual"].dtype == RESIDUAL_DTYPE
    again = write_gaussians(gaussians, audio_gs.parse_header(data)[0])
    assert read_gaussians(again) == gaussians


def test_a_change_that_takes_a_place_is_refused() -> None:
    header, gaussians = random_residual(63)
    gone = gaussians.replaced(noise=gaussians["noise"][:0])
    louder = gaussians["tone"].copy()
    louder["amplitude"] = 4095
    for changed in (gaussians.replaced(tone=louder), gone):
        with pytest.raises(ValueError, match=r"frame \d+ has a residual value where .* no place for one"):
            write_gaussians(changed, header)
        without = write_gaussians(changed.replaced(residual=gaussians["residual"][:0]), header)
        assert audio_gs.parse_header(without)[0].residual == header.residual


def test_coefficients_are_drawn(data: bytes, tmp_path: Path) -> None:
    header, gaussians = random_residual(SEGMENTED)
    samples = ReferenceDecoder(data).read(header.samples) / 32768
    bare = gaussians.replaced(residual=gaussians["residual"][:0])
    for name, tables in (("with", gaussians), ("bare", bare)):
        draw_clip(tmp_path / f"{name}.png", samples, samples, header, tables, "clip")
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "bare.png").read_bytes()
