"""The page of the published results, and the pieces of it that other documents quote."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from ..clips import NARROW_SPEECH, WIDE_SPEECH
from ..metrics import METRICS
from ..report.page.labels import codec_name
from .points import COSTS, PLAYED, POINTS, RATES
from .record import ClipSet, Comparison, Firmware, Origin, Published, Quality, Speed

GROUP_NAMES = {
    WIDE_SPEECH: "speech, 16 kHz and more",
    NARROW_SPEECH: "speech, 8 kHz",
    "sfx": "effects",
    "music": "music",
}
CORE_NAMES = {"cortex-m4": "Cortex-M4", "cortex-m0plus": "Cortex-M0+"}
SHORT_CORES = {"cortex-m4": "m4", "cortex-m0plus": "m0"}
NOTHING = "-"
WIDTH = 120

_HEAD = """\
# Results

Every figure that the project publishes about itself, with what it was measured on. `make results CLIPS=folder` measures
anew and writes this page and [results.json](results.json), which holds all of it; nothing here is written by hand.
[BENCH.md](../BENCH.md) says how quality is measured and what fools the metrics, [SIM.md](../SIM.md) how instructions
are counted.
"""


def page(published: Published) -> str:
    """docs/results/README.md."""
    parts = [_HEAD]
    if published.quality:
        parts += _quality_sections(published.quality)
    if published.firmware:
        parts.append(_firmware_section(published.firmware))
    if published.speed:
        parts.append(_speed_section(published.speed))
    missing = [name for name in ("quality", "firmware", "speed") if getattr(published, name) is None]
    if missing:
        parts.append(f"## Not measured\n\n{', '.join(missing).capitalize()}.\n")
    return "\n".join(parts)


def pieces(published: Published) -> dict[str, str]:
    """What can be quoted, by name: tables, and single figures without units."""
    found: dict[str, str] = {}
    if published.quality:
        found["clips"] = f"{sum(len(one.clips) for one in published.quality.sets)}"
        found["equal-quality"] = equal_quality_table(published.quality.comparisons)
        found["decoder-cost"] = cost_table(published.quality)
        found |= _cost_figures(published.quality)
    if published.firmware:
        found["firmware"] = firmware_table(published.firmware)
        found |= _firmware_figures(published.firmware)
    if published.speed:
        found["speed"] = speed_table(published.speed)
        found |= _speed_figures(published.speed)
    return found


def equal_quality_table(comparisons: Sequence[Comparison]) -> str:
    """For each rival and rate what we need, by the metric that asks for most and by the one that asks for least."""
    rows = []
    for point in POINTS:
        here = [
            one
            for one in comparisons
            if (one.group, one.rival, one.rival_kbit_s) == (point.group, point.rival, point.kbit_s)
        ]
        if not here:
            continue
        strictest, kindest = max(here, key=_need), min(here, key=_need)
        reached = ", ".join(f"{METRICS[one.metric].title} {one.rival_value:.2f}" for one in here)
        name = f"{GROUP_NAMES[point.group]}: {codec_name(point.rival)} at {point.kbit_s:g} kbit/s"
        rows.append((name, f"{needs(strictest)} kbit/s", f"{needs(kindest)} kbit/s" if len(here) > 1 else "", reached))
    return _table(("as good as", "Audio-GS needs", "by the kindest metric", "quality there"), rows)


def needs(comparison: Comparison) -> str:
    """A rate in kbit/s, or the side of the measured rates on which it lies."""
    if comparison.needs_kbit_s is not None:
        return f"{comparison.needs_kbit_s:.1f}"
    if comparison.below_kbit_s is not None:
        return f"less than {comparison.below_kbit_s:.1f}"
    return f"more than {comparison.above_kbit_s:.1f}"


def cost_table(quality: Quality) -> str:
    """What a stream costs its decoder, by group and rate."""
    rows = [
        (
            GROUP_NAMES[one.group],
            f"{one.nominal_kbit_s:g} kbit/s",
            f"{one.macs_mean:.0f}",
            f"{one.macs_worst:.0f}",
            f"{one.macs_guaranteed:.0f}",
            f"{one.decoder_bytes_mean:.0f}",
            f"{one.decoder_bytes_max}",
        )
        for one in quality.costs
    ]
    return _table(
        (
            "clips",
            "rate",
            "MACs a sample, mean",
            "worst 20 ms of all",
            "guaranteed",
            "decoder memory in bytes, mean",
            "largest",
        ),
        rows,
    )


def firmware_table(firmware: Firmware) -> str:
    """One row a build: its code, and what it takes to play each set of clips."""
    head = ["core, build", "ROM"]
    for play in firmware.builds[0].plays:
        head += [f"{play.clips}, {play.nominal_kbit_s:g} kbit/s: instructions a sample", "worst 20 ms", "RAM"]
    rows = []
    for build in firmware.builds:
        row = [f"{CORE_NAMES[build.core]}, -{build.optimisation}", f"{build.rom_bytes}"]
        for play in build.plays:
            row += [f"{play.instructions:.0f}", f"{play.instructions_worst:.0f}", f"{play.ram_bytes}"]
        rows.append(row)
    return _table(head, rows)


def speed_table(speed: Speed) -> str:
    """By preset."""
    rows = [(row.preset, _speed_text(row.encode), _speed_text(row.decode)) for row in speed.rows]
    return _table(("preset", "encodes, times real time", "decodes, times real time"), rows)


def _quality_sections(quality: Quality) -> list[str]:
    metrics = _table(
        (
            "clips",
            "rival",
            "kbit/s",
            "metric",
            "its value",
            "Audio-GS needs, kbit/s",
            "between measured",
            "clips measured",
        ),
        [
            (
                GROUP_NAMES[one.group],
                codec_name(one.rival),
                f"{one.rival_kbit_s:g}",
                METRICS[one.metric].title,
                f"{one.rival_value:.2f}",
                needs(one),
                _between(one, quality.rates[one.group]),
                f"{one.clips}",
            )
            for one in quality.comparisons
        ],
    )
    measured = "\n".join(
        f"- {GROUP_NAMES[group]}: {', '.join(f'{rate:g}' for rate in rates)} kbit/s"
        for group, rates in quality.rates.items()
    )
    return [
        f"""\
## Equal quality

The rate at which Audio-GS is as good as a rival at its rate, mean over the clips, by the metric that asks for most. A
rival's rate is that of its packets, ours that of the whole file.

{equal_quality_table(quality.comparisons)}

By metric. A rate with figures under "between measured" is interpolated, straight over the logarithm of the true rate,
between the clips' streams at these two nominal rates; "less than" and "more than" are the lowest and the highest true
rate that all clips have.
Rivals are those of the named tables, and a metric counts the clips that the tables have it for.

{metrics}

Measured rates of ours, few beside these points:

{measured}

{_left_out(quality)}

{_origin(quality.origin)}

{_sets(quality.sets)}
""",
        f"""\
## What a stream costs its decoder

The same streams. MACs (multiplications with an addition) are counted from what a stream holds, by the rules of
[SPEC.md](../SPEC.md); instructions are measured and stand below. Guaranteed is the encoder's ceiling on any 20 ms,
which `--max-macs` sets. Memory is what the C decoder asks for on the machine
that measured, without its stack.

{cost_table(quality)}

{_origin(quality.origin)}
""",
    ]


def _firmware_section(firmware: Firmware) -> str:
    rows = [
        (
            f"{CORE_NAMES[build.core]}, -{build.optimisation}",
            play.clips,
            f"{play.nominal_kbit_s:g}",
            f"{play.instructions:.1f}",
            f"{play.instructions_most:.1f}",
            f"{play.instructions_worst:.0f}",
            f"{play.multiplies:.1f}",
            f"{play.ram_bytes}",
            f"{play.stack_bytes}",
        )
        for build in firmware.builds
        for play in build.plays
    ]
    head = (
        "build",
        "clips",
        "kbit/s",
        "instructions a sample, mean",
        "most of a clip",
        "worst 20 ms",
        "multiply instructions a sample",
        "RAM",
        "stack in it",
    )
    return f"""\
## On small cores

The C decoder in a simulator, 32 samples a call; all figures of a row are of one build. ROM is code, tables, error texts
and memory functions; RAM is decoder, PCM block and stack of the clip that needs most. Bytes.

{firmware_table(firmware)}

{_table(head, rows)}

{_origin(firmware.origin)}

{_sets(firmware.sets)}
"""


def _speed_section(speed: Speed) -> str:
    return f"""\
## Speed

Encoder (effort normal) and C decoder in a warm process of {speed.threads} threads, at {speed.nominal_kbit_s:g} kbit/s,
on {speed.machine}. `auto` encodes an excerpt under each preset first.

{speed_table(speed)}

{_origin(speed.origin)}

{_sets([speed.clips])}
"""


def _cost_figures(quality: Quality) -> dict[str, str]:
    found: dict[str, str] = {}
    for group, key in ((WIDE_SPEECH, "speech"), ("music", "music"), ("sfx", "sfx")):
        for one in quality.costs:
            if one.group == group:
                name = key if one.nominal_kbit_s == COSTS[group][0] else f"{key}-{one.nominal_kbit_s:g}"
                found |= {
                    f"{name}.macs_mean": f"{one.macs_mean:.0f}",
                    f"{name}.macs_worst": f"{one.macs_worst:.0f}",
                    f"{name}.macs_guaranteed": f"{one.macs_guaranteed:.0f}",
                    f"{name}.memory_mean": f"{one.decoder_bytes_mean:.0f}",
                    f"{name}.memory_max": f"{one.decoder_bytes_max}",
                }
    return found


def _firmware_figures(firmware: Firmware) -> dict[str, str]:
    found = {}
    keys = {played.name: played.key for played in PLAYED}
    for build in firmware.builds:
        name = f"firmware.{SHORT_CORES[build.core]}.{build.optimisation}"
        found[f"{name}.rom"] = f"{build.rom_bytes}"
        found[f"{name}.ram"] = f"{max(play.ram_bytes for play in build.plays)}"
        for play in build.plays:
            found[f"{name}.{keys[play.clips]}"] = f"{play.instructions:.0f}"
            found[f"{name}.{keys[play.clips]}_ram"] = f"{play.ram_bytes}"
    return found


def _speed_figures(speed: Speed) -> dict[str, str]:
    found = {"speed.decode": _speed_text(min(row.decode for row in speed.rows))}
    for row in speed.rows:
        found["speed.encode_auto" if row.preset == "auto" else "speed.encode"] = _speed_text(row.encode)
    return found


def _speed_text(factor: float) -> str:
    """No digits that the next run would not give again."""
    return f"{factor:.1f}" if factor < 10 else f"{round(factor, 1 - math.floor(math.log10(factor))):.0f}"


def _need(comparison: Comparison) -> float:
    """For ordering: below all rates, a rate, beyond all rates."""
    if comparison.needs_kbit_s is not None:
        return comparison.needs_kbit_s
    return 0.0 if comparison.below_kbit_s is not None else math.inf


def _left_out(quality: Quality) -> str:
    """Of what points.py asks for, and beyond that."""
    lacking = []
    for group, rates in RATES.items():
        left = [f"{rate:g}" for rate in rates if rate not in quality.rates.get(group, ())]
        at = f" at {' and '.join(left)} kbit/s" if group in quality.rates else ""
        lacking += [f"{GROUP_NAMES[group]}{at}"] if left else []
    parts = [*lacking, "other rates and rivals", "clips of several channels"]
    return textwrap.fill(f"Not measured for this page: {'; '.join(parts)}.", WIDTH)


def _between(comparison: Comparison, rates: Iterable[float]) -> str:
    need = comparison.needs_kbit_s
    if need is None:
        return NOTHING
    below = [rate for rate in rates if rate <= need]
    above = [rate for rate in rates if rate > need]
    ends = (max(below, default=None), min(above, default=None))
    return " and ".join(f"{rate:g}" for rate in ends if rate is not None)


def _origin(origin: Origin) -> str:
    tools = "; ".join(f"{name} {version}" for name, version in origin.tools.items())
    text = f"Measured on {origin.date} with version {origin.version}, sources `{origin.code}` ({tools}), by"
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join([*lines, "", f"    {origin.command}"])


def _sets(sets: Iterable[ClipSet]) -> str:
    lines = [f"- {GROUP_NAMES.get(one.name, one.name)}: {len(one.clips)} clips, samples `{one.hash}`" for one in sets]
    return "Clips (their names are in results.json):\n\n" + "\n".join(lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def names_with_texts(found: Mapping[str, str]) -> str:
    """What can be quoted, for people."""
    return "\n".join(f"{name}: {text if chr(10) not in text else 'a table'}" for name, text in found.items())
