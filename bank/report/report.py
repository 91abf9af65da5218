"""The report: one HTML file that asks no network for anything, beside the sounds that it plays."""

from __future__ import annotations

import importlib.resources
import io
from collections.abc import Mapping

from audio_gs.encoder.control.quality import in_words

from ..facts import BankFacts

_INCHES = (7.5, 3.6)


def report(facts: BankFacts, identifiers: Mapping[str, str], version: str) -> bytes:
    """The page. `identifiers` are the clips' names in C; the sounds lie in audio/, as IDENTIFIER.original.flac and
    IDENTIFIER.flac."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    text = environment.get_template("report.html.jinja").render(
        facts=facts,
        clips=sorted(facts.clips, key=lambda clip: (clip.quality, clip.name)),
        identifiers=identifiers,
        in_words=in_words,
        curve=Markup(_curve(facts)),
        version=version,
        with_megahertz=any(clip.megahertz is not None for clip in facts.clips),
    )
    return text.encode("utf-8", "replace")


def _curve(facts: BankFacts) -> str:
    """The worst quality over flash as SVG, the same for the same figures."""
    import matplotlib

    from audio_gs.picture import new_figure

    with matplotlib.rc_context({"svg.hashsalt": "audio-gs", "svg.fonttype": "none"}):
        figure = new_figure(_INCHES)
        axes = figure.subplots()
        axes.plot(
            [size / 1024 for size, _ in facts.curve], [score for _, score in facts.curve], label="one quality for all"
        )
        axes.plot(facts.bytes / 1024, facts.worst, "o", label="this bank")
        axes.plot(facts.one_rate_bytes / 1024, facts.worst, "x", label="one rate for all, as good")
        axes.set_xlabel("flash, KiB")
        axes.set_ylabel("worst quality")
        axes.set_ylim(0, 10)
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
        picture = io.StringIO()
        figure.savefig(picture, format="svg", metadata={"Date": None, "Creator": None})
    text = picture.getvalue()
    return text[text.index("<svg") :]


def _resource(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
