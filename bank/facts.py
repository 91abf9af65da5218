"""What became of the clips of a bank: sizes, qualities, costs, and what keeps each from being better."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from audio_gs.encoder.control.quality import HIGHEST_QUALITY

from .cores import CORES
from .curve import Curve
from .encodings import Encoding
from .plan import Wanted
from .rules import Wish
from .search import LOWEST_KBIT_S, Candidate
from .share import Share, bytes_at, quality_of, score_within
from .sounds import Sound

_AT_CEILING = 0.97
"""Share of a ceiling from which on it is what keeps a clip down."""
_ABOVE = 0.3
"""Score over the worst from which on a clip is where it is for a reason of its own."""
_CURVE_FROM, _CURVE_TO, _CURVE_STEPS = 0.35, 2.5, 40
"""The curve of the worst quality: from and to so many times the flash that is taken."""


@dataclasses.dataclass(frozen=True)
class ClipFacts:
    """A clip as it is in the bank."""

    name: str
    seconds: float
    sample_rate: int
    pcm_bytes: int
    """Of the recording's 16-bit samples."""
    bytes: int
    kbit_s: float
    quality: float
    preset: str
    weight: float
    floor: float
    loop: tuple[int, int] | None
    macs_mean: float
    macs_peak: float
    decoder_bytes: int
    megahertz: float | None
    """For the worst 20 ms on the core that was asked about."""
    binds: str
    """What keeps it from being better."""
    bytes_a_quality: float
    """What its last quality costs."""
    worst_without: float
    """The bank's worst quality, for weight 1, if this clip were dropped and its bytes were the others'."""
    encoded_anew: bool
    notices: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.pcm_bytes / self.bytes


@dataclasses.dataclass(frozen=True)
class BankFacts:
    """A bank."""

    flash: int | None
    """Bytes that there are; None where the fewest for a quality were looked for."""
    clips: tuple[ClipFacts, ...]
    worst: float
    """Quality of the clip that is the worst, for weight 1."""
    worst_clip: str
    decoder_bytes: int
    """Memory of the decoder that plays any of them, on a 32-bit core."""
    macs_peak: float
    one_rate_kbit_s: float
    """The rate at which all would have to be for none to be worse, were it one for all; by the clips' curves."""
    one_rate_bytes: float
    curve: tuple[tuple[float, float], ...]
    """Bytes of flash, and the worst quality in them, by the clips' curves."""
    limits: tuple[tuple[str, str], ...]

    @property
    def bytes(self) -> int:
        return sum(clip.bytes for clip in self.clips)

    @property
    def seconds(self) -> float:
        return sum(clip.seconds for clip in self.clips)

    def as_dict(self) -> dict[str, Any]:
        """All of it as what JSON can hold."""
        return {**dataclasses.asdict(self), "bytes": self.bytes}


def facts_of(
    flash: int | None,
    sounds: Sequence[Sound],
    candidates: Sequence[Candidate],
    found: Share,
    curves: Mapping[str, Curve],
    anew: set[str],
    wanted: Wanted,
    limits: Sequence[tuple[str, str]],
) -> BankFacts:
    """What became of the clips, in their order."""
    wishes = {one.name: one.wish for one in candidates}
    budget = found.bytes
    clips = []
    for sound, candidate in zip(sounds, candidates, strict=True):
        name = sound.name
        encoding, curve = found.chosen[name], curves[name]
        others = {other: curves[other] for other in curves if other != name}
        without = score_within(budget, others, wishes) if others else HIGHEST_QUALITY
        low = max(0.0, min(encoding.quality, curve.highest) - 1)
        clips.append(
            ClipFacts(
                name=name,
                seconds=sound.seconds,
                sample_rate=encoding.sample_rate,
                pcm_bytes=sound.pcm_bytes,
                bytes=encoding.bytes,
                kbit_s=8e-3 * encoding.bytes / encoding.duration,
                quality=encoding.quality,
                preset=encoding.preset,
                weight=candidate.wish.weight,
                floor=candidate.wish.floor,
                loop=sound.clip.loop,
                macs_mean=encoding.macs_mean,
                macs_peak=encoding.macs_peak,
                decoder_bytes=encoding.decoder_bytes,
                megahertz=_megahertz(encoding, wanted),
                binds=_what_binds(encoding, curve, candidate, found),
                bytes_a_quality=encoding.bytes - curve.bytes_for(low),
                worst_without=min(HIGHEST_QUALITY, without),
                encoded_anew=name in anew,
                notices=sound.notices,
            )
        )
    rate = max(_kbit_s_for(found.worst, curves[one.name], one) for one in candidates)
    return BankFacts(
        flash=flash,
        clips=tuple(clips),
        worst=found.worst,
        worst_clip=min(found.scores, key=lambda one: (found.scores[one], one)),
        decoder_bytes=max(clip.decoder_bytes for clip in clips),
        macs_peak=max(clip.macs_peak for clip in clips),
        one_rate_kbit_s=rate,
        one_rate_bytes=125 * rate * sum(one.duration for one in candidates),
        curve=_worst_over_flash(budget, curves, wishes),
        limits=tuple(limits),
    )


def _kbit_s_for(score: float, curve: Curve, one: Candidate) -> float:
    return curve.bytes_for(quality_of(score, curve, one.wish)) / 125 / one.duration


def _megahertz(encoding: Encoding, wanted: Wanted) -> float | None:
    if wanted.core is None:
        return None
    line = CORES[wanted.core]
    return (line.fixed + line.each * math.ceil(encoding.macs_peak)) * encoding.sample_rate / 1e6


def _what_binds(encoding: Encoding, curve: Curve, one: Candidate, found: Share) -> str:
    if encoding.quality >= HIGHEST_QUALITY:
        return "nothing: the scale ends"
    if encoding.quality >= curve.highest:
        memory = one.options.get("max_memory")
        if encoding.macs_peak >= _AT_CEILING * one.options["max_macs"] - 1:
            return "MACs"
        if memory is not None and encoding.decoder_bytes >= _AT_CEILING * memory:
            return "memory"
        return "the preset's memory, or the clip itself"
    if one.wish.floor > 0 and found.scores[one.name] > found.worst + _ABOVE:
        return "its floor"
    if encoding.asked_kbit_s <= LOWEST_KBIT_S:
        return "the lowest rate"
    return "flash"


def _worst_over_flash(
    budget: int, curves: Mapping[str, Curve], wishes: Mapping[str, Wish]
) -> tuple[tuple[float, float], ...]:
    low, high = (score_within(budget * factor, curves, wishes) for factor in (_CURVE_FROM, _CURVE_TO))
    low, high = max(0.0, low), min(HIGHEST_QUALITY, high)
    scores = [low + (high - low) * step / (_CURVE_STEPS - 1) for step in range(_CURVE_STEPS)]
    return tuple((bytes_at(score, curves, wishes), score) for score in scores)
