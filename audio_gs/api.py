"""The package's functions: encode, decode, look into a stream, and check that all decoders agree on it."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import KINDS, StreamHeader, check_stream, held_after, parse_header, read_segment
from audio_gs.codec.cost import macs_per_sample

from .audio_io import Clip, PcmArray, prepare, to_pcm
from .errors import BitstreamError, OptionsError

if TYPE_CHECKING:
    from audio_gs.encoder import EncodeResult, EncoderOptions

BACKENDS = ("c", "numba", "torch", "onnx")
EXACT_BACKENDS = ("c", "numba")
LARGEST_BUDGET = 65534
"""MACs a sample, of `StreamDecoder.set_budget`."""
"""Those that stream and can seek, and give the same samples; onnx gives them too, of whole clips."""
TORCH_AGREEMENT_DB = 60.0
BLOCK_SAMPLES = 1 << 16

Progress = Callable[[float, str], None]


class Decoder(Protocol):
    """What the decoders of all exact backends offer."""

    @property
    def header(self) -> StreamHeader: ...
    @property
    def position(self) -> int: ...
    def read(self, count: int) -> PcmArray: ...
    def seek(self, sample: int) -> None: ...
    def rewind(self) -> None: ...
    def set_loop(self, enabled: bool) -> None: ...
    def set_budget(self, macs: int | None) -> None: ...
    def state(self) -> tuple[int, int, int, int]: ...


def open_decoder(data: bytes, backend: str) -> Decoder:
    """The decoder object of an exact backend."""
    if backend == "c":
        from audio_gs.codec.native import NativeDecoder

        return NativeDecoder(data)
    if backend == "numba":
        from audio_gs.codec.decoder import ReferenceDecoder

        return ReferenceDecoder(data)
    raise ValueError(f"backend {backend!r} cannot stream; choose one of {', '.join(EXACT_BACKENDS)}")


class StreamDecoder:
    """Decodes a stream piece by piece, in pieces of any size, with seeking and looping.

    `backend` is 'c' or 'numba'; both give the same samples. A damaged header raises BitstreamError here,
    damage further in raises it from `read`, once the good samples before the damage have been given.
    """

    def __init__(self, data: bytes | bytearray | memoryview, backend: str = "c") -> None:
        self._decoder = open_decoder(bytes(data), backend)

    @property
    def header(self) -> StreamHeader:
        return self._decoder.header

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.header.sample_rate

    @property
    def position(self) -> int:
        """Number of the sample that the next `read` gives first."""
        return self._decoder.position

    def __len__(self) -> int:
        return self.header.samples

    def read(self, count: int) -> PcmArray:
        """The next samples, int16, shape (count,); fewer at the end, none after it."""
        if count < 0:
            raise ValueError(f"cannot read {count} samples")
        return self._decoder.read(count)

    def seek(self, sample: int) -> None:
        """Continue at this sample, 0..len(self), exactly as if all before it had been read."""
        if not 0 <= sample <= self.header.samples:
            raise ValueError(f"cannot seek to sample {sample} of {self.header.samples}")
        self._decoder.seek(sample)

    def rewind(self) -> None:
        """Continue at the first sample."""
        self._decoder.rewind()

    def set_loop(self, enabled: bool) -> None:
        """Jump from the loop's end to its start when reading (True), or read on to the end (False, as at the
        start).

        Raises ValueError for True if the stream has no loop points.
        """
        if enabled and self.header.loop is None:
            raise ValueError("the stream has no loop points")
        self._decoder.set_loop(enabled)

    def set_budget(self, macs: int | None) -> None:
        """Spend at most so many MACs a sample, 0..65534, on tones: the weakest of every block of 64 samples stay out of
        it (SPEC 8). None, as at the start, for all that they take. Takes effect with the next block."""
        if macs is not None and not 0 <= macs <= LARGEST_BUDGET:
            raise ValueError(f"a budget of {macs} MACs a sample lies outside 0..{LARGEST_BUDGET}")
        self._decoder.set_budget(macs)

    def blocks(self, count: int = 1024) -> Iterator[PcmArray]:
        """Pieces of `count` samples from the position to the end; without end while looping."""
        while (block := self.read(count)).size:
            yield block


@dataclasses.dataclass(frozen=True)
class PartialAudio:
    """What could be decoded of a stream."""

    audio: PcmArray
    sample_rate: int
    samples: int
    """How many samples the header promises."""
    damage: str | None
    """What stopped the decoder, in one line; None if the stream is whole."""


def encode(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    bitrate: float | None = None,
    gaussians: float | None = None,
    quality: float | None = None,
    preset: str | None = None,
    max_macs: int | None = None,
    effort: str | None = None,
    seek_every: float | None = None,
    loop: tuple[int, int] | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | None = None,
    log_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Encode a clip.

    audio       float samples with full scale -1..1, or integers with the full scale of their type, of shape
                (n,) or (n, channels); channels are mixed down to one with a warning
    sample_rate 8000..48000 Hz
    bitrate     kbit/s of the whole stream, header included; or
    gaussians   Gaussians a second; or
    quality     0..10, how near for the ear
    preset      'auto', 'speech', 'music' or 'sfx'; auto, the default, may lower the stream's sample rate where nothing
                audible is lost, which config={"sample_rate": "keep"} prevents
    max_macs    ceiling on the decoder's MACs a sample in every window of 20 ms
    effort      'fast', 'normal' or 'best'
    seek_every  seconds between seek points; 0 for none
    loop        loop points: first sample of the loop and the one after its last, counted in the clip's own samples
    config      more options by name, as in a file for `gs-encode --config`; arguments go first
    device      'auto', 'cpu' or 'cuda'
    log_dir     folder for the log of the fit
    progress    called with a fraction 0..1 and a text

    What is None takes the encoder's default. Raises AudioInputError for audio that cannot be encoded and
    OptionsError for options that make no sense.
    """
    clip = prepare(audio, sample_rate)
    if clip.notice:
        warnings.warn(clip.notice, stacklevel=2)
    options = encoder_options(
        config,
        bitrate=bitrate,
        gaussians=gaussians,
        quality=quality,
        preset=preset,
        max_macs=max_macs,
        effort=effort,
        seek_every=seek_every,
        loop=loop,
        device=device,
        log_dir=log_dir,
    )
    return encode_clip(clip, options, progress).data


def encoder_options(config: Mapping[str, Any] | None = None, **given: Any) -> EncoderOptions:
    """The encoder's options from a configuration and from single values, of which None means "not given".

    Raises OptionsError for a name that is no option, a value that is not possible, or a contradiction.
    """
    from audio_gs.encoder import EncoderOptions

    rates = ("bitrate", "gaussians", "quality")
    explicit = {name: value for name, value in given.items() if value is not None}
    if sum(name in explicit for name in rates) > 1:
        raise OptionsError("bitrate, gaussians and quality exclude each other; give one")
    known = {field.name for field in dataclasses.fields(EncoderOptions)}
    values = dict(config or {})
    unknown = sorted(str(name) for name in values if name not in known)
    if unknown:
        raise OptionsError(f"unknown option {unknown[0]!r} in the configuration; known are {', '.join(sorted(known))}")
    if sum(name in values for name in rates) > 1:
        raise OptionsError("bitrate, gaussians and quality exclude each other; give one in the configuration")
    if any(name in explicit for name in rates):
        for name in rates:
            values.pop(name, None)
    if isinstance(values.get("loop"), list):
        values["loop"] = tuple(values["loop"])
    values.update(explicit)
    try:
        return EncoderOptions(**values)
    except OptionsError:
        raise
    except (TypeError, ValueError) as error:
        raise OptionsError(str(error)) from None


def encode_clip(clip: Clip, options: EncoderOptions, progress: Progress | None = None) -> EncodeResult:
    """Encode a prepared clip; the result holds the stream and what the encoder knows about it."""
    from audio_gs.encoder import encode_audio

    if options.loop is not None and not 0 <= options.loop[0] < options.loop[1] <= len(clip.samples):
        start, end = options.loop
        raise OptionsError(f"loop {start}..{end} does not lie in the clip's {len(clip.samples)} samples")
    return encode_audio(clip.samples, clip.sample_rate, options, progress=progress)


def decode(data: bytes | bytearray | memoryview, *, backend: str = "c", partial: bool = False) -> tuple[PcmArray, int]:
    """Decode a whole stream to 16-bit samples, shape (n,), and their sample rate in Hz.

    `backend` is 'c', 'numba' or 'onnx' (the same samples; 'onnx' needs the extra `export`) or 'torch' (float
    rendering, rounded). Raises BitstreamError for a damaged stream before anything is decoded; with `partial` the
    samples before the damage are returned instead, unless the header itself is damaged.
    """
    if partial:
        kept = decode_partial(data, backend=backend)
        return kept.audio, kept.sample_rate
    data = bytes(data)
    header = check_stream(data)
    if backend == "torch":
        return to_pcm(_render_torch(data)), header.sample_rate
    if backend == "onnx":
        return _render_onnx(data), header.sample_rate
    decoder = open_decoder(data, backend)
    return _join(_read_up_to(decoder, header.samples)), header.sample_rate


def decode_partial(data: bytes | bytearray | memoryview, *, backend: str = "c") -> PartialAudio:
    """Decode what precedes the first damage.

    A segment whose CRC does not fit is not trusted at all; one that is cut short is decoded as far as it
    goes. Raises BitstreamError only where the header is damaged.
    """
    data = bytes(data)
    if backend not in EXACT_BACKENDS:
        raise ValueError(f"the {backend} backend cannot decode a part; choose {' or '.join(EXACT_BACKENDS)}")
    header, limit, damage = _trusted_samples(data)
    blocks: list[PcmArray] = []
    try:
        for block in _read_up_to(open_decoder(data, backend), limit):
            blocks.append(block)
    except BitstreamError as error:
        damage = damage or str(error)
    return PartialAudio(_join(blocks), header.sample_rate, header.samples, damage)


def _trusted_samples(data: bytes) -> tuple[StreamHeader, int, str | None]:
    """Header, how many samples precede the first segment that cannot be trusted, and what is wrong with that
    one."""
    header, offset = parse_header(data)
    for index in range(header.segments):
        before = max(0, held_after(header.segment_slots(index).start << header.slot_log2))
        try:
            segment = read_segment(data, offset, index)
            offset = segment.end
            if segment.truncated:
                before = header.samples
            segment.check()
        except BitstreamError as error:
            return header, before, str(error)
    if offset != len(data):
        return header, header.samples, f"{len(data) - offset} bytes follow the last segment"
    return header, header.samples, None


def _read_up_to(decoder: Decoder, samples: int) -> Iterator[PcmArray]:
    while decoder.position < samples:
        block = decoder.read(min(BLOCK_SAMPLES, samples - decoder.position))
        if block.size == 0:
            return
        yield block


def _join(blocks: Iterator[PcmArray] | list[PcmArray]) -> PcmArray:
    pieces = list(blocks)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def _render_torch(data: bytes) -> npt.NDArray[np.float64]:
    from audio_gs.encoder.gradient.render import render_stream

    return np.asarray(render_stream(data), np.float64)


def _render_onnx(data: bytes) -> PcmArray:
    from audio_gs.export.onnx.backend import decode_samples

    return decode_samples(data)


def read_gaussians(data: bytes | bytearray | memoryview) -> npt.NDArray[Any]:
    """The Gaussians of a stream in the order of the stream; `audio_gs.gaussians` has the columns and their
    units."""
    from audio_gs.codec.decoder import decode_gaussians

    data = bytes(data)
    check_stream(data)
    return decode_gaussians(data)


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
    """How many bits smaller the stream would be as one segment."""

    def as_dict(self) -> dict[str, Any]:
        """All of it in one flat dictionary of what JSON can hold, the header's fields by their names."""
        header = dataclasses.asdict(self.header)
        header["loop"] = list(self.header.loop) if self.header.loop else None
        header["table_set"] = self.header.table_set_name
        header["kinds"] = list(self.header.kind_names)
        rest = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "header"}
        return {**header, "duration": self.header.duration, **rest}


def info(data: bytes | bytearray | memoryview) -> StreamInfo:
    """What a stream holds and what it costs. Raises BitstreamError for a damaged one."""
    from audio_gs.codec.decoder import decode_gaussians
    from audio_gs.codec.native import decoder_bytes
    from audio_gs.codec.slots import encode_stream

    data = bytes(data)
    header = check_stream(data)
    table = decode_gaussians(data)
    counts = {name: int(np.sum(table["kind"] == KINDS.index(name))) for name in header.kind_names}
    mean, peak = macs_per_sample(table, header)
    seek_bits = 0
    if header.segments > 1:
        seek_bits = 8 * (len(data) - len(encode_stream(dataclasses.replace(header, seek_slots=0), table)))
    return StreamInfo(
        header=header,
        bytes=len(data),
        segments=header.segments,
        gaussians=counts,
        kbit_s=8e-3 * len(data) / header.duration,
        macs_per_sample={"mean": mean, "peak": peak},
        decoder_bytes=decoder_bytes(header),
        seek_point_bits=seek_bits,
    )


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
    torch_db: float
    """Level of the exact output over its difference from torch's float rendering, in dB; inf if there is
    none."""
    difference: Difference | None
    """None if everything agrees."""

    @property
    def agree(self) -> bool:
        return self.difference is None


def verify(data: bytes | bytearray | memoryview) -> VerifyReport:
    """Decode a stream on every backend, slot by slot, and find the first step at which two of them differ.

    C and Numba must agree bit for bit, in the header, the range coder's state after each slot, the Gaussians
    held, and the samples; torch's float rendering must come within 60 dB. Raises BitstreamError for a damaged
    stream.
    """
    data = bytes(data)
    check_stream(data)
    reference, native = open_decoder(data, "numba"), open_decoder(data, "c")
    header = reference.header
    for field in dataclasses.fields(header):
        ours, theirs = getattr(native.header, field.name), getattr(header, field.name)
        if ours != theirs:
            difference = Difference("container", ("c", "numba"), f"{field.name} is {ours} in C, {theirs} in Numba")
            return VerifyReport(0, math.nan, difference)
    exact = np.zeros(header.samples, np.int16)
    for slot in range(header.slots):
        start = slot * header.slot_samples
        expected, got = reference.read(header.slot_samples), native.read(header.slot_samples)
        if len(expected) == len(got) < min(header.slot_samples, header.samples - start):
            # Damage ends both; the next read tells of it.
            reference.read(1)
        found = _slot_difference(slot, start, reference, native, expected, got)
        if found:
            return VerifyReport(start, math.nan, found)
        exact[start : start + len(expected)] = expected
    torch_db = _agreement_db(exact, _render_torch(data))
    if torch_db < TORCH_AGREEMENT_DB:
        detail = f"torch's float rendering is {torch_db:.1f} dB away, {TORCH_AGREEMENT_DB:.0f} dB are asked for"
        return VerifyReport(len(exact), torch_db, Difference("render", ("numba", "torch"), detail))
    return VerifyReport(len(exact), torch_db, None)


def _slot_difference(
    slot: int, start: int, reference: Decoder, native: Decoder, expected: PcmArray, got: PcmArray
) -> Difference | None:
    pair = ("c", "numba")
    names = ("range", "code", "bytes read", "Gaussians held")
    for name, ours, theirs in zip(names, native.state(), reference.state(), strict=True):
        if ours != theirs:
            step = "slots" if name == names[-1] else "range coder"
            return Difference(step, pair, f"{name} is {ours} in C, {theirs} in Numba", slot)
    if len(expected) != len(got):
        return Difference("pcm", pair, f"{len(got)} samples from C, {len(expected)} from Numba", slot)
    differing = np.flatnonzero(expected != got)
    if differing.size:
        first = int(differing[0])
        detail = f"sample {start + first} is {got[first]} in C, {expected[first]} in Numba"
        return Difference("render", pair, detail, slot)
    return None


def _agreement_db(exact: PcmArray, rendered: npt.NDArray[np.float64]) -> float:
    """Half a step of difference is allowed free: rounding to 16 bits is no error of the rendering, and in a
    quiet clip it alone would exceed the limit."""
    distance = np.abs(np.clip(rendered, -32768, 32767) - exact)
    error = float(np.sum(np.maximum(distance - 0.5, 0) ** 2))
    level = float(np.sum(exact.astype(np.float64) ** 2))
    if error == 0:
        return math.inf
    return 10 * math.log10(level / error) if level else -math.inf
