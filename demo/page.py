"""The page that `make demo` ends with: originals beside decoded clips, from a template and relative links."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Entry:
    """What the page says of a clip. Beside the page lie NAME.original.wav, NAME.decoded.wav, NAME.png and NAME.gs."""

    name: str
    seconds: float
    sample_rate: int
    original_bytes: int
    stream_bytes: int
    facts: tuple[str, ...]
    """Each a line."""


def page(entries: Iterable[Entry]) -> str:
    """The page as HTML; it needs no network and no server."""
    clip = Template((_FOLDER / "clip.html").read_text(encoding="utf-8"))
    whole = Template((_FOLDER / "page.html").read_text(encoding="utf-8"))
    return whole.substitute(clips="\n".join(clip.substitute(_values(entry)) for entry in entries))


def _values(entry: Entry) -> dict[str, str]:
    return {
        "name": escape(entry.name),
        "about": f"{entry.seconds:.2f} s at {entry.sample_rate} Hz",
        "original_size": _size(entry.original_bytes),
        "stream_size": _size(entry.stream_bytes),
        "share": f"{entry.original_bytes / entry.stream_bytes:.0f}",
        "facts": "".join(f"<li>{escape(fact)}</li>" for fact in entry.facts),
    }


def _size(count: int) -> str:
    return f"{count / 1000:.1f} KB" if count < 100000 else f"{count / 1000:.0f} KB"
