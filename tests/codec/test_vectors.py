"""The golden vectors: every decoder gives the stored PCM, and seeds make the stored streams."""

from __future__ import annotations

import json
from typing import Any

import make_vectors
import numpy as np
import pytest
from decoders import WHOLE_CLIP_BACKENDS
from make_vectors import FOLDER, STAGES_SEED, pcm_crc, seed_name

import audio_gs
from audio_gs.api import EXACT_BACKENDS, open_decoder
from audio_gs.codec import dequantise
from audio_gs.codec.container import StreamHeader, held_after, iterate_segments, parse_header
from audio_gs.codec.decoder import SlotReader, decode_gaussians
from audio_gs.codec.noise import NoiseRenderer
from audio_gs.codec.noise import held as held_noise
from audio_gs.codec.render import HELD_LEVEL, held, rendered, to_pcm
from audio_gs.codec.slots import as_rows
from audio_gs.codec.tables import LEVELS
from audio_gs.gaussians import GAUSSIAN, GaussianTable, noises, tones

LINES = [line.split() for line in (FOLDER / "manifest.txt").read_text().splitlines() if not line.startswith("#")]
STREAM = (FOLDER / seed_name(STAGES_SEED)).read_bytes()


@pytest.mark.parametrize(("name", "samples", "crc"), LINES, ids=[line[0] for line in LINES])
def test_vector(name: str, samples: str, crc: str) -> None:
    data = (FOLDER / name).read_bytes()
    for backend in (*EXACT_BACKENDS, *WHOLE_CLIP_BACKENDS):
        pcm, _ = audio_gs.decode(data, backend=backend)
        assert len(pcm) == int(samples)
        assert pcm_crc(pcm) == crc, backend


def test_manifest_lists_what_is_there() -> None:
    assert sorted(line[0] for line in LINES) == sorted(path.name for path in FOLDER.glob("*.bin"))
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 80_000


def test_seeds_make_their_vectors() -> None:
    for name, data in make_vectors.seed_vectors().items():
        assert (FOLDER / name).read_bytes() == data, name


def test_vectors_reach_all_noise() -> None:
    headers = [parse_header((FOLDER / line[0]).read_bytes())[0] for line in LINES]
    for segmented in (False, True):
        sizes = {header.noise and header.noise.frame_log2 for header in headers if segmented == (header.segments > 1)}
        assert sizes == {None, 5, 6, 7, 8, 9}
    header, table = parse_header(STREAM)[0], decode_gaussians(STREAM)
    assert header.segments > 1
    assert header.loop
    assert set(noises(table)["scale"]) == set(range(6))


@pytest.fixture(scope="module")
def stored() -> Any:
    stages = json.loads((FOLDER / "stages.json").read_text())
    assert stages["vector"] == seed_name(STAGES_SEED)
    return stages


@pytest.fixture(scope="module")
def header() -> StreamHeader:
    return parse_header(STREAM)[0]


@pytest.fixture(scope="module")
def table(stored: Any) -> GaussianTable:
    return np.array([tuple(row) for row in stored["slots"]], GAUSSIAN)


def test_stage_1_container(stored: Any) -> None:
    header, offset = parse_header(STREAM)
    found = [[segment.start, segment.length, segment.crc] for segment in iterate_segments(STREAM, header, offset)]
    assert found == stored["container"]


def test_stage_2_range_coder(stored: Any, header: StreamHeader) -> None:
    reader, native = SlotReader(STREAM), open_decoder(STREAM, "c")
    for slot, expected in enumerate(stored["range coder"], -header.lead_slots):
        reader.read_slot(header.max_active, header.max_noise)
        assert list(reader.coder_state) == expected, f"after slot {slot}"
        # Reading is what makes the C decoder go on; it decodes a slot for the first sample that needs it.
        if slot > 0:
            native.seek(held_after(slot << header.slot_log2))
            native.read(1)
            assert list(native.state()[:3]) == expected, f"C, after slot {slot}"


def test_stage_3_slots(table: GaussianTable) -> None:
    np.testing.assert_array_equal(decode_gaussians(STREAM), table)


def test_stage_4_dequantise(stored: Any, header: StreamHeader, table: GaussianTable) -> None:
    peak, phase, increment, level = stored["dequantise"]
    table = tones(table)
    np.testing.assert_array_equal(dequantise.amplitude(table["amplitude"], table["scale"], header.mantissa), peak)
    np.testing.assert_array_equal(dequantise.phase(table["amplitude"], table["phase"]), phase)
    np.testing.assert_array_equal(dequantise.increment(table["bin"], table["scale"]), increment)
    np.testing.assert_array_equal(dequantise.level(table["bin"], table["scale"]), level)


def test_stage_5_render(stored: Any, header: StreamHeader, table: GaussianTable) -> None:
    ready = held(as_rows(tones(table)), header.mantissa)
    assert set(ready[:, HELD_LEVEL]) == set(range(LEVELS))
    np.testing.assert_array_equal(rendered(ready, 0, header.samples, header.output_shift), stored["render"])


def test_stage_7_noise(stored: Any, header: StreamHeader, table: GaussianTable) -> None:
    assert header.noise
    assert any(stored["noise"])
    every_one = held_noise(as_rows(noises(table)), header.noise.frame_log2)
    renderer = NoiseRenderer(header.noise, header.sample_rate)
    np.testing.assert_array_equal(renderer.samples(0, header.samples, every_one), stored["noise"])


def test_stage_6_pcm(stored: Any) -> None:
    quarters, noise = np.array(stored["render"], np.int32), np.array(stored["noise"])
    np.testing.assert_array_equal(to_pcm(quarters, noise), stored["pcm"])
    np.testing.assert_array_equal(audio_gs.decode(STREAM, backend="numba")[0], stored["pcm"])
    np.testing.assert_array_equal(audio_gs.decode(STREAM)[0], stored["pcm"])
