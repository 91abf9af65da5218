"""Which step of decoding a function belongs to: that of its file, and inside the noise that of the heading above it."""

from __future__ import annotations

import re
from pathlib import Path

from ..build.elf import LIBRARY, Chain

NOISE = "noise: "
_STEP_OF_FILE = {
    "gs_container.c": "container",
    "gs_range.c": "range coder",
    "gs_slot.c": "slots",
    "gs_dequantise.c": "dequantise",
    "gs_render.c": "render tones",
    "gs_noise.c": NOISE + "other",
    "gs_decoder.c": "decoder",
    "runtime.c": "memory functions",
    LIBRARY: "memory functions",
}
_STEP_OF_FUNCTION = {"gs_render.c:gs_round": "pcm", "gs_render.c:gs_pcm": "pcm"}
_PART_OF_HEADING = {"the noises held": "held", "frames and blocks": "overlap"}
_PARTS = ("bands", "held", "levels", "spectrum", "transform", "overlap", "other")
_HEADING = re.compile(r"/\* ---- (.+) ---- \*/")
_DEFINITION = re.compile(r"[a-z][^;=]*?\b(\w+)\(")

STEPS = (
    "container",
    "range coder",
    "slots",
    "dequantise",
    "render tones",
    *(NOISE + part for part in _PARTS),
    "pcm",
    "decoder",
    "memory functions",
)
"""In the order of SPEC.md, then what belongs to none of them."""


class StepFinder:
    """Knows the steps of the functions in a copy of the decoder's sources."""

    def __init__(self, source: Path) -> None:
        self._of_function = dict(_STEP_OF_FUNCTION)
        file = source / "src" / "gs_noise.c"
        for name, heading in _headings(file.read_text() if file.is_file() else ""):
            part = _PART_OF_HEADING.get(heading, heading)
            self._of_function[f"{file.name}:{name}"] = NOISE + (part if part in _PARTS else "other")

    def step_of(self, chain: Chain) -> str:
        """A helper without a step of its own belongs to that of the function that it was inlined into."""
        if not chain:
            return "unknown"
        for function in chain:
            step = self._of_function.get(function)
            if step:
                return step
        return _STEP_OF_FILE.get(chain[-1].partition(":")[0], "other")


def _headings(text: str) -> list[tuple[str, str]]:
    """Each function that is defined in a C file below a heading, with that heading."""
    found = []
    heading = ""
    for line in text.splitlines():
        new = _HEADING.match(line)
        if new:
            heading = new[1]
        definition = _DEFINITION.match(line)
        if definition and heading and not line.endswith(";"):
            found.append((definition[1], heading))
    return found
