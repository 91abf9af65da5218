"""The Gaussians of a stream as tables, to read and to write.

    gaussians = audio_gs.read_gaussians(data)
    tones = gaussians["tone"].copy()
    tones["bin"] += 2                                       # two bins of each one's scale up
    header, _ = parse_header(data)
    data = audio_gs.write_gaussians(gaussians.replaced(tone=tones), header)

A table holds the integers that the bitstream codes (docs/SPEC.md); `physical` gives the same Gaussians in seconds,
hertz, radians and parts of full scale.

`gaussians["residual"]` is the table of the residual layer. Which places its values have, and how large a step is,
follows from the Gaussians: who changes some without it leaves it out,

    gaussians.replaced(tone=tones, residual=gaussians["residual"][:0])

or else it sounds wrong, or `write_gaussians` refuses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import MAX_DURATION, StreamHeader, check_duration, check_stream
from audio_gs.codec.cost import with_class
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.base import PHYSICAL, Table
from audio_gs.codec.kinds.noise import NOISE_DTYPE, PAN_ONE, band_bins, held, levels_at
from audio_gs.codec.kinds.tone import TONE_DTYPE, amplitude, phase_turns, side_amplitude
from audio_gs.codec.residual import RESIDUAL_DTYPE
from audio_gs.codec.slots import check_gaussians, encode_stream
from audio_gs.codec.stereo import GAIN_OF_ONE, direction_gains, position_of
from audio_gs.codec.tables import NOISE_NARROWEST_SUPPORT, NOISE_SHORTEST_SUPPORT

__all__ = [
    "NOISE_DTYPE",
    "PHYSICAL",
    "RESIDUAL_DTYPE",
    "TONE_DTYPE",
    "Gaussians",
    "pans",
    "physical",
    "read_gaussians",
    "write_gaussians",
]


def read_gaussians(data: bytes | bytearray | memoryview, max_duration: float | None = MAX_DURATION) -> Gaussians:
    """The Gaussians of a stream, a table for each kind, and its residual layer, all in the order of the stream. Raises
    BitstreamError for a damaged one, and TooLongError for one of more than `max_duration` seconds; None takes any."""
    data = bytes(data)
    check_duration(check_stream(data), max_duration)
    return decode_gaussians(data)


def write_gaussians(gaussians: Gaussians, header: StreamHeader) -> bytes:
    """The stream of these Gaussians. The header says all but the decoder's class, how many are held at a time and the
    peak of MACs, which follows from them. Tables may be in any order; the stream's is that of SPEC S2.

    Raises ValueError for Gaussians that a stream with this header has no words for, off the lattice or out of range, by
    their number in the table and their columns; for more at a time than any decoder holds; and for values of the
    residual layer where these Gaussians leave no place for one.
    """
    check_gaussians(gaussians, header)
    return encode_stream(with_class(header, gaussians), gaussians)


def physical(gaussians: Gaussians, header: StreamHeader) -> dict[str, npt.NDArray[Any]]:
    """The Gaussians of a stream with this header in physical units by kind, dtype `PHYSICAL`, in the order of the
    tables."""
    return {kind.name: kind.physical(gaussians[kind.name], header) for kind in header.kinds}


def pans(gaussians: Gaussians, header: StreamHeader) -> dict[str, npt.NDArray[np.float64]]:
    """Where the Gaussians of a stream with this header lie between left, -1, middle, 0, and right, 1, by kind, in the
    order of the tables: the far channel has 1 - |pan| of the amplitude in the near one. That of a noise is the pan of
    all noise at its middle. All 0 where the stream has one channel."""
    left, right = (gain / GAIN_OF_ONE for gain in direction_gains(header.direction))
    out = {kind.name: np.zeros(len(gaussians[kind.name])) for kind in header.kinds}
    if header.channels == 1:
        return out
    side_step = header.panning.side_step if header.panning else 0
    mid, side = _tone_parts(gaussians[TONE.name], header, side_step)
    out[TONE.name] = position_of(np.abs(left * mid - right * side), np.abs(right * mid + left * side))
    if header.noise:
        mid, common, side = _noise_powers(gaussians[NOISE.name], header)
        cross = 2 * left * right * common
        powers = left**2 * mid - cross + right**2 * side, right**2 * mid + cross + left**2 * side
        of_noises = position_of(*(np.sqrt(np.maximum(power, 0)) for power in powers))
        out[NOISE.name] = np.where(mid + side > 0, of_noises, position_of(left, right))
    return out


def _tone_parts(table: Table, header: StreamHeader, side_step: int) -> npt.NDArray[np.complex128]:
    """Amplitude and phase of mid and side, shape (2, n)."""
    peaks = (
        amplitude(table["amplitude"], table["scale"], header.amplitude_step),
        side_amplitude(table["side_amplitude"], table["scale"], header.amplitude_step, side_step),
    )
    turns = (
        phase_turns(table["amplitude"], table["phase"]),
        phase_turns(table["side_amplitude"], table["side_phase"]),
    )
    return np.asarray(np.stack(peaks) * np.exp(2j * np.pi * np.stack(turns)))


def _noise_powers(table: Table, header: StreamHeader) -> npt.NDArray[np.float64]:
    """The power at the middle of each noise in the mid, of what mid and side have in common, and in the side, shape
    (3, n)."""
    assert header.noise is not None
    log2, out = header.noise.frame_log2, np.zeros((3, len(table)))
    bands = len(band_bins(header.sample_rate, log2))
    bases = (header.noise.base, header.panning.side_base if header.panning else -128, 0)
    columns = [held(table, log2, name) for name in ("weight", "side_weight", "pan_weight")]
    bark = (table["place"] + 0.5) * (NOISE_NARROWEST_SUPPORT << table["width"].astype(np.int64)) / 4
    band = np.clip(np.rint(bark - 0.5).astype(np.int64), 0, bands - 1)
    time = 8 * (columns[0]["frame"] + (NOISE_SHORTEST_SUPPORT // 2 << columns[0]["scale"]))
    for row in range(len(table)):
        pairs = zip(bases, columns, strict=True)
        level, above, pan = (int(levels_at(time[row], base, of, bands)[band[row]]) for base, of in pairs)
        part = min(max(pan / PAN_ONE, -1.0), 1.0)
        # 256 a doubling of amplitude, and below 256 there is nothing.
        mid, own = (2.0 ** (of / 128) if of >= 256 else 0.0 for of in (level, level + above))
        out[:, row] = mid, part * mid, part**2 * mid + own
    return out
