"""gs-verify: do all decoders agree on a stream?"""

from __future__ import annotations

import math

import click

from audio_gs import api

from .common import ExitCode, for_each, name_of, output_options, print_json, read_stream, run, say

PROGRAM = "gs-verify"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("inputs", nargs=-1, required=True, metavar="IN...")
@output_options
def command(inputs: tuple[str, ...], quiet: bool, verbose: bool, as_json: bool) -> ExitCode:
    """Decode on every backend and name the first step at which two differ; - is standard input.

    C and Numba must agree bit for bit, torch's float rendering to 60 dB. Exit code 1 if they do not.
    """

    def verify_one(_index: int, name: str) -> ExitCode:
        report = api.verify(read_stream(name))
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
            torch_db = report.torch_db if math.isfinite(report.torch_db) else None
            print_json(
                {
                    "input": name,
                    "agree": report.agree,
                    "samples": report.samples,
                    "torch_db": torch_db,
                    "difference": found,
                }
            )
        if difference:
            say(f"{PROGRAM}: {name_of(name)}: {difference}")
            return ExitCode.ERROR
        if not (quiet or as_json):
            near = "exact" if math.isinf(report.torch_db) else f"{report.torch_db:.1f} dB"
            print(f"{name_of(name)}: c and numba agree on all {report.samples} samples, torch: {near}")
        return ExitCode.FINE

    return for_each(PROGRAM, inputs, verify_one, verbose)


def main() -> None:
    run(command, PROGRAM)
