"""Quotes of the results in documents: pieces between two HTML comments, written and compared as text.

    <!-- results: equal-quality -->
    | as good as | ...
    <!-- /results -->

A piece of one line may stand inside a sentence: <!-- results: speech.macs_mean -->31<!-- /results -->.
"""

from __future__ import annotations

from collections.abc import Mapping

from audio_gs.errors import AudioGsError

OPENING, NAME_ENDS, CLOSING = "<!-- results: ", " -->", "<!-- /results -->"


class QuoteError(AudioGsError):
    """A document quotes what there is not, or does not close a quote; the text says which."""


def quoted(text: str, pieces: Mapping[str, str]) -> str:
    """The document with all quotes as they are now. Raises QuoteError."""
    before, *parts = text.split(OPENING)
    out = [before]
    for part in parts:
        name, ended, rest = part.partition(NAME_ENDS)
        _, closed, after = rest.partition(CLOSING)
        if not ended or not closed or "\n" in name:
            raise QuoteError(f"'{OPENING}{name.splitlines()[0] if name else ''}' is not closed by '{CLOSING}'")
        if name not in pieces:
            raise QuoteError(f"there is no result {name!r}; known are {', '.join(pieces) or 'none'}")
        piece = pieces[name]
        content = f"\n{piece}\n" if "\n" in piece else piece
        out += [OPENING, name, NAME_ENDS, content, CLOSING, after]
    return "".join(out)
