"""Encodes the clips at the rates of points.py and measures equal quality, costs, instructions and speed."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import audio_gs
from audio_gs.code_hash import code_hash
from audio_gs.errors import AudioGsError

from .. import plan, ratios
from ..clips import GROUPS, ClipFile, find_clips
from ..report.summary import summarise
from ..report.tables import ratio_bound
from ..results import OURS, Cell, Ratio
from ..rivals import read_rivals
from ..run import Progress, measure_all
from ..speed import THREADS, choose_clips, measure_speed
from .points import COSTS, POINTS, RATES, SPEED_KBIT_S, SPEED_PRESETS, Point
from .record import ClipSet, Comparison, Origin, Quality, Speed, SpeedFigures, StreamCost, hash_of_set

CLASSES = ("speech", "music", "sfx")
EFFORT = "normal"
_PACKAGES = ("numba", "numpy", "scipy", "soxr")


class PublishError(AudioGsError):
    """Figures that cannot be published as they are; the text says why."""


@dataclasses.dataclass(frozen=True)
class Corpus:
    """The clips of a folder in the groups of RATES, and our streams of them."""

    loaded: plan.Loaded
    cells: tuple[Cell, ...]
    cache: Path
    versions: dict[str, str]
    """Of the metrics."""

    def files(self, group: str) -> list[ClipFile]:
        pairs = zip(self.loaded.files, self.loaded.facts, strict=True)
        return [file for file, facts in pairs if facts.group == group]

    def clip_set(self, name: str, clips: Sequence[str]) -> ClipSet:
        return ClipSet(name, tuple(clips), hash_of_set(self.loaded.hashes[clip] for clip in clips))


def encode_corpus(
    folder: Path,
    classes: Collection[str],
    rates: Mapping[str, tuple[float, ...]],
    cache: Path,
    rivals: Sequence[Cell],
    jobs: int,
    progress: Progress,
) -> Corpus:
    """All cells of ours, at rates in kbit/s by group, judged by the metrics that `rivals` have, if there are any.

    Raises PublishError unless every clip of the classes could be read and encoded, bit for bit the same in C and Numba.
    """
    loaded = plan.load_clips(clip for clip in find_clips(folder) if clip.clip_class in classes)
    if loaded.left_out or not loaded.files:
        gone = ", ".join(one.clip for one in loaded.left_out)
        raise PublishError(f"{folder}: {f'cannot read {gone}' if gone else 'no clips of these classes'}")
    wanted = {metric for point in POINTS for metric in point.metrics}
    tabled = plan.choose_metrics(None, rivals) if rivals else ()
    versions, skipped = plan.usable_metrics(metric for metric in tabled if metric in wanted)
    if skipped:
        raise PublishError("; ".join(f"{metric}: {reason}" for metric, reason in skipped.items()))
    options = {
        clip.clip_class: plan.our_options(clip.clip_class, plan.CLASS_PRESET, EFFORT, None) for clip in loaded.files
    }
    asked = plan.Rates(None, {group: rates.get(group, ()) for group in GROUPS})
    tasks = plan.plan(loaded, {}, options, asked, versions, rivals)
    cells = measure_all(tasks, cache, jobs, progress)
    for cell in cells:
        if cell.error is not None or cell.details.get("bit_exact") is not True:
            raise PublishError(f"{cell.clip} at {cell.nominal_kbit_s:g} kbit/s: {cell.error or 'C and Numba differ'}")
    return Corpus(loaded, tuple(cells), cache, versions)


def measure_quality(corpus: Corpus, rivals: Sequence[Cell], tables: Mapping[str, str], command: str) -> Quality:
    """Comparisons with the rivals' cells, and what our streams cost. `tables` are hashes by file name."""
    names = {facts.name for facts in corpus.loaded.facts}
    cells = [*corpus.cells, *(cell for cell in rivals if cell.clip in names)]
    found = ratios.all_ratios(ratios.clip_curves(corpus.loaded.facts, cells))
    by_place = {(one.group, one.rival, one.rival_kbit_s, one.metric): one for one in found}
    comparisons = [
        _comparison(point, metric, by_place.get((point.group, point.rival, point.kbit_s, metric)))
        for point in POINTS
        for metric in point.metrics
        if corpus.files(point.group)
    ]
    summary = summarise(corpus.cells, {facts.name: facts for facts in corpus.loaded.facts})
    costs = [
        StreamCost(
            one.group,
            one.nominal_kbit_s,
            one.clips,
            one.macs_mean,
            one.macs_peak,
            _ceiling(corpus, one.group, one.nominal_kbit_s),
            one.decoder_bytes_mean,
            one.decoder_bytes_max,
        )
        for one in summary
        if one.nominal_kbit_s in COSTS.get(one.group, ())
    ]
    return Quality(
        origin=origin(command, {**corpus.versions, **tables}),
        rates={group: rates for group, rates in RATES.items() if corpus.files(group)},
        sets=tuple(
            corpus.clip_set(group, [file.name for file in corpus.files(group)])
            for group in RATES
            if corpus.files(group)
        ),
        comparisons=tuple(comparisons),
        costs=tuple(costs),
    )


def _ceiling(corpus: Corpus, group: str, kbit_s: float) -> int:
    """On MACs a sample, of the encoder."""
    clip_class = corpus.files(group)[0].clip_class
    return plan.our_options(clip_class, plan.CLASS_PRESET, EFFORT, None).at(kbit_s).max_macs


def _comparison(point: Point, metric: str, ratio: Ratio | None) -> Comparison:
    where = f"{point.rival} at {point.kbit_s:g} kbit/s, {point.group}, {metric}"
    if ratio is None:
        raise PublishError(f"{where}: too few clips that both were measured on")
    bound = ratio_bound(ratio)
    if ratio.ours_kbit_s is None and bound not in (0.0, float("inf")):
        raise PublishError(f"{where}: {ratio.note}")
    return Comparison(
        group=point.group,
        rival=point.rival,
        rival_kbit_s=point.kbit_s,
        metric=metric,
        rival_value=ratio.rival_value,
        needs_kbit_s=ratio.ours_kbit_s,
        below_kbit_s=ratio.ours_low_kbit_s if ratio.ours_kbit_s is None and bound == 0 else None,
        above_kbit_s=ratio.ours_high_kbit_s if ratio.ours_kbit_s is None and bound > 1 else None,
        clips=ratio.clips,
    )


def measure_speeds(corpus: Corpus, command: str, progress: Progress) -> Speed:
    """Of our encoder and C decoder, one preset after the other, while nothing else runs."""
    files = [file for file in corpus.loaded.files if file.clip_class == "speech"]
    chosen = choose_clips(files)
    rows = []
    for preset in SPEED_PRESETS:
        options = {file.clip_class: plan.our_options(file.clip_class, preset, EFFORT, None) for file in files}
        ours = next(row for row in measure_speed(files, {}, options, progress) if row.codec == OURS)
        if ours.encode_x_real_time is None or ours.decode_x_real_time is None:
            raise PublishError(f"no speed of preset {preset}")
        rows.append(SpeedFigures(preset, ours.encode_x_real_time, ours.decode_x_real_time))
    return Speed(
        origin=origin(command, {}),
        machine=machine(),
        threads=THREADS,
        nominal_kbit_s=SPEED_KBIT_S,
        clips=corpus.clip_set("speech at 16 kHz", [file.name for file in chosen]),
        rows=tuple(rows),
    )


def read_tables(paths: Sequence[Path]) -> tuple[list[Cell], dict[str, str]]:
    """The rivals' cells, and a hash of each file by its name."""
    return read_rivals(paths), {path.name: hash_of_files([path]) for path in paths}


def hash_of_files(paths: Iterable[Path]) -> str:
    """Stands for the names and contents of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def origin(command: str, tools: Mapping[str, str], code: str | None = None) -> Origin:
    """Of figures that are measured now, with this package; `code` stands for its sources unless they are other ones."""
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    versions = {"Python": platform.python_version(), **packages, **tools}
    return Origin(command, today, audio_gs.__version__, code or code_hash(), versions)


def machine() -> str:
    """Kind and number of this machine's processors, and how busy they are now."""
    model = platform.processor() or platform.machine()
    busy = f", load average {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores, {model}{busy}"
