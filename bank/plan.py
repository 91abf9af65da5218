"""From the options of gs-bank to what is to be encoded."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from audio_gs.audio_io import MAX_RATE, MIN_RATE
from audio_gs.codec.memory import MIXER_BYTES, VOICE_BYTES
from audio_gs.encoder.control.sample_rate import kept_rate
from audio_gs.errors import OptionsError

from .cores import macs_within
from .rules import Rule, Wish, wish_for
from .search import Candidate
from .sounds import Preparing, Sound, common_rate, duration_at, own_rate

USUAL_MACS = 300
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KM]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is asked of a whole bank."""

    rules: Sequence[Rule] = ()
    sample_rate: str | int = "auto"
    """auto: one for all that mix, the lowest at which none of them loses anything; own: each clip its own; or Hz."""
    core: str | None = None
    megahertz: float | None = None
    share: float = 0.5
    """Of the core's time, for all voices."""
    voices: int = 1
    max_macs: int | None = None
    ram: int | None = None
    """Bytes for all decoders, and the mixer of several voices."""
    effort: str = "normal"
    seek_every: float = 0.0
    preparing: Preparing = dataclasses.field(default_factory=Preparing)

    def __post_init__(self) -> None:
        if (self.core is None) != (self.megahertz is None):
            raise OptionsError("--core and --mhz belong together; give both or neither")


def parse_size(text: str) -> int:
    """Bytes of a text such as 96K, 1.5M or 5000; K is 1024. Raises OptionsError."""
    match = _SIZE.fullmatch(text.strip())
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size < 1:
        raise OptionsError(f"{text!r} is no size; write it as 96K, 1.5M or 5000")
    return size


def size_of(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """A size on the command line. Raises click.BadParameter."""
    try:
        return None if value is None else parse_size(value)
    except OptionsError as error:
        raise click.BadParameter(str(error)) from None


def sample_rate_of(_context: click.Context, _parameter: click.Parameter, value: str) -> str | int:
    """auto, own or Hz. Raises click.BadParameter."""
    if value in ("auto", "own"):
        return value
    if not value.isdecimal() or not MIN_RATE <= int(value) <= MAX_RATE:
        raise click.BadParameter(f"{value!r} is neither auto, own, nor {MIN_RATE}..{MAX_RATE} Hz")
    return int(value)


def plan(sounds: Sequence[Sound], wanted: Wanted) -> list[Candidate]:
    """What is to be encoded, in the order of the sounds. Raises OptionsError for a core that is too slow, or too little
    memory."""
    wishes = {sound.name: wish_for(sound.name, wanted.rules) for sound in sounds}
    rates = _rates(sounds, wishes, wanted)
    memory = _memory_each(wanted)
    candidates = []
    for sound in sounds:
        rate = rates[sound.name]
        options: dict[str, Any] = {
            "sample_rate": rate,
            "max_macs": _macs(wanted, rate),
            "effort": wanted.effort,
            "seek_every": wanted.seek_every,
        }
        if memory is not None:
            options["max_memory"] = memory
        duration = duration_at(sound.clip, rate)
        candidates.append(
            Candidate(sound.name, sound.clip, sound.content_hash(), duration, wishes[sound.name], options)
        )
    return candidates


def _rates(sounds: Sequence[Sound], wishes: dict[str, Wish], wanted: Wanted) -> dict[str, int]:
    """The sample rate of each clip's stream."""
    if isinstance(wanted.sample_rate, int):
        alone = {sound.name: min(wanted.sample_rate, kept_rate(sound.clip.sample_rate, False)) for sound in sounds}
        return {name: wanted.sample_rate if wishes[name].mix else rate for name, rate in alone.items()}
    mixed = [sound.clip for sound in sounds if wishes[sound.name].mix] if wanted.sample_rate == "auto" else []
    common = common_rate(mixed) if mixed else 0
    return {sound.name: common if common and wishes[sound.name].mix else own_rate(sound.clip) for sound in sounds}


def _macs(wanted: Wanted, sample_rate: int) -> int:
    ceilings = [wanted.max_macs or USUAL_MACS]
    if wanted.core is not None and wanted.megahertz is not None:
        ceilings.append(macs_within(wanted.core, wanted.megahertz, wanted.share, wanted.voices, sample_rate))
    return min(ceilings)


def _memory_each(wanted: Wanted) -> int | None:
    """Bytes of each voice's decoder."""
    if wanted.ram is None or wanted.voices == 1:
        return wanted.ram
    each = (wanted.ram - MIXER_BYTES) // wanted.voices - VOICE_BYTES
    return max(1, each // 8 * 8)


def describe_limits(wanted: Wanted, candidates: Sequence[Candidate]) -> list[tuple[str, str]]:
    """What holds for all clips, in words, for the report."""
    rates = sorted({int(one.options["sample_rate"]) for one in candidates})
    macs = sorted({int(one.options["max_macs"]) for one in candidates})
    memory = {one.options.get("max_memory") for one in candidates}
    rows = [
        ("sample rate", " and ".join(f"{rate} Hz" for rate in rates)),
        ("MACs a sample, at most", " and ".join(map(str, macs))),
        ("decoder memory, at most", f"{memory.pop()} bytes" if memory != {None} else "that of the preset"),
    ]
    if wanted.core:
        rows.append(("core", f"{wanted.core} at {wanted.megahertz:g} MHz, {100 * wanted.share:.0f} % of its time"))
    if wanted.voices > 1:
        rows.append(("voices", str(wanted.voices)))
    return rows


def folder_of(text: str) -> Path:
    """A folder of clips. Raises click.UsageError for what is none."""
    path = Path(text)
    if not path.is_dir():
        raise click.UsageError(f"{text} is {'a file; give the folder of the clips' if path.exists() else 'not there'}")
    return path
