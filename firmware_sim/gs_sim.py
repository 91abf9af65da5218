"""gs-sim: what the decoder takes to play a clip on a small core."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from audio_gs.cli.common import (
    HELP_NAMES,
    PATH,
    ExitCode,
    duration_option,
    for_each,
    name_of,
    output_options,
    print_json,
    read_stream,
    run,
    say,
    version_option,
)
from audio_gs.codec.memory import MOST_VOICES

from .build.cores import CORES
from .build.image import COMPILERS, OPTIMISATIONS
from .mixing import MixReport, simulate_mix
from .profile.costs import Cost
from .profile.timing import TIMINGS
from .simulate import ENGINES, Report, Settings, simulate

PROGRAM = "gs-sim"

ExistingFolder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="CLIP...")
@click.option(
    "--core", "cores", multiple=True, type=click.Choice(tuple(CORES)), help="Repeatable [cortex-m4].", metavar="CORE"
)
@click.option("--engine", type=click.Choice(ENGINES), default="unicorn", help="[unicorn].")
@click.option("--compiler", type=click.Choice(COMPILERS), default="zig", help="[zig].")
@click.option(
    "--opt", "optimisation", type=click.Choice(OPTIMISATIONS), default="O2", help="Level of optimisation [O2]."
)
@click.option("--block", type=click.IntRange(min=1), default=32, metavar="N", help="Samples a call of gs_read [32].")
@click.option("--pitch", type=click.FloatRange(0.5, 2), default=1.0, metavar="FACTOR", help="To play at, 0.5 to 2 [1].")
@click.option("--tempo", type=click.FloatRange(0.5, 2), default=1.0, metavar="FACTOR", help="Times as fast [1].")
@click.option("--rate", type=click.IntRange(8000, 48000), metavar="HZ", help="To play at [that of the clip].")
@click.option("--mono", is_flag=True, help="Of a clip with two channels the mid alone.")
@click.option("--binaural", type=float, metavar="DEG", help="For a listener, with the source at this azimuth.")
@click.option(
    "--voices",
    type=click.IntRange(0, MOST_VOICES),
    default=0,
    metavar="N",
    help="Voices of a mixer that play each clip, beside as many decoders [0: no mixer].",
)
@click.option("--functions", type=click.IntRange(min=0), default=12, metavar="N", help="Functions to list [12].")
@click.option("-D", "--define", "defines", multiple=True, metavar="NAME[=VALUE]", help="Macro for the decoder.")
@click.option("--decoder-source", type=ExistingFolder, metavar="DIR", help="decoder_c/ to build [the package's own].")
@click.option("--against", type=ExistingFolder, metavar="DIR", help="Another decoder_c/, to show the differences to.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Folder of builds.")
@duration_option
@output_options
@version_option(PROGRAM)
def command(
    inputs: tuple[str, ...],
    cores: tuple[str, ...],
    engine: str,
    compiler: str,
    optimisation: str,
    block: int,
    pitch: float,
    tempo: float,
    rate: int | None,
    mono: bool,
    binaural: float | None,
    voices: int,
    functions: int,
    defines: tuple[str, ...],
    decoder_source: Path | None,
    against: Path | None,
    cache: Path | None,
    max_duration: float,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> ExitCode:
    """Build the C decoder for a core, play clips on it in a simulator, and show instructions by function and step,
    estimated cycles, ROM, RAM and stack; - is standard input.

    Cores: cortex-m0plus, cortex-m3, cortex-m4, cortex-m7, cortex-m33, riscv32. Exit code 1 if the samples are not
    those of the host's decoder.
    """

    def settings_of(core: str, source: Path | None) -> Settings:
        return Settings(
            core, compiler, optimisation, engine, block, source, defines, cache, pitch, tempo, rate, mono, binaural
        )

    def play(_index: int, name: str) -> ExitCode:
        data = read_stream(name)
        if voices:
            return play_in_voices(name, data)
        worst = ExitCode.FINE
        for core in cores or ("cortex-m4",):
            sources = (decoder_source, against) if against else (decoder_source,)
            reports = []
            for source in sources:
                report = simulate(data, settings_of(core, source), max_duration)
                reports.append(report)
                if as_json:
                    print_json({"input": name, "decoder_source": str(source) if source else None, **report.as_dict()})
                if not report.bit_exact:
                    say(f"{PROGRAM}: {name_of(name)}: {core} gives other samples than the host")
                    worst = ExitCode.ERROR
            if not as_json and not quiet:
                print(describe(name_of(name), reports[0], functions))
                if against:
                    print(describe_difference(reports[0], reports[1], functions))
        return worst

    def play_in_voices(name: str, data: bytes) -> ExitCode:
        worst = ExitCode.FINE
        for core in cores or ("cortex-m4",):
            settings = settings_of(core, decoder_source)
            report = simulate_mix(data, settings, voices, max_duration)
            if as_json:
                print_json({"input": name, **report.as_dict()})
            elif not quiet:
                print(describe_mix(name_of(name), report))
            if not report.bit_exact:
                say(f"{PROGRAM}: {name_of(name)}: {core} gives other samples than the host")
                worst = ExitCode.ERROR
        return worst

    if voices and against:
        raise click.UsageError("--voices compares with decoders; leave out --against")
    return for_each(PROGRAM, inputs, play, verbose)


def describe(name: str, report: Report, functions: int) -> str:
    """The report as text, with so many functions."""
    facts, settings, rom = report.as_dict(), report.settings, report.rom
    bound = report.stack_bound_bytes
    rows = (
        (
            "PCM",
            f"{'bit-exact' if report.bit_exact else 'NOT bit-exact'}, CRC-32 {report.pcm_crc32}, "
            f"{report.samples} samples at {report.sample_rate} Hz",
        ),
        (
            "instructions/sample",
            f"{facts['instructions_per_sample']:.2f} mean, {facts['worst_20ms_instructions_per_sample']:.1f} in the "
            f"worst {report.worst_window_samples} samples, {facts['worst_block_instructions_per_sample']:.1f} in the "
            f"worst call for {settings.block}",
        ),
        (
            "multiplies/sample",
            f"{facts['multiplies_per_sample']:.2f} mean, {report.worst_window_multiplies:.1f} in the worst "
            f"{report.worst_window_samples} samples; the class promises {'' if report.within_class else 'ONLY '}"
            f"{report.promised_macs}",
        ),
        (
            "cycles/sample",
            f"{facts['cycles_per_sample_estimated']:.1f} mean, {facts['worst_20ms_cycles_per_sample_estimated']:.1f} "
            "worst, estimated",
        ),
        (
            "MHz for real time",
            f"{facts['mhz_estimated']:.2f} mean, {facts['worst_20ms_mhz_estimated']:.2f} worst, estimated",
        ),
        ("timing model", TIMINGS[settings.core].describe()),
        (
            "ROM",
            f"{rom.total} bytes: code {rom.code}, tables {rom.tables}, error texts {rom.texts}, "
            f"memory functions {rom.runtime}; {rom.playing} linked into a program that plays clips as encoded",
        ),
        (
            "RAM",
            f"{report.ram_bytes} bytes: decoder of this class {report.state_bytes}, PCM block {report.pcm_bytes}, "
            f"stack {report.stack_bytes}",
        ),
        ("stack at most", "unknown without GCC" if bound is None else f"{bound} bytes by call graph, in GCC's build"),
        ("opening", f"{report.opening.instructions} instructions"),
    )
    title = f"{name} on {settings.core}, {report.compiler_version} -{settings.optimisation}, {settings.engine}"
    lines = [title, *(f"  {label:<22}{value}" for label, value in rows)]
    lines += _table("step", report.steps, report)
    return "\n".join(lines + _table("function", dict(list(report.functions.items())[:functions]), report))


def describe_mix(name: str, report: MixReport) -> str:
    """The report of a mixer as text."""
    settings = report.settings
    return "\n".join(
        (
            f"{name} in {report.voices} voices on {settings.core}, -{settings.optimisation}, {settings.block} a call",
            f"  PCM                   {'bit-exact' if report.bit_exact else 'NOT bit-exact'}, "
            f"a voice begins {report.apart} samples after the one before",
            f"  instructions          {report.per_sample(report.mixer):.2f} for a sample of a voice, "
            f"{report.share:.3f} times the {report.per_sample(report.decoders):.2f} of decoders",
            f"  ROM                   {report.rom.mixing} bytes linked beside the decoder's, {report.rom.sharing} with "
            f"what voices share and a budget; {report.rom.total} in all",
            f"  RAM                   {report.ram_bytes} bytes beside the voices' decoders, stack {report.stack_bytes}",
        )
    )


def _table(title: str, costs: Mapping[str, Cost], report: Report) -> list[str]:
    if not costs:
        return []
    whole = (report.cost + report.opening).instructions
    lines = [f"  {title:<36}{'instr/sample':>14}{'mul/sample':>12}{'cycles/sample':>15}{'share':>8}"]
    for name, cost in costs.items():
        instructions, multiplies = report.per_sample(cost.instructions), report.per_sample(cost.multiplies)
        cycles = report.cycles_per_sample(cost)
        share = cost.instructions / whole
        lines.append(f"    {name:<34}{instructions:>14.2f}{multiplies:>12.2f}{cycles:>15.2f}{share:>8.1%}")
    return lines


def describe_difference(ours: Report, theirs: Report, functions: int) -> str:
    """What the second decoder takes more or less than the first."""
    both = (ours, theirs)
    rows: list[tuple[str, list[float]]] = [
        ("instructions/sample", [one.per_sample(one.cost.instructions) for one in both]),
        ("multiplies/sample", [one.per_sample(one.cost.multiplies) for one in both]),
        ("cycles/sample", [one.cycles_per_sample(one.cost) for one in both]),
        ("worst 20 ms, instructions/sample", [one.worst_window_instructions for one in both]),
        ("ROM", [one.rom.total for one in both]),
        ("RAM", [one.ram_bytes for one in both]),
        ("stack", [one.stack_bytes for one in both]),
    ]
    changes: list[tuple[str, list[float]]] = [
        (name, [one.per_sample(one.functions.get(name, Cost()).instructions) for one in both])
        for name in dict.fromkeys((*ours.functions, *theirs.functions))
    ]
    changes.sort(key=lambda change: -abs(change[1][1] - change[1][0]))
    rows += [change for change in changes[:functions] if change[1][0] != change[1][1]]
    lines = [f"  {'against':<38}{'first':>12}{'second':>12}{'change':>12}"]
    lines += [f"    {name:<36}{before:>12.2f}{after:>12.2f}{after - before:>+12.2f}" for name, (before, after) in rows]
    return "\n".join(lines)


def main() -> None:
    run(command, PROGRAM)


if __name__ == "__main__":
    main()
