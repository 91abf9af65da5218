"""Puts results, sounds, style and scripts together into one HTML file."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from audio_gs import web

from ...results import OURS, Results
from . import figures, players
from .labels import codec_name, codec_order, group_name, metric_label, metric_order

SHARED = ("components/dom.js", "components/spectrogram.js")
SCRIPTS = ("dom.js", "curves.js", "sounds.js", "spectrogram.js", "gaussians.js", "player.js", "main.js")

NAMED_IN_TITLE = 3


def build_page(
    results: Results,
    cache: Path,
    destination: Path,
    *,
    rates: Sequence[float] | None = None,
    clips_per_class: int | None = None,
) -> int:
    """Write the page of a run and return its size in bytes.

    cache            the folder that the cells' audio and streams are relative to
    rates            kbit/s that the players offer, each as the nearest nominal rate of ours; None: 6 and 12
    clips_per_class  how many clips of each class can be heard; None: 3

    The file needs nothing beside it and asks the network for nothing. Clips whose original or audio is gone are
    shown with the reason. Raises OSError where the file cannot be written.
    """
    rates = players.choose_rates(results, rates)
    content = _render(results, cache, rates, clips_per_class).encode("utf-8", "replace")
    partial = destination.with_name(f".{destination.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)
    return len(content)


def _render(results: Results, cache: Path, rates: list[float], clips_per_class: int | None) -> str:
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    script = "(() => {\n'use strict';\n" + "\n".join([*map(web.read, SHARED), *map(_resource, SCRIPTS)]) + "\n})();"
    curves = figures.curve_data(results)
    rivals = [codec_name(codec) for codec in _rivals(results)]
    metrics = metric_order(
        {point.metric for point in results.curves} | {key for one in results.cells for key in one.metrics}
    )
    return environment.get_template("page.html.jinja").render(
        title=_title(rivals),
        codecs=_listed([codec_name(OURS), *rivals]),
        style=Markup(_resource("style.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        data=Markup(_inert_json(_page_data(results, cache, rates, clips_per_class, curves, metrics))),
        results=results,
        folder=PurePath(results.folder).name or results.folder,
        cards=figures.head_cards(results, rates or players.USUAL_RATES),
        groups=[
            {
                "key": group,
                "name": group_name(group),
                "clips": sum(clip.group == group for clip in results.clips),
                "metrics": [key for key in metrics if key in curves.get(group, {})],
                "value_tables": [
                    figures.curve_table(curves[group][key], key) for key in metrics if key in curves.get(group, {})
                ],
                "ratios": figures.ratio_tables(results, group),
                "bd": figures.bd_table(results, group),
            }
            for group in results.groups
        ],
        metrics=[(metric_label(key), results.skipped_metrics.get(key)) for key in metrics],
        rates=rates,
        matched_note=players.matched_note(clips_per_class),
        speed=figures.speed_rows(results),
        failed=[cell for cell in results.cells if cell.error],
        codec_name=codec_name,
        metric_name=lambda key: metric_label(key).name,
    )


def _page_data(
    results: Results,
    cache: Path,
    rates: list[float],
    clips_per_class: int | None,
    curves: dict[str, Any],
    metrics: list[str],
) -> dict[str, Any]:
    sounds = players.Sounds()
    clips = players.choose_clips(results, rates, clips_per_class)
    codecs = {cell.codec for cell in results.cells} | {point.codec for point in results.curves}
    return {
        "ours": OURS,
        "codecs": {codec: codec_name(codec) for codec in codec_order(codecs)},
        "metrics": {key: _metric_data(key) for key in metrics},
        "curves": curves,
        "clips": [players.describe_clip(results, clip, rates, cache, sounds) for clip in clips],
        "sounds": sounds.encoded,
    }


def _metric_data(key: str) -> dict[str, Any]:
    label = metric_label(key)
    return {"name": label.name, "unit": label.unit, "digits": label.digits, "better": label.better}


def _inert_json(data: dict[str, Any]) -> str:
    """JSON that no HTML parser can find an end tag, a comment or an entity in."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _rivals(results: Results) -> list[str]:
    return codec_order({cell.codec for cell in results.cells if cell.codec != OURS and not cell.error})


def _title(rivals: list[str]) -> str:
    beside = _listed(rivals) if len(rivals) <= NAMED_IN_TITLE else f"{len(rivals)} other codecs"
    return f"Audio-GS beside {beside}"


def _listed(names: list[str]) -> str:
    if not names:
        return "no other codec"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _resource(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
