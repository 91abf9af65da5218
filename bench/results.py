"""What the bench measured: clips, cells, curves, ratios. The form in which it is kept, as results.json."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from audio_gs.errors import AudioGsError

from .clips import GROUPS, NARROW_SPEECH, SPEECH, WIDE_SPEECH

FORMAT = 2
OURS = "audio-gs"
NARROW_RATE = 16000
"""Speech below this rate, in Hz, is judged apart: the rivals for it are others."""

_Record = TypeVar("_Record")


class ResultsError(AudioGsError):
    """A file that holds no results of this form; the text says which and what to do."""


@dataclasses.dataclass(frozen=True)
class ClipFacts:
    """A clip that was measured."""

    name: str
    """Path inside the folder, with slashes."""
    clip_class: str
    sample_rate: int
    """Hz."""
    channels: int
    """Of the original; one and two are coded and measured as they are, more are mixed down to one."""
    seconds: float
    path: str
    """Of the original."""

    @property
    def group(self) -> str:
        """One of clips.GROUPS: what the clip is judged with, in curves, ratios and tables."""
        if self.clip_class != SPEECH:
            return self.clip_class
        return NARROW_SPEECH if self.sample_rate < NARROW_RATE else WIDE_SPEECH


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A clip that gave no figures."""

    clip: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Cell:
    """One clip through one codec at one setting."""

    clip: str
    codec: str
    variant: str
    """Frame length or mode, such as '20 ms'; the better of a codec's variants counts, metric by metric."""
    nominal_kbit_s: float
    kbit_s: float
    """True rate: the packets of a rival, the whole file of ours."""
    payload_bytes: int
    file_bytes: int
    lag_ms: float
    """Delay that was taken out before measuring."""
    metrics: dict[str, float | None]
    """By the metric's key; None where it could not be measured."""
    marks: dict[str, str]
    """Why a metric has no value."""
    error: str | None
    """Why the codec gave nothing; such a cell has no metrics."""
    audio: str | None
    """The decoded audio, delay taken out, as FLAC at the clip's rate; relative to the cache folder."""
    stream: str | None
    """Our stream, relative to the cache folder."""
    details: dict[str, float | int | str | bool | None]
    """Facts that only our codec has: preset, Gaussians, MACs a sample, memory, bit-exactness."""


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """Mean over the clips of a group, each interpolated between its own measured rates."""

    group: str
    metric: str
    codec: str
    kbit_s: float
    value: float
    clips: int
    """How many clips reach that rate; only they are in the mean."""


@dataclasses.dataclass(frozen=True)
class Ratio:
    """The rate at which we reach a rival's quality, divided by the rival's rate."""

    group: str
    metric: str
    rival: str
    rival_kbit_s: float
    rival_value: float
    ours_value: float | None
    """Ours at the rival's rate."""
    ours_kbit_s: float | None
    ours_low_kbit_s: float | None
    """Where our curve begins and ends; None where our clips have no rate in common."""
    ours_high_kbit_s: float | None
    ratio: float | None
    """Below 1 means that we need less."""
    clips: int
    note: str
    """Why there is no ratio, or what is odd about it."""


@dataclasses.dataclass(frozen=True)
class BdRate:
    """Mean difference in rate at equal quality; negative means that we need less."""

    group: str
    metric: str
    rival: str
    percent: float | None
    clips: int
    note: str


@dataclasses.dataclass(frozen=True)
class SpeedRow:
    """Real-time factors and memory of one codec, measured alone on the machine."""

    codec: str
    encode_x_real_time: float | None
    decode_x_real_time: float | None
    encode_to_ours: float | None
    """How many times as fast as our encoder."""
    decode_to_ours: float | None
    encode_peak_bytes: int | None
    """Resident memory of the whole process at its largest."""
    decode_peak_bytes: int | None
    decoder_state_bytes: int | None
    """Memory that our C decoder itself works in; None for rivals."""


@dataclasses.dataclass(frozen=True)
class TargetRow:
    """One row of the targets and what was measured for it."""

    name: str
    clip_class: str | None
    """The class that it speaks of; None for all."""
    must: str
    goal: str
    measured: str
    verdict: str
    """One of targets.VERDICTS for the must."""
    goal_verdict: str
    note: str


@dataclasses.dataclass(frozen=True)
class Results:
    """Everything that one run of the bench found out."""

    folder: str
    options: dict[str, Any]
    clips: tuple[ClipFacts, ...]
    cells: tuple[Cell, ...]
    left_out: tuple[LeftOut, ...]
    skipped_codecs: dict[str, str]
    skipped_metrics: dict[str, str]
    curves: tuple[CurvePoint, ...]
    ratios: tuple[Ratio, ...]
    bd_rates: tuple[BdRate, ...]
    targets: tuple[TargetRow, ...]
    speed: tuple[SpeedRow, ...]
    versions: dict[str, str]
    """Of the codecs' tools and the metrics' packages."""

    @property
    def groups(self) -> list[str]:
        """Of the clips, in the order of clips.GROUPS."""
        return sorted({clip.group for clip in self.clips}, key=GROUPS.index)


def save(results: Results, path: Path) -> None:
    """Write results.json."""
    path.write_text(dumps(results), encoding="utf-8")


def dumps(results: Results) -> str:
    """JSON of the results; numbers that are not finite become null."""
    return dump_record(results, FORMAT)


def dump_record(record: Any, form: int) -> str:
    """JSON of a dataclass, with the number of its form; numbers that are not finite become null."""
    fields = {"format": form, **_finite(dataclasses.asdict(record))}
    return json.dumps(fields, indent=1, allow_nan=False) + "\n"


def load(path: Path) -> Results:
    """Read results.json. Raises ResultsError if it is not one that this version wrote."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ResultsError(f"cannot read {path}: {error}; run gs-bench again") from None
    if not isinstance(record, dict) or record.pop("format", None) != FORMAT:
        raise ResultsError(f"{path} is not results of form {FORMAT}; run gs-bench again")
    try:
        return read_record(Results, record)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path} is not whole ({error}); run gs-bench again") from None


def read_record(kind: type[_Record], record: dict[str, Any]) -> _Record:
    """A dataclass from the dictionary that dataclasses.asdict made of it. Raises TypeError for other fields."""
    hints = typing.get_type_hints(kind)
    if set(record) != set(hints):
        raise TypeError(f"{kind.__name__} has other fields")
    return kind(**{name: _read(hints[name], value) for name, value in record.items()})


def _read(hint: Any, value: Any) -> Any:
    origin, parameters = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        record = next((one for one in parameters if dataclasses.is_dataclass(one)), None)
        return value if value is None or record is None else read_record(typing.cast(type, record), value)
    if origin is tuple:
        return tuple(_read(parameters[0], entry) for entry in value)
    if origin is dict:
        return {key: _read(parameters[1], entry) for key, entry in value.items()}
    if dataclasses.is_dataclass(hint):
        return read_record(typing.cast(type, hint), value)
    if hint is float and value is None:
        return math.nan
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
