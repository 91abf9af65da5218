"""Plays our streams on simulated cores, on builds of one compiler with several optimisations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audio_gs.codec.decoder_source import find_decoder_source
from audio_gs.firmware_sim import Report, Settings, simulate

from ..results import Cell
from ..run import Progress
from .measure import Corpus, PublishError, hash_of_files, origin
from .points import CORES, OPTIMISATIONS, PLAYED, Played
from .record import Firmware, FirmwareBuild, Playing

COMPILER = "zig"


def measure_firmware(
    corpus: Corpus, source: Path | None, builds: Path | None, command: str, progress: Progress
) -> Firmware:
    """Play the clips of PLAYED on each build. `source` is decoder_c/ (None: the package's own), `builds` the folder of
    builds (None: the user's). Raises PublishError where a core gives other samples than the host."""
    sets = {played: _cells(corpus, played) for played in PLAYED if corpus.files(played.group)}
    if not sets:
        raise PublishError("no clips of the classes that are played on small cores")
    total = len(CORES) * len(OPTIMISATIONS) * sum(map(len, sets.values()))
    done = 0
    found = []
    for core in CORES:
        for optimisation in OPTIMISATIONS:
            plays = []
            for played, cells in sets.items():
                reports = []
                for cell in cells:
                    progress(done / total, f"{core} -{optimisation} {cell.clip}")
                    reports.append(
                        _play(corpus, cell, Settings(core, COMPILER, optimisation, source=source, cache=builds))
                    )
                    done += 1
                plays.append(_playing(played, reports))
            found.append(
                FirmwareBuild(core, reports[0].compiler_version, optimisation, reports[0].rom.total, tuple(plays))
            )
    return Firmware(
        origin=origin(command, {"compiler": found[0].compiler}, hash_of_files(decoder_files(source))),
        sets=tuple(corpus.clip_set(played.name, [cell.clip for cell in cells]) for played, cells in sets.items()),
        builds=tuple(found),
    )


def decoder_files(source: Path | None) -> list[Path]:
    """All of decoder_c/ that is compiled, headers too."""
    folder = source or find_decoder_source()
    return sorted(path for part in ("include", "src") for path in (folder / part).glob("*.[ch]"))


def _cells(corpus: Corpus, played: Played) -> list[Cell]:
    rates = {facts.name: facts.sample_rate for facts in corpus.loaded.facts if facts.group == played.group}
    cells = [
        cell
        for cell in corpus.cells
        if rates.get(cell.clip) == played.sample_rate and cell.nominal_kbit_s == played.kbit_s and cell.stream
    ]
    if not cells:
        raise PublishError(f"there are no streams of {played.name} at {played.kbit_s:g} kbit/s")
    return cells


def _play(corpus: Corpus, cell: Cell, settings: Settings) -> Report:
    report = simulate((corpus.cache / str(cell.stream)).read_bytes(), settings)
    if not report.bit_exact:
        raise PublishError(f"{settings.core} gives other samples of {cell.clip} than the host")
    return report


def _playing(played: Played, reports: Sequence[Report]) -> Playing:
    each = [report.per_sample(report.cost.instructions) for report in reports]
    multiplies = [report.per_sample(report.cost.multiplies) for report in reports]
    return Playing(
        clips=played.name,
        nominal_kbit_s=played.kbit_s,
        instructions=sum(each) / len(each),
        instructions_most=max(each),
        instructions_worst=max(report.worst_window_instructions for report in reports),
        multiplies=sum(multiplies) / len(multiplies),
        ram_bytes=max(report.ram_bytes for report in reports),
        stack_bytes=max(report.stack_bytes for report in reports),
    )
