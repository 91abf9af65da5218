"""gs-encode: audio files to Audio-GS streams."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audio_gs import api, audio_io, inspect
from audio_gs.errors import OptionsError

from .common import (
    HELP_NAMES,
    PATH,
    STDIO,
    ExitCode,
    for_each,
    jobs_option,
    name_of,
    output_options,
    plan_outputs,
    print_json,
    progress_bar,
    run,
    say,
    version_option,
    write_output,
)
from .sweep import RATES_SWEPT, Sweep, run_sweep

if TYPE_CHECKING:
    from audio_gs.encoder import EncodeResult, EncoderOptions

PROGRAM = "gs-encode"
SUFFIX = ".gs"
RATE_TOLERANCE = 0.97
QUALITY_TOLERANCE = 0.3
SAMPLE_RATES = ("auto", "keep")
RATES = ("bitrate", "gaussians", "quality")
PCM_BYTES = 2
EPILOG = "Everything else that the encoder can be told, such as how to study the fit, stands in a file: --help-config."


def sample_rate_of(context: click.Context, parameter: click.Parameter, value: str | None) -> str | int | None:
    """A name as it is, anything else as a whole number."""
    if value is None or value in SAMPLE_RATES:
        return value
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is none of {', '.join(SAMPLE_RATES)}, and no whole number") from None


def rates_of(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...]:
    """Numbers between commas."""
    try:
        rates = tuple(sorted({float(word) for word in value.split(",")})) if value else ()
    except ValueError:
        rates = (0.0,)
    if not all(0 < rate <= 1000 for rate in rates):
        raise click.BadParameter(f"{value!r} is no list of rates in kbit/s like 3,6,12")
    return rates


def show_configuration(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Prints every option of the encoder with its meaning, its values and its default."""
    if not asked or context.resilient_parsing:
        return
    from audio_gs.encoder.options import EncoderOptions, option_facts

    defaults = EncoderOptions()
    rows = []
    for name, facts in option_facts().items():
        default = getattr(defaults, name)
        values = [f"{facts.low:g}..{facts.high:g}"] if facts.low is not None else []
        values += facts.choices
        known = [", ".join(values)] if values else []
        known += [f"default {default}"] if default is not None else []
        rows.append((name, f"{facts.summary} [{'; '.join(known)}]" if known else facts.summary))
    formatter = context.make_formatter()
    formatter.write_text("A file for --config is YAML, a line 'option: value' for each of these:")
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_dl(rows)
    click.echo(formatter.getvalue(), nl=False)
    context.exit()


@click.command(context_settings=HELP_NAMES, epilog=EPILOG)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="IN...")
@click.option("-o", "--output", type=PATH, metavar="OUT", help="File, folder for many inputs, or - .")
@click.option("--bitrate", type=click.FloatRange(min=0, min_open=True), metavar="KBIT_S", help="Kbit/s, all counted.")
@click.option(
    "--ratio",
    type=click.FloatRange(1, 1000),
    metavar="10..100",
    help="Bytes of the clip's 16-bit samples over bytes of the stream, at the least.",
)
@click.option(
    "--gaussians",
    type=click.FloatRange(min=0, min_open=True),
    metavar="PER_SECOND",
    help="Gaussians a second.",
)
@click.option(
    "--quality",
    type=click.FloatRange(0, 10),
    metavar="0..10",
    help="How near for the ear, the same on every clip; the rate follows [5].",
)
@click.option("--preset", type=click.Choice(["auto", "speech", "music", "sfx"]), help="Kind of clip [auto].")
@click.option(
    "--sample-rate",
    callback=sample_rate_of,
    metavar="auto|keep|HZ",
    help="Of the stream; auto lowers it where nothing audible is lost [auto, with --preset keep].",
)
@click.option(
    "--max-macs", type=click.IntRange(min=20), metavar="N", help="Ceiling on MACs a sample in any 20 ms [300]."
)
@click.option("--effort", type=click.Choice(["fast", "normal", "best"]), help="Time spent on the fit [normal].")
@click.option(
    "--seek-every",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Distance of the seek points, 0 for none [5].",
)
@click.option(
    "--loop",
    type=click.IntRange(min=0),
    nargs=2,
    metavar="START END",
    help="Loop points: first sample of the loop and the one after its last [those of a WAV file's sampler chunk].",
)
@click.option("--mono", is_flag=True, default=None, help="Mix two channels down to one.")
@click.option("--no-loop", is_flag=True, help="No loop points, whatever the file has.")
@click.option("--config", type=PATH, metavar="FILE.yaml", help="More options, by name; the command line goes first.")
@click.option(
    "--help-config",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_configuration,
    help="List all that a file for --config may hold, and exit.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where gradient refinement runs [auto].")
@click.option("--log-dir", type=click.Path(file_okay=False), metavar="DIR", help="Folder for a log of the fit.")
@click.option("--sweep", is_flag=True, help="Write no stream: show quality, size and MACs over rates.")
@click.option("--sweep-rates", callback=rates_of, metavar="KBIT_S,...", help="Those rates.  [2,3,4,6,8,12,16]")
@click.option("--draw", type=PATH, metavar="FILE", help="With --sweep, draw it, too: a .png, .svg or .pdf file.")
@jobs_option
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@output_options
@version_option(PROGRAM)
def command(
    inputs: tuple[str, ...],
    output: str | None,
    ratio: float | None,
    no_loop: bool,
    config: str | None,
    log_dir: str | None,
    sweep: bool,
    sweep_rates: tuple[float, ...],
    draw: str | None,
    jobs: int,
    force: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
    **given: Any,
) -> ExitCode:
    """Encode WAV, FLAC, Ogg, MP3 or AIFF at 8 to 192 kHz; - is standard input or output.

    Without --bitrate, --ratio, --gaussians or --quality it is quality 5. Streams have 8 to 48 kHz.
    """
    if as_json and output == STDIO:
        raise click.UsageError("--json and -o - both write to standard output; give one of them")
    if given["loop"] and no_loop:
        raise click.UsageError("--loop and --no-loop exclude each other; give one")
    if given["loop"] and len(inputs) > 1:
        raise click.UsageError("--loop fits one clip; encode the inputs one at a time")
    if (ratio is not None) + sum(given[name] is not None for name in ("bitrate", "gaussians", "quality")) > 1:
        raise click.UsageError("--bitrate, --ratio, --gaussians and --quality exclude each other; give one")
    settings = read_config(config) if config else {}
    if no_loop:
        settings.pop("loop", None)
    given["loop"] = given["loop"] or None
    if ratio is not None:
        settings = {name: value for name, value in settings.items() if name not in RATES}
    if sweep and (output is not None or ratio is not None or any(given[name] is not None for name in RATES)):
        raise click.UsageError("--sweep goes over rates and writes no stream; give neither -o nor a rate with it")
    if (sweep_rates or draw) and not sweep:
        raise click.UsageError("--sweep-rates and --draw go with --sweep; add it")
    outputs = [] if sweep else plan_outputs(inputs, _needed(output), SUFFIX, force)
    try:
        mono = api.encoder_options(settings, log_dir=log_dir, **given).mono
    except OptionsError as error:
        raise click.UsageError(str(error)) from None
    if sweep:
        wanted = Sweep({**settings, **_without_none(given)}, sweep_rates or RATES_SWEPT, no_loop, mono)
        return run_sweep(PROGRAM, inputs, wanted, draw, jobs, force, quiet, verbose, as_json)
    encoding = Encoding(
        outputs, settings, given, ratio, no_loop, log_dir, len(inputs), mono, force, quiet, verbose, as_json
    )
    return for_each(PROGRAM, inputs, encoding, verbose, jobs)


def _needed(output: str | None) -> str:
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output'.")
    return output


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


@dataclasses.dataclass(frozen=True)
class Encoding:
    """What is done with each clip."""

    outputs: list[str]
    settings: dict[str, Any]
    given: dict[str, Any]
    """What the command line has to say, by the names of options."""
    ratio: float | None
    no_loop: bool
    log_dir: str | None
    inputs: int
    mono: bool
    force: bool
    quiet: bool
    verbose: bool
    as_json: bool

    def __call__(self, index: int, name: str) -> None:
        clip = audio_io.load(name, self.mono)
        notices = list(clip.notices)
        wanted = dict(self.given)
        if clip.loop and not self.no_loop and wanted["loop"] is None and self.settings.get("loop") is None:
            wanted["loop"] = clip.loop
            notices.append(f"loops from {clip.loop[0]} to {clip.loop[1]}, as the file says; --no-loop leaves that out")
        if self.ratio is not None:
            wanted["bitrate"] = 8 * PCM_BYTES * clip.channels * clip.sample_rate / 1000 / self.ratio
        if not self.quiet:
            for notice in notices:
                say(f"{PROGRAM}: {name_of(name)}: {notice}")
        folder = self.log_dir
        if folder and self.inputs > 1:
            folder = str(Path(folder) / Path(name).stem)
        options = api.encoder_options(self.settings, log_dir=folder, **wanted)
        began = time.perf_counter()
        with progress_bar(name_of(name), shown=not (self.quiet or self.as_json)) as progress:
            result = api.encode_clip(clip, options, progress)
        seconds = time.perf_counter() - began
        write_output(self.outputs[index], result.data, self.force)
        if self.quiet and not self.as_json:
            return
        facts = inspect.info(result.data, None)
        ratio = PCM_BYTES * clip.samples.size / len(result.data)
        if self.as_json:
            summary = {
                "input": name,
                "output": self.outputs[index],
                "ratio": ratio,
                "snr_db": finite(result.snr_db),
                "quality": result.quality,
                "encode_seconds": seconds,
            }
            print_json({**summary, **facts.as_dict()})
        if not self.quiet:
            _say_what_became(name, clip, options, result, facts, ratio)
        if self.verbose:
            header, count = facts.header, sum(facts.gaussians.values())
            say(
                f"{name_of(name)}: {count} Gaussians, tables for {header.table_set_name}, "
                f"decoder {facts.decoder_bytes} bytes, seek points cost {facts.seek_point_bits} bits, "
                f"{header.sample_rate} Hz, {header.duration:.2f} s encoded in {seconds:.2f} s"
            )


def _say_what_became(
    name: str,
    clip: audio_io.Clip,
    options: EncoderOptions,
    result: EncodeResult,
    facts: inspect.StreamInfo,
    ratio: float,
) -> None:
    if facts.header.sample_rate != clip.sample_rate:
        say(
            f"{PROGRAM}: {name_of(name)}: encoded at {facts.header.sample_rate} instead of {clip.sample_rate} "
            f"Hz; nothing above is audible, and --sample-rate keep keeps it"
        )
    asked = options.bitrate
    if asked is not None and facts.kbit_s < RATE_TOLERANCE * asked:
        say(
            f"{PROGRAM}: {name_of(name)}: the ceilings max_macs and max_tones, or the clip itself, leave no "
            f"use for more than {facts.kbit_s:.2f} of {asked:g} kbit/s"
        )
    if options.quality is not None and result.quality < options.quality - QUALITY_TOLERANCE:
        say(
            f"{PROGRAM}: {name_of(name)}: the ceilings max_macs and max_tones let it come to quality "
            f"{result.quality:.1f} of {options.quality:g}"
        )
    macs = facts.macs_per_sample
    say(
        f"{name_of(name)}: {len(result.data)} bytes, {facts.kbit_s:.2f} kbit/s, ratio {ratio:.1f}, "
        f"quality {result.quality:.1f}, SNR {result.snr_db:.2f} dB, "
        f"MACs/sample {macs['mean']:.0f} mean {macs['peak']:.0f} peak"
    )


def finite(value: float) -> float | None:
    """JSON has no infinity, which is the SNR of a clip that comes back exactly."""
    return value if abs(value) < float("inf") else None


def read_config(name: str) -> dict[str, Any]:
    """Options from a YAML file; a UsageError for anything but a mapping of names to values."""
    import yaml

    try:
        content = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise click.UsageError(f"{name} is no YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise click.UsageError(f"{name} must hold lines of the form 'option: value'")
    return content


def main() -> None:
    run(command, PROGRAM)
