"""Residual layers of random legal values, for any stream with noise."""

from __future__ import annotations

import dataclasses

from random_streams import Draws, random_residual_header, random_stream, random_values

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import with_class
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.residual import ResidualHeader

RESIDUAL_SEEDS = (22, 63, 66, 87, 100, 123, 155, 157, 160, 185, 211, 245)
"""Of short clips with frames of all sizes that a residual can have, of one segment and of more."""
_SEEDS = 1 << 37
"""Of what is drawn for them: each residual is heard, and all of them reach the largest values."""


def with_residual(
    header: StreamHeader, gaussians: Gaussians, seed: int, part: ResidualHeader | None = None
) -> tuple[StreamHeader, Gaussians]:
    """The same with a residual in some of the places that there are for one, sparse or dense, and the class for it."""
    draws = Draws(_SEEDS + seed)
    header = dataclasses.replace(header, residual=part or random_residual_header(draws))
    gaussians = gaussians.replaced(residual=random_values(draws, header, gaussians))
    return with_class(header, gaussians), gaussians


def random_residual(seed: int) -> tuple[StreamHeader, Gaussians]:
    """A random stream's header and tables with a residual."""
    stream = random_stream(seed)
    return with_residual(stream.header, stream.gaussians, seed)
