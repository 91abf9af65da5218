"""What the commands share: options, exit codes, one-line errors, output names and progress."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import importlib.metadata
import io
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from audio_gs.codec.container import FORMAT_VERSION, MAX_DURATION
from audio_gs.errors import AudioGsError, BitstreamError, OptionsError, SceneFileError
from audio_gs.files import file_on_the_way, file_to_be, refuse_overwriting, write_file
from audio_gs.parallel import in_order
from audio_gs.waiting import is_left_behind

from . import interrupt
from .interrupt import Interrupted, take_interrupts

STDIO = "-"
DISTRIBUTION = "audio-gs"
FILE_SUFFIXES = frozenset((".gs", ".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff", ".bin", ".json", ".onnx"))
"""What a name of a file ends in, and that of a folder does not unless it is there already or ends in a slash."""
HELP_NAMES = {"help_option_names": ["-h", "--help"]}
PATH = click.Path(readable=False, allow_dash=True)
"""A name of a file or folder: shells complete it, and what is wrong with it is for the command to say."""
Function = TypeVar("Function", bound=Callable[..., Any])


class ExitCode(enum.IntEnum):
    FINE = 0
    ERROR = 1
    USAGE = 2
    CORRUPT = 3
    INTERRUPTED = interrupt.EXIT_CODE
    TERMINATED = 143


class CommandError(AudioGsError):
    """Something that ends the work on one file, or the command, with exit code 1 and one line."""


def run(command: click.Command, name: str) -> None:
    """Run a command as a program: errors become one line on stderr and an exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    take_interrupts(name)
    try:
        code = int(command.main(prog_name=name, standalone_mode=False) or ExitCode.FINE)
        sys.stdout.flush()
    except click.UsageError as error:
        _complain(name, f"{error.format_message().rstrip('.')} (see {name} --help)")
        code = ExitCode.USAGE
    except (Interrupted, KeyboardInterrupt, click.Abort):
        _complain(name, "interrupted")
        code = ExitCode.INTERRUPTED
        _leave_work_behind(code)
    except Terminated:
        code = ExitCode.TERMINATED
        _leave_work_behind(code)
    except (AudioGsError, OSError) as error:
        if not isinstance(error, BrokenPipeError):
            _complain(name, _describe(error))
            sys.exit(_code_of(error))
        # Python flushes stdout once more on its way out, which would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.ERROR
    sys.exit(code)


class Terminated(SystemExit):
    """SIGTERM has come."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated(ExitCode.TERMINATED)


def _leave_work_behind(code: int) -> None:
    """End the process here and now where native code goes on that no signal stops: all is tidied up already, and the
    interpreter would wait for it, or fall over it."""
    if is_left_behind():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _complain(name: str, text: str) -> None:
    print(f"{name}: {' '.join(text.split())}", file=sys.stderr)


def version_option(program: str) -> Callable[[Function], Function]:
    """--version: the program, the package's version and the format's."""

    def show(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
        if asked and not context.resilient_parsing:
            package = importlib.metadata.version(DISTRIBUTION)
            click.echo(f"{program} {package}, format version {FORMAT_VERSION}")
            context.exit()

    return click.option(
        "--version", is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show the version and exit."
    )


def output_options(function: Function) -> Function:
    """-q, -v and --json, as every command has them."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file on standard output."),
        click.option("-v", "--verbose", is_flag=True, help="Say more on standard error."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    ):
        function = option(function)
    return function


def duration_option(function: Function) -> Function:
    """--max-duration: parameter max_duration, in seconds."""
    return click.option(
        "--max-duration",
        type=click.FloatRange(min=0, min_open=True),
        default=MAX_DURATION,
        show_default=True,
        metavar="SECONDS",
        help="Refuse clips that say they last longer.",
    )(function)


def name_of(path: str, stdio: str = "standard input") -> str:
    return stdio if path == STDIO else path


def jobs_option(function: Function) -> Function:
    """--jobs: parameter jobs, as `for_each` takes it."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help="Files at a time, each in a process of its own.",
    )(function)


def for_each(
    program: str, names: Sequence[str], work: Callable[[int, str], ExitCode | None], verbose: bool, jobs: int = 1
) -> ExitCode:
    """Do the work for each input, go on after a failure, and give the highest exit code.

    With several `jobs`, so many at a time, each in a process of its own, where `work` must be such as can be pickled;
    what it prints comes out in the order of the inputs.
    """
    worst = ExitCode.FINE
    if jobs == 1 or len(names) == 1 or STDIO in names:
        for index, name in enumerate(names):
            worst = max(worst, _one_of_many(program, index, name, work, verbose))
        return worst
    for done in in_order(functools.partial(_done_apart, program, work, verbose), list(enumerate(names)), jobs):
        sys.stdout.write(done.out)
        sys.stdout.flush()
        sys.stderr.write(done.err)
        worst = max(worst, done.code)
    return worst


@dataclasses.dataclass(frozen=True)
class _Done:
    """What became of an input in another process."""

    code: ExitCode
    out: str
    err: str


def _done_apart(
    program: str, work: Callable[[int, str], ExitCode | None], verbose: bool, numbered: tuple[int, str]
) -> _Done:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _one_of_many(program, *numbered, work, verbose)
    return _Done(code, out.getvalue(), err.getvalue())


def _one_of_many(
    program: str, index: int, name: str, work: Callable[[int, str], ExitCode | None], verbose: bool
) -> ExitCode:
    """Do the work for one input; what goes wrong becomes one line on standard error and an exit code."""
    try:
        return work(index, name) or ExitCode.FINE
    except BrokenPipeError:
        raise
    except (AudioGsError, OSError, MemoryError) as error:
        _complain(program, f"{name_of(name)}: {_describe(error)}")
        return _code_of(error)
    except Exception as error:
        hint = "" if verbose else "; -v shows where"
        _complain(program, f"{name_of(name)}: internal error, {type(error).__name__}: {error}{hint}")
        if verbose:
            traceback.print_exc()
        return ExitCode.ERROR


def _describe(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder; give files"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, MemoryError):
        return "not enough memory; split the clip"
    return str(error)


def _code_of(error: BaseException) -> ExitCode:
    if isinstance(error, (BitstreamError, SceneFileError)):
        return ExitCode.CORRUPT
    if isinstance(error, OptionsError):
        return ExitCode.USAGE
    return ExitCode.ERROR


def plan_outputs(inputs: Sequence[str], output: str, suffix: str, force: bool) -> list[str]:
    """The output name of each input. Finds every reason not to start before any work is done.

    Raises click.UsageError for a wrong use, CommandError for a folder that is missing, and OutputError where a file is
    in the way.
    """
    if len(set(inputs)) < len(inputs):
        raise click.UsageError("an input is given twice")
    if output == STDIO:
        if len(inputs) > 1:
            raise click.UsageError("many inputs need -o FOLDER, not standard output")
        if sys.stdout.isatty():
            raise click.UsageError("will not write binary data to a terminal; give a file or redirect")
        return [STDIO]
    folder = Path(output)
    is_folder = folder.is_dir() or output.endswith(("/", os.sep))
    into_folder = is_folder or len(inputs) > 1
    outputs = [output]
    if into_folder:
        if STDIO in inputs:
            raise click.UsageError("standard input has no name to make one from; give -o FILE and no other input")
        if folder.exists() and not folder.is_dir():
            raise click.UsageError(f"many inputs need -o FOLDER, and {output} is a file")
        if not is_folder and folder.suffix.lower() in FILE_SUFFIXES:
            raise click.UsageError(
                f"many inputs need -o FOLDER, and {output} is the name of a file; {output}/ would be a folder"
            )
        outputs = [str(folder / (Path(name).stem + suffix)) for name in inputs]
        for index, name in enumerate(outputs):
            if name in outputs[:index]:
                first = inputs[outputs.index(name)]
                raise click.UsageError(f"{first} and {inputs[index]} would both become {name}; encode them apart")
    for source, target in zip(inputs, outputs, strict=True):
        path = Path(target)
        if source != STDIO and path.exists() and Path(source).exists() and path.samefile(source):
            raise click.UsageError(f"{target} is both input and output")
        refuse_overwriting(path, force)
    if not folder.parent.is_dir():
        raise CommandError(f"cannot write {output}: the folder {folder.parent} does not exist")
    if into_folder:
        folder.mkdir(exist_ok=True)
    return outputs


def write_output(target: str, content: bytes, force: bool) -> None:
    """Write a file whole or not at all, or standard output for '-'."""
    if target != STDIO:
        write_file(target, content, force)
        return
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def output_to_be(target: str, force: bool) -> Iterator[Path]:
    """A file to fill, which becomes the target, or goes to standard output for '-', when it is whole."""
    if target != STDIO:
        with file_to_be(target, force) as path:
            yield path
        return
    with contextlib.ExitStack() as undo:
        path = file_on_the_way(undo)
        yield path
        with path.open("rb") as content:
            shutil.copyfileobj(content, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def read_stream(name: str) -> bytes:
    """The bytes of a stream from a file, or from standard input for '-'."""
    return sys.stdin.buffer.read() if name == STDIO else Path(name).read_bytes()


def say(text: str) -> None:
    """A message to the user; standard output is for data."""
    print(text, file=sys.stderr)


def print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, allow_nan=False), flush=True)


@contextlib.contextmanager
def progress_bar(title: str, shown: bool) -> Iterator[Callable[[float, str], None]]:
    """A function that takes a fraction 0..1 and a text; draws on stderr if that is a terminal.

    The bar never goes back, though a search that starts anew reports smaller fractions again.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda fraction, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[title]}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0, title=title)
        furthest = 0.0

        def report(fraction: float, text: str) -> None:
            nonlocal furthest
            furthest = max(furthest, min(1.0, fraction))
            progress.update(task, completed=furthest, description=text)

        yield report
