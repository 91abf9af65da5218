"""gs-bank from a folder of recordings to files: what is written, what is encoded anew, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from audio_gs import api, audio_io
from audio_gs.audio_io import Clip
from audio_gs.bank import gs_bank
from audio_gs.bank.plan import parse_size
from audio_gs.bank.sounds import Preparing, at_loudness, load_sound, trimmed
from audio_gs.codec.container import parse_header
from audio_gs.errors import AudioGsError, OptionsError

RATE = 8000
FLASH = 1024
LOOP = (1000, 3000)


def tone(hertz: float, seconds: float = 0.4) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(int(hertz)).standard_normal(len(time_s))
    return 0.3 * (np.sin(2 * np.pi * hertz * time_s) + 0.2 * noise) * np.exp(-5 * time_s)


def write_looped(path: Path, samples: np.ndarray) -> None:
    """A WAV file with a sampler chunk."""
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    loop = struct.pack("<6I", 0, 0, LOOP[0], LOOP[1] - 1, 0, 0)
    chunk = struct.pack("<9I", 0, 0, 0, 60, 0, 0, 0, 1, 0) + loop
    content = path.read_bytes() + b"smpl" + struct.pack("<I", len(chunk)) + chunk
    path.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    (folder / "alarms").mkdir(parents=True)
    soundfile.write(folder / "alarms" / "beep.wav", tone(800), RATE)
    soundfile.write(folder / "click.flac", tone(2000), RATE)
    write_looped(folder / "hum.wav", tone(150))
    (folder / "notes.txt").write_text("no clip")
    return folder


def call(subcommand: str, *arguments: object, cache: Path) -> Result:
    quick = ("--effort", "fast", "--jobs", 1, "--cache", cache)
    return CliRunner().invoke(gs_bank.command, [subcommand, *map(str, (*arguments, *quick))])


def record(out: Path) -> dict[str, Any]:
    return json.loads((out / "bank.json").read_text())


def test_a_bank_fits_and_can_be_heard(sounds: Path, tmp_path: Path, cache: Path) -> None:
    out = tmp_path / "bank"
    result = call("build", sounds, "--flash", "1K", "-o", out, "--target", "arduino", cache=cache)
    assert result.exit_code == 0, result.output
    streams = sorted((out / "streams").iterdir())
    assert [path.name for path in streams] == ["alarms_beep.gs", "click.gs", "hum.gs"]
    assert 0.9 * FLASH < sum(path.stat().st_size for path in out.rglob("*.gs")) <= FLASH
    assert parse_header(streams[2].read_bytes())[0].loop == LOOP
    known = record(out)
    assert known["bytes"] == sum(path.stat().st_size for path in streams)
    assert known["worst"] == min(clip["quality"] for clip in known["clips"])
    assert all((out / name).is_file() for name in known["files"])
    page = (out / "report.html").read_text()
    for name, called in known["names"].items():
        assert name in page
        heard, rate = soundfile.read(out / "audio" / f"{called}.flac", dtype="int16")
        decoded, its_rate = api.decode((out / "streams" / f"{called}.gs").read_bytes())
        np.testing.assert_array_equal(heard, decoded)
        assert rate == its_rate
        assert f"audio/{called}.original.flac" in page
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    for source in re.findall(r'src="([^"]+)"', page):
        assert (out / source).is_file()
    assert (out / "project" / "PlayClip" / "PlayClip.ino").is_file()
    if shutil.which("cc"):
        header = Path(__file__).parents[2] / "decoder_c" / "include"
        subprocess.run(
            ["cc", "-fsyntax-only", "-Wall", "-Werror", "-I", header, out / "c" / "audio_gs_clips.c"], check=True
        )
    again = call("build", sounds, "--flash", "1K", "-o", out, cache=cache)
    assert again.exit_code == 1
    assert "-f overwrites it" in str(again.exception)


def test_only_what_changed_is_encoded_anew(sounds: Path, tmp_path: Path, cache: Path) -> None:
    out = tmp_path / "bank"
    build = ("build", sounds, "--flash", "1K", "-o", out, "-f")
    assert call(*build, cache=cache).exit_code == 0
    first = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert call(*build, cache=cache).exit_code == 0
    assert not any(clip["encoded_anew"] for clip in record(out)["clips"])
    for path in (out / "streams").iterdir():
        assert path.read_bytes() == first[path]
    soundfile.write(sounds / "click.flac", 0.8 * tone(2000), RATE)
    assert call(*build, cache=cache).exit_code == 0
    assert [clip["name"] for clip in record(out)["clips"] if clip["encoded_anew"]] == ["click.flac"]
    (sounds / "click.flac").unlink()
    assert call(*build, cache=cache).exit_code == 0
    assert [path.name for path in sorted((out / "streams").iterdir())] == ["alarms_beep.gs", "hum.gs"]
    assert sum(path.stat().st_size for path in out.rglob("*.gs")) <= FLASH


def test_what_cannot_be_read_is_left_out(sounds: Path, tmp_path: Path, cache: Path) -> None:
    (sounds / "bad.wav").write_text("no sound")
    result = call("build", sounds, "--flash", "1K", "-o", tmp_path / "bank", cache=cache)
    assert "bad.wav: cannot read it as audio" in result.output
    assert len(list((tmp_path / "bank" / "streams").iterdir())) == 3
    strict = call("build", sounds, "--flash", "1K", "-o", tmp_path / "other", "--strict", cache=cache)
    assert isinstance(strict.exception, AudioGsError)
    assert not (tmp_path / "other").exists()


def test_too_little_flash_writes_nothing(sounds: Path, tmp_path: Path, cache: Path) -> None:
    result = call("build", sounds, "--flash", "60", "-o", tmp_path / "bank", cache=cache)
    assert re.search(r"take \d+ bytes at the lowest rate.*, \d+ more than the 60 .*drop ", str(result.exception))
    assert not (tmp_path / "bank").exists()


def test_tuning_says_what_a_quality_takes(sounds: Path, cache: Path) -> None:
    result = call("tune", sounds, "--quality", 4, "--json", cache=cache)
    assert result.exit_code == 0, result.output
    known = json.loads(result.stdout)
    assert known["worst"] >= 3.9
    table = call("tune", sounds, "--flash", "1K", cache=cache).stdout
    assert "last quality costs" in table and "alarms/beep.wav" in table
    assert call("tune", sounds, cache=cache).exit_code == 2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("--flash", "0"), "is no size"),
        (("--flash", "1K", "--core", "cortex-m4"), "belong together"),
        (("--flash", "1K", "--sample-rate", "7"), "neither auto, own"),
        (("--flash", "1K", "--weight", "x"), "PATTERN=NUMBER"),
    ],
)
def test_wrong_use_is_refused(sounds: Path, tmp_path: Path, cache: Path, wrong: tuple[str, ...], says: str) -> None:
    result = call("build", sounds, *wrong, "-o", tmp_path / "bank", cache=cache)
    assert result.exit_code == 2
    assert says in result.output
    assert not (tmp_path / "bank").exists()


def test_ceilings_are_kept(sounds: Path, tmp_path: Path, cache: Path) -> None:
    out = tmp_path / "bank"
    ceilings = ("--max-macs", 24, "--ram", "4K", "--sample-rate", 8000)
    result = call("build", sounds, "--flash", "2K", "-o", out, *ceilings, cache=cache)
    assert result.exit_code == 0, result.output
    for clip in record(out)["clips"]:
        assert clip["macs_peak"] <= 24
        assert clip["decoder_bytes"] <= 4096


@pytest.mark.parametrize(
    ("text", "size"), [("96K", 98304), ("1.5M", 1572864), ("5000", 5000), ("2 KiB", 2048), ("2kb", 2048)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ("", "K", "-1", "1G", "0"))
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(OptionsError, match="is no size"):
        parse_size(text)


def test_silence_is_trimmed_but_for_the_loop() -> None:
    samples = np.concatenate([np.zeros(4000), np.full(800, 0.5), np.zeros(4000)])
    cut = trimmed(Clip(samples, RATE))
    assert len(cut.samples) == 800 + 2 * 80
    looped = trimmed(Clip(samples, RATE, loop=(3000, 6000)))
    assert looped.loop == (0, 3000)
    np.testing.assert_array_equal(looped.samples, samples[3000:6000])
    silent = Clip(np.zeros(100), RATE)
    assert trimmed(silent) is silent


def test_clips_come_to_one_loudness(sounds: Path) -> None:
    pytest.importorskip("pyloudnorm")
    quiet = load_sound(sounds, "hum.wav", Preparing(loudness=-30.0)).clip
    again, notice = at_loudness(quiet, -30.0)
    np.testing.assert_allclose(again.samples, quiet.samples, rtol=1e-6)
    assert notice is None and quiet.loop == LOOP
    loud, notice = at_loudness(quiet, -3.0)
    assert 20 * np.log10(np.max(np.abs(loud.samples))) == pytest.approx(-1.0)
    assert notice is not None and "its peak lets it" in notice
    assert at_loudness(Clip(np.zeros(1000), RATE), -20.0)[1] is not None


def test_a_short_clip_has_a_loudness() -> None:
    pytest.importorskip("pyloudnorm")
    clip, notice = at_loudness(audio_io.prepare(tone(440, 0.05), RATE), -25.0)
    assert notice is None
    assert np.max(np.abs(clip.samples)) < 1
