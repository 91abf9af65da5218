"""The package's functions: encode, decode, and decode piece by piece."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from audio_gs import backends
from audio_gs.audio_io import MAX_RATE, Clip, prepare, to_pcm
from audio_gs.codec.container import (
    MAX_DURATION,
    SHORTEST_LOOP,
    StreamHeader,
    check_duration,
    check_stream,
    held_after,
    parse_header,
    read_segment,
)
from audio_gs.codec.kinds.base import PITCH_ONE
from audio_gs.codec.pace import HIGHEST_RATE, HIGHEST_TEMPO, LOWEST_RATE, LOWEST_TEMPO, played_samples
from audio_gs.codec.pcm import PcmArray
from audio_gs.codec.playback import (
    GAIN_ONE,
    HIGHEST_MUTE,
    HIGHEST_PITCH,
    LARGEST_GAIN,
    LONGEST_FADE,
    LOWEST_PITCH,
    kind_bits,
)
from audio_gs.errors import BitstreamError, OptionsError

if TYPE_CHECKING:
    from audio_gs.codec.backend import Decoder
    from audio_gs.encoder import EncodeResult, EncoderOptions

LARGEST_BUDGET = 65534
"""MACs a sample, of `StreamDecoder.set_budget`."""
BLOCK_SAMPLES = 1 << 16

Progress = Callable[[float, str], None]


class StreamDecoder:
    """Decodes a stream piece by piece, in pieces of any size, with seeking and looping.

    `backend` is one of `audio_gs.backends.streaming()`; all give the same samples. A damaged header raises
    BitstreamError here, damage further in raises it from `read`, once the good samples before it have been given. Of a
    stream with two channels it gives left and right, with `mono` the mid between them.
    """

    def __init__(
        self, data: bytes | bytearray | memoryview, backend: str = backends.DEFAULT, mono: bool = False
    ) -> None:
        self._decoder = _opened(bytes(data), backend, mono)
        self._tempo, self._rate = PITCH_ONE, self.header.sample_rate
        self._is_changed = self._is_heard = False

    @property
    def header(self) -> StreamHeader:
        return self._decoder.header

    @property
    def sample_rate(self) -> int:
        """Of the samples that `read` gives, in Hz."""
        return self._rate

    @property
    def channels(self) -> int:
        """Of what `read` gives, 1 or 2."""
        return self._decoder.channels

    @property
    def position(self) -> int:
        """Number of the clip's sample, of those encoded, that the next `read` gives first."""
        return self._decoder.position

    @property
    def played_samples(self) -> int:
        """How many samples `read` gives of the whole clip at the tempo and sample rate that are set now."""
        return self._decoder.length

    def __len__(self) -> int:
        """Samples of the clip as encoded."""
        return self.header.samples

    def read(self, count: int) -> PcmArray:
        """The next samples, int16, shape (count,), of two channels (count, 2); fewer at the end, none after it."""
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

        Raises ValueError for True if the stream has no loop points, or fewer than 64 samples between them.
        """
        if enabled and self.header.loop is None:
            raise ValueError("the stream has no loop points")
        if enabled and not self.header.can_loop:
            raise ValueError(f"the stream's loop has fewer than {SHORTEST_LOOP} samples, over which no decoder loops")
        self._decoder.set_loop(enabled)

    def set_budget(self, macs: int | None) -> None:
        """Spend at most so many MACs a sample, 0..65534, on tones: the weakest of every block of 64 samples stay out of
        it (SPEC 7.4). None, as at the start, for all that they take. Takes effect with the next block."""
        if macs is not None and not 0 <= macs <= LARGEST_BUDGET:
            raise ValueError(f"a budget of {macs} MACs a sample lies outside 0..{LARGEST_BUDGET}")
        self._decoder.set_budget(macs)

    def set_gain(self, decibels: float, fade: int = 0) -> None:
        """Set the gain, up to 12 dB, -inf for silence; it moves there in `fade` samples from the next one on, at once
        for 0 (SPEC 9.2)."""
        gain = _gain_of(decibels)
        if not 0 <= fade <= LONGEST_FADE:
            raise ValueError(f"a fade of {fade} samples lies outside 0..{LONGEST_FADE}")
        self._change()
        self._decoder.set_fade(gain, fade)

    def set_pitch(self, factor: float) -> None:
        """Play at so many times the frequency, 0.5..2: tones that begin in the slots decoded next, which keep it, and
        noise from the next frame on (SPEC 9.4). The length stays."""
        pitch = _pitch_of(factor)
        self._change()
        self._decoder.set_pitch(pitch)

    def set_tempo(self, factor: float) -> None:
        """Play so many times as fast, 0.5..2, the slots that are decoded next; frequencies stay (SPEC 9.5). ValueError
        also for a clip that would become longer than 2^31 - 1 samples."""
        tempo = _tempo_of(factor)
        played_samples(self.header, tempo, self._rate)
        self._change()
        self._decoder.set_tempo(tempo)
        self._tempo = tempo

    def set_rate(self, sample_rate: int) -> None:
        """Give samples of another rate, 8000..48000 Hz, without resampling (SPEC 9.5). While playing this is a jump to
        `position`. ValueError also for a clip that would become longer than 2^31 - 1 samples."""
        _check_rate(sample_rate)
        played_samples(self.header, self._tempo, sample_rate)
        self._change()
        self._decoder.set_rate(sample_rate)
        self._rate = sample_rate

    def set_mute(self, kinds: Iterable[str] = (), low: int = 0, high: int = 0) -> None:
        """Leave out kinds, of 'tone', 'noise' and 'residual', and all frequencies from `low` Hz on and below `high`;
        without arguments nothing. Of tones from the next block on, of noise from the next frame on (SPEC 9.3)."""
        if not 0 <= low <= high <= HIGHEST_MUTE:
            raise ValueError(f"a band of {low}..{high} Hz does not lie in 0..{HIGHEST_MUTE}")
        bits = kind_bits(kinds)
        self._change()
        self._decoder.set_mute(bits, low, high)

    def listen(self, listening: Listening) -> None:
        """Give what both ears hear, shape (count, 2) from `read` (SPEC 11). While playing the first time is a jump to
        `position`; later ones hold for tones that begin in the slots decoded next, for noise from the next frame on.
        ValueError for a stream with two channels, and for a decoder that was told to play otherwise than encoded."""
        if self._is_changed:
            raise ValueError("a decoder that plays otherwise than encoded has no listener; open another one")
        _check_listening(self.header, AS_ENCODED, listening)
        _listen(self._decoder, listening)
        self._is_heard = True

    def _change(self) -> None:
        if self._is_heard:
            raise ValueError("a decoder with a listener plays as encoded; open another one")
        self._is_changed = True

    def blocks(self, count: int = 1024) -> Iterator[PcmArray]:
        """Pieces of `count` samples from the position to the end; without end while looping."""
        while (block := self.read(count)).size:
            yield block


def _check_listening(header: StreamHeader, playback: Playback, listening: Listening | None) -> None:
    if listening and header.channels != 1:
        raise ValueError("the stream has two channels; a listener hears streams of one")
    if listening and playback != AS_ENCODED:
        raise ValueError("a listener hears a clip as it was encoded; leave out what plays it otherwise")


def _opened(data: bytes, backend: str, mono: bool, listening: Listening | None = None) -> Decoder:
    decoder = backends.open_decoder(data, backend)
    if listening:
        _listen(decoder, listening)
    if decoder.header.channels == 2 and not mono:
        decoder.set_stereo(True)
    return decoder


def _pitch_of(factor: float) -> int:
    """In Q14; ValueError where there is none."""
    if not LOWEST_PITCH <= factor * PITCH_ONE <= HIGHEST_PITCH:
        raise ValueError(f"a pitch of {factor} lies outside 0.5..2")
    return round(factor * PITCH_ONE)


def _tempo_of(factor: float) -> int:
    """In Q14; ValueError where there is none."""
    if not LOWEST_TEMPO <= factor * PITCH_ONE <= HIGHEST_TEMPO:
        raise ValueError(f"a tempo of {factor} lies outside 0.5..2")
    return round(factor * PITCH_ONE)


def _check_rate(sample_rate: int) -> None:
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(f"a sample rate of {sample_rate} Hz lies outside {LOWEST_RATE}..{HIGHEST_RATE}")


def _gain_of(decibels: float) -> int:
    """In Q13; ValueError where there is none."""
    if math.isnan(decibels):
        raise ValueError("a gain of NaN dB is none")
    gain = GAIN_ONE * 10 ** (min(decibels, 100.0) / 20)
    if round(gain) > LARGEST_GAIN:
        raise ValueError(
            f"a gain of {decibels} dB is above the limit of {20 * math.log10(LARGEST_GAIN / GAIN_ONE):.2f}"
        )
    return round(gain)


@dataclasses.dataclass(frozen=True)
class Playback:
    """How to play a clip otherwise than it was encoded (SPEC 9). ValueError for what is out of range."""

    gain_db: float = 0.0
    """Up to 12; -inf for silence."""
    fade_in: float = 0.0
    """Seconds from the start on in which the gain rises from 0."""
    fade_out: float = 0.0
    """Seconds up to the end in which it falls to 0."""
    pitch: float = 1.0
    """By which all frequencies are multiplied, 0.5..2; the length stays."""
    tempo: float = 1.0
    """How many times as fast, 0.5..2; frequencies stay."""
    rate: int | None = None
    """Sample rate to play at, 8000..48000 Hz; None for the clip's own."""
    mute: frozenset[str] = frozenset()
    """Kinds that are left out: 'tone', 'noise', 'residual'."""
    mute_band: tuple[int, int] = (0, 0)
    """Hz: all from the first on and below the second is left out."""

    def __post_init__(self) -> None:
        _gain_of(self.gain_db)
        _pitch_of(self.pitch)
        _tempo_of(self.tempo)
        if self.rate is not None:
            _check_rate(self.rate)
        kind_bits(self.mute)
        low, high = self.mute_band
        if not 0 <= low <= high <= HIGHEST_MUTE:
            raise ValueError(f"a band of {low}..{high} Hz does not lie in 0..{HIGHEST_MUTE}")
        for seconds in (self.fade_in, self.fade_out):
            if not 0 <= seconds < math.inf:
                raise ValueError(f"a fade of {seconds} s is not one of 0 s or more")


AS_ENCODED = Playback()


@dataclasses.dataclass(frozen=True)
class Listening:
    """Where a source is and how a listener's head is turned, in degrees (SPEC 11). ValueError for what is out of
    range."""

    azimuth: float = 0.0
    """Of the source, -180..180: 0 in front, 90 on the left."""
    elevation: float = 0.0
    """Of the source, -90..90: 90 above."""
    yaw: float = 0.0
    """Of the head, -180..180: positive as it turns to the left."""
    pitch: float = 0.0
    """Of the head, -90..90: positive as it looks up."""
    roll: float = 0.0
    """Of the head, -180..180: positive as it tilts to the right."""

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            most = 90 if name in ("elevation", "pitch") else 180
            if not -most <= value <= most:
                raise ValueError(f"{name} of {value} degrees lies outside {-most}..{most}")


def _steps_of(degrees: float) -> int:
    return round(degrees / 360 * 65536)


def _listen(decoder: Decoder, listening: Listening) -> None:
    decoder.set_direction(_steps_of(listening.azimuth), _steps_of(listening.elevation))
    decoder.set_listener(_steps_of(listening.yaw), _steps_of(listening.pitch), _steps_of(listening.roll))


@dataclasses.dataclass(frozen=True)
class PartialAudio:
    """What could be decoded of a stream."""

    audio: PcmArray
    sample_rate: int
    samples: int
    """How many samples the header promises, as they are played."""
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
    mono: bool | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | None = None,
    log_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Encode a clip.

    audio       float samples with full scale -1..1, or integers with the full scale of their type, of shape
                (n,), (n, 2) for left and right, or (n, channels), which are mixed down to one with a warning
    sample_rate 8000..192000 Hz; a clip above 48000 Hz becomes a stream of 48000 or 44100 Hz, with a warning
    bitrate     kbit/s of the whole stream, header included; or
    gaussians   Gaussians a second; or
    quality     0..10, how near for the ear
    preset      'auto', 'speech', 'music' or 'sfx'; auto, the default, may lower the stream's sample rate where nothing
                audible is lost, which config={"sample_rate": "keep"} prevents
    max_macs    ceiling on the decoder's MACs a sample in every window of 20 ms
    effort      'fast', 'normal' or 'best'
    seek_every  seconds between seek points; 0 for none
    loop        loop points: first sample of the loop and the one after its last, counted in the clip's own samples
    mono        True: two channels are mixed down to one
    config      more options by name, as in a file for `gs-encode --config`; arguments go first
    device      'auto', 'cpu' or 'cuda'
    log_dir     folder for the log of the fit
    progress    called with a fraction 0..1 and a text

    What is None takes the encoder's default. Raises AudioInputError for audio that cannot be encoded and
    OptionsError for options that make no sense.
    """
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
        mono=mono,
        device=device,
        log_dir=log_dir,
    )
    clip = prepare(audio, sample_rate, options.mono)
    for notice in clip.notices:
        warnings.warn(notice, stacklevel=2)
    result = encode_clip(clip, options, progress)
    if clip.sample_rate > MAX_RATE and options.sample_rate is None:
        rate = result.header.sample_rate
        warnings.warn(f"{clip.sample_rate} Hz resampled to {rate}, as no stream has more than {MAX_RATE}", stacklevel=2)
    return result.data


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


class Blocks:
    """The samples of a whole clip, piece by piece, from `decode_blocks`; to be gone through once."""

    def __init__(
        self,
        header: StreamHeader,
        playback: Playback,
        channels: int,
        pieces: Iterator[PcmArray],
        damage: str | None = None,
    ) -> None:
        self.header = header
        self.channels = channels
        """Of the samples, 1 or 2."""
        self.sample_rate = playback.rate or header.sample_rate
        """Of the samples, in Hz."""
        self.samples = played_samples(header, _tempo_of(playback.tempo), self.sample_rate)
        """How many a whole stream gives."""
        self.damage = damage
        """What stopped the decoder, in one line, once all pieces were given; None if the stream is whole."""
        self._pieces = pieces

    def __iter__(self) -> Iterator[PcmArray]:
        return self._pieces

    def joined(self) -> PcmArray:
        """All of them, int16, shape (n,), of two channels (n, 2)."""
        return np.concatenate([np.zeros((0, 2) if self.channels == 2 else 0, np.int16), *self])


def decode(
    data: bytes | bytearray | memoryview,
    *,
    backend: str = backends.DEFAULT,
    partial: bool = False,
    playback: Playback = AS_ENCODED,
    max_duration: float | None = MAX_DURATION,
    mono: bool = False,
    listening: Listening | None = None,
) -> tuple[PcmArray, int]:
    """Decode a whole stream to 16-bit samples, shape (n,), and their sample rate in Hz. Of a stream with two channels
    they are left and right, shape (n, 2), with `mono` the mid between them; ValueError on a backend that gives the mid
    alone.

    `backend` is one of `audio_gs.backends.names()`: 'c', 'numba' and 'onnx' (extra `export`) give the same samples,
    'torch' (extra `torch`) renders in floating point. Raises BitstreamError for a damaged stream before anything is
    decoded; with `partial` the samples before the damage are returned instead, unless the header itself is damaged.
    `playback` says how it is played; ValueError for any but `AS_ENCODED` on a backend that cannot stream. Raises
    BackendMissing for a backend whose extra is not installed, and TooLongError for a stream of more than
    `max_duration` seconds, which is None for any length: a few bytes can state days.
    `listening` gives what both ears hear of a stream of one channel; ValueError for one of two, with another `playback`
    than `AS_ENCODED`, and on a backend that cannot stream.
    """
    blocks = decode_blocks(
        data,
        backend=backend,
        partial=partial,
        playback=playback,
        max_duration=max_duration,
        mono=mono,
        listening=listening,
    )
    return blocks.joined(), blocks.sample_rate


def decode_blocks(
    data: bytes | bytearray | memoryview,
    *,
    backend: str = backends.DEFAULT,
    partial: bool = False,
    playback: Playback = AS_ENCODED,
    max_duration: float | None = MAX_DURATION,
    mono: bool = False,
    listening: Listening | None = None,
) -> Blocks:
    """What `decode` gives, piece by piece: in little memory, however long the clip, where the backend streams. Raises
    what `decode` does, here; and `Blocks.damage` says in the end what stopped it, with `partial`."""
    data = bytes(data)
    header, offset = parse_header(data)
    if not partial:
        check_stream(data)
    check_duration(header, max_duration)
    _check_listening(header, playback, listening)
    if partial:
        return _blocks_before_damage(header, offset, data, backend, playback, mono, listening)
    chosen = backends.load(backend)
    if chosen.open is not None or playback != AS_ENCODED or listening:
        decoder = _opened(data, backend, mono, listening)
        return Blocks(header, playback, decoder.channels, _played_up_to(decoder, header.samples, playback))
    is_stereo = header.channels == 2 and not mono
    if is_stereo and chosen.render_both is None:
        raise ValueError(
            f"backend {backend!r} gives one channel, and the stream has two; choose one of "
            f"{', '.join(backends.give_both())}, or mono for the mid between left and right"
        )
    samples = backends.render(chosen, data, is_stereo)
    channels = 2 if is_stereo else 1
    return Blocks(header, playback, channels, iter([samples if chosen.exact else to_pcm(samples)]))


def decode_partial(
    data: bytes | bytearray | memoryview,
    *,
    backend: str = backends.DEFAULT,
    playback: Playback = AS_ENCODED,
    max_duration: float | None = MAX_DURATION,
    mono: bool = False,
) -> PartialAudio:
    """Decode what precedes the first damage.

    A segment whose CRC does not fit is not trusted at all; one that is cut short is decoded as far as it
    goes. Raises BitstreamError only where the header is damaged, ValueError for a backend that cannot stream, and
    TooLongError as `decode` does.
    """
    blocks = decode_blocks(data, backend=backend, partial=True, playback=playback, max_duration=max_duration, mono=mono)
    audio = blocks.joined()
    return PartialAudio(audio, blocks.sample_rate, blocks.samples, blocks.damage)


def _blocks_before_damage(
    header: StreamHeader,
    offset: int,
    data: bytes,
    backend: str,
    playback: Playback,
    mono: bool,
    listening: Listening | None,
) -> Blocks:
    limit, damage = _trusted_samples(header, offset, data)
    decoder = _opened(data, backend, mono, listening)

    def pieces() -> Iterator[PcmArray]:
        try:
            yield from _played_up_to(decoder, limit, playback)
        except BitstreamError as error:
            blocks.damage = blocks.damage or str(error)

    blocks = Blocks(header, playback, decoder.channels, pieces(), damage)
    return blocks


def _trusted_samples(header: StreamHeader, offset: int, data: bytes) -> tuple[int, str | None]:
    """How many samples precede the first segment that cannot be trusted, and what is wrong with that one."""
    for index in range(header.segments):
        before = max(0, held_after(header.segment_slots(index).start << header.slot_log2))
        try:
            segment = read_segment(data, offset, index)
            offset = segment.end
            if segment.truncated:
                before = header.samples
            segment.check()
        except BitstreamError as error:
            return before, str(error)
    if offset != len(data):
        return header.samples, f"{len(data) - offset} bytes follow the last segment"
    return header.samples, None


def _played_up_to(decoder: Decoder, samples: int, playback: Playback) -> Iterator[PcmArray]:
    """What is played of the first so many samples of the clip. Fades are those of the whole clip."""
    header, gain = decoder.header, _gain_of(playback.gain_db)
    tempo, rate = _tempo_of(playback.tempo), playback.rate or header.sample_rate
    length = played_samples(header, tempo, rate)
    limit = played_samples(header, tempo, rate, samples)
    if rate != header.sample_rate:
        decoder.set_rate(rate)
    if tempo != PITCH_ONE:
        decoder.set_tempo(tempo)
    if playback.mute or playback.mute_band[0] < playback.mute_band[1]:
        decoder.set_mute(kind_bits(playback.mute), *playback.mute_band)
    if playback.pitch != 1:
        decoder.set_pitch(_pitch_of(playback.pitch))
    rise, fall = (
        min(round(min(seconds, LONGEST_FADE) * rate), length) for seconds in (playback.fade_in, playback.fade_out)
    )
    if rise:
        decoder.set_fade(0, 0)
    if rise or gain != GAIN_ONE:
        decoder.set_fade(gain, rise)
    before = min(limit, length - fall) if fall else limit
    yield from _read(decoder, before)
    if fall:
        decoder.set_fade(0, fall)
        yield from _read(decoder, limit - before)


def _read(decoder: Decoder, samples: int) -> Iterator[PcmArray]:
    while samples > 0:
        block = decoder.read(min(BLOCK_SAMPLES, samples))
        if block.size == 0:
            return
        samples -= len(block)
        yield block
