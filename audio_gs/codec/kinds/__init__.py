"""The kinds of Gaussians that this version of the format has: all that the rest of the codec knows of them."""

from __future__ import annotations

import dataclasses

from .base import Kind
from .noise import NOISE, NoiseHeader
from .tone import TONE

KINDS: tuple[Kind, ...] = (TONE, NOISE)
"""In the order of their bits in the header."""
RESERVED = {2: "asymmetric", 3: "chirped"}
"""Names of kinds that no version has yet, by their bits in the header."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeaderParts:
    """The parts of a stream's header that say of an optional kind how it occurs; None where it does not."""

    noise: NoiseHeader | None = None

    @property
    def max_noises(self) -> int:
        """Decoder class: the most noises held at a time, 0 in a stream without noise."""
        return self.noise.max_noises if self.noise else 0


__all__ = ["KINDS", "NOISE", "RESERVED", "TONE", "HeaderParts", "Kind"]
