"""SPEC 6, PCM: tones and noise together."""

from .integers import saturate16, wrap32


def pcm(w: int, noise: int) -> int:
    """A sample of tones alone, in quarters of an output step, and one of noise."""
    return saturate16((wrap32(w + 2) >> 2) + noise)
