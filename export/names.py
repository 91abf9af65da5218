"""Names in C for clips, made from the names of their files."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

from audio_gs.errors import OptionsError

# C99 to C23, and C++98 to C++23 with its alternative tokens.
_C_KEYWORDS = """
    alignas alignof auto bool break case char const constexpr continue default do double else enum extern false float
    for goto if inline int long nullptr register restrict return short signed sizeof static static_assert struct switch
    thread_local true typedef typeof typeof_unqual union unsigned void volatile while asm fortran
"""
_CPP_KEYWORDS = """
    and and_eq bitand bitor catch char16_t char32_t char8_t class co_await co_return co_yield compl concept const_cast
    consteval constinit decltype delete dynamic_cast explicit export friend mutable namespace new noexcept not not_eq
    operator or or_eq private protected public reinterpret_cast requires static_cast template this throw try typeid
    typename using virtual wchar_t xor xor_eq
"""
KEYWORDS = frozenset((_C_KEYWORDS + _CPP_KEYWORDS).split())

PREFIX = "clip"
"""What a name starts with where the file's own name cannot."""


@dataclasses.dataclass(frozen=True)
class ClipName:
    """A clip's file and its name in C."""

    path: str
    identifier: str
    """Letters, digits and single underscores of ASCII, the first a letter; no keyword of C or C++."""

    @property
    def changed(self) -> bool:
        """Whether the file's name, without folder and suffix, was no such name itself."""
        return self.identifier != PurePath(self.path).stem

    @property
    def notice(self) -> str:
        """What to say of a changed name, in one line."""
        return f"{self.path}: is called {self.identifier}"


def identifiers(paths: Iterable[str]) -> list[ClipName]:
    """A name in C for each file, in their order.

    Raises OptionsError where two files would get the same one.
    """
    names: list[ClipName] = []
    taken: dict[str, str] = {}
    for path in paths:
        identifier = _identifier(PurePath(path).stem)
        if identifier in taken:
            raise OptionsError(f"{taken[identifier]} and {path} would both be called {identifier}; rename one of them")
        taken[identifier] = path
        names.append(ClipName(path, identifier))
    return names


def _identifier(stem: str) -> str:
    """Accents are dropped, other characters become underscores. Those that lead, or follow one another, would make a
    name that C or C++ reserves."""
    plain = unicodedata.normalize("NFKD", stem)
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).lstrip("_")
    if not name:
        return PREFIX
    if name[0].isdigit() or name in KEYWORDS:
        return f"{PREFIX}_{name}"
    return name
