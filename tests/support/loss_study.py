"""How much of a clip is lost to turned bits: seconds that `gs-decode --partial` does not keep.

    loss_study.py [--draws N] [STREAM...]

For each stream the mean over all bits of losing one, apart for the header and the thirds of the rest; then at rates of
one turned bit in 1,000,000 to 10,000 the mean over N draws [100], and in how many of them nothing was lost or all. With
a row for transport that skips: a decoder that goes on at the next seek point behind damage, as `gs_seek` lets it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from make_vectors import FOLDER

from audio_gs.api import decode_partial
from audio_gs.codec.container import Segment, parse_header, read_segment
from audio_gs.errors import BitstreamError

STREAMS = ("speech-6.bin", "speech-3.bin", "music-12.bin")
"""Without seek points, and with one a second."""
RATES = (1e-6, 1e-5, 1e-4)
BITS = 300
"""Of a stream whose loss is looked at, spread evenly."""


def kept(data: bytes) -> int:
    """Samples that are kept of a damaged stream."""
    try:
        return len(decode_partial(data).audio)
    except BitstreamError:
        return 0


def turned(data: bytes, bits: np.ndarray) -> bytes:
    damaged = np.frombuffer(data, np.uint8).copy()
    for bit in bits:
        damaged[bit // 8] ^= 1 << bit % 8
    return damaged.tobytes()


def skipped(data: bytes, damaged: bytes) -> int:
    """Samples that a decoder gives that skips damaged segments, and what those behind them need of them; 0 where the
    header is damaged."""
    header, offset = parse_header(data)
    good = []
    try:
        if parse_header(damaged)[0] != header:
            return 0
        for index in range(header.segments):
            segment = read_segment(damaged, offset, index)
            offset = segment.end
            good.append(is_sound(segment))
    except BitstreamError:
        return 0
    count = 0
    for block in range(0, header.samples, 64):
        first = header.segment_for_sample(block)
        slot = min(header.slots - 1, (block + 64 + header.slots_ahead) >> header.slot_log2)
        last = slot // header.seek_slots if header.seek_slots else 0
        count += min(64, header.samples - block) * all(good[first : last + 1])
    return count


def is_sound(segment: Segment) -> bool:
    try:
        segment.check()
    except BitstreamError:
        return False
    return True


def study(path: Path, draws: int) -> None:
    data = path.read_bytes()
    header, head = parse_header(data)
    bits = 8 * len(data)
    seek = f"a seek point every {header.seek_slots * header.slot_samples / header.sample_rate:.1f} s"
    print(f"{path.name}: {len(data)} bytes, {header.duration:.1f} s, {seek if header.seek_slots else 'no seek points'}")
    places = np.linspace(0, bits - 1, BITS).astype(int)
    lost = np.array([1 - kept(turned(data, places[i : i + 1])) / header.samples for i in range(BITS)])
    thirds = np.where(places < 8 * head, 0, 1 + 3 * (places - 8 * head) // (bits - 8 * head))
    of_each = " ".join(f"{100 * lost[thirds == third].mean():.0f}" for third in range(4))
    print(f"  one bit: {100 * lost.mean():.0f} % lost; header and thirds of the rest: {of_each} %")
    random = np.random.default_rng(1)
    for rate in RATES:
        shares, skipping = [], []
        for _ in range(draws):
            damaged = turned(data, np.flatnonzero(random.random(bits) < rate))
            shares.append(1 - (kept(damaged) if damaged != data else header.samples) / header.samples)
            skipping.append(1 - (skipped(data, damaged) if damaged != data else header.samples) / header.samples)
        whole, nothing = np.mean(np.array(shares) == 0), np.mean(np.array(shares) == 1)
        lost_of_all = np.mean(shares)
        print(
            f"  1 bit in {1 / rate:,.0f}: {100 * lost_of_all:.1f} % lost ({header.duration * lost_of_all:.2f} s), "
            f"whole {100 * whole:.0f} %, nothing kept {100 * nothing:.0f} % of {draws}; "
            f"skipping {100 * np.mean(skipping):.1f} % lost"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="How many seconds a decoder loses to turned bits.")
    parser.add_argument("streams", nargs="*", type=Path)
    parser.add_argument("--draws", type=int, default=100, metavar="N", help="for each rate [100]")
    options = parser.parse_args()
    for path in options.streams or [FOLDER / name for name in STREAMS]:
        study(path, options.draws)
    return 0


if __name__ == "__main__":
    sys.exit(main())
