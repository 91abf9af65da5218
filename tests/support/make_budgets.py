"""Makes tests/budgets.yaml, what the decoder may cost on each core, the table of docs/SIM.md, and what the page says of
cores: `make budgets`.

A change that makes the decoder cost more fails tests/test_budgets.py until this file is made anew, so that the price
stands in the change. Counts are exact for one compiler, which constraints.txt pins.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import page_cores
import yaml

from audio_gs.firmware_sim import CORES, Report, Settings, simulate
from audio_gs.firmware_sim.build.elf import Elf, read_mixer_rom, read_rom
from audio_gs.firmware_sim.build.image import OPTIMISATIONS, build_image, compiler_version

TESTS = Path(__file__).parents[1]
FILE = TESTS / "budgets.yaml"
DOCUMENT = TESTS.parent / "docs" / "SIM.md"
MARKS = ("<!-- figures: make budgets -->", "<!-- figures end -->")
SOURCE = TESTS.parent / "decoder_c"
STREAMS = ("speech-6.bin", "speech-8.bin", "music-12.bin", "sfx-12.bin", "random-78.bin")
"""One of each class, one with a residual, and one with noise on a hundred tones."""
OPTIMISATION = "O2"
ROM_OPTIMISATIONS = tuple(name for name in OPTIMISATIONS if name != "O3")
SPEECH_ALONE = ("GS_NO_STEREO", "GS_NO_PLAYBACK", "GS_NO_RESIDUAL", "GS_ONLY_TABLE_SET=0")
"""What leaves a decoder of speech as small as it can be with noise."""
REMEDY = "make it cheaper, or raise the budget in the same change: make budgets"

HEADING = """\
# What the decoder may cost: instructions of all gs_read of a clip, bytes of ROM, RAM (decoder, PCM block and stack) and
# stack. Made by `make budgets`; a figure that goes up here is a decision, and its reason belongs into the change.
"""

Figures = dict[str, int]


def measure_rom(core: str, cache: Path | None = None) -> Figures:
    """By optimisation: of the whole decoder, of what a program has that plays clips as they were encoded, and of what a
    mixer adds to that, without and with what its voices share; and of such a program that plays only speech."""
    sizes: Figures = {}
    for optimisation in ROM_OPTIMISATIONS:
        image = build_image(core, "zig", optimisation, source=SOURCE, cache=cache)
        rom = read_rom(image, Elf(image))
        sizes[f"{optimisation}_bytes"], sizes[f"{optimisation}_playing_bytes"] = rom.total, rom.playing
        mixer = read_mixer_rom(image)
        sizes[f"{optimisation}_mixing_bytes"], sizes[f"{optimisation}_sharing_bytes"] = mixer.mixing, mixer.sharing
    image = build_image(core, "zig", "Os", source=SOURCE, defines=SPEECH_ALONE, cache=cache)
    sizes["Os_speech_bytes"] = read_rom(image, Elf(image)).playing
    return sizes


def read_stream(name: str) -> bytes:
    return (TESTS / "vectors" / name).read_bytes()


def play_stream(core: str, stream: str, cache: Path | None = None) -> Report:
    """Play one of the streams. Raises AssertionError if the core gives other samples than the host."""
    report = simulate(read_stream(stream), Settings(core, optimisation=OPTIMISATION, source=SOURCE, cache=cache))
    assert report.bit_exact, f"{core} gives other samples of {stream} than the host"
    return report


def figures_of(stream: str, report: Report) -> Figures:
    """What is budgeted of it."""
    return {
        "stream_crc32": zlib.crc32(read_stream(stream)),
        "samples": report.samples,
        "instructions": report.cost.instructions,
        "ram_bytes": report.ram_bytes,
        "stack_bytes": report.stack_bytes,
    }


def read_budgets() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())


def over_budget(where: str, figures: Figures, budget: Figures) -> Iterator[str]:
    """A line for each figure that exceeds its budget. Instructions count by the sample, for a stream may be made
    anew."""
    same = figures.get("stream_crc32") == budget.get("stream_crc32")
    remedy = REMEDY if same else f"the stream is not the one that was budgeted; {REMEDY}"
    for name in (key for key in budget if key not in ("stream_crc32", "samples")):
        figure, limit = figures[name], budget[name]
        if name == "instructions":
            samples, budgeted = figures["samples"], budget["samples"]
            if figure * budgeted > limit * samples:
                yield (
                    f"{where}: instructions {figure}, {figure / samples:.2f} a sample, exceed the budget of {limit}, "
                    f"{limit / budgeted:.2f} a sample; {remedy}"
                )
        elif figure > limit:
            yield f"{where}: {name} {figure} exceed the budget of {limit}; {remedy}"


def table(reports: Mapping[str, Sequence[Report]], roms: Mapping[str, Figures]) -> str:
    """The figures of docs/SIM.md, by core and stream."""
    rom = ", ".join(f"{level}, playing, mixing, sharing" for level in ROM_OPTIMISATIONS) + ", speech"
    titles = ["core", f"ROM {rom}", *(name.removesuffix(".bin") for name in STREAMS)]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---|" * (len(titles) - 1)]
    for core, played in reports.items():
        cells = [core, ", ".join(str(size) for size in roms[core].values())]
        for report in played:
            facts = report.as_dict()
            cells.append(
                f"{facts['instructions_per_sample']:.1f}, {facts['worst_20ms_instructions_per_sample']:.0f}; "
                f"{facts['multiplies_per_sample']:.1f}; {facts['mhz_estimated']:.1f}, "
                f"{facts['worst_20ms_mhz_estimated']:.1f}; {facts['ram_bytes']}, {facts['stack_bytes']}"
            )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def between_marks(text: str, content: str) -> str:
    """The text with this content where the last one was."""
    before, rest = text.split(MARKS[0])
    return f"{before}{MARKS[0]}\n{content}\n{MARKS[1]}{rest.split(MARKS[1])[1]}"


def main() -> None:
    reports = {core: [play_stream(core, stream) for stream in STREAMS] for core in CORES}
    roms = {core: measure_rom(core) for core in CORES}
    cores = {}
    for core, played in reports.items():
        streams = {stream: figures_of(stream, report) for stream, report in zip(STREAMS, played, strict=True)}
        cores[core] = {"rom": roms[core], "streams": streams}
    budgets = {"compiler": compiler_version("zig"), "cores": cores}
    FILE.write_text(HEADING + yaml.safe_dump(budgets, sort_keys=False))
    figures = table(reports, roms)
    document = between_marks(DOCUMENT.read_text(), figures)
    DOCUMENT.write_text(document)
    page_cores.SCRIPT.write_text(page_cores.script(document))
    print(figures)


if __name__ == "__main__":
    main()
