"""Many files at a time, a ratio in place of a rate, and sweeps over rates."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from audio_gs import parallel
from audio_gs.cli import gs_decode, gs_encode, gs_info
from audio_gs.cli.common import ExitCode, for_each
from audio_gs.encoder.control.quality import IN_WORDS, typical_kbit_s

RATE = 8000
QUICK = ("--effort", "fast", "--preset", "speech")


def run(module: object, *arguments: object) -> Result:
    return CliRunner().invoke(module.command, [str(argument) for argument in arguments])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two clips of half a second, with a file between them that is none."""
    folder = tmp_path_factory.mktemp("clips")
    time_s = np.arange(RATE // 2) / RATE
    for name, hertz in (("a", 300), ("c", 900)):
        soundfile.write(folder / f"{name}.wav", 0.3 * np.sin(2 * np.pi * hertz * time_s) * np.exp(-4 * time_s), RATE)
    (folder / "b.wav").write_text("no sound")
    return sorted(folder.iterdir())


def test_processes_change_nothing_but_the_time(
    clips: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said, made = [], []
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        encoding = gs_encode.Encoding(
            [str(out / f"{path.stem}.gs") for path in clips],
            settings={},
            given={"bitrate": 6.0, "effort": "fast", "preset": "speech", "loop": None},
            ratio=None,
            no_loop=False,
            log_dir=None,
            inputs=len(clips),
            mono=False,
            force=False,
            quiet=False,
            verbose=False,
            as_json=False,
        )
        out.mkdir()
        code = for_each("gs-encode", [str(path) for path in clips], encoding, False, jobs)
        assert code == ExitCode.ERROR
        captured = capfd.readouterr()
        said.append((captured.out, captured.err))
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert said[0] == said[1]
    assert [line.split(":")[0] for line in said[0][1].splitlines()] == [str(clips[0]), "gs-encode", str(clips[2])]
    assert made[0] == made[1]
    assert set(made[0]) == {"a.gs", "c.gs"}


def test_every_command_of_many_files_has_jobs(clips: list[Path], tmp_path: Path) -> None:
    good = [clips[0], clips[2]]
    assert run(gs_encode, *good, "-o", tmp_path, "--bitrate", 6, *QUICK).exit_code == 0
    streams = sorted(tmp_path.glob("*.gs"))
    assert run(gs_decode, *streams, "-o", tmp_path, "--jobs", 2).exit_code == 0
    assert [path.name for path in sorted(tmp_path.glob("*.wav"))] == ["a.wav", "c.wav"]
    listed = run(gs_info, *streams, "--jobs", 2, "--json")
    assert [json.loads(line)["input"] for line in listed.stdout.splitlines()] == [str(path) for path in streams]


def _die(item: int) -> int:
    if item == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_a_process_that_dies_ends_the_work_with_a_word() -> None:
    with pytest.raises(parallel.WorkerError, match="fewer --jobs"):
        list(parallel.in_order(_die, [0, 1], 2))


def test_ctrl_c_ends_all_processes_and_leaves_nothing_half_done(clips: list[Path], tmp_path: Path) -> None:
    """To the whole group, as a terminal sends it, once the first file is there."""
    for copy in range(40):
        shutil.copy(clips[0], tmp_path / f"{copy}.wav")
    out = tmp_path / "out"
    command = [str(Path(sys.executable).parent / "gs-encode"), *map(str, sorted(tmp_path.glob("*.wav")))]
    with subprocess.Popen(
        [*command, "-o", f"{out}/", "--jobs", "2", "-q", *QUICK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        while process.poll() is None and not (out.is_dir() and list(out.glob("*.gs"))):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        # Ends when no process has the pipes open any more.
        _, said = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert said == "gs-encode: interrupted\n"
    assert all(path.suffix == ".gs" and path.stat().st_size > 0 for path in out.iterdir())


@pytest.mark.parametrize("ratio", (10, 25.5, 100))
def test_a_ratio_is_kept(clips: list[Path], tmp_path: Path, ratio: float) -> None:
    out = tmp_path / "out.gs"
    assert run(gs_encode, clips[0], "-o", out, "--ratio", ratio, *QUICK).exit_code == 0
    assert RATE // 2 * 2 / out.stat().st_size >= ratio


def test_a_ratio_is_one_way_to_say_a_rate(clips: list[Path], tmp_path: Path) -> None:
    result = run(gs_encode, clips[0], "-o", tmp_path / "out.gs", "--ratio", 20, "--bitrate", 6)
    assert result.exit_code == ExitCode.USAGE
    (tmp_path / "quality.yaml").write_text("quality: 9\n")
    out = tmp_path / "out.gs"
    config = ("--config", tmp_path / "quality.yaml")
    assert run(gs_encode, clips[0], "-o", out, "--ratio", 50, *config, *QUICK).exit_code == 0
    assert RATE // 2 * 2 / out.stat().st_size >= 50


def test_a_sweep_shows_what_rates_give(clips: list[Path], tmp_path: Path) -> None:
    drawing = tmp_path / "sweep.svg"
    options = ("--sweep", "--sweep-rates", "8,3", "--draw", drawing, *QUICK)
    result = run(gs_encode, clips[0], clips[2], *options, "--json")
    assert result.exit_code == 0
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert [point["asked_kbit_s"] for point in first["points"]] == [3, 8]
    low, high = second["points"]
    assert low["bytes"] < high["bytes"]
    assert low["quality"] <= high["quality"]
    assert low["ratio"] == pytest.approx(RATE / low["bytes"])
    assert drawing.read_text().startswith("<?xml")
    assert "like a wide-band phone call" not in result.stdout
    table = run(gs_encode, clips[0], "--sweep", "--sweep-rates", "3", *QUICK).stdout
    assert len(table.splitlines()) == 3


@pytest.mark.parametrize(
    "wrong",
    (
        ("--sweep", "-o", "out.gs"),
        ("--sweep", "--bitrate", 6),
        ("--sweep", "--draw", "sweep.txt"),
        ("--sweep", "--sweep-rates", "3,x"),
        ("--draw", "sweep.png", "-o", "out.gs"),
        (),
        ("-o", "out.gs", "--jobs", 0),
    ),
    ids=str,
)
def test_what_makes_no_sense_is_refused(clips: list[Path], tmp_path: Path, wrong: tuple[object, ...]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert run(gs_encode, clips[0], *wrong).exit_code == ExitCode.USAGE
    assert not list(tmp_path.iterdir())


def test_the_guide_has_the_words_for_qualities() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "command_line.md").read_text(encoding="utf-8")
    for quality, words in enumerate(IN_WORDS):
        rate = typical_kbit_s(quality)
        assert f"| {quality} | {rate:.{0 if rate > 10 else 1}f} | {words} |" in guide
