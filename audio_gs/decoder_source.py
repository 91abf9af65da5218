"""Where the C decoder's sources lie, for what builds it anew or ships it in another form."""

from __future__ import annotations

from pathlib import Path

from .errors import AudioGsError

HERE = Path(__file__).resolve().parent


class SourceMissing(AudioGsError):
    """The decoder's C sources are not where the package looks for them."""


def find_decoder_source() -> Path:
    """The folder with the decoder's include/ and src/: installed with the package, or of the checkout around it.

    Raises SourceMissing if it is in neither place.
    """
    for folder in (HERE / "firmware_sim" / "decoder_c", HERE.parent / "decoder_c"):
        if (folder / "src" / "gs_decoder.c").is_file():
            return folder
    raise SourceMissing("the decoder's sources were not installed with the package")
