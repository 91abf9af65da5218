"""The page's editor under node: its streams are those of Python for the same Gaussians, and of gs-edit for the same
edits."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wasm_tools import NODE, VECTORS, wasm_folder

import audio_gs
from audio_gs import edit
from audio_gs.codec.container import parse_header
from audio_gs.codec.cost import macs_per_sample
from audio_gs.errors import BitstreamError

if not NODE:
    pytest.skip("needs node", allow_module_level=True)

SCRIPT = Path(__file__).with_name("edit_streams.mjs")
ENCODED = [VECTORS / f"{name}.bin" for name in ("speech-3", "speech-6", "speech-8", "sfx-12")]
RANDOM = ("random", "direction", "noise", "residual", "tones")
"""Names of streams of random decisions."""
FILTER_REACH = 49
"""Samples by which the half-band filters spread a tone."""


def edited_here(jobs: list[dict[str, Any]]) -> list[bytes | str]:
    """The streams after the steps of each job, or why they were refused."""
    assert NODE
    done = subprocess.run(
        [NODE, str(SCRIPT), str(wasm_folder())], input=json.dumps(jobs), capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == len(jobs)
    return [line if line.startswith("refused") else base64.b64decode(line) for line in lines]


def job(path: Path, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"path": str(path), "steps": steps}


def written(data: bytes) -> bytes:
    """What Python writes of the same Gaussians."""
    return audio_gs.write_gaussians(audio_gs.read_gaussians(data, None), parse_header(data)[0])


def test_what_is_not_edited_keeps_its_bytes_and_gets_the_class_of_its_gaussians() -> None:
    streams = sorted(VECTORS.glob("**/*.bin"))
    for path, stream in zip(streams, edited_here([job(path) for path in streams]), strict=True):
        assert isinstance(stream, bytes), (path.name, stream)
        data = path.read_bytes()
        (old, body), (new, new_body) = parse_header(data), parse_header(stream)
        assert stream[new_body:] == data[body:], path.name
        assert parse_header(written(data))[0] == new, path.name
        assert new.peak_macs <= old.peak_macs and new.max_tones <= old.max_tones, path.name


def test_what_is_written_anew_is_what_python_writes() -> None:
    streams = sorted(VECTORS.glob("**/*.bin"))
    refused = 0
    for path, stream in zip(
        streams, edited_here([job(path, {"of": "all", "copy": True}) for path in streams]), strict=True
    ):
        if isinstance(stream, str):  # of random decisions, some of which nobody could add up
            assert path.name.startswith(RANDOM) and "louder than a decoder can add up" in stream
            refused += 1
            continue
        wanted = written(path.read_bytes())
        assert parse_header(stream)[0] == parse_header(wanted)[0], path.name
        for kind, table in audio_gs.read_gaussians(wanted, None).items():
            assert np.array_equal(audio_gs.read_gaussians(stream, None)[kind], table), (path.name, kind)
        # Segments without Gaussians keep their bytes, which those of random decisions have more of than it takes.
        assert path.name.startswith(RANDOM) or stream == wanted, path.name
    assert refused < len(streams) / 3


@pytest.mark.parametrize(
    ("step", "script"),
    [
        ({"move": {"seconds": 0.1, "hertz": 150}}, {"move": {"seconds": 0.1, "hertz": 150, "outside": "drop"}}),
        ({"transpose": 3}, {"transpose": {"semitones": 3}}),
        ({"transpose": -7.5}, {"transpose": {"semitones": -7.5}}),
        ({"drop": True}, {"drop": {}}),
    ],
)
def test_tones_are_edited_as_gs_edit_does(step: dict[str, Any], script: dict[str, dict[str, Any]]) -> None:
    ((name, options),) = script.items()
    streams = edited_here([job(path, {"of": "tone", **step}) for path in ENCODED])
    for path, stream in zip(ENCODED, streams, strict=True):
        wanted = edit.edited(path.read_bytes(), [{name: {**options, "kind": "tone"}}])
        assert stream == wanted, path.name


def test_noises_move_as_gs_edit_moves_them() -> None:
    path = VECTORS / "music-12.bin"
    (stream,) = edited_here([job(path, {"of": "noise", "move": {"seconds": 0.2, "hertz": 300}})])
    options = {"seconds": 0.2, "hertz": 300, "kind": "noise", "outside": "drop"}
    assert stream == edit.edited(path.read_bytes(), [{"move": options}])


def test_the_samples_that_change_are_those_that_must() -> None:
    for path in (VECTORS / "speech-6.bin", VECTORS / "speech-8.bin"):
        data = path.read_bytes()
        header, _ = parse_header(data)
        tones = audio_gs.read_gaussians(data)["tone"]
        number = int(np.argmax(tones["amplitude"] * (tones["onset"] > header.samples // 2)))
        (stream,) = edited_here([job(path, {"of": number, "move": {"seconds": 0.03, "hertz": 200}})])
        assert isinstance(stream, bytes)
        before, after = (audio_gs.decode(one)[0] for one in (data, stream))
        changed = np.flatnonzero(before != after)
        new = audio_gs.read_gaussians(stream)["tone"]
        assert len(new) == len(tones)
        apart = [one for one in new if one not in tones] + [one for one in tones if one not in new]
        assert len(apart) == 2
        begin = min(one["onset"] for one in apart)
        end = max(one["onset"] + (32 << one["scale"]) for one in apart)
        # What the tones steer of a residual layer goes on in the frames around them, and fine levels for three more.
        reach = FILTER_REACH + (6 * header.noise.frame_samples if header.residual and header.noise else 0)
        assert begin - reach <= changed[0] and changed[-1] < end + reach
        assert len(changed) > 0.5 * (32 << tones[number]["scale"])


def test_the_class_of_an_edited_stream_is_reckoned_anew() -> None:
    (stream,) = edited_here([job(VECTORS / "speech-8.bin", {"of": "tone", "scale": 6}, {"of": "noise", "scale": 6})])
    assert isinstance(stream, bytes)
    header, _ = parse_header(stream)
    gaussians = audio_gs.read_gaussians(stream)
    assert header.peak_macs == int(np.ceil(macs_per_sample(gaussians, header)[1]))
    assert stream == audio_gs.write_gaussians(gaussians, header)


def test_random_edits_give_streams_with_their_class() -> None:
    random = np.random.default_rng(5)
    streams = [
        *VECTORS.glob("residual-*.bin"),
        *VECTORS.glob("stereo/*.bin"),
        VECTORS / "speech-8.bin",
        *sorted(VECTORS.glob("random-1*.bin")),
    ]
    jobs = []
    for number in range(40):
        steps = []
        for _ in range(random.integers(1, 4)):
            by = float(random.uniform(-1, 1))
            edits: list[dict[str, Any]] = [
                {"move": {"seconds": 0.2 * by, "hertz": 400 * by}},
                {"transpose": 12 * by},
                {"scale": 12 * by - 9},
                {"pan": {"to": by}},
                {"pan": {"by": by}},
            ]
            of = ["tone", "noise", "all", int(random.integers(50))][random.integers(4)]
            steps.append({"of": of, **edits[random.integers(len(edits))]})
        jobs.append(job(streams[number % len(streams)], *steps))
    done = [stream for stream in edited_here(jobs) if isinstance(stream, bytes)]
    assert len(done) > 30
    for stream in done:
        assert parse_header(written(stream))[0] == parse_header(stream)[0]


@pytest.mark.parametrize("name", ["speech-8", "music-12"])
def test_a_stream_of_one_channel_gets_two_where_something_is_panned(name: str) -> None:
    path = VECTORS / f"{name}.bin"
    data = path.read_bytes()
    tones = audio_gs.read_gaussians(data)["tone"]
    number = int(np.argmax(tones["amplitude"] * (tones["onset"] > parse_header(data)[0].samples // 2)))
    left, right, one, back = edited_here(
        [
            job(path, {"of": "tone", "pan": {"to": -1}}, {"of": "noise", "drop": True}),
            job(path, {"of": "all", "pan": {"to": 1}}),
            job(path, {"of": number, "pan": {"to": -1}}),
            job(path, {"of": "tone", "pan": {"to": 1}}, {"of": "tone", "pan": {"by": -1}}),
        ]
    )
    for stream, ear in ((left, 0), (right, 1)):
        assert isinstance(stream, bytes)
        assert parse_header(written(stream))[0] == parse_header(stream)[0]
        power = np.mean(audio_gs.decode(stream)[0].astype(float) ** 2, axis=0)
        # The noise's floor alone, and what a lattice of side and middle cannot cancel, is left on the other side.
        assert power[ear] > 20 * power[1 - ear]
    assert isinstance(one, bytes) and isinstance(back, bytes)
    before, after = audio_gs.decode(data)[0], audio_gs.decode(one)[0]
    other = np.flatnonzero(np.any(after != before[:, None], axis=1))
    tone = tones[number]
    reach = FILTER_REACH + 6 * parse_header(data)[0].slots_ahead
    assert tone["onset"] - reach <= other[0] and other[-1] < tone["onset"] + (32 << tone["scale"]) + reach
    assert len(other) > 16 << tone["scale"]
    sides = audio_gs.read_gaussians(back)["tone"]["side_amplitude"]
    assert np.all(sides <= 1)  # in the middle again, but for rounding


def test_edits_that_no_stream_can_state_are_refused_in_words() -> None:
    path = VECTORS / "speech-6.bin"
    (loud,) = edited_here([job(path, {"of": "tone", "scale": 40})])
    assert isinstance(loud, str) and "louder than a decoder can add up" in loud


def test_damage_is_refused(tmp_path: Path) -> None:
    data = bytearray((VECTORS / "speech-6.bin").read_bytes())
    data[300] ^= 4
    bad = tmp_path / "bad.gs"
    bad.write_bytes(data)
    with pytest.raises(BitstreamError):
        audio_gs.decode(bytes(data))
    (refused,) = edited_here([job(bad)])
    assert isinstance(refused, str) and "corrupt" in refused
