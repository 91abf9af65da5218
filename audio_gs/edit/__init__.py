"""Edits of streams on their Gaussians, without a second encoding.

    clip = edit.clip_of(data)
    clip = edit.transpose(clip, 12)
    clip = edit.drop(clip, edit.Selection(start=0.5, stop=1.0))
    data = edit.stream_of(clip)

or by a script, `data = edit.edited(data, [{"transpose": {"semitones": 12}}, {"drop": {"from": 0.5, "to": 1.0}}])`.

What no edit touches stays as it is: the integers of a tone or a noise, and a coefficient of the residual layer as long
as the Gaussians that steer it are the same. The header's class, tones and noises held and the peak of MACs, is reckoned
anew. Edits raise EditError where a stream has no words for what they lead to, and change nothing then.
"""

from __future__ import annotations

from typing import Any

from audio_gs.errors import EditError, ScriptError

from .clip import GaussianClip, clip_of, gaussians_of, stream_of
from .joining import concatenate, cut, merge
from .listing import rows
from .loops import clear_loop, set_loop
from .panning import pan
from .script import STEPS, Open, Step, parse_script, run, steps_of
from .selection import KIND_NAMES, Selection
from .steps import drop, move, scale, select, stretch, transpose

__all__ = [
    "KIND_NAMES",
    "STEPS",
    "EditError",
    "GaussianClip",
    "Open",
    "ScriptError",
    "Selection",
    "Step",
    "clear_loop",
    "clip_of",
    "concatenate",
    "cut",
    "drop",
    "edited",
    "gaussians_of",
    "merge",
    "move",
    "pan",
    "parse_script",
    "rows",
    "run",
    "scale",
    "select",
    "set_loop",
    "steps_of",
    "stream_of",
    "stretch",
    "transpose",
]


def edited(
    data: bytes | bytearray | memoryview, script: str | bytes | list[Any], open_stream: Open | None = None
) -> bytes:
    """A stream after the steps of a script: YAML or JSON text, or what it loads to.

    `open_stream` gives the bytes of the streams that steps name. Raises ScriptError for a script that is none,
    EditError for a step that this stream does not allow, and BitstreamError for a damaged stream.
    """
    steps = parse_script(script) if isinstance(script, (str, bytes)) else steps_of(script)
    return stream_of(run(clip_of(data), steps, open_stream))
