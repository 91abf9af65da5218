"""gs-bench: measures Audio-GS against other codecs on a folder of clips, and makes a page of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from audio_gs.cli.common import CommandError, ExitCode, progress_bar, run, say, version_option, write_output
from audio_gs.errors import AudioGsError, OptionsError

from . import plan, ratios, results, rivals, targets
from .clips import CLASSES, GROUPS, at_most_each, find_clips
from .codecs import OurOptions
from .footprint import Footprint, measure_footprint
from .measure import Task
from .report import tables
from .report.summary import GroupFigures, our_cells, summarise
from .results import OURS, Cell, Results, SpeedRow, TargetRow
from .run import measure_all
from .speed import measure_speed

PROGRAM = "gs-bench"
WIDTH = 200

ExistingFile = click.Path(exists=True, dir_okay=False, path_type=Path)
ExistingFolder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=ExistingFolder)
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="OUT")
@click.option("--codecs", metavar="NAME,...", help=f"{OURS} and rivals [all; {OURS} alone with --rivals-from].")
@click.option(
    "--rates",
    multiple=True,
    metavar="[NAME=]KBIT_S,...",
    help="Rates of all codecs that take any, or of a codec, or of ours for a class or a group such as speech-8k; "
    "repeatable [each codec's own].",
)
@click.option("--metrics", metavar="NAME,...", help="[all; those of the table with --rivals-from].")
@click.option("--classes", metavar="NAME,...", help="Classes of clips [all].")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N clips of each class.")
@click.option("--clip", "named", multiple=True, metavar="NAME", help="Only this clip of the folder; repeatable.")
@click.option(
    "--preset",
    type=click.Choice([plan.CLASS_PRESET, "auto", "speech", "music", "sfx"]),
    default=plan.CLASS_PRESET,
    help="Ours for all clips [that of the clip's class; auto where it has none].",
)
@click.option("--effort", type=click.Choice(["fast", "normal", "best"]), default="normal", help="As in gs-encode.")
@click.option("--max-macs", type=click.IntRange(min=1), metavar="N", help="As in gs-encode.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, metavar="N", help="Processes [2].")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="[OUT/cache].")
@click.option(
    "--rivals-from",
    multiple=True,
    type=ExistingFile,
    metavar="FILE.csv",
    help="Take the rivals' cells from a table instead of running them; repeatable.",
)
@click.option(
    "--compare-with",
    multiple=True,
    type=ExistingFile,
    metavar="FILE.csv",
    help="Show how far the rivals' cells are from those of a table; repeatable.",
)
@click.option("--speed", is_flag=True, help="Measure speed and memory at the end; let nothing else run then.")
@click.option("--footprint", is_flag=True, help="Compile the decoder for a Cortex-M0+ and count its bytes.")
@click.option("--decoder-source", type=ExistingFolder, metavar="DIR", help="decoder_c/, for --footprint.")
@click.option("--no-page", is_flag=True, help="Do not make OUT/index.html.")
@click.option("--page-clips", type=click.IntRange(min=1), metavar="N", help="Clips of each class on the page.")
@click.option("--check", is_flag=True, help="Show targets; exit 1 unless all that must be reached is reached.")
@click.option("--targets", "targets_file", type=ExistingFile, metavar="FILE.yaml", help="Show the targets of a file.")
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object instead of tables.")
@click.option("-v", "--verbose", is_flag=True, help="List every cell.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@version_option(PROGRAM)
def command(
    folder: Path,
    output: Path,
    codecs: str | None,
    rates: tuple[str, ...],
    metrics: str | None,
    classes: str | None,
    limit: int | None,
    named: tuple[str, ...],
    preset: str,
    effort: str,
    max_macs: int | None,
    jobs: int,
    cache: Path | None,
    rivals_from: tuple[Path, ...],
    compare_with: tuple[Path, ...],
    speed: bool,
    footprint: bool,
    decoder_source: Path | None,
    no_page: bool,
    page_clips: int | None,
    check: bool,
    targets_file: Path | None,
    force: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> ExitCode:
    """Encode the clips of FOLDER with our codec and its rivals, decode them, measure, and compare at equal quality.

    Writes OUT/results.json, OUT/results.csv and the page OUT/index.html, and prints tables. The class of a clip is the
    one that MANIFEST.csv gives it, or the name of its sub-folder: speech, music, sfx, stereo, or other. Channels are
    coded and measured as they are, more than two mixed down to one; codecs that have one channel are left out where a
    clip has two. A stopped run goes on where it was.
    """
    asked_for = targets.read_targets(targets_file) if check or targets_file else None
    table, expected = rivals.read_rivals(rivals_from), rivals.read_rivals(compare_with)
    try:
        asked = plan.parse_rates(rates)
        chosen_classes = plan.parse_names(classes, CLASSES, "class") if classes else CLASSES
        chosen_codecs = plan.choose_codecs(codecs, table)
        chosen_metrics = plan.choose_metrics(metrics, table)
    except plan.RequestError as error:
        raise click.UsageError(str(error)) from None
    ours = None
    if OURS in chosen_codecs:
        ours = {name: plan.our_options(name, preset, effort, max_macs) for name in CLASSES}
        _check_rates(ours, asked)
    _check_output(output, force, page=not no_page)
    loaded = _load(folder, chosen_classes, limit, named)
    metric_versions, skipped_metrics = plan.usable_metrics(chosen_metrics)
    codec_versions, skipped_codecs = plan.usable_codecs(chosen_codecs)
    if not quiet:
        for name, reason in {**skipped_codecs, **skipped_metrics}.items():
            say(f"{PROGRAM}: {name} left out: {reason}")
    tasks = plan.plan(loaded, codec_versions, ours, asked, metric_versions, table)
    if not tasks:
        raise CommandError("there is nothing to measure; see --codecs and --rates")

    output.mkdir(exist_ok=True)
    store = cache or output / "cache"
    with progress_bar("measuring", shown=not quiet) as progress:
        cells = measure_all(tasks, store, jobs, progress)
    facts = {clip.name: clip for clip in loaded.facts}
    cells += [cell for cell in table if cell.clip in facts]
    for cell in cells:
        if cell.error is not None:
            codec = f"{cell.codec} {cell.variant}".strip()
            say(f"{PROGRAM}: {cell.clip}: {codec} at {cell.nominal_kbit_s:g} kbit/s: {cell.error}")
    speeds: Sequence[SpeedRow] = ()
    if speed:
        with progress_bar("speed", shown=not quiet) as progress:
            speeds = measure_speed(loaded.files, codec_versions, ours, progress)
    size = _footprint(decoder_source) if footprint else None

    figures = summarise(cells, facts)
    curves = ratios.clip_curves(loaded.facts, cells)
    rows: list[TargetRow] = []
    if asked_for:
        measured = targets.measured_figures(cells, facts, speeds, size)
        rows = targets.judge(asked_for, curves, measured, chosen_classes)
    found = Results(
        folder=str(folder),
        options={"rates": list(rates), "preset": preset, "effort": effort, "max_macs": max_macs},
        clips=tuple(loaded.facts),
        cells=tuple(cells),
        left_out=tuple(loaded.left_out),
        skipped_codecs=skipped_codecs,
        skipped_metrics=skipped_metrics,
        curves=tuple(ratios.group_curves(curves)),
        ratios=tuple(ratios.all_ratios(curves)),
        bd_rates=tuple(ratios.all_bd_rates(curves)),
        targets=tuple(rows),
        speed=tuple(speeds),
        versions=_versions(tasks, metric_versions),
    )
    write_output(str(output / "results.json"), results.dumps(found).encode(), force)
    write_output(str(output / "results.csv"), tables.to_csv(found).encode(), force)
    if not no_page:
        from .report.page import build_page

        build_page(found, store, output / "index.html", clips_per_class=page_clips)
    if as_json:
        click.echo(results.dumps(found), nl=False)
    elif not quiet:
        _print(found, figures, size, verbose)
    if expected and not quiet:
        _print_agreement(cells, expected)
    return _exit_code(found, targets.missed(rows) if check else [])


def _load(folder: Path, classes: Collection[str], limit: int | None, named: Collection[str]) -> plan.Loaded:
    """The clips that were asked for. Raises CommandError if there are none."""
    files = [clip for clip in find_clips(folder) if clip.clip_class in classes and (not named or clip.name in named)]
    files = at_most_each(files, limit) if limit else files
    if not files:
        raise CommandError(f"{folder} holds no such clips; see --classes and --clip")
    loaded = plan.load_clips(files)
    for missing in loaded.left_out:
        say(f"{PROGRAM}: {missing.clip}: left out: {missing.reason}")
    if not loaded.files:
        raise CommandError(f"no clip in {folder} could be read")
    return loaded


def _footprint(source: Path | None) -> Footprint:
    try:
        return measure_footprint(source)
    except AudioGsError as error:
        raise CommandError(f"decoder code not measured: {error}") from None


def _print(found: Results, figures: Sequence[GroupFigures], size: Footprint | None, verbose: bool) -> None:
    """The tables that have something to say."""
    shown = [
        (verbose, tables.clip_table(found)),
        (bool(found.curves), tables.quality_table(found)),
        (bool(figures), tables.group_table(figures)),
        (bool(found.ratios), tables.ratio_table(found)),
        (bool(found.bd_rates), tables.bd_table(found.bd_rates)),
        (bool(found.speed), tables.speed_table(found.speed)),
        (bool(found.targets), tables.target_table(found.targets)),
    ]
    console = _console()
    for wanted, table in shown:
        if wanted:
            console.print(table)
    ours = our_cells(found.cells)
    lines = [tables.exactness_text(ours)] if ours else []
    lines += [tables.footprint_text(size)] if size else []
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _print_agreement(cells: Sequence[Cell], expected: Sequence[Cell]) -> None:
    """On standard error, since it is no part of the results."""
    deviations, other_rates = rivals.compare(cells, expected)
    console = _console(stderr=True)
    console.print(tables.deviation_table(deviations))
    for one in deviations:
        for cell in one.outside:
            console.print(f"outside: {one.metric} of {cell}", markup=False, highlight=False, soft_wrap=True)
    for text in other_rates:
        console.print(f"another rate: {text}", markup=False, highlight=False, soft_wrap=True)


def _exit_code(found: Results, missed: Sequence[TargetRow]) -> ExitCode:
    """A rival's failure is its own; ours, and a clip that could not be read, are errors."""
    failed = [cell for cell in found.cells if cell.codec == OURS and cell.error is not None]
    differing = [cell for cell in our_cells(found.cells) if cell.details.get("bit_exact") is False]
    for cell in differing:
        say(f"{PROGRAM}: {cell.clip} at {cell.nominal_kbit_s:g} kbit/s: {cell.details.get('difference')}")
    for row in missed:
        say(f"{PROGRAM}: {row.verdict}: {row.name}: {row.measured}, must be {row.must}")
    return ExitCode.ERROR if found.left_out or failed or differing or missed else ExitCode.FINE


def _versions(tasks: Sequence[Task], metrics: dict[str, str]) -> dict[str, str]:
    codecs = {f"{task.codec} {task.variant}".strip(): task.version for task in tasks}
    return {**codecs, **metrics}


def _check_rates(ours: Mapping[str, OurOptions], asked: plan.Rates) -> None:
    """Finds out before the long work that our encoder has no such rate. Raises UsageError."""
    try:
        for name, options in ours.items():
            for group in GROUPS:
                for rate in asked.of_ours(name, group):
                    options.at(rate)
    except OptionsError as error:
        raise click.UsageError(str(error)) from None


def _check_output(output: Path, force: bool, page: bool) -> None:
    """Finds out before the long work that its results could not be written."""
    for name in ("results.json", "results.csv", *(("index.html",) if page else ())):
        if (output / name).exists() and not force:
            raise CommandError(f"{output / name} exists; -f overwrites it")
    if not output.parent.is_dir():
        raise CommandError(f"cannot write {output}: the folder {output.parent} does not exist")


def _console(stderr: bool = False) -> Console:
    """Never so narrow that a figure would be cut off."""
    console = Console(stderr=stderr)
    console.width = max(console.width, WIDTH)
    return console


def main() -> None:
    run(command, PROGRAM)


if __name__ == "__main__":
    main()
