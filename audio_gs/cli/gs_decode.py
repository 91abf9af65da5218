"""gs-decode: Audio-GS streams to WAV files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from audio_gs import api, audio_io, backends
from audio_gs.codec.container import parse_header
from audio_gs.errors import BitstreamError

from .common import (
    HELP_NAMES,
    PATH,
    STDIO,
    CommandError,
    ExitCode,
    duration_option,
    for_each,
    jobs_option,
    name_of,
    output_options,
    output_to_be,
    plan_outputs,
    print_json,
    read_stream,
    run,
    say,
    version_option,
)

PROGRAM = "gs-decode"
FORMATS = {"": "WAV", ".wav": "WAV", ".flac": "FLAC"}


@click.command(context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="IN...")
@click.option(
    "-o",
    "--output",
    required=True,
    type=PATH,
    metavar="OUT",
    help="WAV (or FLAC) file, folder for many inputs, or - .",
)
@click.option(
    "--backend",
    type=click.Choice(backends.names()),
    default="c",
    show_default=True,
    help="c, numba and onnx (extra 'export') give the same samples; torch renders in floating point.",
)
@click.option("--partial", is_flag=True, help="Keep what precedes the damage of a corrupt stream.")
@click.option("--pitch", type=float, default=1.0, metavar="FACTOR", help="Times the frequency, 0.5 to 2.")
@click.option("--tempo", type=float, default=1.0, metavar="FACTOR", help="Times as fast, 0.5 to 2.")
@click.option("--rate", type=int, metavar="HZ", help="Sample rate to play at, 8000 to 48000.")
@click.option("--gain-db", type=float, default=0.0, metavar="DB", help="Gain, up to 12 dB.")
@click.option("--fade-in", type=float, default=0.0, metavar="S", help="Seconds in which the sound rises from silence.")
@click.option(
    "--fade-out", type=float, default=0.0, metavar="S", help="Seconds in which it falls to silence at the end."
)
@click.option(
    "--mute",
    multiple=True,
    metavar="WHAT",
    help="Leave out tone, noise or residual, or a band such as 2000-4000 (Hz); may be given again.",
)
@click.option("--binaural", is_flag=True, help="What both ears hear of a stream of one channel, for headphones.")
@click.option("--azimuth", type=float, default=0.0, metavar="DEG", help="Of the source: 0 in front, 90 on the left.")
@click.option("--elevation", type=float, default=0.0, metavar="DEG", help="Of the source: 90 above.")
@click.option("--yaw", type=float, default=0.0, metavar="DEG", help="Of the head: positive as it turns to the left.")
@click.option("--head-pitch", type=float, default=0.0, metavar="DEG", help="Of the head: positive as it looks up.")
@click.option("--roll", type=float, default=0.0, metavar="DEG", help="Of the head: positive as it tilts to the right.")
@click.option("--mono", is_flag=True, help="Of a stream with two channels the mid between left and right alone.")
@duration_option
@jobs_option
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@output_options
@version_option(PROGRAM)
def command(
    inputs: tuple[str, ...],
    output: str,
    backend: str,
    partial: bool,
    pitch: float,
    tempo: float,
    rate: int | None,
    gain_db: float,
    fade_in: float,
    fade_out: float,
    mute: tuple[str, ...],
    binaural: bool,
    azimuth: float,
    elevation: float,
    yaw: float,
    head_pitch: float,
    roll: float,
    mono: bool,
    max_duration: float,
    jobs: int,
    force: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> ExitCode:
    """Decode to 16-bit WAV; - is standard input or output.

    A corrupt stream gives exit code 3 and no file; with --partial, exit code 3 and what precedes the damage.
    """
    if as_json and output == STDIO:
        raise click.UsageError("--json and -o - both write to standard output; give one of them")
    if partial and backend not in backends.streaming():
        raise click.UsageError(f"--partial works with the backends {' and '.join(backends.streaming())}")
    playback = _playback(mute, gain_db=gain_db, fade_in=fade_in, fade_out=fade_out, pitch=pitch, tempo=tempo, rate=rate)
    if playback != api.AS_ENCODED and backend not in backends.streaming():
        raise click.UsageError(
            f"only the backends {' and '.join(backends.streaming())} play otherwise than encoded; give one of them"
        )
    listening = _listening(binaural, azimuth=azimuth, elevation=elevation, yaw=yaw, pitch=head_pitch, roll=roll)
    if listening and playback != api.AS_ENCODED:
        raise click.UsageError("--binaural plays clips as they were encoded; leave out what plays them otherwise")
    if listening and backend not in backends.streaming():
        raise click.UsageError(f"--binaural works with the backends {' and '.join(backends.streaming())}")
    outputs = plan_outputs(inputs, output, ".wav", force)
    for target in outputs:
        if Path(target).suffix.lower() not in FORMATS and not _is_special(target):
            raise click.UsageError(f"cannot tell the format of {target}; name it .wav or .flac")
    decoding = Decoding(outputs, backend, partial, playback, max_duration, force, quiet, as_json, mono, listening)
    return for_each(PROGRAM, inputs, decoding, verbose, jobs)


@dataclasses.dataclass(frozen=True)
class Decoding:
    """What is done with each stream."""

    outputs: list[str]
    backend: str
    partial: bool
    playback: api.Playback
    max_duration: float
    force: bool
    quiet: bool
    as_json: bool
    mono: bool
    listening: api.Listening | None

    def __call__(self, index: int, name: str) -> ExitCode:
        data = read_stream(name)
        target = self.outputs[index]
        if self.listening and parse_header(data)[0].channels == 2:
            raise CommandError("it has two channels, and --binaural hears streams of one; leave it out")
        if self.backend not in backends.give_both() and not self.mono and parse_header(data)[0].channels == 2:
            raise CommandError(
                f"it has two channels, and {self.backend} gives one: --mono gives the mid, other backends give both"
            )
        blocks = api.decode_blocks(
            data,
            backend=self.backend,
            partial=self.partial,
            playback=self.playback,
            max_duration=self.max_duration,
            mono=self.mono,
            listening=self.listening,
        )
        rate, promised = blocks.sample_rate, blocks.samples
        file_format = FORMATS.get(Path(target).suffix.lower(), "WAV")
        with output_to_be(target, self.force) as path:
            count = audio_io.write_blocks(path, blocks, rate, file_format, promised, blocks.channels)
            if not count:
                raise BitstreamError(f"nothing precedes the damage: {blocks.damage}")
        seconds = count / rate
        if self.as_json:
            print_json(
                {
                    "input": name,
                    "output": target,
                    "backend": self.backend,
                    "sample_rate": rate,
                    "samples": count,
                    "channels": blocks.channels,
                    "samples_promised": promised,
                    "damage": blocks.damage,
                }
            )
        if blocks.damage:
            say(f"{PROGRAM}: {name_of(name)}: kept {count} of {promised} samples ({seconds:.2f} s): {blocks.damage}")
            return ExitCode.CORRUPT
        if not self.quiet:
            both = ", 2 channels" if blocks.channels == 2 else ""
            say(f"{name_of(name)}: {count} samples, {rate} Hz, {seconds:.2f} s{both}")
        return ExitCode.FINE


def _playback(mute: tuple[str, ...], **numbers: Any) -> api.Playback:
    kinds, bands = set(), []
    for what in mute:
        low, dash, high = what.partition("-")
        if dash:
            if not (low.isdecimal() and high.isdecimal()):
                raise click.UsageError(f"--mute {what} is no band in Hz; write it as 2000-4000")
            bands.append((int(low), int(high)))
        else:
            kinds.add(what)
    if len(bands) > 1:
        raise click.UsageError("--mute takes one band; give the lowest and the highest frequency of all")
    try:
        return api.Playback(mute=frozenset(kinds), mute_band=bands[0] if bands else (0, 0), **numbers)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _listening(binaural: bool, **angles: float) -> api.Listening | None:
    if not binaural and any(angles.values()):
        raise click.UsageError("directions are of --binaural; give that, too")
    try:
        return api.Listening(**angles) if binaural else None
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _is_special(target: str) -> bool:
    path = Path(target)
    return target == STDIO or (path.exists() and not path.is_file())


def main() -> None:
    run(command, PROGRAM)
