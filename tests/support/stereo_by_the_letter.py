"""SPEC 10 by the letter: left and right of whole clips."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from random_streams import (
    blocks_by_the_letter,
    frames_by_the_letter,
    levels_by_the_letter,
    lines_by_the_letter,
    noise_by_the_letter,
    quarters_by_the_letter,
    signs_by_the_letter,
    spectra_by_the_letter,
    sums_by_the_letter,
    transform_by_the_letter,
)

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.tables import cosine, gain, phase_bits

Table = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


def side_quarters_by_the_letter(header: StreamHeader, tones: Table) -> Integers:
    """SPEC 10.3 and 10.4: the sides of the clip's tones in quarters of output steps."""
    assert header.panning
    rows = []
    for k, onset, b, _, _, q, f in tones.tolist():
        if q == 0:
            continue
        step = 16 * header.amplitude_step if k % 2 == 0 else (header.amplitude_step * 46341 + 2048) >> 12
        step = ((step * int(gain()[8 * (header.panning.side_step % 4)])) >> 13) << (header.panning.side_step // 4)
        peak = min(32767, (step * (8 * q + 3)) >> (5 + (k >> 1)))
        rows.append((k, onset, b, peak, f << (16 - int(phase_bits()[q]))))
    return sums_by_the_letter(header, rows)


def side_noise_by_the_letter(header: StreamHeader, gaussians: Gaussians) -> Integers:
    """SPEC 10.3 and 10.4: the noise of the side."""
    assert header.panning
    if header.noise is None:
        return np.zeros(header.samples, np.int64)
    size = header.noise.frame_samples
    frames, centres, mid_exponents, mid = spectra_by_the_letter(
        header, gaussians["noise"], frames_by_the_letter(header, gaussians)
    )
    own = weighted(gaussians["noise"], "side_weight")
    of_mid = levels_by_the_letter(header, gaussians["noise"], frames, len(centres))
    above = levels_by_the_letter(header, own, frames, len(centres), header.panning.side_base)
    levels = np.clip(of_mid + above, 0, 14 * 256 - 1)
    panned = weighted(gaussians["noise"], "pan_weight")
    pans = np.clip(levels_by_the_letter(header, panned, frames, len(centres), 0), -2048, 2048)
    positive = signs_by_the_letter(frames + (1 << 20), size)
    lines = lines_by_the_letter(levels, centres, size)
    largest = 32767 if size.bit_length() % 2 else 16383
    exponents = np.zeros(len(frames), np.int64)
    spectra = np.zeros((len(frames), size), np.int64)
    for f in range(len(frames)):
        e, m = int(levels[f].max()) >> 8, int(mid_exponents[f])
        is_panned = m > 0 and bool(pans[f].any())
        if is_panned:
            exponents[f] = min(14, 1 + max(e, m))
        else:
            exponents[f] = e
        if e > 0:
            reached = lines[f] + 256 * (15 - exponents[f] + (1 if size.bit_length() % 2 else 0))
            amp = (gain()[(reached >> 3) & 31] << (reached >> 8)) >> 15
            spectra[f] = np.where(positive[f], amp, -1 - amp)
        if is_panned:
            for i in range(-1, len(centres)):
                left, right = pans[f][max(i, 0)], pans[f][min(i + 1, len(centres) - 1)]
                first, end = centres[i] if i >= 0 else 0, centres[i + 1] if i + 1 < len(centres) else size
                if first == end:
                    continue
                slope = ((right - left) * (65536 // (end - first))) >> 8
                for b in range(first, end):
                    pan = ((left << 8) + slope * (b - first)) >> 8
                    x = spectra[f][b] + ((pan * mid[f][b]) >> (11 + exponents[f] - m))
                    spectra[f][b] = min(max(x, -largest), largest)
    z = transform_by_the_letter(spectra) * (exponents > 0)[:, None, None]
    return blocks_by_the_letter(z, exponents, header.noise.shift).ravel()[: header.samples]


def weighted(noises: Table, column: str) -> Table:
    """Noises with another one of their weights."""
    out = noises.copy()
    out["weight"] = noises[column]
    return out


def stereo_by_the_letter(header: StreamHeader, gaussians: Gaussians) -> npt.NDArray[np.int16]:
    """SPEC 10.5: left and right, shape (samples, 2)."""
    noise = noise_by_the_letter(header, gaussians["noise"], frames_by_the_letter(header, gaussians))
    mid = ((quarters_by_the_letter(header, gaussians["tone"]) + 2) >> 2) + noise
    side = np.zeros_like(mid)
    if header.panning:
        quarters = side_quarters_by_the_letter(header, gaussians["tone"])
        side = ((quarters + 2) >> 2) + side_noise_by_the_letter(header, gaussians)
    c, s = int(cosine()[2 * header.direction]), int(cosine()[(2 * header.direction - 256) & 1023])
    gl, gr = (16384, (s << 14) // abs(c)) if abs(c) >= s else ((abs(c) << 14) // s, 16384)
    gl = -gl if c < 0 else gl
    m, d = np.clip(mid, -65535, 65535), np.clip(side, -65535, 65535)
    both = np.stack([(gl * m - gr * d + 8192) >> 14, (gr * m + gl * d + 8192) >> 14], axis=1)
    return np.clip(both, -32768, 32767).astype(np.int16)
