"""gs-bank: a folder of recordings to a product's flash."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from audio_gs.cli.common import (
    DISTRIBUTION,
    HELP_NAMES,
    CommandError,
    ExitCode,
    for_each,
    print_json,
    progress_bar,
    run,
    say,
    version_option,
)
from audio_gs.codec.memory import MOST_VOICES
from audio_gs.encoder.options import EFFORTS
from audio_gs.errors import OptionsError
from audio_gs.export.firmware.project import TARGETS
from audio_gs.parallel import Workers, processors

from .again import for_budget_again, former, how_it_was_made
from .cores import CORES
from .encodings import Cache, default_cache
from .facts import BankFacts, facts_of
from .many.command import encode
from .outputs import RECORD, REPORT, bank_files, check_output, names_in_c, write_bank
from .plan import Wanted, describe_limits, folder_of, plan, sample_rate_of, size_of
from .rules import given_rules, read_rules, unused
from .search import Candidate, Search
from .share import Share
from .sounds import Preparing, Sound, find_sounds, load_sound

PROGRAM = "gs-bank"
Function = TypeVar("Function", bound=Callable[..., Any])


def bank_options(function: Function) -> Function:
    """What both subcommands take: parameters as in `Options`, and folder."""
    for option in reversed(
        (
            click.argument("folder", type=click.Path(readable=False), metavar="SOUNDS"),
            click.option(
                "--sample-rate",
                callback=sample_rate_of,
                default="auto",
                show_default=True,
                metavar="auto|own|HZ",
                help="auto: one for all, the lowest at which none loses anything audible; own: each clip its own.",
            ),
            click.option("--core", type=click.Choice(list(CORES)), help="Core that plays, for the ceiling on MACs."),
            click.option("--mhz", type=click.FloatRange(0, 10000, min_open=True), metavar="MHZ", help="Its clock."),
            click.option(
                "--share",
                type=click.FloatRange(0, 1, min_open=True),
                default=0.5,
                show_default=True,
                metavar="0..1",
                help="Of its time that all voices may take.",
            ),
            click.option(
                "--voices",
                type=click.IntRange(1, MOST_VOICES),
                default=1,
                show_default=True,
                metavar="N",
                help="Clips that sound at once; each gets its part of time and RAM.",
            ),
            click.option(
                "--max-macs", type=click.IntRange(20, 100000), metavar="N", help="Ceiling on MACs a sample [300]."
            ),
            click.option(
                "--ram", callback=size_of, metavar="SIZE", help="For decoders, and the mixer of several voices."
            ),
            click.option(
                "--rules",
                type=click.Path(path_type=Path),
                metavar="FILE.yaml",
                help="Weights, floors and more by pattern.",
            ),
            click.option(
                "--weight", multiple=True, metavar="GLOB=X", help="Nearer to the original, times; repeatable."
            ),
            click.option("--floor", multiple=True, metavar="GLOB=Q", help="Quality at the least; repeatable."),
            click.option("--trim", is_flag=True, help="Take silence away at both ends."),
            click.option(
                "--loudness",
                type=click.FloatRange(-70, 0),
                metavar="LUFS",
                help="Bring all to one loudness; extra 'bank'.",
            ),
            click.option("--seek-every", type=click.FloatRange(0, 3600), default=0.0, help="Seconds [0, for none]."),
            click.option("--effort", type=click.Choice(EFFORTS), default="normal", help="As in gs-encode."),
            click.option("--strict", is_flag=True, help="Stop at a clip that cannot be read."),
            click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Encodings at a time [one a core]."),
            click.option(
                "--cache",
                type=click.Path(file_okay=False, path_type=Path),
                metavar="DIR",
                help="Where encodings are kept [the user's cache].",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output."),
            click.option("-v", "--verbose", is_flag=True, help="Say more on standard error."),
            click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
        )
    ):
        function = option(function)
    return function


@dataclasses.dataclass(frozen=True)
class Options:
    """What `bank_options` gives."""

    folder: str
    sample_rate: str | int
    core: str | None
    mhz: float | None
    share: float
    voices: int
    max_macs: int | None
    ram: int | None
    rules: Path | None
    weight: tuple[str, ...]
    floor: tuple[str, ...]
    trim: bool
    loudness: float | None
    seek_every: float
    effort: str
    strict: bool
    jobs: int | None
    cache: Path | None
    as_json: bool
    verbose: bool
    quiet: bool

    def wanted(self) -> Wanted:
        """Raises click.UsageError."""
        try:
            rules = read_rules(self.rules) if self.rules else []
            rules += given_rules("weight", self.weight) + given_rules("floor", self.floor)
            return Wanted(
                rules=rules,
                sample_rate=self.sample_rate,
                core=self.core,
                megahertz=self.mhz,
                share=self.share,
                voices=self.voices,
                max_macs=self.max_macs,
                ram=self.ram,
                effort=self.effort,
                seek_every=self.seek_every,
                preparing=Preparing(self.trim, self.loudness),
            )
        except OptionsError as error:
            raise click.UsageError(str(error)) from None


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The clips that can be encoded, and what holds for them."""

    sounds: list[Sound]
    candidates: list[Candidate]
    wanted: Wanted
    code: ExitCode
    """ERROR where clips are left out."""


def load(options: Options) -> Loaded:
    """Read the clips of the folder; what cannot be read is complained of. Raises CommandError where none is left, or
    one is missing and must not be."""
    wanted = options.wanted()
    folder = folder_of(options.folder)
    names = find_sounds(folder)
    if not names:
        raise CommandError(f"{folder} holds no WAV, FLAC, Ogg, MP3 or AIFF file; give another folder")
    names_in_c(names)
    for pattern in unused(wanted.rules, names):
        say(f"{PROGRAM}: the rule for {pattern} fits no clip")
    sounds: list[Sound] = []

    def read(_index: int, name: str) -> None:
        sound = load_sound(folder, name, wanted.preparing)
        sounds.append(sound)
        if not options.quiet:
            for notice in sound.notices:
                say(f"{PROGRAM}: {name}: {notice}")

    code = for_each(PROGRAM, names, read, options.verbose)
    if code and options.strict:
        raise CommandError("a clip cannot be read; mend it, or leave out --strict to go on without it")
    if not sounds:
        raise CommandError("no clip is left; nothing is written")
    return Loaded(sounds, plan(sounds, wanted), wanted, ExitCode.ERROR if code else ExitCode.FINE)


def solve(
    options: Options, loaded: Loaded, flash: int | None, find: Callable[[Search], Share]
) -> tuple[BankFacts, dict[str, bytes], dict[str, Any]]:
    """What is found for the clips, their streams, and how they were made."""
    cache = Cache(options.cache or default_cache())
    shown = not (options.quiet or options.as_json)
    with (
        Workers(min(options.jobs or processors(), len(loaded.candidates))) as workers,
        progress_bar(options.folder, shown) as progress,
    ):
        search = Search(loaded.candidates, cache, workers, progress)
        found = find(search)
    facts = facts_of(
        flash,
        loaded.sounds,
        loaded.candidates,
        found,
        search.curves,
        search.anew,
        loaded.wanted,
        describe_limits(loaded.wanted, loaded.candidates),
    )
    streams = {name: cache.stream(one.key) for name, one in found.chosen.items()}
    return facts, streams, how_it_was_made(flash or 0, loaded.candidates, found, search)


@click.group(no_args_is_help=False, context_settings=HELP_NAMES)
@version_option(PROGRAM)
def command() -> None:
    """Fit a folder of recordings into a product's flash, the worst of them as good as can be."""


command.add_command(encode)


@command.command("build", context_settings=HELP_NAMES)
@click.option("--flash", callback=size_of, required=True, metavar="SIZE", help="For all streams, such as 96K.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="OUT", help="Folder.")
@click.option("--target", type=click.Choice(list(TARGETS)), help="Write a firmware project, too.")
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@bank_options
def build(flash: int, output: Path, target: str | None, force: bool, **given: Any) -> ExitCode:
    """Encode all clips of SOUNDS so that they fit and the worst is as good as can be.

    Writes OUT/streams, OUT/c with the clips as C arrays and an index, OUT/report.html to listen and read,
    OUT/bank.json, and with --target OUT/project. Exit code 1 if a clip could not be read and was left out.
    """
    options = Options(**given)
    check_output(output, force)
    began = time.perf_counter()
    loaded = load(options)
    before = former(output / RECORD) if force else None
    facts, streams, made = solve(options, loaded, flash, lambda search: for_budget_again(search, flash, before))
    version = importlib.metadata.version(DISTRIBUTION)
    files = bank_files(facts, loaded.sounds, streams, made, target, options.voices, version)
    write_bank(output, files, force)
    seconds = time.perf_counter() - began
    anew = sum(clip.encoded_anew for clip in facts.clips)
    if options.as_json:
        print_json({"output": str(output), "encoded_anew": anew, **facts.as_dict()})
    if not options.quiet:
        if options.verbose:
            say_clips(facts)
        say(
            f"{output / REPORT}: {_count(facts)}, {facts.bytes} of {flash} bytes, worst quality {facts.worst:.2f} "
            f"({facts.worst_clip}), decoder {facts.decoder_bytes} bytes, {anew} encoded anew, {seconds:.0f} s"
        )
    return loaded.code


@command.command("tune", context_settings=HELP_NAMES)
@click.option("--flash", callback=size_of, metavar="SIZE", help="How good is the worst clip in it?")
@click.option("--quality", type=click.FloatRange(0, 10), metavar="0..10", help="How much flash does it take?")
@bank_options
def tune(flash: int | None, quality: float | None, **given: Any) -> ExitCode:
    """Say how much flash a quality takes, or what quality fits into flash, and which clips cost most for what they
    give. Writes nothing but the cache."""
    if (flash is None) == (quality is None):
        raise click.UsageError("give either --flash or --quality")
    options = Options(**given)
    loaded = load(options)

    def find(search: Search) -> Share:
        return search.for_budget(flash) if flash is not None else search.for_score(float(quality or 0))

    facts, _, _ = solve(options, loaded, flash, find)
    if options.as_json:
        print_json(facts.as_dict())
    elif not options.quiet:
        print_tuning(facts)
    return loaded.code


def _count(facts: BankFacts) -> str:
    return "1 clip" if len(facts.clips) == 1 else f"{len(facts.clips)} clips"


def say_clips(facts: BankFacts) -> None:
    for clip in facts.clips:
        say(
            f"{clip.name}: {clip.bytes} bytes, {clip.kbit_s:.2f} kbit/s, quality {clip.quality:.2f}, "
            f"MACs/sample {clip.macs_mean:.0f} mean {clip.macs_peak:.0f} peak, decoder {clip.decoder_bytes} bytes, "
            f"bound by {clip.binds}"
        )


def print_tuning(facts: BankFacts) -> None:
    """Clips by what dropping them would give the others, byte for byte what is left."""
    print(f"{_count(facts)}, {facts.seconds:.1f} s: {facts.bytes} bytes, worst quality {facts.worst:.2f}")
    print(
        f"at one rate for all, {facts.one_rate_kbit_s:.2f} kbit/s, the same worst quality takes "
        f"{facts.one_rate_bytes:.0f} bytes"
    )
    print("\nclips, that first whose bytes would give the others most:")
    print("   bytes  kbit/s  quality  last quality costs  worst if dropped  clip")
    for clip in by_gain(facts):
        print(
            f"{clip.bytes:>8}{clip.kbit_s:>8.2f}{clip.quality:>9.2f}{clip.bytes_a_quality:>14.0f} bytes"
            f"{clip.worst_without:>18.2f}  {clip.name}"
        )
    print("\nworst quality  bytes")
    for size, score in facts.curve[:: max(1, len(facts.curve) // 8)]:
        print(f"{score:>13.2f}{size:>7.0f}")


def by_gain(facts: BankFacts) -> Sequence[Any]:
    """The clips, that first without which the others gain most."""
    return sorted(facts.clips, key=lambda clip: (-clip.worst_without, clip.name))


def main() -> None:
    run(command, PROGRAM)
