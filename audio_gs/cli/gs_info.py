"""gs-info: what a stream holds and what it costs."""

from __future__ import annotations

import dataclasses

import click

from audio_gs import inspect
from audio_gs.codec.stereo import direction_gains, position_of

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

PROGRAM = "gs-info"


@click.command(context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="IN...")
@duration_option
@jobs_option
@output_options
@version_option(PROGRAM)
def command(
    inputs: tuple[str, ...], max_duration: float, jobs: int, quiet: bool, verbose: bool, as_json: bool
) -> ExitCode:
    """Show header fields, Gaussians, residual, rate, and the decoder's cost; - is standard input."""
    return for_each(PROGRAM, inputs, Showing(max_duration, quiet, as_json), verbose, jobs)


@dataclasses.dataclass(frozen=True)
class Showing:
    """What is done with each stream."""

    max_duration: float
    quiet: bool
    as_json: bool

    def __call__(self, _index: int, name: str) -> None:
        facts = inspect.info(read_stream(name), self.max_duration)
        if self.as_json:
            print_json({"input": name, **facts.as_dict()})
        elif not self.quiet:
            print(describe(name_of(name), facts))
        if facts.excess:
            say(f"{PROGRAM}: {name_of(name)}: {facts.excess}")


def describe(name: str, facts: inspect.StreamInfo) -> str:
    header, macs = facts.header, facts.macs_per_sample
    total = sum(facts.gaussians.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in facts.gaussians.items())
    loop = f"samples {header.loop[0]} to {header.loop[1]}" if header.loop else "none"
    noise = "none"
    if header.noise:
        noise = f"frames of {header.noise.frame_samples} samples, {header.noise.max_noises} Gaussians held at most"
    rest, fields = "none", ""
    if header.residual:
        rest = ", ".join(f"{count} {_words(value)}s" for value, count in facts.residual_values.items())
        rest += f", {facts.residual_bits} bits ({1e-3 * facts.residual_bits / header.duration:.3f} kbit/s)"
        part = dataclasses.asdict(header.residual)
        fields = ", ".join(f"{_words(field)} {number}" for field, number in part.items())
    both = f"{header.channels}"
    if header.channels == 2:
        place = float(position_of(*direction_gains(header.direction)))
        both += f", direction {header.direction} of 128 (pan {place:+.2f})"
        both += ", panned" if header.panning else ""
    panning = ""
    if header.panning:
        parts = ", ".join(f"{count} {_words(column)}s" for column, count in facts.sides.items())
        panning = f"{parts}, step 2^({header.panning.side_step} / 4), base {header.panning.side_base}"
    places = ""
    if header.panning:
        pans = facts.pans.items()
        ranges = (f"{kind}s {low:+.2f} to {high:+.2f}, half below {half:+.2f}" for kind, (low, half, high) in pans)
        places = "; ".join(ranges)
    seek = "none"
    if header.seek_slots:
        distance = header.seek_slots * header.slot_samples / header.sample_rate
        seek = f"every {distance:.2f} s, {facts.segments} segments, {facts.seek_point_bits} bits"
    rows = (
        ("format version", f"{header.version}"),
        ("sample rate", f"{header.sample_rate} Hz"),
        ("samples", f"{header.samples} ({header.duration:.3f} s)"),
        ("channels", both),
        ("bytes", f"{facts.bytes} ({facts.kbit_s:.3f} kbit/s)"),
        ("Gaussians", f"{kinds} ({total / header.duration:.1f}/s)"),
        ("table set", header.table_set_name),
        ("slot", f"{header.slot_samples} samples"),
        ("supports of tones", f"{header.longest_tone >> (header.scales - 1)} to {header.longest_tone} samples"),
        ("amplitude step", f"4 * {header.amplitude_step} / 2^{header.output_shift} of 32768, at the shortest support"),
        ("noise", noise),
        ("residual", rest),
        *([("residual fields", fields)] if fields else []),
        *([("side", panning)] if panning else []),
        *([("pans, 5 to 95 %", places)] if places else []),
        ("seek points", seek),
        ("loop", loop),
        ("MACs/sample", f"{macs['mean']:.1f} mean, {macs['peak']:.1f} peak, {header.peak_macs} declared"),
        ("tones held", f"{header.max_tones} at most"),
        ("decoder memory", f"{facts.decoder_bytes} bytes"),
    )
    return "\n".join([name, *(f"  {label:<18}{value}" for label, value in rows)])


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    run(command, PROGRAM)
