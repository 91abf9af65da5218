"""PyTorch is an extra: all but the fit by gradient descent works in an environment that does not have it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

WORK = """
import importlib.util, sys
import numpy as np

assert importlib.util.find_spec("torch") is None
import audio_gs
from audio_gs import backends
from audio_gs.codec.container import parse_header

time = np.arange(8000) / 8000
data = audio_gs.encode(0.3 * np.sin(2 * np.pi * 440 * time) * np.exp(-3 * time), 8000, bitrate=3, preset="speech")
pcm, rate = audio_gs.decode(data)
assert rate == 8000 and len(pcm) == 8000 and np.abs(pcm).max() > 5000

gaussians, (header, _) = audio_gs.read_gaussians(data), parse_header(data)
tones = gaussians["tone"].copy()
tones["bin"] += 1
edited = audio_gs.write_gaussians(gaussians.replaced(tone=tones, residual=gaussians["residual"][:0]), header)
assert (audio_gs.decode(edited)[0] != pcm).any()
assert len(audio_gs.decode(audio_gs.edit.edited(data, [{"stretch": {"factor": 1.5}}]))[0]) == 12000

report = audio_gs.verify(data)
assert report.agree and "torch" in report.left_out and "audio-gs[torch]" in report.left_out["torch"]
try:
    audio_gs.decode(data, backend="torch")
except backends.BackendMissing as error:
    assert "audio-gs[torch]" in str(error)
else:
    raise AssertionError("decoded by a backend that is not there")
try:
    audio_gs.encode(np.sin(time), 8000, bitrate=3, preset="speech", config={"initialisation": "random"})
except audio_gs.AudioGsError as error:
    assert "audio-gs[torch]" in str(error)
else:
    raise AssertionError("fitted by gradient descent without torch")

Path = __import__("pathlib").Path
Path(sys.argv[1]).write_bytes(data)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of an environment with all that is installed here but PyTorch."""
    packages = tmp_path_factory.mktemp("site-packages")
    here = Path(sysconfig.get_path("purelib"))
    for entry in here.iterdir():
        if not entry.name.startswith(("torch", "functorch", "nvidia", "triton")):
            (packages / entry.name).symlink_to(entry)
    return {**os.environ, "PYTHONPATH": str(packages)}


def run(environment: dict[str, str], folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    # Without the site module nothing but PYTHONPATH is searched for packages.
    command = [sys.executable, "-S", *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


def test_encoding_decoding_editing_and_exporting_need_no_torch(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(environment, tmp_path, "-c", WORK, tmp_path / "clip.gs")
    assert done.returncode == 0, done.stderr
    export = "from audio_gs.export.gs_export import main; main()"
    done = run(environment, tmp_path, "-c", export, "c", tmp_path / "clip.gs", "-o", tmp_path / "assets", "-q")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "assets").glob("*.c"))


def test_asking_for_a_gradient_fit_says_what_to_install(environment: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "study.yaml"
    config.write_text("refine_steps: 10\n")
    clip = Path(__file__).parents[2] / "demo" / "speech.flac"
    encode = "from audio_gs.cli.gs_encode import main; main()"
    arguments = ("--bitrate", "2", "--preset", "speech", "--effort", "fast", "--config", config)
    done = run(environment, tmp_path, "-c", encode, clip, "-o", tmp_path / "clip.gs", *arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "audio-gs[torch]" in done.stderr
    assert not (tmp_path / "clip.gs").exists()
