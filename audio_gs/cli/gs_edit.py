"""gs-edit: streams edited on their Gaussians."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import click

from audio_gs import edit, inspect
from audio_gs.edit.script import MAX_SCRIPT_BYTES
from audio_gs.errors import EditError, ScriptError

from .common import (
    HELP_NAMES,
    PATH,
    STDIO,
    ExitCode,
    for_each,
    name_of,
    output_options,
    plan_outputs,
    print_json,
    read_stream,
    run,
    say,
    version_option,
    write_output,
)

PROGRAM = "gs-edit"
SUFFIX = ".gs"
MAX_STREAM_BYTES = 1 << 28
"""Of a stream that a step names."""
EPILOG = f"Steps are {', '.join(edit.STEPS)}; docs/guide/edit.md says what each takes."
COLUMNS = ("kind", "number", "time s", "frequency Hz", "+- s", "+- Hz", "level dB")


def selection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What --list shows, by time, band, kind and level."""
    for option in (
        click.option("--max-db", type=float, metavar="DB", help="With --list: those below a level."),
        click.option("--min-db", type=float, metavar="DB", help="With --list: those from a level under full scale on."),
        click.option("--kind", type=click.Choice(edit.KIND_NAMES), multiple=True, help="With --list: of this kind."),
        click.option("--high", type=float, metavar="HZ", help="With --list: those below a frequency."),
        click.option("--low", type=float, metavar="HZ", help="With --list: those from a frequency on."),
        click.option("--to", "stop", type=float, metavar="S", help="With --list: those with their middle before this."),
        click.option(
            "--from", "start", type=float, metavar="S", help="With --list: those with their middle from here on."
        ),
    ):
        function = option(function)
    return function


@click.command(context_settings=HELP_NAMES, epilog=EPILOG)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="IN...")
@click.option("-o", "--output", type=PATH, metavar="OUT", help="File, folder for many inputs, or - .")
@click.option("--script", type=PATH, metavar="FILE", help="Steps, in YAML or JSON: a list of '- name: {value: ...}'.")
@click.option(
    "--step", "steps", multiple=True, metavar="STEP", help="One more step, such as 'transpose: {semitones: 12}'."
)
@click.option("--list", "listed", is_flag=True, help="Print the Gaussians, and write nothing.")
@selection_options
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@output_options
@version_option(PROGRAM)
def command(
    inputs: tuple[str, ...],
    output: str | None,
    script: str | None,
    steps: tuple[str, ...],
    listed: bool,
    start: float | None,
    stop: float | None,
    low: float | None,
    high: float | None,
    kind: tuple[str, ...],
    min_db: float | None,
    max_db: float | None,
    force: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> ExitCode:
    """Edit streams without encoding them again: what no step touches stays as it is; - is standard input or output.

    Files that a script names lie beside the script, or below.
    """
    limits = (start, stop, low, high, kind or None, min_db, max_db)
    if listed:
        if output is not None or script is not None or steps:
            raise click.UsageError("--list writes nothing; leave out -o, --script and --step")
        try:
            selection = edit.Selection(*limits)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        return for_each(PROGRAM, inputs, lambda _index, name: show(name, selection, as_json), verbose)
    if any(limit is not None for limit in limits):
        raise click.UsageError("--from, --to, --low, --high, --kind, --min-db and --max-db go with --list")
    if output is None:
        raise click.UsageError("give -o OUT, or --list")
    if as_json and output == STDIO:
        raise click.UsageError("--json and -o - both write to standard output; give one of them")
    if script == STDIO and STDIO in inputs:
        raise click.UsageError("the script and an input cannot both be standard input")
    todo = read_steps(script, steps)
    outputs = plan_outputs(inputs, output, SUFFIX, force)

    def edit_one(index: int, name: str) -> None:
        clip = edit.clip_of(read_stream(name))
        for step, folder in todo:
            clip = edit.run(clip, step, opener(folder))
        data = edit.stream_of(clip)
        write_output(outputs[index], data, force)
        if not quiet:
            for note in clip.notes:
                say(f"{PROGRAM}: {name_of(name)}: {note}")
        if quiet and not as_json:
            return
        facts = inspect.info(data, None)
        if as_json:
            print_json({"input": name, "output": outputs[index], "notes": list(clip.notes), **facts.as_dict()})
        if not quiet:
            counts = ", ".join(f"{count} {kind_name}s" for kind_name, count in facts.gaussians.items())
            say(
                f"{name_of(name)}: {len(data)} bytes, {facts.header.duration:.3f} s, {counts}, "
                f"MACs/sample {facts.header.peak_macs} peak, decoder {facts.decoder_bytes} bytes"
            )

    return for_each(PROGRAM, inputs, edit_one, verbose)


def show(name: str, selection: edit.Selection, as_json: bool) -> None:
    """Print the Gaussians of a stream that are selected."""
    clip = edit.clip_of(read_stream(name))
    rows = edit.rows(clip, selection)
    if as_json:
        print_json({"input": name, "gaussians": list(rows)})
        return
    print(name_of(name))
    both = clip.header.channels == 2
    print("".join(f"{title:>14}" for title in (*COLUMNS, *(["pan"] if both else []))))
    for row in rows:
        spreads = (f"{row[key]:.4f}" if key in row else "" for key in ("spread_time", "spread_frequency"))
        cells = (row["kind"], row["number"], f"{row['time']:.4f}", f"{row['frequency']:.1f}", *spreads)
        pan = [f"{row['pan']:+.2f}" if "pan" in row else ""] if both else []
        print("".join(f"{cell:>14}" for cell in (*cells, f"{row['level_db']:.1f}", *pan)).rstrip())


def read_steps(script: str | None, steps: tuple[str, ...]) -> list[tuple[list[edit.Step], Path | None]]:
    """The steps of a script and of the command line, each with the folder that its files lie in, None where any may be
    named. ScriptError for what is none."""
    todo: list[tuple[list[edit.Step], Path | None]] = []
    if script is not None:
        folder = Path() if script == STDIO else Path(script).parent
        try:
            todo.append((edit.parse_script(script_bytes(script)), folder))
        except ScriptError as error:
            raise ScriptError(f"{name_of(script)}: {error}") from None
    given = []
    for number, text in enumerate(steps, 1):
        try:
            given += edit.parse_script(text)
        except ScriptError as error:
            raise ScriptError(f"--step {number}: {error}") from None
    todo.append((given, None))
    return todo


def script_bytes(name: str) -> bytes:
    """At most one byte more than a script may have."""
    try:
        if name == STDIO:
            return sys.stdin.buffer.read(MAX_SCRIPT_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"cannot read {name}: {error.strerror or error}") from None


def opener(folder: Path | None) -> edit.Open:
    """What reads the streams that steps name."""

    def read(name: str) -> bytes:
        path = PurePath(name)
        if folder is not None and (path.is_absolute() or ".." in path.parts):
            raise EditError(f"{name} lies elsewhere; a script names files beside it or below")
        file = Path(name) if folder is None else folder / path
        if not file.is_file():
            raise EditError(f"{file} is no file")
        if file.stat().st_size > MAX_STREAM_BYTES:
            raise EditError(f"{file} is too large to edit")
        return file.read_bytes()

    return read


def main() -> None:
    run(command, PROGRAM)
