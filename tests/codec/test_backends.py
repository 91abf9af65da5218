"""Backends: those of the package, and others that register themselves."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx_tools import needs_export
from random_streams import random_stream, stereo_stream

import audio_gs
from audio_gs import backends
from audio_gs.errors import AudioGsError

STREAM = random_stream(4)
MEND = "the toy is not installed; install it: pip install toy"

OTHERS = f"""
import numpy as np

from audio_gs.codec.backend import Backend
from audio_gs.codec.decoder import ReferenceDecoder


class Late(ReferenceDecoder):
    "Gives every sample one too late."

    def read(self, count):
        pcm = super().read(count)
        return np.roll(pcm, 1)


def exact(data):
    decoder = ReferenceDecoder(data)
    return decoder.read(decoder.header.samples)


def both(data):
    decoder = ReferenceDecoder(data)
    decoder.set_stereo(True)
    return decoder.read(decoder.header.samples)


LATE = Backend("late", exact=True, open=Late)
WHOLE = Backend("whole", exact=True, render=exact)
WRONG = Backend("wrong", exact=True, render=lambda data: exact(data) ^ 1)
SHORT = Backend("short", exact=True, render=lambda data: exact(data)[1:])
FLOAT = Backend("float", exact=False, render=lambda data: exact(data) + 0.25)
FAR = Backend("far", exact=False, render=lambda data: exact(data) * 0.5)
SWAPPED = Backend("swapped", exact=True, render=exact, render_both=lambda data: both(data)[:, ::-1])
TOY = Backend("toy", exact=True, open=ReferenceDecoder, missing=lambda: {MEND!r})
"""


class Installed:
    """Installs some of the backends above beside the package's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *names: str) -> None:
        info = self._folder / "other_backends-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-backends\nVersion: 1.0\n")
        points = "".join(f"{name} = other_backends:{name.upper()}\n" for name in names)
        (info / "entry_points.txt").write_text(f"[audio_gs.backends]\n{points}")
        (self._folder / "other_backends.py").write_text(OTHERS)
        importlib.invalidate_caches()
        forget_backends()


def forget_backends() -> None:
    backends._points.cache_clear()
    backends._backend.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    monkeypatch.syspath_prepend(tmp_path)
    yield Installed(tmp_path)
    forget_backends()


def test_those_of_the_package() -> None:
    """The default first, then the others that stream, then those that render whole clips."""
    assert backends.names() == ("c", "numba", "onnx", "torch")
    assert backends.streaming() == ("c", "numba")
    assert backends.DEFAULT == "c"
    for name in backends.names():
        if name not in backends.left_out():
            backend = backends.load(name)
            assert backend.name == name
            assert backend.exact == (name != "torch")
            assert (backend.open is None) == (backend.render is not None) == (name not in backends.streaming())


def test_unknown_names() -> None:
    for use in (backends.load, lambda name: backends.open_decoder(STREAM.data, name)):
        with pytest.raises(ValueError, match="there is no backend 'fpga'; choose one of c, numba, onnx, torch"):
            use("fpga")
    with pytest.raises(ValueError, match="no backend 'fpga'"):
        audio_gs.decode(STREAM.data, backend="fpga")
    with pytest.raises(ValueError, match="no backend 'fpga'"):
        audio_gs.StreamDecoder(STREAM.data, "fpga")


@needs_export
def test_what_renders_whole_clips_does_not_stream() -> None:
    with pytest.raises(ValueError, match="backend 'onnx' cannot stream; choose one of c, numba"):
        backends.open_decoder(STREAM.data, "onnx")
    with pytest.raises(ValueError, match="cannot stream"):
        audio_gs.StreamDecoder(STREAM.data, "onnx")
    with pytest.raises(ValueError, match="cannot stream"):
        audio_gs.decode_partial(STREAM.data, backend="onnx")


@pytest.mark.parametrize(("name", "module", "extra"), [("onnx", "onnxruntime", "export"), ("torch", "torch", "torch")])
def test_an_extra_that_is_not_installed(name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == module else find(wanted))
    assert name in backends.names()
    assert f"pip install 'audio-gs[{extra}]'" in backends.left_out()[name]
    for use in (lambda: backends.load(name), lambda: audio_gs.decode(STREAM.data, backend=name)):
        with pytest.raises(backends.BackendMissing, match=rf"pip install 'audio-gs\[{extra}\]'") as caught:
            use()
        assert isinstance(caught.value, AudioGsError)
        assert len(str(caught.value).splitlines()) == 1
    report = audio_gs.verify(STREAM.data)
    assert report.agree
    assert name not in report.backends
    assert report.left_out[name] == backends.left_out()[name]


WITH_ONE = """
import sys
import audio_gs
data = open(sys.argv[1], "rb").read()
for backend in ("c", "numba"):
    audio_gs.decode(data, backend=backend)
    audio_gs.decode(data, backend=backend, partial=True)
    audio_gs.StreamDecoder(data, backend).read(10)
others = [name for name in ("audio_gs.encoder", "audio_gs.export", "torch", "onnxruntime") if name in sys.modules]
sys.exit(", ".join(others) or 0)
"""


def test_one_backend_does_not_load_the_others(tmp_path: Path) -> None:
    (tmp_path / "clip.gs").write_bytes(STREAM.data)
    command = [sys.executable, "-c", WITH_ONE, str(tmp_path / "clip.gs")]
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr


def test_others_register_themselves(installed: Installed) -> None:
    installed("whole", "float", "toy")
    assert backends.names() == ("c", "numba", "toy", "float", "onnx", "torch", "whole")
    assert backends.streaming() == ("c", "numba", "toy")
    assert backends.left_out()["toy"] == MEND
    expected = audio_gs.decode(STREAM.data)[0]
    np.testing.assert_array_equal(audio_gs.decode(STREAM.data, backend="whole")[0], expected)
    np.testing.assert_array_equal(audio_gs.decode(STREAM.data, backend="float")[0], expected)
    for use in (backends.load, lambda name: audio_gs.StreamDecoder(STREAM.data, name)):
        with pytest.raises(backends.BackendMissing, match=MEND):
            use("toy")
    report = audio_gs.verify(STREAM.data)
    assert report.agree
    assert {"whole", "float"} < set(report.backends)
    assert report.left_out["toy"] == MEND
    assert report.agreement_db["float"] == np.inf, "half a step of difference is free"
    assert "whole" not in report.agreement_db


@pytest.mark.parametrize(
    ("name", "step", "says"),
    [
        ("late", "render", "sample"),
        ("wrong", "pcm", "sample 0 is"),
        ("short", "pcm", f"{STREAM.header.samples - 1} samples from short, {STREAM.header.samples} from numba"),
        ("far", "render", "far's float rendering is 6.0 dB away, 60 dB are asked for"),
    ],
)
def test_others_that_differ_are_told(name: str, step: str, says: str, installed: Installed) -> None:
    installed(name)
    report = audio_gs.verify(STREAM.data)
    assert not report.agree
    assert report.difference
    assert report.difference.step == step
    assert report.difference.backends == (name, "numba")
    assert says in report.difference.detail
    assert str(report.difference).startswith(f"{name} and numba differ first at step '{step}'")


def test_two_channels_of_others(installed: Installed) -> None:
    installed("whole", "swapped")
    data = stereo_stream(27).data
    left, right = audio_gs.decode(data)[0].T
    assert (left != right).any()
    np.testing.assert_array_equal(
        audio_gs.decode(data, backend="whole", mono=True)[0], audio_gs.decode(data, mono=True)[0]
    )
    with pytest.raises(ValueError, match="'whole' gives one channel, and the stream has two; choose one of c, numba, "):
        audio_gs.decode(data, backend="whole")
    np.testing.assert_array_equal(audio_gs.decode(data, backend="swapped")[0], np.stack([right, left], axis=1))
    difference = audio_gs.verify(data).difference
    assert difference
    assert (difference.step, difference.backends) == ("two channels", ("swapped", "numba"))
    assert "left and right of sample" in difference.detail
