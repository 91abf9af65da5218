"""Streams that state a great length and code no Gaussian: few bytes, and most slots take not even a bit."""

from __future__ import annotations

import numpy as np

from audio_gs.codec.container import StreamHeader, build_stream
from audio_gs.codec.kinds import TONE
from audio_gs.codec.range_coder import ENCODER_FIELDS, encode_bit, finish_encoder, start_encoder
from audio_gs.codec.slots import initial_contexts

LONGEST = (1 << 31) - 1
"""Samples that a header can state."""


def empty_stream(slot_log2: int, samples: int = LONGEST, loop: tuple[int, int] | None = None) -> bytes:
    """One segment of tones of the largest scale alone, which can begin at every 16384th sample; none does."""
    header = StreamHeader(
        sample_rate=8000,
        samples=samples,
        slot_log2=slot_log2,
        smallest_scale=11,
        scales=1,
        amplitude_step=100,
        output_shift=0,
        max_tones=1,
        peak_macs=8,
        loop=loop,
    )
    hop = TONE.shortest_hop(header)
    before = TONE.longest_support(header) // hop
    contexts = initial_contexts(header, TONE)
    state, output = np.zeros(ENCODER_FIELDS, np.int64), np.zeros(1 << 12, np.uint8)
    start_encoder(state)
    for _ in range(before - (-samples // hop)):
        encode_bit(state, output, contexts, 0, 0)
    return build_stream(header, [output[: finish_encoder(state, output)].tobytes()])
