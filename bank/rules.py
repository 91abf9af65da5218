"""What is asked of single clips, by patterns on their names."""

from __future__ import annotations

import dataclasses
import fnmatch
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from audio_gs.encoder.control.quality import HIGHEST_QUALITY, distance_at
from audio_gs.encoder.options import PRESETS
from audio_gs.errors import OptionsError

_LIGHTEST, _HEAVIEST = 0.1, 10.0


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is asked of a clip."""

    weight: float = 1.0
    """How many times nearer to its original than a clip of weight 1 it is to be for the ear; 1.18 is a quality more."""
    floor: float = 0.0
    """Quality that it has at least, whatever becomes of others."""
    preset: str = "auto"
    mix: bool = True
    """Whether it has the bank's sample rate, so that it can sound with others."""

    @property
    def more(self) -> float:
        """Qualities that the weight stands for."""
        one = math.log(distance_at(0.0) / distance_at(1.0))
        return math.log(self.weight) / one


@dataclasses.dataclass(frozen=True)
class Rule:
    """A pattern such as alarms/*.wav, and what goes for the clips that it fits."""

    pattern: str
    values: Mapping[str, Any]


def wish_for(name: str, rules: Sequence[Rule]) -> Wish:
    """What is asked of a clip, by its path in the folder, with slashes; a later rule goes before an earlier one. A
    pattern without a slash is for the file's own name."""
    values: dict[str, Any] = {}
    for rule in rules:
        subject = name if "/" in rule.pattern else name.rsplit("/", 1)[-1]
        if fnmatch.fnmatchcase(subject, rule.pattern):
            values |= rule.values
    return Wish(**values)


def read_rules(path: Path) -> list[Rule]:
    """The rules of a YAML file: patterns, and for each a mapping of what `Wish` has. Raises OptionsError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionsError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise OptionsError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return []
    if not isinstance(content, dict) or not all(isinstance(values, dict) for values in content.values()):
        raise OptionsError(f"{path} must hold lines of the form 'pattern: {{weight: 1.2, floor: 5}}'")
    return [Rule(str(pattern), _checked(values, f"{path}: {pattern}")) for pattern, values in content.items()]


def given_rules(option: str, texts: Sequence[str]) -> list[Rule]:
    """Rules from texts like 'alarm*=1.2', of an option that has the name of a number in `Wish`. Raises OptionsError."""
    rules = []
    for text in texts:
        pattern, equals, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            equals = ""
            value = math.nan
        if not equals or not pattern:
            raise OptionsError(f"--{option} {text}: write it as 'PATTERN=NUMBER'")
        rules.append(Rule(pattern, _checked({option: value}, f"--{option} {text}")))
    return rules


def unused(rules: Sequence[Rule], names: Sequence[str]) -> list[str]:
    """The patterns that fit no clip."""
    return [
        rule.pattern
        for rule in rules
        if not any(
            fnmatch.fnmatchcase(name if "/" in rule.pattern else name.rsplit("/", 1)[-1], rule.pattern)
            for name in names
        )
    ]


def _checked(values: Mapping[Any, Any], where: str) -> dict[str, Any]:
    known = {field.name for field in dataclasses.fields(Wish)}
    checked = {}
    for name, value in values.items():
        if name not in known:
            raise OptionsError(f"{where}: {name!r} is none of {', '.join(sorted(known))}")
        if name == "mix":
            fits = isinstance(value, bool)
        elif name == "preset":
            fits = value in PRESETS
        else:
            low, high = (_LIGHTEST, _HEAVIEST) if name == "weight" else (0.0, HIGHEST_QUALITY)
            fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        if not fits:
            allowed = {
                "mix": "true or false",
                "preset": f"one of {', '.join(PRESETS)}",
                "weight": f"a number from {_LIGHTEST:g} to {_HEAVIEST:g}",
                "floor": f"a number from 0 to {HIGHEST_QUALITY:g}",
            }[name]
            raise OptionsError(f"{where}: {name} {value!r} is not {allowed}")
        checked[str(name)] = value
    return checked
