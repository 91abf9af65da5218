"""gs-encode --sweep: quality, size and MACs of clips over rates."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from audio_gs import api, audio_io, inspect
from audio_gs.audio_io import SAMPLE_BYTES
from audio_gs.parallel import in_order

from .common import STDIO, ExitCode, for_each, name_of, output_to_be, print_json, say

RATES_SWEPT = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
DRAWN = (".png", ".svg", ".pdf")
_INCHES = (7.0, 8.0)


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What goes over a clip."""

    options: dict[str, Any]
    """Of the encoder, by name, without a rate."""
    rates: tuple[float, ...]
    """Kbit/s, ascending."""
    no_loop: bool
    mono: bool
    """Two channels are mixed down."""


@dataclasses.dataclass(frozen=True)
class Point:
    """A clip at a rate."""

    asked_kbit_s: float
    kbit_s: float
    bytes: int
    ratio: float
    """Bytes of the clip's 16-bit samples over those of the stream."""
    quality: float
    macs_mean: float
    macs_peak: float
    decoder_bytes: int


def run_sweep(
    program: str,
    inputs: Sequence[str],
    sweep: Sweep,
    drawing: str | None,
    jobs: int,
    force: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> ExitCode:
    """Show the sweep of each clip, and draw them all. Raises click.UsageError for standard input and for a drawing of
    another kind than DRAWN."""
    from audio_gs.encoder.control.quality import in_words

    if STDIO in inputs:
        raise click.UsageError("--sweep reads a clip once for each rate; give files in place of standard input")
    if drawing and Path(drawing).suffix.lower() not in DRAWN:
        raise click.UsageError(f"cannot draw {drawing}; name it {', '.join(DRAWN[:-1])} or {DRAWN[-1]}")
    clips: dict[str, audio_io.Clip] = {}

    def load_one(_index: int, name: str) -> None:
        clips[name] = audio_io.load(name, sweep.mono)

    code = for_each(program, inputs, load_one, verbose)
    tasks = [(clips[name], rate) for name in clips for rate in sweep.rates]
    points = in_order(functools.partial(_point, sweep), tasks, jobs)
    curves = {}
    for name, clip in clips.items():
        curves[name] = [next(points) for _ in sweep.rates]
        if as_json:
            print_json({"input": name, "points": [dataclasses.asdict(point) for point in curves[name]]})
        elif not quiet:
            print(f"{name_of(name)}, {len(clip.samples) / clip.sample_rate:.2f} s")
            print("  kbit/s   bytes  ratio  quality   MACs mean, peak  decoder bytes")
            for point in curves[name]:
                print(
                    f"{point.kbit_s:>8.2f}{point.bytes:>8}{point.ratio:>7.1f}{point.quality:>9.1f}"
                    f"{point.macs_mean:>12.0f}{point.macs_peak:>6.0f}{point.decoder_bytes:>15}   "
                    f"{in_words(point.quality)}"
                )
    if drawing and curves:
        with output_to_be(drawing, force) as path:
            _draw(path, Path(drawing).suffix[1:].lower(), curves)
        if not quiet:
            say(f"{program}: drawn to {drawing}")
    return code


def _point(sweep: Sweep, task: tuple[audio_io.Clip, float]) -> Point:
    clip, rate = task
    loop = sweep.options.get("loop") or (None if sweep.no_loop else clip.loop)
    options = {name: value for name, value in sweep.options.items() if name not in ("gaussians", "quality", "loop")}
    result = api.encode_clip(clip, api.encoder_options({**options, "bitrate": rate}, loop=loop))
    facts = inspect.info(result.data, None)
    return Point(
        asked_kbit_s=rate,
        kbit_s=facts.kbit_s,
        bytes=facts.bytes,
        ratio=SAMPLE_BYTES * clip.samples.size / facts.bytes,
        quality=result.quality,
        macs_mean=facts.macs_per_sample["mean"],
        macs_peak=facts.macs_per_sample["peak"],
        decoder_bytes=facts.decoder_bytes,
    )


def _draw(path: Path, file_format: str, curves: dict[str, list[Point]]) -> None:
    from audio_gs.picture import new_figure

    figure = new_figure(_INCHES)
    quality, size, macs = figure.subplots(3, 1, sharex=True)
    for name, points in curves.items():
        rates = [point.kbit_s for point in points]
        quality.plot(rates, [point.quality for point in points], "o-", label=Path(name).stem)
        size.plot(rates, [point.bytes for point in points], "o-")
        macs.plot(rates, [point.macs_peak for point in points], "o-")
    for axes, label in ((quality, "quality"), (size, "bytes"), (macs, "MACs a sample, worst 20 ms")):
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    macs.set_xlabel("kbit/s")
    quality.legend()
    figure.savefig(path, format=file_format, metadata={"Date": None} if file_format == "svg" else None)
