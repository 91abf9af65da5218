"""Makes the conformance kit: `make kit`, or make_kit.py FOLDER for another folder than conformance/kit.

    edge/NAME.gs      legal streams at the edges of the format, each with one thing at its limit
    faulty/NAME.gs    streams that a decoder must refuse, each with one fault
    kit.json          those and tests/vectors, and what a decoder must make of each

What is expected comes from the decoder that SPEC alone made (conformance/spec_decoder).
"""

from __future__ import annotations

import copy
import dataclasses
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import make_vectors
import numpy as np
from random_streams import Draws, Wanted, payloads, random_values, residual_stream
from spec_decoder.container import RATES, Header, read_header, read_segment
from spec_decoder.integers import StreamError
from spec_decoder.playback import Decoder
from spec_decoder.steps import digests, packed

from audio_gs.codec.container import StreamHeader, build_stream, write_varint
from audio_gs.codec.cost import with_class
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "conformance" / "kit"
LONGEST = (1 << 31) - 1

Gaussian = tuple[int, int, int, int, int]


# Legal streams


def stream(
    tones: list[Gaussian],
    noises: list[Gaussian] | None = None,
    padding: int = 0,
    peak_macs: int | None = None,
    **fields: Any,
) -> bytes:
    """A stream of tones (scale, onset, bin, amplitude, phase) and noises (scale, onset, width, place, weight) without a
    side, of those that begin in its slots; `padding` zeros after each segment that an encoder would leave out."""
    base = {"sample_rate": 16000, "samples": 1500, "slot_log2": 8, "smallest_scale": 2, "scales": 4}
    base |= {"amplitude_step": 200, "output_shift": 2, "max_tones": 1, "peak_macs": 0}
    noise = {"frame_log2": 7, "shift": 4, "base": 12, "max_noises": 1}
    noise |= {name[6:]: fields.pop(name) for name in list(fields) if name.startswith("noise_")}
    part = None if noises is None else NoiseHeader(**noise)
    header = StreamHeader(noise=part, **(base | fields))

    def in_order(rows: list[Gaussian], order: int) -> list[Gaussian]:
        inside = [row for row in rows if row[1] >> header.slot_log2 < header.slots]
        return sorted(inside, key=lambda row: (row[1] >> header.slot_log2, row[0], row[order]))

    gaussians = Gaussians(tone=np.array([(*row, 0, 0) for row in in_order(tones, 2)], TONE.empty(0).dtype))
    if noises is not None:
        rows = [(*row, 0, 0) for row in in_order(noises, 3)]
        gaussians = gaussians.replaced(noise=np.array(rows, NOISE.empty(0).dtype))
    header = with_class(header, gaussians)
    if peak_macs is not None:
        header = dataclasses.replace(header, peak_macs=peak_macs)
    return build_stream(header, [payload + bytes(padding) for payload in payloads(header, gaussians)])


SOME_TONES: list[Gaussian] = [
    (2, 64, 9, 300, 4), (3, 128, 40, 500, 1), (4, 256, 30, 150, 9), (5, 0, 200, 90, 3), (2, 640, 11, 200, 7),
    (3, 1024, 25, 40, 2),
]  # fmt: skip
SOME_NOISES: list[Gaussian] = [(0, 128, 1, 3, 9), (1, 256, 2, 4, -6), (2, 512, 3, 2, 12), (0, 896, 0, 30, 20)]


def edges() -> Iterator[tuple[str, bytes]]:
    """Legal streams by name."""
    for name, samples in (("one-sample", 1), ("a-block-of-samples", 64), ("a-block-and-a-sample", 65)):
        yield name, stream(SOME_TONES[:4], SOME_NOISES[:1], samples=samples)
    yield "silence", stream([])
    yield "silence-with-noise-part", stream([], [], noise_base=-128)
    for rate in (4000, 96000):
        yield f"rate-{rate}", stream(SOME_TONES, SOME_NOISES, sample_rate=rate)
    for log2 in (5, 12):
        yield f"slot-{1 << log2}", stream(SOME_TONES, slot_log2=log2)
    yield (
        "slot-32-noise-frame-32",
        stream(SOME_TONES, [(0, 64, 1, 3, 9), (5, -1024, 0, 3, 5)], slot_log2=5, noise_frame_log2=5, samples=300),
    )
    yield "scales-0", stream([(0, 8 * i, i % 16, 90 * i + 90, i % 8) for i in range(30)], smallest_scale=0, scales=1)
    yield "scales-0-to-7", stream([(k, 0, 1, 40, 0) for k in range(8)], smallest_scale=0, scales=8)
    yield (
        "scales-4-to-11",
        stream([(k, -(8 << k), 5 << k >> 3, 60, 2) for k in range(4, 12)], smallest_scale=4, scales=8),
    )
    yield "scales-11", stream([(11, 0, 1234, 4000, 200)], smallest_scale=11, scales=1, slot_log2=12, samples=3000)
    yield "bins-lowest-and-highest", stream([(k, 256, b, 100, 3) for k in range(2, 6) for b in (0, 1, (16 << k) - 1)])
    yield (
        "bins-at-the-octaves",
        stream([(5, 0, b, 60, 5) for b in (37, 38, 74, 75, 76, 149, 150, 151, 299, 300, 301)], output_shift=1),
    )
    yield (
        "amplitudes-at-the-phases",
        stream([(3, 128 * i, 60, q + d, 3) for i, q in enumerate((3, 5, 10, 20, 40, 80, 160)) for d in (-1, 0)]),
    )
    yield "amplitude-1", stream([(3, 256, 40, 1, 0)], amplitude_step=1)
    yield "amplitude-saturates", stream([(2, 256, 9, 4095, 800)], amplitude_step=2047)
    yield (
        "samples-saturate",
        stream([(3, 256, 0, 4095, 0), (3, 768, 0, 4095, 512)], amplitude_step=2047, output_shift=0, samples=1400),
    )
    yield "sums-wrap", stream([(3, 256, 20, 4095, 0)] * 70, amplitude_step=2047, output_shift=4)
    yield "sums-wrap-in-octaves", stream([(5, 0, 9, 4095, 0)] * 40 + [(5, 0, 70, 4095, 0)] * 40, amplitude_step=2047,
                                         output_shift=3)  # fmt: skip
    yield "output-shift-16", stream([(3, 256, 20, 4095, 100)] * 9, amplitude_step=2047, output_shift=16)
    yield (
        "before-the-clip-and-after",
        stream(
            [
                (2, -128, 9, 300, 4),
                (2, -96, 20, 300, 4),
                (5, -1024, 20, 50, 0),
                (3, 1472, 9, 300, 4),
                (2, 1504, 9, 300, 4),
            ],
            [(0, -512, 1, 3, 9), (0, -256, 1, 3, 19), (0, 1408, 1, 3, 9)],
            samples=1450,
        ),
    )
    yield "many-in-a-slot", stream([(2, 256 + 32 * (i % 8), i % 64, 1 + i, i % 8) for i in range(120)], samples=700)
    for log2 in range(5, 10):
        size = 1 << log2
        noises = [(a, size << a, a % 4, 2, 12 - 3 * a) for a in range(3)] + [(0, 2 * size, 1, 9, 14)]
        yield f"noise-frame-{size}", stream([(3, 512, 9, 40, 1)], noises, slot_log2=9, noise_frame_log2=log2)
    yield "noise-scales-0-to-5", stream([], [(a, -(32 << a), 1, 5, 8) for a in range(6)], noise_frame_log2=5)
    yield "noise-places", stream([], [(0, 128 * w, w, p, 25) for w in range(4) for p in (0, (32 >> w) - 1)])
    yield "noise-weights", stream([], [(1, 256, 2, 2, 63), (1, 256, 2, 5, -63), (1, 512, 0, 9, 1), (1, 512, 0, 20, -1)])
    yield "noise-as-loud-as-can-be", stream([], [(2, 0, 3, p, 63) for p in range(4)], noise_base=127, noise_shift=1)
    yield "noise-as-soft-as-can-be", stream([], [(2, 0, 3, 1, 20)], noise_base=20, noise_shift=15)
    yield "noise-base-lowest", stream([], [(2, 0, 3, 1, 63)] * 3, noise_base=-128)
    yield "noise-bands-in-one-bin", stream([], SOME_NOISES[:2], sample_rate=96000, noise_frame_log2=5, samples=900)
    yield "noise-few-bands", stream([], SOME_NOISES[:2], sample_rate=4000)
    yield "segments-of-a-slot", stream(SOME_TONES, SOME_NOISES, seek_slots=1)
    yield "segments-and-loop", stream(SOME_TONES, SOME_NOISES, seek_slots=2, loop=(700, 1300), noise_frame_log2=8)
    yield "segment-longer-than-all", stream(SOME_TONES, seek_slots=LONGEST)
    yield "loop-of-64", stream(SOME_TONES, SOME_NOISES, loop=(1001, 1065))
    yield "loop-of-one", stream(SOME_TONES, loop=(1000, 1001))
    yield "loop-of-all", stream(SOME_TONES, loop=(0, 1500))
    yield "promise-largest", stream(SOME_TONES, peak_macs=LONGEST)
    yield "promise-broken", stream(SOME_TONES, SOME_NOISES, peak_macs=0)
    yield "zeros-at-the-end", stream([(2, 1280, 9, 300, 4)], samples=1400, padding=1)
    yield "table-set-music", stream(SOME_TONES, SOME_NOISES, table_set=1)
    yield "table-set-sfx", stream(SOME_TONES, SOME_NOISES, table_set=2)
    yield "code-beyond-the-range", code_beyond_the_range()
    for log2 in (6, 9):
        wanted = Wanted(sample_rate=16000, frame_log2=log2, samples=1200, seek_slots=0)
        yield f"residual-frame-{1 << log2}", residual_stream(3 + log2, wanted).data
    yield from residual_fields()


def code_beyond_the_range() -> bytes:
    """A segment that begins with four bytes FF and is legal all the same (R4): nothing but zeros come out."""
    header = dataclasses.replace(read_header(stream([], samples=3000, slot_log2=5)), max_tones=300)
    return next(
        data
        for last in range(256)
        if judged(data := with_segments(header, [b"\xff\xff\xff\xff" + bytes([last, 255 - last])]))["error"] is None
    )


def residual_fields() -> Iterator[tuple[str, bytes]]:
    """Streams with each field of the residual at its limits, and values wherever there is a place for them."""
    base = residual_stream(610, Wanted(sample_rate=8000, frame_log2=6, samples=900, seek_slots=0))
    assert base.header.residual
    limits = {"step": 255, "tilt": 15, "intervals": 26, "fine_from": 31, "level_step": 1, "fill": 7,
              "lift_low": 7, "lift_high": 7, "quiet": 255}  # fmt: skip
    for name, most in limits.items():
        for value in (0, most):
            residual = dataclasses.replace(base.header.residual, **{name: value})
            header = dataclasses.replace(base.header, residual=residual)
            values = random_values(Draws(value), header, base.gaussians)
            gaussians = base.gaussians.replaced(residual=values)
            header = with_class(header, gaussians)
            yield f"residual-{name.replace('_', '-')}-{value}", build_stream(header, payloads(header, gaussians))


# Faulty streams


def packed_header(h: Header, **raw: Any) -> bytes:
    """The bytes of a header, legal or not, with the right check; `raw` are the rate's code, the magic, the version and
    varints as bytes."""

    def varint(name: str) -> bytes:
        return raw[name] if name in raw else write_varint(getattr(h, name))

    codes = {rate: code for code, rate in RATES.items()}
    code = raw.get("rate", codes.get(h.sample_rate, 0))
    out = bytearray(raw.get("magic", b"GS"))
    out += bytes([raw.get("version", 1), h.slot_log2 << 4 | code, h.kinds])
    out += bytes([h.table_set << 2 | h.loop << 1 | (h.channels - 1), (h.scales - 1) << 4 | h.smallest_scale])
    out += bytes([h.amplitude_step & 255, h.output_shift << 3 | h.amplitude_step >> 8])
    out += b"".join(varint(name) for name in ("max_tones", "peak_macs", "seek_slots", "samples"))
    if code == 0:
        out += h.sample_rate.to_bytes(4, "little")
    if h.loop:
        out += varint("loop_start") + varint("loop_end")
    if h.kinds & 2:
        out += bytes([h.noise_shift << 4 | h.noise_frame_log2, h.noise_base & 255, h.max_noises])
    if h.kinds & 32:
        out += bytes([h.residual_step, h.fill << 5 | h.level_step << 4 | h.tilt])
        out += bytes([h.lift_low << 5 | h.intervals, h.lift_high << 5 | h.fine_from, h.quiet])
    return bytes(out) + (zlib.crc32(out) & 0xFFFF).to_bytes(2, "little")


def with_segments(header: Header, segments: list[bytes], **raw: Any) -> bytes:
    out = packed_header(header, **raw)
    for payload in segments:
        out += write_varint(len(payload)) + zlib.crc32(payload).to_bytes(4, "little") + payload
    return out


def segments_of(data: bytes) -> list[bytes]:
    header, found = read_header(data), []
    at = header.size
    for _ in range(header.segments):
        segment = read_segment(data, at)
        found.append(data[segment.start : segment.end])
        at = segment.end
    return found


PLAIN = stream(SOME_TONES, SOME_NOISES, seek_slots=2, loop=(100, 900), samples=1300)
WITH_RESIDUAL = residual_stream(610, make_vectors.RESIDUAL[610]).data

ILLEGAL: dict[str, dict[str, Any]] = {
    "kinds-without-tones": {"kinds": 2},
    "kind-asymmetric": {"kinds": 7},
    "kind-chirped": {"kinds": 11},
    "kind-reserved-6": {"kinds": 67},
    "kind-reserved-7": {"kinds": 131},
    "residual-without-noise": {"kinds": 33},
    "table-set-3": {"table_set": 3},
    "table-set-63": {"table_set": 63},
    "slot-16": {"slot_log2": 4},
    "slot-8192": {"slot_log2": 13},
    "scales-9": {"scales": 9, "smallest_scale": 0},
    "scale-12": {"scales": 4, "smallest_scale": 9},
    "amplitude-step-0": {"amplitude_step": 0},
    "output-shift-17": {"output_shift": 17},
    "max-tones-0": {"max_tones": 0},
    "max-tones-4097": {"max_tones": 4097},
    "samples-0": {"samples": 0},
    "loop-of-nothing": {"loop_start": 900},
    "loop-backwards": {"loop_start": 901},
    "loop-beyond-the-end": {"loop_end": 1301},
    "rate-3999": {"sample_rate": 3999},
    "rate-96001": {"sample_rate": 96001},
    "noise-frame-16": {"noise_frame_log2": 4},
    "noise-frame-1024": {"noise_frame_log2": 10, "slot_log2": 12},
    "noise-frame-longer-than-a-slot": {"noise_frame_log2": 9},
    "noise-shift-0": {"noise_shift": 0},
    "max-noises-0": {"max_noises": 0},
    "unsupported-and-illegal": {"table_set": 5, "samples": 0},
}
RAW: dict[str, dict[str, Any]] = {
    "magic": {"magic": b"GT"},
    "version-0": {"version": 0},
    "version-2": {"version": 2},
    "version-and-magic": {"version": 2, "magic": b"XX"},
    "rate-code-10": {"rate": 10},
    "varint-with-a-needless-byte": {"seek_slots": b"\x82\x00"},
    "varint-above-the-limit": {"peak_macs": b"\xff\xff\xff\xff\x08"},
    "varint-of-six-bytes": {"peak_macs": b"\x80\x80\x80\x80\x80\x01"},
}


def faults() -> Iterator[tuple[str, bytes]]:
    """Streams with a fault by name."""
    header, parts = read_header(PLAIN), segments_of(PLAIN)
    yield "empty", b""
    yield "one-byte", b"G"
    yield "two-bytes", b"GS"
    for name, fields in ILLEGAL.items():
        yield f"header-{name}", with_segments(dataclasses.replace(header, **fields), parts)
    for name, raw in RAW.items():
        yield f"header-{name}", with_segments(header, parts, **raw)
    of_residual, residual_parts = read_header(WITH_RESIDUAL), segments_of(WITH_RESIDUAL)
    yield "header-intervals-27", with_segments(dataclasses.replace(of_residual, intervals=27), residual_parts)
    yield (
        "header-residual-frame-32",
        with_segments(dataclasses.replace(of_residual, noise_frame_log2=5), residual_parts),
    )
    yield "header-check", turned(PLAIN, header.size - 1)
    yield "header-check-of-another-version", turned(with_segments(header, parts, version=2), header.size - 1)
    yield "header-cut", PLAIN[: header.size - 3]
    yield "header-cut-in-its-check", PLAIN[: header.size - 1]
    yield "header-alone", PLAIN[: header.size]
    yield from faulty_segments(header, parts)
    yield from faulty_residual(of_residual, residual_parts)


def turned(data: bytes, at: int, bit: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


def faulty_segments(header: Header, parts: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Faults behind the header: what comes before them plays."""
    second = read_segment(PLAIN, read_segment(PLAIN, header.size).end)
    yield "segment-crc", turned(PLAIN, second.start - 1)
    yield "segment-crc-of-the-last", turned(PLAIN, len(PLAIN) - len(parts[-1]) - 1)
    yield "segment-data", turned(PLAIN, second.start + 3)
    yield "segment-with-a-byte-too-many", with_segments(header, [parts[0], parts[1] + b"\1\2\3\4\5", *parts[2:]])
    yield "segment-with-a-byte-too-few", with_segments(header, [parts[0], parts[1][:-5], *parts[2:]])
    yield "segment-missing", with_segments(header, parts[:-1])
    yield "segment-cut", PLAIN[: len(PLAIN) - 1]
    yield "segment-cut-in-its-crc", PLAIN[: second.start - 2]
    yield "segment-cut-in-its-length", with_segments(header, parts[:1]) + b"\x80"
    yield "segment-length-needless-byte", with_segments(header, parts[:1]) + b"\x80\x00" + bytes(40)
    yield "segment-longer-than-the-file", with_segments(header, parts[:1]) + write_varint(LONGEST) + bytes(40)
    yield "bytes-after-the-last-segment", PLAIN + b"\0"
    yield "another-stream-after-it", PLAIN + PLAIN
    fewer = copy.copy(header)
    fewer.max_tones -= 1
    yield "more-tones-than-the-class", with_segments(fewer, parts)
    fewer = copy.copy(header)
    fewer.max_noises -= 1
    yield "more-noises-than-the-class", with_segments(fewer, parts)
    too_high = [(2, 512, 40, 300, 4), (2, 512, 64, 300, 4)]
    yield "bin-above-half-the-rate", stream(too_high)
    yield "code-of-ones", with_segments(dataclasses.replace(header, seek_slots=0), [bytes(200)])


def faulty_residual(header: Header, parts: list[bytes]) -> Iterator[tuple[str, bytes]]:
    yield "residual-crc", turned(WITH_RESIDUAL, header.size + 3)
    yield "residual-cut", WITH_RESIDUAL[: len(WITH_RESIDUAL) * 2 // 3]
    yield "residual-with-a-byte-too-few", with_segments(header, [*parts[:-1], parts[-1][:-6]])
    yield "residual-with-a-byte-too-many", with_segments(header, [*parts[:-1], parts[-1] + b"\1\2\3\4\5"])


# What is expected


def judged(data: bytes) -> dict[str, Any]:
    """What a decoder must make of a stream: the error, or None, and the samples that come before it."""
    pcm: list[int] = []
    error = None
    try:
        decoder = Decoder(data)
        while piece := decoder.read(4096):
            pcm += piece
    except StreamError as caught:
        error = caught.name
    return {"error": error, "samples": len(pcm), "pcm": f"{zlib.crc32(packed(pcm)):08x}"}


def described(name: str, path: str, data: bytes) -> dict[str, Any]:
    entry = {"name": name, "path": path, **judged(data)}
    try:
        header = read_header(data)
    except StreamError:
        return entry
    entry["sample_rate"] = header.sample_rate
    if entry["error"] is None:
        present = {"noise": header.has_noise, "residual": header.has_residual, "loop": header.loop}
        present["segments"] = header.segments > 1
        entry["features"] = ["tone", *(feature for feature, there in present.items() if there)]
        entry["steps"] = digests(data)
    return entry


def make(folder: Path) -> None:
    entries = []
    for path in sorted(make_vectors.FOLDER.glob("*.bin")):
        entries.append(described(f"valid/{path.stem}", f"../../tests/vectors/{path.name}", path.read_bytes()))
    for kind, streams in (("edge", edges()), ("faulty", faults())):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for old in (folder / kind).glob("*.gs"):
            old.unlink()
        for name, data in streams:
            path = folder / kind / f"{name}.gs"
            assert not path.exists(), name
            path.write_bytes(data)
            entry = described(f"{kind}/{name}", f"{kind}/{name}.gs", data)
            assert (entry["error"] is None) == (kind == "edge"), entry
            entries.append(entry)
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    (folder / "kit.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
