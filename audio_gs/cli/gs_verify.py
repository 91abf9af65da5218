"""gs-verify: do all decoders agree on a stream?"""

from __future__ import annotations

import math

import click

from audio_gs import inspect

from .common import ExitCode, for_each, name_of, output_options, print_json, read_stream, run, say

PROGRAM = "gs-verify"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("inputs", nargs=-1, required=True, metavar="IN...")
@output_options
def command(inputs: tuple[str, ...], quiet: bool, verbose: bool, as_json: bool) -> ExitCode:
    """Decode on every backend that is installed and name the first step at which two differ; - is standard input.

    C, Numba and ONNX must agree bit for bit, torch's float rendering to 60 dB. Exit code 1 if they do not.
    """

    def verify_one(_index: int, name: str) -> ExitCode:
        report = inspect.verify(read_stream(name))
        difference = report.difference
        if as_json:
            found = None
            if difference:
                found = {
                    "step": difference.step,
                    "slot": difference.slot,
                    "backends": list(difference.backends),
                    "detail": difference.detail,
                }
            near = {name: db if math.isfinite(db) else None for name, db in report.agreement_db.items()}
            print_json(
                {
                    "input": name,
                    "agree": report.agree,
                    "samples": report.samples,
                    "backends": list(report.backends),
                    "left_out": report.left_out,
                    "agreement_db": near,
                    "difference": found,
                }
            )
        if difference:
            say(f"{PROGRAM}: {name_of(name)}: {difference}")
            return ExitCode.ERROR
        if not (quiet or as_json):
            exact = [backend for backend in report.backends if backend not in report.agreement_db]
            parts = [f"{', '.join(exact)} agree on all {report.samples} samples"]
            parts += [f"{backend}: {_near(db)}" for backend, db in report.agreement_db.items()]
            parts += [f"left out: {reason}" for reason in report.left_out.values()]
            print(f"{name_of(name)}: {'; '.join(parts)}")
        return ExitCode.FINE

    return for_each(PROGRAM, inputs, verify_one, verbose)


def _near(distance_db: float) -> str:
    return "exact" if math.isinf(distance_db) else f"{distance_db:.1f} dB"


def main() -> None:
    run(command, PROGRAM)
