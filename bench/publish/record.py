"""What is published: figures, each with the build, the clips and the command that it comes from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from ..results import ResultsError, dump_record, read_record

FORMAT = 1
FILE = "results.json"


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where figures come from."""

    command: str
    date: str
    """Year-month-day of the measurement."""
    version: str
    """Of the package."""
    code: str
    """Hash of the sources that decide the figures."""
    tools: dict[str, str]
    """Versions of compilers, metrics and tables, by name."""


@dataclasses.dataclass(frozen=True)
class ClipSet:
    """The clips behind figures."""

    name: str
    """What they are, in a few words."""
    clips: tuple[str, ...]
    """Paths inside the folder of clips."""
    hash: str
    """Of the samples of all of them."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The rate at which we reach a rival's quality, by one metric."""

    group: str
    rival: str
    rival_kbit_s: float
    metric: str
    rival_value: float
    """Mean over the clips at the rival's rate."""
    needs_kbit_s: float | None
    """Interpolated between measured rates; None where our curve is better, or worse, all along."""
    below_kbit_s: float | None
    """In its place the lowest rate that all clips have, where ours is better there already."""
    above_kbit_s: float | None
    """In its place the highest rate that all clips have, where ours is not yet good enough there."""
    clips: int


@dataclasses.dataclass(frozen=True)
class StreamCost:
    """What the streams of a group at a rate cost a decoder."""

    group: str
    nominal_kbit_s: float
    clips: int
    macs_mean: float
    """MACs a sample, mean over the clips."""
    macs_worst: float
    """MACs a sample in the costliest 20 ms of all clips."""
    macs_guaranteed: float
    """MACs a sample in any 20 ms that the encoder's ceiling allows."""
    decoder_bytes_mean: float
    """Memory that the C decoder asks for on this machine, stack not included."""
    decoder_bytes_max: int


@dataclasses.dataclass(frozen=True)
class Quality:
    """Equal quality with rivals, and the costs of the same streams."""

    origin: Origin
    rates: dict[str, tuple[float, ...]]
    """Nominal kbit/s at which ours was measured, by group."""
    sets: tuple[ClipSet, ...]
    """By group."""
    comparisons: tuple[Comparison, ...]
    costs: tuple[StreamCost, ...]


@dataclasses.dataclass(frozen=True)
class Playing:
    """What one build takes to play the clips of a set at a rate; instructions and cycles are those of gs_read."""

    clips: str
    """Name of the set."""
    nominal_kbit_s: float
    instructions: float
    """A sample, mean over the clips."""
    instructions_most: float
    """A sample, of the clip that takes most."""
    instructions_worst: float
    """A sample, in the costliest 20 ms of all clips."""
    multiplies: float
    """Multiply instructions a sample, mean over the clips."""
    ram_bytes: int
    """Decoder, PCM block and stack, largest of all clips."""
    stack_bytes: int


@dataclasses.dataclass(frozen=True)
class FirmwareBuild:
    """One build of the decoder: code, memory and instructions belong together."""

    core: str
    compiler: str
    optimisation: str
    rom_bytes: int
    """Code, tables, error texts, and memory functions."""
    plays: tuple[Playing, ...]


@dataclasses.dataclass(frozen=True)
class Firmware:
    """The C decoder on simulated cores."""

    origin: Origin
    sets: tuple[ClipSet, ...]
    builds: tuple[FirmwareBuild, ...]


@dataclasses.dataclass(frozen=True)
class SpeedFigures:
    """How many times as fast as the sound lasts."""

    preset: str
    encode: float
    decode: float


@dataclasses.dataclass(frozen=True)
class Speed:
    """Encoder and C decoder in a warm process."""

    origin: Origin
    machine: str
    threads: int
    nominal_kbit_s: float
    clips: ClipSet
    rows: tuple[SpeedFigures, ...]


@dataclasses.dataclass(frozen=True)
class Published:
    """All sections; None for one that was not measured."""

    quality: Quality | None = None
    firmware: Firmware | None = None
    speed: Speed | None = None


def save(published: Published, folder: Path) -> None:
    """Write results.json."""
    (folder / FILE).write_text(dump_record(published, FORMAT), encoding="utf-8")


def load(folder: Path) -> Published:
    """Read results.json. Raises ResultsError if it is not one that this version wrote."""
    path = folder / FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("format", None) != FORMAT:
            raise ValueError(f"it is not of form {FORMAT}")
        return read_record(Published, record)
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path} holds no published results ({error}); make results writes them") from None


def hash_of_set(hashes: Iterable[str]) -> str:
    """Stands for the samples of all clips of a set, in any order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()[:12]
