"""Which cells a run wants: clips, codecs, rates and metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

import soundfile

from audio_gs import audio_io
from audio_gs.audio_io import CHANNELS
from audio_gs.errors import AudioGsError

from .cache import hash_of
from .clips import CLASSES, GROUPS, ClipFile, preset_of
from .codecs import RIVALS, CodecMissing, OurOptions, make_codec
from .measure import Task
from .metrics import METRICS, MetricMissing
from .results import OURS, Cell, ClipFacts, LeftOut

OUR_RATES = {"speech": (1.0, 1.5, 3.0, 4.5, 6.0, 8.0, 12.0, 16.0), "": (2.0, 3.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)}
"""kbit/s by class; the last is for all others."""
CLASS_PRESET = "class"


class RequestError(AudioGsError):
    """A rate, class, codec or metric was asked for that there is not; the text says which there are."""


@dataclasses.dataclass(frozen=True)
class Rates:
    """Nominal rates that were asked for, in kbit/s; None where the codec's own are to be taken."""

    of_all: tuple[float, ...] | None
    of_name: dict[str, tuple[float, ...]]
    """By codec, or by class or group for our codec."""

    def of_ours(self, clip_class: str, group: str) -> tuple[float, ...]:
        """For clips of a class and group; what was asked for the group goes before what was asked for the class."""
        for name in (group, clip_class, OURS):
            if name in self.of_name:
                return self.of_name[name]
        return self.of_all or OUR_RATES.get(clip_class, OUR_RATES[""])

    def of_rival(self, codec: str) -> tuple[float, ...] | None:
        return self.of_name.get(codec, self.of_all)


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The clips that can be measured."""

    files: list[ClipFile]
    facts: list[ClipFacts]
    hashes: dict[str, str]
    left_out: list[LeftOut]


def parse_rates(given: Sequence[str]) -> Rates:
    """Rates from texts like '6,12', 'speech=3,6', 'speech-8k=4' or 'opus=8'. Raises RequestError."""
    of_all = None
    of_name: dict[str, tuple[float, ...]] = {}
    known = tuple(dict.fromkeys((*CLASSES, *GROUPS, OURS, *RIVALS)))
    for text in given:
        name, equals, numbers = text.rpartition("=")
        if not equals:
            of_all = parse_numbers(numbers)
        elif name in known:
            of_name[name] = parse_numbers(numbers)
        else:
            raise RequestError(f"--rates {text}: {name!r} is no class and no codec; known are {', '.join(known)}")
    return Rates(of_all, of_name)


def parse_numbers(text: str) -> tuple[float, ...]:
    """Rates in kbit/s, each once, from smallest to largest. Raises RequestError."""
    try:
        numbers = {float(word) for word in text.split(",")}
    except ValueError:
        numbers = {0.0}
    if not all(0 < number < 1000 for number in numbers):
        raise RequestError(f"{text!r} is no list of rates in kbit/s like 6,12")
    return tuple(sorted(numbers))


def parse_names(text: str, known: Collection[str], what: str) -> tuple[str, ...]:
    """Names from a list like 'a,b'. Raises RequestError for one that is not known."""
    names = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    for name in names:
        if name not in known:
            raise RequestError(f"{name!r} is no {what}; known are {', '.join(known)}")
    if not names:
        raise RequestError(f"{text!r} names no {what}; known are {', '.join(known)}")
    return names


def choose_codecs(given: str | None, table: Sequence[Cell]) -> tuple[str, ...]:
    """All codecs, or ours alone where a table has the rivals' results, unless told otherwise. Raises RequestError."""
    if given:
        return parse_names(given, (OURS, *RIVALS), "codec")
    return (OURS,) if table else (OURS, *RIVALS)


def choose_metrics(given: str | None, table: Sequence[Cell]) -> tuple[str, ...]:
    """All metrics, or those of the table if there is one, unless told otherwise. Raises RequestError."""
    if given:
        return parse_names(given, METRICS, "metric")
    tabled = {metric for cell in table for metric in cell.metrics}
    return tuple(key for key in METRICS if key in tabled or not table)


def load_clips(files: Iterable[ClipFile]) -> Loaded:
    """Reads every clip once, for its facts and its hash."""
    kept, facts, hashes, left_out = [], [], {}, []
    for file in files:
        try:
            clip = audio_io.load(file.path)
            channels = soundfile.info(str(file.path)).channels
        except FileNotFoundError:
            left_out.append(LeftOut(file.name, "no such file"))
            continue
        except (AudioGsError, OSError) as error:
            left_out.append(LeftOut(file.name, str(error)))
            continue
        seconds = len(clip.samples) / clip.sample_rate
        kept.append(file)
        facts.append(ClipFacts(file.name, file.clip_class, clip.sample_rate, channels, seconds, str(file.path)))
        hashes[file.name] = hash_of(clip)
    return Loaded(kept, facts, hashes, left_out)


def usable_metrics(wanted: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Versions of the metrics that can be measured here, and why the others cannot.

    Raises MetricUnusable for one that would be wrong without failing.
    """
    versions, skipped = {}, {}
    for key in wanted:
        try:
            versions[key] = METRICS[key].version()
        except MetricMissing as error:
            skipped[key] = str(error)
    return versions, skipped


def usable_codecs(wanted: Iterable[str]) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """Versions of the rivals' variants whose tools are here, and why the others cannot be measured, by the rival or,
    where it has others that can, by the variant."""
    versions, skipped = {}, {}
    for key in wanted:
        variants, missing = RIVALS.get(key, ()), {}
        for codec in variants:
            try:
                versions[key, codec.variant] = codec.version()
            except CodecMissing as error:
                missing[codec.variant] = str(error)
        if len(missing) < len(variants):
            skipped.update({f"{key} {variant}": reason for variant, reason in missing.items()})
        elif missing:
            skipped[key] = next(iter(missing.values()))
    return versions, skipped


def our_options(clip_class: str, preset: str, effort: str, max_macs: int | None) -> OurOptions:
    """How our encoder is run on clips of a class."""
    return OurOptions(preset_of(clip_class) if preset == CLASS_PRESET else preset, effort, max_macs)


def plan(
    loaded: Loaded,
    codecs: Mapping[tuple[str, str], str],
    ours: Mapping[str, OurOptions] | None,
    rates: Rates,
    metrics: Mapping[str, str],
    table: Sequence[Cell],
) -> list[Task]:
    """The cells of a run. Where a table of rivals' cells is given, a metric is measured on its clips alone, since there
    is nothing to compare it with on the others."""
    in_table = {(cell.clip, metric) for cell in table for metric in cell.metrics}
    tabled = {metric for _, metric in in_table}
    tasks = []
    for file, facts in zip(loaded.files, loaded.facts, strict=True):
        is_stereo = facts.channels == CHANNELS
        suited = tuple(
            (key, version)
            for key, version in metrics.items()
            if METRICS[key].suits(file.clip_class)
            and (is_stereo or not METRICS[key].stereo)
            and (key not in tabled or (file.name, key) in in_table)
        )
        cells: list[tuple[str, str, str, float, OurOptions]] = []
        if ours is not None:
            options = ours[file.clip_class]
            version = make_codec(OURS, "", options).version()
            cells += [(OURS, "", version, rate, options) for rate in rates.of_ours(file.clip_class, facts.group)]
        for (key, variant), version in codecs.items():
            codec = make_codec(key, variant, OurOptions())
            if (codec.classes is None or file.clip_class in codec.classes) and (codec.stereo or not is_stereo):
                nominal = codec.rates(facts.sample_rate, rates.of_rival(key))
                cells += [(key, variant, version, rate, OurOptions()) for rate in nominal]
        tasks += [
            Task(file, loaded.hashes[file.name], key, variant, rate, version, suited, options)
            for key, variant, version, rate, options in cells
        ]
    return tasks
