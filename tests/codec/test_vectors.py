"""The golden vectors: every decoder gives the stored PCM, and seeds make the stored streams."""

from __future__ import annotations

import json
from typing import Any

import make_vectors
import numpy as np
import pytest
from decoders import STREAMING, WHOLE_CLIP_BACKENDS
from gaussian_tables import assert_same_gaussians
from make_vectors import FOLDER, STAGES_SEED, STEREO_FOLDER, pcm_crc, seed_name

import audio_gs
from audio_gs.backends import open_decoder
from audio_gs.codec.container import StreamHeader, held_after, iterate_segments, parse_header
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import KINDS, tone
from audio_gs.codec.kinds.noise import NoiseRenderer
from audio_gs.codec.pcm import steps_of_quarters, to_pcm
from audio_gs.codec.slots import SlotReader
from audio_gs.codec.tables import OCTAVES

LINES = [line.split() for line in (FOLDER / "manifest.txt").read_text().splitlines() if not line.startswith("#")]
STREAM = (FOLDER / seed_name(STAGES_SEED)).read_bytes()


@pytest.mark.parametrize(("name", "samples", "crc", "changed"), LINES, ids=[line[0] for line in LINES])
def test_vector(name: str, samples: str, crc: str, changed: str) -> None:
    data = (FOLDER / name).read_bytes()
    for backend in (*STREAMING, *WHOLE_CLIP_BACKENDS):
        pcm, _ = audio_gs.decode(data, backend=backend)
        assert len(pcm) == int(samples)
        assert pcm_crc(pcm) == crc, backend
    assert make_vectors.changed_crc(data) == changed


def test_manifest_lists_what_is_there() -> None:
    assert sorted(line[0] for line in LINES) == sorted(path.name for path in FOLDER.glob("*.bin"))
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 96_000


def test_seeds_make_their_vectors() -> None:
    for name, data in (make_vectors.seed_vectors() | make_vectors.residual_vectors()).items():
        assert (FOLDER / name).read_bytes() == data, name


@pytest.mark.parametrize("line", (STEREO_FOLDER / "manifest.txt").read_text().splitlines()[1:])
def test_vector_with_two_channels(line: str) -> None:
    name, samples, crc, changed = line.split()
    data = (STEREO_FOLDER / name).read_bytes()
    for backend in (*STREAMING, *WHOLE_CLIP_BACKENDS):
        pcm, _ = audio_gs.decode(data, backend=backend)
        assert pcm.shape == (int(samples), 2)
        assert pcm_crc(pcm) == crc, backend
    assert make_vectors.changed_crc(data) == changed
    middle = [audio_gs.decode(data, backend=backend, mono=True)[0] for backend in (*STREAMING, *WHOLE_CLIP_BACKENDS)]
    for other in middle[1:]:
        np.testing.assert_array_equal(other, middle[0])


@pytest.mark.parametrize("line", (STEREO_FOLDER / "played.txt").read_text().splitlines()[1:])
def test_vector_with_two_channels_as_played(line: str) -> None:
    name, pitch, tempo, crc = line.split()
    for backend in STREAMING:
        pcm = make_vectors.played((STEREO_FOLDER / name).read_bytes(), float(pitch), float(tempo), backend)
        assert pcm_crc(pcm) == crc, backend


def test_seeds_make_their_vectors_with_two_channels() -> None:
    vectors = make_vectors.stereo_vectors()
    assert sorted(vectors) == sorted(path.name for path in STEREO_FOLDER.glob("*.bin"))
    for name, data in vectors.items():
        assert (STEREO_FOLDER / name).read_bytes() == data, name


def test_vectors_reach_all_noise() -> None:
    headers = [parse_header((FOLDER / line[0]).read_bytes())[0] for line in LINES]
    for segmented in (False, True):
        sizes = {header.noise and header.noise.frame_log2 for header in headers if segmented == (header.segments > 1)}
        assert sizes == {None, 5, 6, 7, 8, 9}
    header, gaussians = parse_header(STREAM)[0], decode_gaussians(STREAM)
    assert header.segments > 1
    assert header.loop
    assert set(gaussians["noise"]["scale"]) == set(range(6))


@pytest.fixture(scope="module")
def stored() -> Any:
    stages = json.loads((FOLDER / "stages.json").read_text())
    assert stages["vector"] == seed_name(STAGES_SEED)
    return stages


@pytest.fixture(scope="module")
def header() -> StreamHeader:
    return parse_header(STREAM)[0]


@pytest.fixture(scope="module")
def gaussians(stored: Any) -> Gaussians:
    tables = stored["slots"]
    dtypes = {kind.name: kind.dtype for kind in KINDS}
    assert {"tone", "noise"} <= set(tables) <= set(dtypes)
    return Gaussians({name: np.array([(*row, 0, 0) for row in rows], dtypes[name]) for name, rows in tables.items()})


def test_stage_1_container(stored: Any) -> None:
    header, offset = parse_header(STREAM)
    found = [[segment.start, segment.length, segment.crc] for segment in iterate_segments(STREAM, header, offset)]
    assert found == stored["container"]


def test_stage_2_range_coder(stored: Any, header: StreamHeader) -> None:
    reader, native = SlotReader(STREAM), open_decoder(STREAM, "c")
    for slot, expected in enumerate(stored["range coder"], -header.lead_slots):
        reader.read_slot({kind.name: kind.capacity(header) for kind in header.kinds})
        assert list(reader.coder_state) == expected, f"after slot {slot}"
        # Reading is what makes the C decoder go on; it decodes a slot for the first sample that needs it.
        if slot > 0:
            native.seek(held_after(slot << header.slot_log2))
            native.read(1)
            assert list(native.state()[:3]) == expected, f"C, after slot {slot}"


def test_stage_3_slots(gaussians: Gaussians) -> None:
    assert_same_gaussians(decode_gaussians(STREAM), gaussians)


def test_stage_4_tone_dequantise(stored: Any, header: StreamHeader, gaussians: Gaussians) -> None:
    peak, phase, increment, octave = stored["tone: dequantise"]
    table = gaussians["tone"]
    np.testing.assert_array_equal(tone.amplitude(table["amplitude"], table["scale"], header.amplitude_step), peak)
    np.testing.assert_array_equal(tone.phase(table["amplitude"], table["phase"]), phase)
    np.testing.assert_array_equal(tone.increment(table["bin"], table["scale"]), increment)
    np.testing.assert_array_equal(tone.octave(table["bin"], table["scale"]), octave)


def test_stage_4_tone_render(stored: Any, header: StreamHeader, gaussians: Gaussians) -> None:
    ready = tone.held(gaussians["tone"], header.amplitude_step)
    assert set(ready["octave"]) == set(range(OCTAVES))
    quarters = tone.rendered(ready, 0, header.samples, header.output_shift)
    np.testing.assert_array_equal(quarters, stored["tone: render"])


def test_stage_5_noise_render(stored: Any, header: StreamHeader, gaussians: Gaussians) -> None:
    assert any(stored["noise: render"])
    samples = NoiseRenderer(header).samples(0, header.samples, gaussians["noise"])
    np.testing.assert_array_equal(samples, stored["noise: render"])


def test_stage_6_pcm(stored: Any) -> None:
    quarters, noise = np.array(stored["tone: render"], np.int32), np.array(stored["noise: render"])
    np.testing.assert_array_equal(to_pcm(steps_of_quarters(quarters) + noise), stored["pcm"])
    np.testing.assert_array_equal(audio_gs.decode(STREAM, backend="numba")[0], stored["pcm"])
    np.testing.assert_array_equal(audio_gs.decode(STREAM)[0], stored["pcm"])
