"""Codecs that are npm packages: found where Node finds them, run with small packages in their place."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from bench_clips import tone

from audio_gs.bench.codecs import CodecError, CodecMissing
from audio_gs.bench.codecs import node as node_packages
from audio_gs.bench.codecs.he_aac import HeAac
from audio_gs.bench.codecs.node import find_package, package_version, run_script
from audio_gs.bench.codecs.opus_direct import OpusLace
from audio_gs.bench.codecs.tool import write_wav

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")

ENHANCER = """
export class OpusMLDecoder {
  constructor(options) { this.options = options; this.ready = Promise.resolve(); }
  free() {}
  decodeFrames(packets) {
    const { channels, sampleRate, speechQualityEnhancement } = this.options;
    const lace = { lace: 0.25, nolace: 0.5 }[speechQualityEnhancement];
    const told = [channels, sampleRate / 16000, lace, ...packets.map((packet) => packet.length)];
    const bad = packets.some((packet) => packet.length === 3);
    return { channelData: [Float32Array.from(told)], errors: bad ? [{ message: 'a bad packet' }] : [] };
  }
}
"""
CORE = """
module.exports = async ({ printErr }) => {
  const files = {}, memory = {}, words = {};
  let free = 8;
  return {
    FS: { writeFile: (name, data) => { files[name] = data; }, readFile: (name) => files[name] },
    _malloc: (size) => { free += size; return free - size; },
    lengthBytesUTF8: (text) => Buffer.byteLength(text),
    stringToUTF8: (text, place) => { words[place] = text; },
    setValue: (place, value) => { memory[place] = value; },
    _main: (count, place) => {
      const args = Array.from({ length: count }, (_, index) => words[memory[place + 4 * index]]);
      const status = args.includes('7k') ? 1 : 0;
      printErr('the reason');
      files[args[args.length - 1]] = Buffer.from(JSON.stringify([args, files['in.wav'].length]));
      throw Object.assign(new Error('exit'), { status });
    },
  };
};
"""


def install(modules: Path, name: str, form: str = "module", files: Mapping[str, str] | None = None) -> Path:
    package = modules / name
    for file, content in {"package.json": "", **(files or {})}.items():
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        (package / file).write_text(content)
    (package / "package.json").write_text(json.dumps({"name": name, "version": "1.2.3", "type": form}))
    return package


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder beside which no package is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NODE_PATH", raising=False)
    monkeypatch.setattr(node_packages, "_global_folders", lambda: (tmp_path / "global",))
    return tmp_path


@needs_node
def test_packages_are_found_where_node_finds_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CodecMissing, match="package @some/codec not found; npm install --global @some/codec@2"):
        find_package("@some/codec", "2")
    everywhere = install(folder / "global", "@some/codec")
    assert find_package("@some/codec", "2") == everywhere
    named = install(folder / "named", "@some/codec")
    monkeypatch.setenv("NODE_PATH", str(folder / "named"))
    assert find_package("@some/codec", "2") == named
    above = install(folder / "node_modules", "@some/codec")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert find_package("@some/codec", "2") == above
    assert package_version("@some/codec", "2") == "@some/codec 1.2.3"
    (above / "package.json").write_text("{}")
    with pytest.raises(CodecMissing, match=r"package\.json cannot be read; npm install"):
        package_version("@some/codec", "2")


def test_without_node_they_are_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for codec in (OpusLace("LACE", 20), HeAac(24000)):
        with pytest.raises(CodecMissing, match="not found; install"):
            codec.version()


@needs_node
@pytest.mark.parametrize(("enhancement", "told"), [("LACE", 0.25), ("NoLACE", 0.5)])
def test_lace_decodes_the_packets_of_one_channel(folder: Path, enhancement: str, told: float) -> None:
    install(folder / "node_modules", "@wasm-audio-decoders/opus-ml", files={"index.js": ENHANCER})
    codec = OpusLace(enhancement, 20)
    samples, rate = codec.decode(struct.pack("<H5xH300x", 5, 300))
    assert rate == 16000
    assert samples.tolist() == [1.0, 1.0, told, 5.0, 300.0]
    with pytest.raises(CodecError, match="node ended with code 1: a bad packet"):
        codec.decode(struct.pack("<H3x", 3))


@needs_node
def test_he_aac_is_what_the_package_of_ffmpeg_encodes(folder: Path) -> None:
    files = {"dist/ffmpeg-core.js": CORE, "dist/ffmpeg-core.wasm": ""}
    package = install(folder / "node_modules", "@ffmpeg/core-st", "commonjs", files)
    words, size = json.loads(HeAac(24000).encode(tone(1.0, 16000), 16000, 8))
    assert words[:6] == ["ffmpeg", "-hide_banner", "-nostdin", "-i", "in.wav", "-c:a"]
    assert words[6:] == ["libfdk_aac", "-profile:a", "aac_he", "-b:a", "8000", "out.aac"]
    assert size == write_wav(folder / "same.wav", tone(1.0, 16000), 16000).stat().st_size
    with pytest.raises(CodecError, match="node ended with code 1: the reason"):
        run_script("ffmpeg_core.mjs", package, folder / "same.wav", folder / "out.aac", "7k")


def test_he_aac_is_coded_at_a_rate_that_the_clip_has() -> None:
    low, high = HeAac(24000), HeAac(44100)
    assert [low.coded_rate(rate, 8) for rate in (16000, 22050, 24000, 48000)] == [16000, 22050, 24000, 24000]
    assert [high.coded_rate(rate, 8) for rate in (44100, 48000)] == [44100, 44100]
    assert low.rates(8000) == high.rates(32000) == ()
    assert low.rates(16000, (4.0, 8.0, 20.0)) == (8.0, 20.0)


def test_delays_of_he_aac_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = np.arange(6000.0)
    monkeypatch.setattr("audio_gs.bench.codecs.ffmpeg.Ffmpeg.decode", lambda self, data: (decoded, 24000))
    samples, rate = HeAac(24000).decode(b"")
    assert (samples[0], len(samples), rate) == (5058.0, 942, 24000)
