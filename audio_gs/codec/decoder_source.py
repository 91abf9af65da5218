"""Where the C decoder's sources lie, for what builds it anew or ships it in another form."""

from __future__ import annotations

from pathlib import Path

from audio_gs.errors import AudioGsError

PACKAGE = Path(__file__).resolve().parents[1]


class SourceMissing(AudioGsError):
    """The decoder's C sources are not where the package looks for them."""


def find_decoder_source() -> Path:
    """The folder with the decoder's include/ and src/: installed with the package, or of the checkout around it.

    Raises SourceMissing if it is in neither place.
    """
    for folder in (PACKAGE / "decoder_c", PACKAGE.parent / "decoder_c"):
        if (folder / "src" / "gs_decoder.c").is_file():
            return folder
    raise SourceMissing("the decoder's sources were not installed with the package")
