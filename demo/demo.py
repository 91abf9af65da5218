"""Encode the clips of this folder, decode them, say what it cost, and make a page to listen on. Run by `make demo`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from page import Entry, page

import audio_gs
from audio_gs.audio_io import Clip, load, to_pcm, to_wav
from audio_gs.cli.common import progress_bar
from audio_gs.picture import draw_clip

HERE = Path(__file__).parent
OUT = HERE / "out"
KBIT_S = {"speech": 6.0, "music": 12.0, "sfx": 12.0}
FULL_SCALE = 32768
LEAST_SECONDS = 0.2
"""Decoding is repeated for so long to be timed."""


@dataclasses.dataclass(frozen=True)
class Made:
    """A clip, its stream, and how fast that was made and decoded."""

    name: str
    clip: Clip
    data: bytes
    pcm: npt.NDArray[np.int16]
    encode_speed: float
    decode_speed: float
    """Times real time."""

    @property
    def snr_db(self) -> float:
        error = self.clip.samples - self.pcm / FULL_SCALE
        return float(10 * np.log10(np.sum(self.clip.samples**2) / np.sum(error**2)))


def say(text: str) -> None:
    print(text, flush=True)


def seconds_for(work: Callable[[], object], least: float = 0.0) -> float:
    """How long the work takes, on average over at least so many seconds."""
    began, rounds = time.perf_counter(), 0
    while True:
        work()
        rounds += 1
        spent = time.perf_counter() - began
        if spent >= least:
            return spent / rounds


def encode(name: str, clip: Clip, title: str) -> bytes:
    with progress_bar(title, shown=True) as progress:
        return audio_gs.encode(clip.samples, clip.sample_rate, bitrate=KBIT_S[name], preset=name, progress=progress)


def compile_code(name: str, clip: Clip) -> None:
    """Use all that is timed later on a second of sound: what Numba compiles at first use is kept for good."""
    second = dataclasses.replace(clip, samples=clip.samples[: clip.sample_rate])
    audio_gs.info(encode(name, second, "compiling"))


def make(name: str, clip: Clip) -> Made:
    """Encode a clip and decode it."""
    streams: list[bytes] = []
    duration = len(clip.samples) / clip.sample_rate
    encoding = seconds_for(lambda: streams.append(encode(name, clip, f"encoding {name}")))
    decoding = seconds_for(lambda: audio_gs.decode(streams[0]), LEAST_SECONDS)
    pcm, _ = audio_gs.decode(streams[0])
    return Made(name, clip, streams[0], pcm, duration / encoding, duration / decoding)


def write(made: Made) -> Entry:
    """Write the stream, both clips and their picture; returns what the page says of them."""
    name, rate, info = made.name, made.clip.sample_rate, audio_gs.info(made.data)
    original = to_wav(to_pcm(made.clip.samples * FULL_SCALE), rate)
    decoded = to_wav(made.pcm, rate)
    for suffix, content in ((".gs", made.data), (".original.wav", original), (".decoded.wav", decoded)):
        (OUT / f"{name}{suffix}").write_bytes(content)
    counted = {**info.gaussians, **info.residual_values}
    counts = ", ".join(f"{count} {name.replace('_', ' ')}s" for name, count in counted.items())
    title = f"{name}: {len(made.data)} bytes, {info.kbit_s:.2f} kbit/s"
    samples, gaussians = made.clip.samples, audio_gs.read_gaussians(made.data)
    draw_clip(OUT / f"{name}.png", samples, made.pcm / FULL_SCALE, info.header, gaussians, title)
    return Entry(
        name=name,
        seconds=info.header.duration,
        sample_rate=rate,
        original_bytes=len(original),
        stream_bytes=len(made.data),
        facts=(
            f"{info.kbit_s:.2f} kbit/s",
            counts,
            f"{info.macs_per_sample['mean']:.0f} MACs a sample ({info.macs_per_sample['peak']:.0f} in the worst 20 ms)",
            f"{info.decoder_bytes} bytes of memory to decode",
        ),
    )


def row(made: Made) -> str:
    info = audio_gs.info(made.data)
    macs = info.macs_per_sample
    return (
        f"{made.name:<8}{info.header.duration:>6.2f}{made.clip.sample_rate:>7}{len(made.data):>7}{info.kbit_s:>8.2f}"
        f"{2 * len(made.clip.samples) / len(made.data):>7.1f}{sum(info.gaussians.values()):>11}{made.snr_db:>8.2f}"
        f"{macs['mean']:>18.1f}{macs['peak']:>6.0f}{info.decoder_bytes:>15}"
        f"{made.encode_speed:>10.1f}{made.decode_speed:>9.0f}"
    )


def main() -> None:
    OUT.mkdir(exist_ok=True)
    clips = {name: load(HERE / f"{name}.flac") for name in KBIT_S}
    say("compiling what Numba runs (about a minute the first time, a moment afterwards) ...")
    for name, clip in clips.items():
        compile_code(name, clip)
    entries = []
    rows = []
    for name, clip in clips.items():
        say(f"encoding {name}, {len(clip.samples) / clip.sample_rate:.1f} s at {KBIT_S[name]:g} kbit/s ...")
        made = make(name, clip)
        rows.append(row(made))
        say(f"drawing {name} ...")
        entries.append(write(made))
    (OUT / "index.html").write_text(page(entries), encoding="utf-8")
    say("")
    say(f"{'':<64}{'MACs/sample':>18}{'':>21}{'times real time':>19}")
    say(
        f"{'clip':<8}{'s':>6}{'Hz':>7}{'bytes':>7}{'kbit/s':>8}{'ratio':>7}{'Gaussians':>11}{'SNR dB':>8}"
        f"{'mean':>18}{'peak':>6}{'decoder bytes':>15}{'encoded':>10}{'decoded':>9}"
    )
    for line in rows:
        say(line)
    say(f"\nlisten: {(OUT / 'index.html').resolve().as_uri()}")


if __name__ == "__main__":
    main()
