"""The deepest stack that the decoder can need, by the call graph that GCC writes down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..build.image import Image, SimError

ENTRIES = ("gs_open_memory", "gs_open_callback", "gs_read", "gs_seek", "gs_rewind", "gs_check", "gs_info_from_memory")
_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \(([^)"]*)\)')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_INDIRECT = "__indirect_call"


def stack_bound(image: Image) -> int:
    """Bytes of the deepest chain of calls from any function of the interface, in an image of GCC's.

    The read callback's own stack and the functions of a C library are not in it. Raises SimError for a decoder that
    has no bound.
    """
    return deepest_stack(path.with_suffix(".ci").read_text() for path in image.objects)


def deepest_stack(graphs: Iterable[str], entries: Iterable[str] = ENTRIES) -> int:
    """The same from the text of .ci files."""
    frames: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    for text in graphs:
        for title, size, kind in _NODE.findall(text):
            if kind not in ("static", "dynamic,bounded"):
                raise SimError(f"the stack of {title} has no bound: {kind}")
            frames[title] = int(size)
        for caller, callee in _EDGE.findall(text):
            calls.setdefault(caller, set()).add(callee)
    found = [_depth(entry, frames, calls, ()) for entry in entries if entry in frames]
    if not found:
        raise SimError("the call graph has none of the decoder's functions")
    return max(found)


def _depth(name: str, frames: Mapping[str, int], calls: Mapping[str, set[str]], above: tuple[str, ...]) -> int:
    if name in above:
        raise SimError(f"{name} calls itself, so that its stack has no bound")
    below = [callee for callee in calls.get(name, ()) if callee != _INDIRECT]
    return frames.get(name, 0) + max((_depth(callee, frames, calls, (*above, name)) for callee in below), default=0)
