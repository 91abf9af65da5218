"""gs-bank encode: every clip of a folder, wherever that lies, on one machine or many."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from audio_gs import api
from audio_gs.cli.common import (
    HELP_NAMES,
    PATH,
    CommandError,
    ExitCode,
    print_json,
    progress_bar,
    say,
)
from audio_gs.cli.gs_encode import read_config
from audio_gs.errors import OptionsError
from audio_gs.parallel import processors

from ..sounds import SUFFIXES

if TYPE_CHECKING:
    from .places import Place
    from .work import Row, Task

PROGRAM = "gs-bank"
EXTRA = "cluster"
_SAVED_EVERY = 30.0
"""Seconds between two tables of results."""


@click.command("encode", context_settings=HELP_NAMES)
@click.argument("source", metavar="SOUNDS")
@click.option("-o", "--output", required=True, metavar="OUT", help="Folder or URL for the streams.")
@click.option("--bitrate", type=click.FloatRange(min=0, min_open=True), metavar="KBIT_S", help="Kbit/s, all counted.")
@click.option("--quality", type=click.FloatRange(0, 10), metavar="0..10", help="How near for the ear [5].")
@click.option("--preset", type=click.Choice(["auto", "speech", "music", "sfx"]), help="Kind of clip [auto].")
@click.option("--max-macs", type=click.IntRange(min=20), metavar="N", help="Ceiling on MACs a sample [300].")
@click.option("--effort", type=click.Choice(["fast", "normal", "best"]), help="Time spent on the fit [normal].")
@click.option("--mono", is_flag=True, default=None, help="Mix two channels down to one.")
@click.option("--config", type=PATH, metavar="FILE.yaml", help="More options, by name, as gs-encode takes them.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes of this machine [one a core].")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Encode on the workers of a Dask scheduler instead.")
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=2,
    show_default=True,
    metavar="N",
    help="Where a file cannot be read or written.",
)
@click.option("-f", "--force", is_flag=True, help="Overwrite streams that are not from here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.option("-v", "--verbose", is_flag=True, help="Say more on standard error.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def encode(
    source: str,
    output: str,
    config: str | None,
    jobs: int | None,
    scheduler: str | None,
    retries: int,
    force: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **given: Any,
) -> ExitCode:
    """Encode all clips below SOUNDS into OUT, each by itself, as gs-encode would.

    SOUNDS and OUT are folders, or URLs that fsspec knows (s3://, gs://, memory://). Run again, it goes on where it
    stopped: a clip whose file, options and encoder are as they were is not encoded anew. OUT/manifest.parquet has a
    row for each clip. Exit code 1 if one could not be encoded.
    """
    if jobs is not None and scheduler is not None:
        raise click.UsageError("--jobs is for this machine and --scheduler for others; give one of them")
    if given["bitrate"] is not None and given["quality"] is not None:
        raise click.UsageError("--bitrate and --quality exclude each other; give one")
    wanted = {name: value for name, value in given.items() if value is not None}
    options = {**(read_config(config) if config else {}), **wanted}
    try:
        api.encoder_options(options)
    except OptionsError as error:
        raise click.UsageError(str(error)) from None
    try:
        from .engine import on_cluster, on_this_machine
        from .places import Place
    except ImportError as error:
        missing = f"{error.name} is not installed"
        raise CommandError(f"{missing}; install the extra '{EXTRA}': pip install 'audio-gs[{EXTRA}]'") from None
    began = time.perf_counter()
    target = Place(output)
    target.check()
    tasks = _tasks(Place(source), target, options, force)
    if scheduler is None:
        rows = on_this_machine(tasks, jobs or processors(), retries)
    else:
        rows = on_cluster(tasks, scheduler, retries)
    shown = not (quiet or as_json)
    found = _gathered(rows, len(tasks), target, source, shown, verbose and not quiet)
    failed = [row for row in found if row.error is not None]
    kept = sum(row.kept for row in found)
    size = sum(row.bytes or 0 for row in found)
    encoded = len(found) - len(failed) - kept
    if as_json:
        counts = {"clips": len(found), "encoded": encoded, "kept": kept, "failed": len(failed)}
        print_json({"output": output, **counts, "bytes": size, "seconds": time.perf_counter() - began})
    if not quiet:
        say(
            f"{output}: {encoded} encoded, {kept} kept, {len(failed)} failed; {size} bytes, "
            f"{time.perf_counter() - began:.0f} s"
        )
    return ExitCode.ERROR if failed else ExitCode.FINE


def _tasks(source: Place, target: Place, options: dict[str, Any], force: bool) -> Sequence[Task]:
    """Raises CommandError where there is nothing to do, or two clips would have one stream."""
    from .work import Task

    tasks = [Task(source, name, target, options, force) for name in source.names(SUFFIXES)]
    if not tasks:
        raise CommandError(f"{source.url} holds no WAV, FLAC, Ogg, MP3 or AIFF file; give another folder")
    output, times = Counter(task.output for task in tasks).most_common(1)[0]
    if times > 1:
        both = [task.name for task in tasks if task.output == output]
        raise CommandError(f"{both[0]} and {both[1]} would both be {output}; rename one of them")
    return tasks


def _gathered(rows: Iterator[Row], count: int, target: Place, source: str, shown: bool, each: bool) -> Sequence[Row]:
    """All rows, and meanwhile the table of those that are there."""
    from .manifest import MANIFEST, manifest

    found: list[Row] = []
    saved = time.monotonic()
    try:
        with progress_bar(source, shown) as progress:
            for row in rows:
                found.append(row)
                progress(len(found) / count, f"{len(found)} of {count} clips")
                if row.error is not None:
                    say(f"{PROGRAM}: {row.source}: {row.error}")
                elif each:
                    say(f"{row.source}: {row.bytes} bytes, {'kept' if row.kept else f'{row.cpu_seconds:.1f} CPU s'}")
                if time.monotonic() - saved > _SAVED_EVERY:
                    target.write(MANIFEST, manifest(found))
                    saved = time.monotonic()
    finally:
        if found:
            target.write(MANIFEST, manifest(found))
    return found
