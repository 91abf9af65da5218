"""gs-bank encode: clips of a folder on one machine, or on a cluster that loses a worker."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import fsspec
import numpy as np
import pyarrow.parquet
import pytest
import soundfile
from click.testing import CliRunner, Result
from distributed import LocalCluster

from audio_gs import api
from audio_gs.bank import gs_bank
from audio_gs.bank.many import engine
from audio_gs.bank.many.places import Place
from audio_gs.errors import AudioGsError

RATE = 8000
CLIPS = 12


def write_clips(folder: Path, count: int, seconds: float = 0.3) -> None:
    (folder / "deep").mkdir(parents=True)
    for number in range(count):
        time_s = np.arange(round(seconds * RATE)) / RATE
        samples = 0.3 * np.sin(2 * np.pi * (200 + 90 * number) * time_s) * np.exp(-5 * time_s)
        soundfile.write(folder / ("deep" if number % 3 == 0 else "") / f"clip{number:02}.wav", samples, RATE)


def call(*arguments: object) -> Result:
    words = ["encode", *map(str, arguments), "--effort", "fast"]
    return CliRunner().invoke(gs_bank.command, words, standalone_mode=False)


def receipts(out: Path) -> dict[Path, int]:
    """When each was written."""
    return {path: path.stat().st_mtime_ns for path in (out / ".gs-bank").rglob("*.json")}


def rows(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(out / "manifest.parquet").to_pylist()
    return found


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    write_clips(tmp_path / "sounds", 4)
    return tmp_path / "sounds"


def test_clips_become_streams_and_rows(sounds: Path, tmp_path: Path) -> None:
    (sounds / "broken.wav").write_bytes(b"no audio")
    out = tmp_path / "out"
    result = call(sounds, "-o", out, "--bitrate", 6, "--jobs", 1, "--json", "-q")
    assert result.return_value == 1, result.output
    assert json.loads(result.stdout)["failed"] == 1
    table = {row["source"]: row for row in rows(out)}
    assert sorted(table) == ["broken.wav", "clip01.wav", "clip02.wav", "deep/clip00.wav", "deep/clip03.wav"]
    assert "cannot read it as audio" in str(table.pop("broken.wav")["error"])
    for name, row in table.items():
        data = (out / str(row["output"])).read_bytes()
        samples, rate = soundfile.read(sounds / name)
        assert data == api.encode(samples, rate, bitrate=6, effort="fast")
        assert (row["bytes"], row["channels"], row["error"]) == (len(data), 1, None)


def test_only_what_has_changed_is_encoded_again(sounds: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call(sounds, "-o", out, "--jobs", 1).return_value == 0
    before = receipts(out)
    samples, _ = soundfile.read(sounds / "clip01.wav")
    soundfile.write(sounds / "clip01.wav", samples / 2, RATE)
    (out / "clip02.gs").unlink()
    result = call(sounds, "-o", out, "--jobs", 1, "--json", "-q")
    counts = json.loads(result.stdout)
    assert (counts["encoded"], counts["kept"]) == (2, 2)
    assert sum(before[path] != when for path, when in receipts(out).items()) == 2
    assert json.loads(call(sounds, "-o", out, "--jobs", 1, "--bitrate", 4, "--json", "-q").stdout)["kept"] == 0


def test_streams_from_elsewhere_are_not_replaced(sounds: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "clip01.gs").write_bytes(b"mine")
    result = call(sounds, "-o", out, "--jobs", 1)
    assert result.return_value == 1
    assert "clip01.gs exists, and not from here; -f overwrites it" in result.stderr
    assert (out / "clip01.gs").read_bytes() == b"mine"
    assert call(sounds, "-o", out, "--jobs", 1, "-f").return_value == 0
    assert (out / "clip01.gs").read_bytes() != b"mine"


def test_folders_may_be_urls(sounds: Path) -> None:
    store = fsspec.filesystem("memory")
    for path in sounds.rglob("*.wav"):
        store.pipe_file(f"/in/{path.relative_to(sounds)}", path.read_bytes())
    assert call("memory://in", "-o", "memory://out", "--jobs", 1).return_value == 0
    names = [name for name in store.find("/out") if "/.gs-bank/" not in name]
    assert names == [f"/out/{name}" for name in ("clip01.gs", "clip02.gs", "deep/clip00.gs", "deep/clip03.gs")] + [
        "/out/manifest.parquet"
    ]


@pytest.mark.parametrize(("retries", "failed"), [(2, 0), (0, 4)])
def test_what_cannot_be_read_is_tried_again(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: int, failed: int
) -> None:
    read, asked = Place.read, set()

    def second_time(place: Place, name: str) -> bytes:
        if name.endswith(".wav") and name not in asked:
            asked.add(name)
            raise OSError("the line is down")
        return read(place, name)

    monkeypatch.setattr(Place, "read", second_time)
    result = call(sounds, "-o", tmp_path / "out", "--jobs", 1, "--retries", retries, "--json", "-q")
    assert json.loads(result.stdout)["failed"] == failed


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("nowhere", "-o", "out"), 1, "nowhere is not there"),
        (("sounds/clip01.wav", "-o", "out"), 1, "is a file; give the folder of the clips"),
        (("sounds", "-o", "none://out"), 1, "none"),
        (("sounds", "-o", "out", "--bitrate", 4, "--quality", 5), 2, "exclude each other"),
        (("sounds", "-o", "out", "--jobs", 2, "--scheduler", "tcp://127.0.0.1:1"), 2, "give one of them"),
        (("empty", "-o", "out"), 1, "holds no WAV"),
        (("twins", "-o", "out"), 1, "a.flac and a.wav would both be a.gs"),
    ],
)
def test_what_cannot_be_done_is_said(
    sounds: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], code: int, text: str
) -> None:
    monkeypatch.chdir(sounds.parent)
    Path("empty").mkdir()
    Path("twins").mkdir()
    for name in ("a.wav", "a.flac"):
        soundfile.write(f"twins/{name}", np.zeros(RATE), RATE)
    error = call(*arguments).exception
    assert isinstance(error, click.UsageError if code == 2 else AudioGsError)
    assert text in str(error)
    assert not Path("out").exists()


def test_a_scheduler_that_is_not_there(sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ANSWER_SECONDS", 0.2)
    result = call(sounds, "-o", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in str(result.exception)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """A scheduler's address, and the processes of its two workers."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path / "dask")
    ) as cluster:
        yield cluster.scheduler_address, [worker.pid for worker in cluster.workers.values()]


def test_a_worker_that_is_killed_costs_nothing(cluster: tuple[str, list[int]], tmp_path: Path) -> None:
    address, workers = cluster
    sounds, out = tmp_path / "sounds", tmp_path / "out"
    write_clips(sounds, CLIPS)
    at_death: dict[Path, int] = {}

    def kill() -> None:
        deadline = time.monotonic() + 60
        while len(receipts(out)) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(workers[0], signal.SIGKILL)
        at_death.update(receipts(out))

    killing = threading.Thread(target=kill)
    killing.start()
    result = call(sounds, "-o", out, "--scheduler", address, "--json", "-q")
    killing.join()
    assert result.return_value == 0, result.output
    assert 3 <= len(at_death) < CLIPS
    after = receipts(out)
    assert len(after) == len(rows(out)) == len(list(out.rglob("*.gs"))) == CLIPS
    assert all(after[path] == when for path, when in at_death.items()), "a clip was encoded twice"
    alone = tmp_path / "alone"
    assert call(sounds, "-o", alone, "--jobs", 1).return_value == 0
    for path in alone.rglob("*.gs"):
        assert path.read_bytes() == (out / path.relative_to(alone)).read_bytes()
