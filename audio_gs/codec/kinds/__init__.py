"""The kinds of Gaussians that this version of the format has, in the order of their bits in the header."""

from __future__ import annotations

from .base import Kind
from .noise import NOISE
from .tone import TONE

KINDS: tuple[Kind, ...] = (TONE, NOISE)

__all__ = ["KINDS", "NOISE", "TONE", "Kind"]
