"""gs-play on a device that is none: what sounds, and what is said where nothing can."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from audio_gs import api
from audio_gs.cli import gs_play
from audio_gs.cli.interrupt import Interrupted

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SPEECH = VECTORS / "speech-8.bin"
LOOPED = VECTORS / "random-171.bin"
DEVICE_RATE = 48000
ABSENT = object()


class PortAudioError(Exception):
    """As sounddevice has it."""


class Device:
    """Stands for the package sounddevice, and keeps what was played."""

    def __init__(self, rates: tuple[int, ...] | None = None, present: bool = True, patience: float = np.inf) -> None:
        self.rates, self.present, self.patience = rates, present, patience
        self.rate = 0
        self.calls: list[str] = []
        self.played = np.zeros(0, np.int16)
        self.module = SimpleNamespace(
            PortAudioError=PortAudioError,
            check_output_settings=self._check,
            query_devices=self._query,
            RawOutputStream=self._open,
        )

    def _check(self, *, channels: int, dtype: str, samplerate: int) -> None:
        if not self.present or (self.rates and samplerate not in self.rates):
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    def _query(self, *, kind: str) -> dict[str, float]:
        if not self.present:
            raise PortAudioError("Error querying device -1")
        return {"default_samplerate": float(DEVICE_RATE)}

    def _open(self, *, samplerate: int, channels: int, dtype: str) -> SimpleNamespace:
        assert (channels, dtype) == (1, "int16")
        self.rate = samplerate
        calls = {name: lambda name=name: self.calls.append(name) for name in ("start", "stop", "close")}
        return SimpleNamespace(write=self._write, **calls)

    def _write(self, data: bytes) -> None:
        self.played = np.concatenate([self.played, np.frombuffer(data, np.int16)])
        if len(self.played) > self.patience:
            raise Interrupted


Play = Callable[..., tuple[int, str]]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Play:
    """Runs gs-play with something in the place of sounddevice. Returns its exit code and what it said."""

    def run(module: Any, *arguments: object) -> tuple[int, str]:
        if module is not ABSENT:
            monkeypatch.setitem(sys.modules, "sounddevice", module)
        monkeypatch.setattr(sys, "argv", ["gs-play", *map(str, arguments)])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            gs_play.main()
        assert isinstance(ended.value.code, int)
        return int(ended.value.code), capfd.readouterr().err

    return run


def test_a_clip_sounds_as_it_decodes(play: Play) -> None:
    device = Device()
    code, said = play(device.module, SPEECH)
    samples, rate = api.decode(SPEECH.read_bytes())
    assert (code, device.rate, device.calls) == (0, rate, ["start", "stop", "close"])
    np.testing.assert_array_equal(device.played, samples)
    assert f"{len(samples) / rate:.2f} s" in said


def test_pitch_tempo_and_gain_are_those_of_decode(play: Play) -> None:
    device = Device()
    assert play(device.module, SPEECH, "-q", "--pitch", "1.5", "--tempo", "0.75", "--gain-db", "-6") == (0, "")
    samples, _ = api.decode(SPEECH.read_bytes(), playback=api.Playback(pitch=1.5, tempo=0.75, gain_db=-6))
    np.testing.assert_array_equal(device.played, samples)


@pytest.mark.parametrize("clip", [SPEECH, LOOPED])
def test_a_loop_ends_with_an_interrupt(play: Play, clip: Path) -> None:
    decoder = api.StreamDecoder(clip.read_bytes())
    device = Device(patience=2 * len(decoder))
    code, said = play(device.module, "--loop", "-q", clip)
    assert (code, said) == (130, "gs-play: interrupted\n")
    assert device.calls == ["start", "close"]
    wanted = decoder.read(len(decoder))
    if decoder.header.loop:
        decoder.rewind()
        decoder.set_loop(True)
        wanted = decoder.read(len(device.played))
    else:
        wanted = np.concatenate([wanted, wanted, wanted])
    np.testing.assert_array_equal(device.played, wanted[: len(device.played)])


def test_a_rate_that_the_device_lacks_is_resampled(play: Play) -> None:
    device = Device(rates=(DEVICE_RATE,))
    assert play(device.module, SPEECH, "-q")[0] == 0
    samples, rate = api.decode(SPEECH.read_bytes())
    assert device.rate == DEVICE_RATE
    assert len(device.played) == pytest.approx(len(samples) * DEVICE_RATE / rate, abs=2)
    power = [np.mean(np.square(sound.astype(np.float64))) for sound in (device.played, samples)]
    assert power[0] == pytest.approx(power[1], rel=0.05)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (None, "pip install 'audio-gs[play]'"),
        (Device(present=False).module, "no device plays"),
    ],
)
def test_what_is_missing_is_one_line(play: Play, module: Any, says: str) -> None:
    code, said = play(module, SPEECH)
    assert code == 1
    assert says in said and said.count("\n") == 1


def test_a_missing_library_is_one_line(play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    code, said = play(ABSENT, SPEECH)
    assert (code, said.count("\n")) == (1, 1)
    assert "libportaudio2" in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--pitch", "3", SPEECH), 2, "outside 0.5..2"),
        (("--gain-db", "13", SPEECH), 2, "above the limit"),
        (("--loop", SPEECH, SPEECH), 2, "give one"),
        (("nothing.gs",), 1, "no such file"),
    ],
)
def test_wrong_calls_make_no_sound(play: Play, arguments: tuple[object, ...], code: int, says: str) -> None:
    device = Device()
    got, said = play(device.module, *arguments)
    assert got == code
    assert says in said and said.count("\n") == 1
    assert device.calls == []


def test_a_damaged_stream_makes_no_sound(play: Play, tmp_path: Path) -> None:
    data = SPEECH.read_bytes()
    bad = tmp_path / "bad.gs"
    bad.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    device = Device()
    code, said = play(device.module, bad)
    assert (code, said.count("\n"), device.calls) == (3, 1, [])
