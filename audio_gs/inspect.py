"""What a stream holds and costs, and whether all decoders agree on it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs import backends
from audio_gs.codec import residual
from audio_gs.codec.backend import Backend, Decoder
from audio_gs.codec.container import MAX_DURATION, StreamHeader, check_duration, check_stream
from audio_gs.codec.cost import macs_per_sample
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import RESIDUAL, Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.native import decoder_bytes
from audio_gs.codec.pcm import PcmArray
from audio_gs.codec.slots import encode_stream
from audio_gs.gaussians import pans

REFERENCE = "numba"
"""The backend that the others are compared with."""
_RESIDUAL_LAYERS = (("coefficient", residual.COEFFICIENT), ("fine_level", residual.LEVEL))
_PAN_PERCENTILES = (5, 50, 95)
AGREEMENT_DB = 60.0
"""How near a backend that renders in floating point must come."""


@dataclasses.dataclass(frozen=True)
class StreamInfo:
    """What a stream holds and what it costs to decode."""

    header: StreamHeader
    bytes: int
    segments: int
    gaussians: dict[str, int]
    """Number of Gaussians by kind."""
    kbit_s: float
    """Kbit/s of the whole stream."""
    macs_per_sample: dict[str, float]
    """Mean over the clip and peak over any 20 ms."""
    decoder_bytes: int
    """Memory that the C decoder needs for this stream, in bytes."""
    seek_point_bits: int
    """How many bits smaller the stream would be as one segment; what seek points cost the residual layer, whose places
    depend on them, is not counted."""
    sides: dict[str, int]
    """Number of Gaussians by what they have of the side, where they are panned; empty where they are not."""
    pans: dict[str, list[float]]
    """Where the Gaussians of each kind lie between left, -1, and right, 1: what 5, 50 and 95 % of them are not beyond.
    Empty of one channel."""
    residual_values: dict[str, int]
    """Number of coefficients and of fine levels that the residual layer codes; empty without the layer."""
    residual_bits: int
    """How many bits smaller the stream would be without its residual layer."""
    excess: str | None
    """By how much the stream costs more than its header promises, in one line; None if it keeps the promise."""

    def as_dict(self) -> dict[str, Any]:
        """All of it in one flat dictionary of what JSON can hold, the header's fields by their names."""
        header = dataclasses.asdict(self.header)
        header["loop"] = list(self.header.loop) if self.header.loop else None
        header["table_set"] = self.header.table_set_name
        header["kinds"] = list(self.header.kind_names)
        rest = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "header"}
        return {**header, "duration": self.header.duration, **rest}


def info(data: bytes | bytearray | memoryview, max_duration: float | None = MAX_DURATION) -> StreamInfo:
    """What a stream holds and what it costs. Raises BitstreamError for a damaged one, and TooLongError for one of more
    than `max_duration` seconds; None takes any."""
    data = bytes(data)
    header = check_stream(data)
    check_duration(header, max_duration)
    gaussians = decode_gaussians(data)
    mean, peak = macs_per_sample(gaussians, header)
    layer = gaussians[RESIDUAL]["layer"]
    values = {name: int(np.sum(layer == number)) for name, number in _RESIDUAL_LAYERS if header.residual}
    without, bare, bytes_without = header, gaussians, len(data)
    if header.residual:
        without, bare = dataclasses.replace(header, residual=None), gaussians.replaced(residual=residual.empty())
        bytes_without = len(encode_stream(without, bare))
    seek_bits = 0
    if header.segments > 1:
        seek_bits = 8 * (bytes_without - len(encode_stream(dataclasses.replace(without, seek_slots=0), bare)))
    return StreamInfo(
        header=header,
        bytes=len(data),
        segments=header.segments,
        gaussians={kind.name: len(gaussians[kind.name]) for kind in header.kinds},
        kbit_s=8e-3 * len(data) / header.duration,
        macs_per_sample={"mean": mean, "peak": peak},
        decoder_bytes=decoder_bytes(header),
        seek_point_bits=seek_bits,
        sides=_sides(gaussians, header),
        pans=_pans(gaussians, header),
        residual_values=values,
        residual_bits=8 * (len(data) - bytes_without),
        excess=_excess(header, peak),
    )


def _sides(gaussians: Gaussians, header: StreamHeader) -> dict[str, int]:
    if header.panning is None:
        return {}
    of_tones = {"side_amplitude": int(np.count_nonzero(gaussians[TONE.name]["side_amplitude"]))}
    of_noises = {name: int(np.count_nonzero(gaussians[NOISE.name][name])) for name in NOISE.side_columns}
    return of_tones | (of_noises if header.noise else {})


def _pans(gaussians: Gaussians, header: StreamHeader) -> dict[str, list[float]]:
    if header.channels == 1:
        return {}
    of_kinds = pans(gaussians, header)
    return {
        name: [round(float(pan), 3) for pan in np.percentile(of_kind, _PAN_PERCENTILES)]
        for name, of_kind in of_kinds.items()
        if len(of_kind)
    }


def _excess(header: StreamHeader, peak: float) -> str | None:
    if math.ceil(peak) <= header.peak_macs:
        return None
    return f"it takes {math.ceil(peak)} MACs a sample in some 20 ms, and its header promises {header.peak_macs} at most"


@dataclasses.dataclass(frozen=True)
class Difference:
    """The first thing on which two decoders differ."""

    step: str
    """The step's name in SPEC.md."""
    backends: tuple[str, str]
    detail: str
    slot: int | None = None

    def __str__(self) -> str:
        where = "" if self.slot is None else f" in slot {self.slot}"
        return f"{' and '.join(self.backends)} differ first at step '{self.step}'{where}: {self.detail}"


@dataclasses.dataclass(frozen=True)
class VerifyReport:
    """How far the decoders agree on a stream."""

    samples: int
    """Samples that were compared."""
    backends: tuple[str, ...]
    """Those that were compared."""
    left_out: dict[str, str]
    """Those that cannot be used here, and why."""
    agreement_db: dict[str, float]
    """Of each backend that renders in floating point: level of the exact output over the difference from it, in dB; inf
    if there is none. Without those that were not reached."""
    difference: Difference | None
    """None if everything agrees."""
    excess: str | None = None
    """As `StreamInfo.excess`; None, too, where a difference was found first."""

    @property
    def agree(self) -> bool:
        return self.difference is None


def verify(data: bytes | bytearray | memoryview, max_duration: float | None = MAX_DURATION) -> VerifyReport:
    """Decode a stream on every backend that is installed, and find the first step at which two of them differ.

    Those that stream must agree with the reference bit for bit slot by slot, in the header, the range coder's state
    after each slot, the Gaussians held, and the samples; those that render whole clips in their samples, to the bit or,
    in floating point, within 60 dB. Then count what the stream costs, and tell where its header promises less. Raises
    BitstreamError for a damaged stream, and TooLongError for one of more than `max_duration` seconds; None takes any.
    """
    data = bytes(data)
    header = check_stream(data)
    check_duration(header, max_duration)
    left_out = backends.left_out()
    others = [backends.load(name) for name in backends.names() if name not in left_out and name != REFERENCE]
    agreement_db: dict[str, float] = {}

    def report(samples: int, difference: Difference | None) -> VerifyReport:
        compared = (REFERENCE, *(backend.name for backend in others))
        return VerifyReport(samples, compared, left_out, agreement_db, difference)

    streaming = [backend for backend in others if backend.open]
    exact, differs_at, difference = _compare_slots(data, streaming)
    if difference:
        return report(differs_at, difference)
    both = _left_and_right(data) if header.channels == 2 else None
    for backend in others:
        if backend.render is None:
            continue
        pairs = [(exact, backends.render(backend, data))]
        if both is not None and backend.render_both:
            pairs.append((both, backends.render(backend, data, is_stereo=True)))
        if not backend.exact:
            agreement_db[backend.name] = min(_agreement_db(*pair) for pair in pairs)
            difference = _too_far(backend.name, agreement_db[backend.name])
        else:
            found = (_sample_difference(backend.name, *pair) for pair in pairs)
            difference = next((one for one in found if one), None)
        if difference:
            return report(header.samples, difference)
    _, peak = macs_per_sample(decode_gaussians(data), header)
    return dataclasses.replace(report(header.samples, None), excess=_excess(header, peak))


def _left_and_right(data: bytes) -> PcmArray:
    """The exact samples of both channels, shape (samples, 2)."""
    decoder = backends.open_decoder(data, REFERENCE)
    decoder.set_stereo(True)
    return decoder.read(decoder.header.samples)


def _compare_slots(data: bytes, streaming: list[Backend]) -> tuple[PcmArray, int, Difference | None]:
    """The exact samples, how many of them agree, and the first difference of a backend that streams."""
    reference = backends.open_decoder(data, REFERENCE)
    decoders = {backend.name: backend.open(data) for backend in streaming if backend.open}
    header = reference.header
    for name, decoder in decoders.items():
        for field in dataclasses.fields(header):
            theirs, ours = getattr(decoder.header, field.name), getattr(header, field.name)
            if theirs != ours:
                detail = f"{field.name} is {theirs} in {name}, {ours} in {REFERENCE}"
                return np.zeros(0, np.int16), 0, Difference("container", (name, REFERENCE), detail)
    exact = np.zeros(header.samples, np.int16)
    if header.channels == 2:
        for one in (reference, *decoders.values()):
            one.set_stereo(True)
        difference = _compare_channels(reference, decoders)
        if difference:
            return exact, 0, difference
        for one in (reference, *decoders.values()):
            one.set_stereo(False)
            one.rewind()
    for slot in range(header.slots):
        start = slot * header.slot_samples
        expected = reference.read(header.slot_samples)
        pieces = {name: decoder.read(header.slot_samples) for name, decoder in decoders.items()}
        if all(len(expected) == len(got) < min(header.slot_samples, header.samples - start) for got in pieces.values()):
            # Damage ends all; the next read tells of it.
            reference.read(1)
        for name, got in pieces.items():
            found = _slot_difference(slot, start, name, decoders[name], reference, got, expected)
            if found:
                return exact, start, found
        exact[start : start + len(expected)] = expected
    return exact, header.samples, None


def _compare_channels(reference: Decoder, decoders: dict[str, Decoder]) -> Difference | None:
    """The first difference of left and right."""
    header = reference.header
    for slot in range(header.slots):
        expected = reference.read(header.slot_samples)
        for name, decoder in decoders.items():
            got = decoder.read(header.slot_samples)
            if not np.array_equal(got, expected):
                return Difference("two channels", (name, REFERENCE), "left and right are not the same", slot)
    return None


def _slot_difference(
    slot: int, start: int, name: str, decoder: Decoder, reference: Decoder, got: PcmArray, expected: PcmArray
) -> Difference | None:
    pair = (name, REFERENCE)
    parts = ("range", "code", "bytes read", "Gaussians held")
    for part, theirs, ours in zip(parts, decoder.state(), reference.state(), strict=True):
        if theirs != ours:
            step = "slots" if part == parts[-1] else "range coder"
            return Difference(step, pair, f"{part} is {theirs} in {name}, {ours} in {REFERENCE}", slot)
    if len(expected) != len(got):
        return Difference("pcm", pair, f"{len(got)} samples from {name}, {len(expected)} from {REFERENCE}", slot)
    differing = np.flatnonzero(expected != got)
    if differing.size:
        first = int(differing[0])
        detail = f"sample {start + first} is {got[first]} in {name}, {expected[first]} in {REFERENCE}"
        return Difference("render", pair, detail, slot)
    return None


def _sample_difference(name: str, exact: PcmArray, rendered: npt.NDArray[Any]) -> Difference | None:
    pair = (name, REFERENCE)
    if len(rendered) != len(exact):
        return Difference("pcm", pair, f"{len(rendered)} samples from {name}, {len(exact)} from {REFERENCE}")
    differing = np.flatnonzero((rendered != exact).reshape(len(exact), -1).any(axis=1))
    if not differing.size:
        return None
    first = int(differing[0])
    if exact.ndim == 2:
        detail = f"left and right of sample {first} are {rendered[first].tolist()} in {name}, {exact[first].tolist()}"
        return Difference("two channels", pair, f"{detail} in {REFERENCE}")
    return Difference("pcm", pair, f"sample {first} is {rendered[first]} in {name}, {exact[first]} in {REFERENCE}")


def _too_far(name: str, distance_db: float) -> Difference | None:
    if distance_db >= AGREEMENT_DB:
        return None
    detail = f"{name}'s float rendering is {distance_db:.1f} dB away, {AGREEMENT_DB:.0f} dB are asked for"
    return Difference("render", (name, REFERENCE), detail)


def _agreement_db(exact: PcmArray, rendered: npt.NDArray[Any]) -> float:
    """A step of difference is allowed free: half of it for rounding to 16 bits, half for that of levels and octaves
    before. Neither is an error of the rendering, and in a quiet clip they alone would exceed the limit."""
    distance = np.abs(np.clip(rendered, -32768, 32767) - exact)
    error = float(np.sum(np.maximum(distance - 1, 0) ** 2))
    level = float(np.sum(exact.astype(np.float64) ** 2))
    if error == 0:
        return math.inf
    return 10 * math.log10(level / error) if level else -math.inf
