"""Scripts of edits: a list of steps, each a mapping of its name to its values.

    - transpose: {semitones: 12}
    - drop: {from: 0.5, to: 1.0}

A script is untrusted: its size is bounded, it is plain YAML or JSON, and what is wrong with it is said in one line that
names the step.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from audio_gs.codec.container import MAX_VARINT
from audio_gs.errors import BitstreamError, EditError, ScriptError

from . import joining, loops, panning, steps
from .clip import GaussianClip, clip_of
from .selection import KIND_NAMES, Selection

MAX_SCRIPT_BYTES = 1 << 16
MAX_STEPS = 1000

Open = Callable[[str], bytes]
"""Gives the bytes of a stream that a step names."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a script, checked but for what depends on the clip."""

    name: str
    values: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class _Value:
    """A value that a step takes."""

    read: Callable[[str, Any], Any]
    required: bool = False


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e9 <= value <= 1e9:
        raise ValueError(f"{name} must be a number, not {_shown(value)}")
    return float(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a name, not {_shown(value)}")
    return value


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {_shown(value)}")
    return value


def _samples(name: str, value: Any) -> loops.Loop:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_sample, value)):
        raise ValueError(f"{name} must be two sample numbers such as [4000, 12000], not {_shown(value)}")
    return value[0], value[1]


def _is_sample(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_VARINT


def _kinds(name: str, value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    for kind in names[: len(KIND_NAMES) + 1]:
        if kind not in KIND_NAMES:
            raise ValueError(f"{name} must be some of {', '.join(KIND_NAMES)}, not {_shown(kind)}")
    if not names or len(names) > len(KIND_NAMES):
        raise ValueError(f"{name} must be some of {', '.join(KIND_NAMES)}")
    return tuple(names)


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list, set, tuple)):
        return "a list" if isinstance(value, list) else "a mapping"
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."


_NUMBER, _NEEDED = _Value(_number), _Value(_number, required=True)
_SELECTION: dict[str, _Value] = {
    "from": _NUMBER,
    "to": _NUMBER,
    "low": _NUMBER,
    "high": _NUMBER,
    "kind": _Value(_kinds),
    "min_db": _NUMBER,
    "max_db": _NUMBER,
}
_FIELDS = {"from": "start", "to": "stop", "low": "low", "high": "high", "kind": "kinds"}
_FIELDS |= {"min_db": "min_db", "max_db": "max_db"}
_OUTSIDE, _ALIGN = {"outside": _Value(_text)}, {"align": _Value(_truth)}
STEPS: dict[str, dict[str, _Value]] = {
    "select": _SELECTION,
    "drop": _SELECTION,
    "scale": {"gain_db": _NEEDED, **_SELECTION},
    "move": {"seconds": _NUMBER, "hertz": _NUMBER, **_OUTSIDE, **_SELECTION},
    "transpose": {"semitones": _NEEDED, **_OUTSIDE, **_SELECTION},
    "pan": {"position": _NUMBER, "db": _NUMBER, **_SELECTION},
    "stretch": {"factor": _NEEDED},
    "cut": {"from": _NUMBER, "to": _NUMBER, **_ALIGN},
    "merge": {"file": _Value(_text, required=True), "at": _NUMBER, **_ALIGN},
    "concatenate": {"file": _Value(_text, required=True), "gap": _NUMBER, **_ALIGN},
    "set_loop": {"from": _NUMBER, "to": _NUMBER, "samples": _Value(_samples)},
    "clear_loop": {},
}
"""The steps that there are, with the values that each takes."""


def selection_of(values: Mapping[str, Any]) -> Selection:
    """The selection among the values of a step. ValueError for one that selects nothing whatever the clip is."""
    return Selection(**{field: values[name] for name, field in _FIELDS.items() if name in values})


def parse_script(text: str | bytes) -> list[Step]:
    """The steps of a script in YAML or JSON. ScriptError, an OptionsError, for what is none."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_SCRIPT_BYTES:
        raise ScriptError(f"a script of more than {MAX_SCRIPT_BYTES} bytes; split it")
    try:
        decoded = data.decode("utf-8")
        content = _loaded(decoded)
    except UnicodeDecodeError:
        raise ScriptError("a script must be UTF-8 text") from None
    except RecursionError:
        raise ScriptError("a script must be a list of steps, and this one is nested too deep") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ScriptError(f"no YAML or JSON: {' '.join(str(error).split())[:200]}") from None
    return steps_of([] if content is None else content)


def _loaded(text: str) -> Any:
    """JSON first: YAML takes some of it otherwise, such as 1e3 for a text."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.load(text, _Loader)


class _Loader(yaml.SafeLoader):
    """Plain YAML: what aliases can make of a few bytes has no bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*) are not taken; write the values out")
        return super().compose_node(parent, index)


def steps_of(content: Any) -> list[Step]:
    """The steps of a script that has been loaded: a list of mappings and names, or one alone. ScriptError for what is
    none."""
    is_one = isinstance(content, Mapping) or (isinstance(content, str) and content in STEPS)
    content = [content] if is_one else content
    if not isinstance(content, Sequence) or isinstance(content, (str, bytes)):
        raise ScriptError("a script must be a list of steps such as '- transpose: {semitones: 12}'")
    if len(content) > MAX_STEPS:
        raise ScriptError(f"{len(content)} steps are more than {MAX_STEPS}; split the script")
    return [_step(number, entry) for number, entry in enumerate(content, 1)]


def _step(number: int, entry: Any) -> Step:
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ScriptError(f"step {number}: must be one name with its values, such as 'transpose: {{semitones: 12}}'")
    name, values = next(iter(entry.items()))
    if not isinstance(name, str) or name not in STEPS:
        raise ScriptError(f"step {number}: {_shown(name)} is no step; known are {', '.join(STEPS)}")
    known, values = STEPS[name], {} if values is None else values
    where = f"step {number}, {name}"
    if not known and values != {}:
        raise ScriptError(f"{where}: takes no values")
    if not isinstance(values, Mapping):
        raise ScriptError(f"{where}: must have its values by name, such as {{{next(iter(known))}: ...}}")
    for key in values:
        if not isinstance(key, str) or key not in known:
            raise ScriptError(f"{where}: {_shown(key)} is none of its values; known are {', '.join(known)}")
    for key, value in known.items():
        if value.required and key not in values:
            raise ScriptError(f"{where}: needs {key}")
    try:
        read = {key: known[key].read(key, value) for key, value in values.items()}
        if name == "pan" and ("position" in read) == ("db" in read):
            raise ValueError("needs a position, -1..1, or db, one of the two")
        if known.keys() >= _SELECTION.keys():
            selection_of(read)
        _check_values(read)
    except ValueError as error:
        raise ScriptError(f"{where}: {error}") from None
    return Step(name, read)


_LIMITS = {
    "semitones": (-steps.MAX_SEMITONES, steps.MAX_SEMITONES),
    "factor": (steps.MIN_STRETCH, steps.MAX_STRETCH),
    "gain_db": (-steps.MAX_GAIN_DB, steps.MAX_GAIN_DB),
    "position": (-1.0, 1.0),
    "db": (-panning.LARGEST_PAN_DB, panning.LARGEST_PAN_DB),
    "gap": (0.0, math.inf),
    "at": (0.0, math.inf),
}


def _check_values(values: Mapping[str, Any]) -> None:
    for name, (low, high) in _LIMITS.items():
        if name in values and not low <= values[name] <= high:
            limit = f"{low:g} or more" if high == math.inf else f"{low:g}..{high:g}"
            raise ValueError(f"{name} is {values[name]:g}, allowed are {limit}")
    if "samples" in values and len(values) > 1:
        raise ValueError("samples say where the loop is; leave out from and to")
    if "outside" in values and values["outside"] not in steps.OUTSIDE:
        raise ValueError(f"outside is {_shown(values['outside'])}, allowed are {' and '.join(steps.OUTSIDE)}")


def run(clip: GaussianClip, script: Sequence[Step], open_stream: Open | None = None) -> GaussianClip:
    """The clip after all steps. `open_stream` gives the streams that steps name, which without it are refused.

    EditError, with the step's number, for a step that cannot be done on this clip; BitstreamError for a damaged stream.
    """
    for number, step in enumerate(script, 1):
        try:
            clip = _done(clip, step, open_stream)
        except (EditError, BitstreamError) as error:
            raise type(error)(f"step {number}, {step.name}: {error}") from None
    return clip


def _done(clip: GaussianClip, step: Step, open_stream: Open | None) -> GaussianClip:
    values = dict(step.values)
    rest = {name: value for name, value in values.items() if name not in _SELECTION and name != "file"}
    if step.name in ("merge", "concatenate"):
        if open_stream is None:
            raise EditError("no files can be read here")
        other = clip_of(open_stream(values["file"]))
        joined = joining.merge if step.name == "merge" else joining.concatenate
        return joined(clip, other, **rest)
    if step.name in ("cut", "set_loop"):
        between = joining.cut if step.name == "cut" else loops.set_loop
        return between(clip, values.get("from", 0.0), values.get("to"), **rest)
    if step.name == "clear_loop":
        return loops.clear_loop(clip)
    if step.name == "stretch":
        return steps.stretch(clip, **rest)
    selection = selection_of(values)
    if step.name == "select":
        return steps.select(clip, selection)
    if step.name == "drop":
        return steps.drop(clip, selection)
    edits: dict[str, Callable[..., GaussianClip]] = {
        "scale": steps.scale,
        "move": steps.move,
        "transpose": steps.transpose,
        "pan": panning.pan,
    }
    return edits[step.name](clip, selection=selection, **rest)
