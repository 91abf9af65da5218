"""python -m audio_gs.bench.publish: measures what the project publishes about itself, and writes the page of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click

from audio_gs.cli.common import ExitCode, progress_bar, run

from . import measure, points, record, render
from .quote import quoted

PROGRAM = "python -m audio_gs.bench.publish"
SECTIONS = ("quality", "firmware", "speed")

ExistingFile = click.Path(exists=True, dir_okay=False, path_type=Path)
ExistingFolder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=ExistingFolder, required=False)
@click.option("-o", "--output", type=ExistingFolder, default=Path("docs/results"), help="[docs/results]", metavar="DIR")
@click.option(
    "--rivals-from", multiple=True, type=ExistingFile, metavar="FILE.csv", help="The rivals' cells; repeatable."
)
@click.option("--only", multiple=True, type=click.Choice(SECTIONS), help="Measure this section only; repeatable.")
@click.option(
    "--classes",
    multiple=True,
    type=click.Choice(measure.CLASSES),
    help="Measure the clips of this class only; repeatable.",
)
@click.option(
    "--quote", multiple=True, type=ExistingFile, metavar="FILE.md", help="Renew a document's quotes; repeatable."
)
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), default=Path("build/results"), metavar="DIR",
              help="Streams, metrics and builds so far [build/results].")  # fmt: skip
@click.option("--decoder-source", type=ExistingFolder, metavar="DIR", help="decoder_c/ for the cores.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, metavar="N", help="Processes [2].")
@click.option("--names", is_flag=True, help="Print what can be quoted.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    folder: Path | None,
    output: Path,
    rivals_from: tuple[Path, ...],
    only: tuple[str, ...],
    classes: tuple[str, ...],
    quote: tuple[Path, ...],
    cache: Path,
    decoder_source: Path | None,
    jobs: int,
    names: bool,
    quiet: bool,
) -> ExitCode:
    """Measure the clips of FOLDER and write results.json and README.md into DIR; without FOLDER only write README.md
    and quotes anew from results.json.

    Speed is measured last; let nothing else run then. Sections that are not measured stay as they were.
    """
    published = record.load(output) if (output / record.FILE).exists() else record.Published()
    if folder is not None:
        wanted = only or SECTIONS
        published = _measure(published, folder, wanted, classes, rivals_from, cache, decoder_source, jobs, quiet)
        record.save(published, output)
    elif only or classes or rivals_from:
        raise click.UsageError("--only, --classes and --rivals-from need a FOLDER of clips")
    (output / "README.md").write_text(render.page(published), encoding="utf-8")
    pieces = render.pieces(published)
    for document in quote:
        text = document.read_text(encoding="utf-8")
        renewed = quoted(text, pieces)
        if renewed != text:
            document.write_text(renewed, encoding="utf-8")
    if names:
        click.echo(render.names_with_texts(pieces))
    return ExitCode.FINE


def _measure(
    published: record.Published,
    folder: Path,
    wanted: Sequence[str],
    classes: Sequence[str],
    rivals_from: Sequence[Path],
    cache: Path,
    decoder_source: Path | None,
    jobs: int,
    quiet: bool,
) -> record.Published:
    rivals, hashes = measure.read_tables(rivals_from)
    if "quality" in wanted and not rivals:
        raise click.UsageError("quality needs rivals: --rivals-from a table in the form of gs-bench's")

    def command_of(section: str) -> str:
        tables = [f"--rivals-from {path.name}" for path in rivals_from] if section == "quality" else []
        chosen = [f"--classes {name}" for name in classes]
        return " ".join([PROGRAM, folder.resolve().name, *tables, *chosen, f"--only {section}"])

    rates = points.RATES if "quality" in wanted else points.PLAYED_RATES if "firmware" in wanted else {}
    with progress_bar("encoding", shown=not quiet) as progress:
        corpus = measure.encode_corpus(folder, classes or measure.CLASSES, rates, cache, rivals, jobs, progress)
    if "quality" in wanted:
        quality = measure.measure_quality(corpus, rivals, hashes, command_of("quality"))
        published = dataclasses.replace(published, quality=quality)
    if "firmware" in wanted:
        from .firmware import measure_firmware

        with progress_bar("small cores", shown=not quiet) as progress:
            firmware = measure_firmware(corpus, decoder_source, cache / "builds", command_of("firmware"), progress)
        published = dataclasses.replace(published, firmware=firmware)
    if "speed" in wanted:
        with progress_bar("speed", shown=not quiet) as progress:
            speed = measure.measure_speeds(corpus, command_of("speed"), progress)
        published = dataclasses.replace(published, speed=speed)
    return published


def main() -> None:
    run(command, PROGRAM)


if __name__ == "__main__":
    main()
