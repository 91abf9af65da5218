"""gs-verify: do all decoders agree on a stream?"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import click

from audio_gs import inspect

from .common import (
    HELP_NAMES,
    PATH,
    ExitCode,
    duration_option,
    for_each,
    jobs_option,
    name_of,
    output_options,
    print_json,
    read_stream,
    run,
    say,
    version_option,
)

PROGRAM = "gs-verify"


@click.command(context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="IN...")
@duration_option
@jobs_option
@output_options
@version_option(PROGRAM)
def command(
    inputs: tuple[str, ...], max_duration: float, jobs: int, quiet: bool, verbose: bool, as_json: bool
) -> ExitCode:
    """Decode on every backend that is installed and name the first step at which two differ; - is standard input.

    C, Numba and ONNX must agree bit for bit, torch's float rendering to 60 dB. Exit code 1 if they do not, or if the
    stream takes more MACs than its header promises. Backends whose packages are missing are left out and named.
    """
    return for_each(PROGRAM, inputs, Verifying(max_duration, quiet, as_json), verbose, jobs)


@dataclasses.dataclass(frozen=True)
class Verifying:
    """What is done with each stream."""

    max_duration: float
    quiet: bool
    as_json: bool

    def __call__(self, _index: int, name: str) -> ExitCode:
        report = inspect.verify(read_stream(name), self.max_duration)
        if self.as_json:
            print_json({"input": name, **facts_of(report)})
        if report.difference:
            say(f"{PROGRAM}: {name_of(name)}: {report.difference}")
            return ExitCode.ERROR
        if not (self.quiet or self.as_json):
            print(f"{name_of(name)}: {describe(report)}")
            for backend, reason in report.left_out.items():
                say(f"{PROGRAM}: {name_of(name)}: {backend} left out: {reason}")
        if report.excess:
            say(f"{PROGRAM}: {name_of(name)}: {report.excess}")
            return ExitCode.ERROR
        return ExitCode.FINE


def describe(report: inspect.VerifyReport) -> str:
    """What agrees, in one line."""
    exact = [name for name in report.backends if name not in report.agreement_db]
    text = f"{', '.join(exact[:-1])} and {exact[-1]} agree on all {report.samples} samples"
    for name, distance_db in report.agreement_db.items():
        text += f", {name}: {'exact' if math.isinf(distance_db) else f'{distance_db:.1f} dB'}"
    return text


def facts_of(report: inspect.VerifyReport) -> dict[str, Any]:
    """The report as what JSON can hold."""
    difference = report.difference
    found = None
    if difference:
        found = {
            "step": difference.step,
            "slot": difference.slot,
            "backends": list(difference.backends),
            "detail": difference.detail,
        }
    return {
        "agree": report.agree,
        "samples": report.samples,
        "backends": list(report.backends),
        "left_out": dict(report.left_out),
        "agreement_db": {name: db if math.isfinite(db) else None for name, db in report.agreement_db.items()},
        "difference": found,
        "excess": report.excess,
    }


def main() -> None:
    run(command, PROGRAM)
