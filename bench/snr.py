"""Measures the codec on a folder of clips: SNR, rate, cost, speed and size, beside what is asked for.

Run it with `python -m audio_gs.bench.snr FOLDER`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from .. import api
from ..cli.common import STDIO, CommandError, ExitCode, progress_bar, run, say, write_output
from ..encoder import EncoderOptions
from ..errors import OptionsError
from . import report
from .clips import CLASSES, ClipFile, at_most_each, find_clips, preset_of
from .footprint import Footprint, FootprintError, measure_footprint
from .measure import StreamFigures, Task, measure_all
from .rivals import read_rivals
from .speed import SpeedFigures, measure_speed
from .summary import summarise
from .targets import REFERENCE_CLASS, REFERENCE_KBIT_S, REFERENCE_RATE, judge

PROGRAM = "python -m audio_gs.bench.snr"
DEFAULT_RATES: dict[str, tuple[float, ...]] = {"speech": (3.0, 6.0, 12.0)}
OTHER_RATES = (6.0, 12.0)
CLASS_PRESET = "class"
WIDTH = 180

ExistingFile = click.Path(exists=True, dir_okay=False, path_type=Path)
ExistingFolder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=ExistingFolder)
@click.option(
    "--rates",
    multiple=True,
    metavar="[CLASS=]KBIT_S,...",
    help="Rates of a class, or of all without one; repeatable [speech=3,6,12, others 6,12].",
)
@click.option("--class", "only", multiple=True, type=click.Choice(CLASSES), help="Only this class; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N clips of each class.")
@click.option(
    "--preset",
    type=click.Choice([CLASS_PRESET, "auto", "speech", "music", "sfx"]),
    default=CLASS_PRESET,
    help="Preset of all clips [that of the clip's class; auto where it has none].",
)
@click.option("--effort", type=click.Choice(["fast", "normal", "best"]), default="normal", help="As in gs-encode.")
@click.option("--max-macs", type=click.IntRange(min=1), metavar="N", help="As in gs-encode.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, metavar="N", help="Processes [2].")
@click.option(
    "--speed-clips",
    type=click.IntRange(min=0),
    default=3,
    metavar="N",
    help="Clips on which speed is measured, after everything else, 0 for none [3].",
)
@click.option("--decoder-source", type=ExistingFolder, metavar="DIR", help="decoder_c/, for the size of its code.")
@click.option("--rivals", type=ExistingFile, metavar="FILE.csv", help="Other codecs' results: clip, codec, kbps, snr.")
@click.option(
    "--rival-rates",
    default="8,16",
    metavar="KBIT_S,...",
    help="More rates at which to show the rivals' results [8,16].",
)
@click.option("--json", "json_name", metavar="FILE", help="Write all figures as JSON; - is standard output.")
@click.option("--csv", "csv_name", metavar="FILE", help="Write a line for each stream; - is standard output.")
@click.option("--check", is_flag=True, help="Exit 1 if a figure misses what it must reach.")
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="List every clip.")
def command(
    folder: Path,
    rates: tuple[str, ...],
    only: tuple[str, ...],
    limit: int | None,
    preset: str,
    effort: str,
    max_macs: int | None,
    jobs: int,
    speed_clips: int,
    decoder_source: Path | None,
    rivals: Path | None,
    rival_rates: str,
    json_name: str | None,
    csv_name: str | None,
    check: bool,
    force: bool,
    quiet: bool,
    verbose: bool,
) -> ExitCode:
    """Encode the clips of FOLDER, decode them in C and in Numba, and print SNR, rates, costs, speed and code size.

    The class of a clip is the one that MANIFEST.csv gives it, or the name of its sub-folder: speech, music, sfx,
    stereo, or other. Stereo is mixed down. Speed is measured last, one clip after the other; let nothing else run then.
    """
    rates_of = parse_rates(rates)
    more_rates = parse_numbers(rival_rates)
    known_rivals = read_rivals(rivals) if rivals else None
    _check_outputs((json_name, csv_name), force)

    def options_for(clip_class: str, kbit_s: float) -> EncoderOptions:
        name = preset_of(clip_class) if preset == CLASS_PRESET else preset
        return api.encoder_options(bitrate=kbit_s, preset=name, effort=effort, max_macs=max_macs)

    try:
        options = {name: tuple(options_for(name, rate) for rate in rates_of[name]) for name in CLASSES}
    except OptionsError as error:
        raise click.UsageError(str(error)) from None
    clips = [clip for clip in find_clips(folder) if not only or clip.clip_class in only]
    if limit is not None:
        clips = at_most_each(clips, limit)
    if not clips:
        raise CommandError(f"{folder} holds no clips{' of class ' + ' or '.join(only) if only else ''}")
    tasks = [Task(clip, options[clip.clip_class]) for clip in clips]
    with progress_bar("encoding and decoding", shown=not quiet) as progress:
        figures, left_out = measure_all(tasks, min(jobs, len(tasks)), progress)
    for missing in left_out:
        say(f"{PROGRAM}: {missing.clip}: left out: {missing.reason}")
    if not figures:
        raise CommandError(f"no clip in {folder} could be measured")

    speed: SpeedFigures | None = None
    footprint: Footprint | None = None
    notice: str | None = None
    with progress_bar("speed and code size", shown=not quiet) as progress:
        progress(0.0, "")
        if speed_clips:
            chosen = choose_for_speed(clips, figures, speed_clips)
            pairs = [(clip, options_for(clip.clip_class, REFERENCE_KBIT_S)) for clip in chosen]
            speed = measure_speed(pairs)
        try:
            footprint = measure_footprint(decoder_source)
        except FootprintError as error:
            notice = str(error)
    classes = summarise(figures)
    ceiling = options[clips[0].clip_class][0].max_macs
    verdicts = judge(figures, classes, speed, footprint, ceiling)
    found = report.Report(effort, figures, classes, left_out, speed, footprint, notice, verdicts)

    if not quiet:
        console = _console(to_stderr=STDIO in (json_name, csv_name))
        if verbose:
            console.print(report.clip_table(found))
        console.print(report.class_table(found))
        if known_rivals:
            console.print(report.rival_table(found, known_rivals, more_rates))
        console.print(report.target_table(found))
        for line in report.remarks(found):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if json_name:
        write_output(json_name, report.to_json(found).encode(), force)
    if csv_name:
        write_output(csv_name, report.to_csv(figures).encode(), force)
    for stream in found.mismatches:
        say(f"{PROGRAM}: {stream.clip} at {stream.target_kbit_s:g} kbit/s: {stream.difference}")
    missed = [one.what for one in verdicts if one.outcome == "missed"] if check else []
    if missed:
        say(f"{PROGRAM}: missed: {'; '.join(missed)}")
    return ExitCode.ERROR if left_out or found.mismatches or missed else ExitCode.FINE


def parse_rates(given: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Rates of every class from texts like 'speech=3,6' or '6,12'; later ones go first."""
    rates = {name: DEFAULT_RATES.get(name, OTHER_RATES) for name in CLASSES}
    for text in given:
        name, equals, numbers = text.rpartition("=")
        if equals and name not in CLASSES:
            raise click.UsageError(f"--rates {text}: {name!r} is not one of {', '.join(CLASSES)}")
        rates.update(dict.fromkeys([name] if equals else CLASSES, parse_numbers(numbers)))
    return rates


def parse_numbers(text: str) -> tuple[float, ...]:
    """Rates in kbit/s, each once, from smallest to largest."""
    try:
        numbers = {float(word) for word in text.split(",")}
    except ValueError:
        raise click.UsageError(f"{text!r} is no list of rates like 6,12") from None
    return tuple(sorted(numbers))


def choose_for_speed(clips: Sequence[ClipFile], figures: Sequence[StreamFigures], count: int) -> list[ClipFile]:
    """Clips that could be measured, those that the targets speak of if there are any, else speech, else any."""
    rate_of = {one.clip: one.sample_rate for one in figures}
    usable = [clip for clip in clips if clip.name in rate_of]
    speech = [clip for clip in usable if clip.clip_class == REFERENCE_CLASS]
    reference = [clip for clip in speech if rate_of[clip.name] == REFERENCE_RATE]
    return (reference or speech or usable)[:count]


def _check_outputs(names: Sequence[str | None], force: bool) -> None:
    """Finds out before the long work that its results could not be written."""
    given = [name for name in names if name]
    if len(set(given)) < len(given):
        raise click.UsageError("--json and --csv need different files")
    for name in given:
        path = Path(name)
        if name != STDIO and path.exists() and not force:
            raise CommandError(f"{name} exists; -f overwrites it")
        if name != STDIO and not path.parent.is_dir():
            raise CommandError(f"cannot write {name}: the folder {path.parent} does not exist")


def _console(to_stderr: bool) -> Console:
    """Never so narrow that a figure would be cut off."""
    console = Console(stderr=to_stderr)
    console.width = max(console.width, WIDTH)
    return console


def main() -> None:
    run(command, PROGRAM)


if __name__ == "__main__":
    main()
