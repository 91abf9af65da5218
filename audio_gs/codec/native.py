"""The C decoder, behind the same interface as the reference decoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from audio_gs.errors import AudioGsError, BitstreamError, UnsupportedError

from ._decoder import ffi, lib
from .backend import Backend
from .container import FORMAT_VERSION, StreamHeader
from .kinds import KINDS
from .pcm import PcmArray
from .residual import parse_part as parse_residual
from .stereo import PanningHeader

UNLIMITED = 65535
"""The budget that is none."""

_UNSUPPORTED = (lib.GS_ERR_VERSION, lib.GS_ERR_UNSUPPORTED)
_CORRUPT = (lib.GS_ERR_TRUNCATED, lib.GS_ERR_CORRUPT, lib.GS_ERR_CRC)


def _check(result: int) -> int:
    """Turn the library's negative results into exceptions."""
    if result >= 0:
        return result
    text = ffi.string(lib.gs_error_string(result)).decode("ascii")
    if result in _UNSUPPORTED:
        raise UnsupportedError(text)
    if result in _CORRUPT:
        raise BitstreamError(text)
    if result == lib.GS_ERR_ARGUMENT:
        raise ValueError(text)
    raise AudioGsError(text)


def _class_of(header: StreamHeader) -> Any:
    """The C library's `gs_class *` of a header."""
    decoder_class = ffi.new("gs_class *")
    for kind in header.kinds:
        kind.fill_class(decoder_class, header)
    decoder_class.residual = header.residual is not None
    decoder_class.channels = header.channels
    decoder_class.panned = header.panning is not None
    return decoder_class


def class_bytes(header: StreamHeader) -> bytes:
    """The C library's `gs_class` of a header as it lies in the memory of a little-endian machine."""
    return bytes(ffi.buffer(_class_of(header)))


def decoder_bytes(header: StreamHeader) -> int:
    """Memory that the C decoder needs for a stream with this header, in bytes, its tables and stack not
    counted."""
    return int(lib.gs_decoder_size(_class_of(header)))


class NativeDecoder:
    """A decoder of one stream.

    Raises BitstreamError (or UnsupportedError) at once for a damaged header, and from `read` or `seek` for
    damage further in, after `read` has given the good samples before it.
    """

    def __init__(self, data: bytes) -> None:
        self._data = ffi.from_buffer("uint8_t[]", data)
        info = ffi.new("gs_info *")
        _check(lib.gs_info_from_memory(self._data, len(data), info))
        optional = [kind for kind in KINDS if kind.optional and info.kinds >> kind.bit & 1]
        parts = {kind.name: kind.part_of_info(info) for kind in optional}
        self.header = StreamHeader(
            sample_rate=info.sample_rate,
            samples=info.samples,
            slot_log2=info.slot_log2,
            smallest_scale=info.smallest_scale,
            scales=info.decoder_class.scales,
            amplitude_step=info.amplitude_step,
            output_shift=info.output_shift,
            max_tones=info.decoder_class.max_tones,
            peak_macs=info.peak_macs,
            seek_slots=info.seek_slots,
            loop=(info.loop_start, info.loop_end) if info.has_loop else None,
            table_set=info.table_set,
            residual=parse_residual(bytes(info.residual)) if info.decoder_class.residual else None,
            channels=info.decoder_class.channels,
            direction=info.direction,
            panning=PanningHeader(info.side_step, info.side_base) if info.decoder_class.panned else None,
            version=FORMAT_VERSION,
            **parts,
        )
        of_class = _class_of(self.header)
        size = max(int(lib.gs_playback_size(of_class)), int(lib.gs_listener_size(of_class)))
        self._memory = ffi.new("uint64_t[]", -(-size // 8))
        decoder = ffi.new("gs_decoder **")
        _check(lib.gs_open_memory(self._memory, size, self._data, len(data), decoder))
        self._decoder = decoder[0]
        self._is_stereo = False

    @property
    def position(self) -> int:
        """Number of the clip's sample that the next `read` gives first."""
        return int(lib.gs_tell(self._decoder))

    @property
    def length(self) -> int:
        """Samples that the clip has as it is played now."""
        return int(lib.gs_played_samples(self._decoder))

    def read(self, count: int) -> PcmArray:
        """The next samples, shape (count,), of left and right shape (count, 2); fewer at the end or before damage, none
        after the end."""
        pcm = np.empty((count, 2) if self._is_stereo else count, np.int16)
        got = _check(lib.gs_read(self._decoder, ffi.from_buffer("int16_t[]", pcm), count))
        return pcm[:got]

    @property
    def channels(self) -> int:
        """Of what `read` gives."""
        return 2 if self._is_stereo else 1

    def set_stereo(self, enabled: bool) -> None:
        """Give left and right of a stream with two channels from a jump to the position on, else the mid alone.
        ValueError if the stream has one."""
        if enabled and self.header.channels != 2:
            raise ValueError("the stream has one channel")
        # Damage of the stream shows again in `read`.
        lib.gs_set_stereo(self._decoder, enabled)
        self._is_stereo = enabled

    def set_listener(self, yaw: int, pitch: int, roll: int) -> None:
        """Give what the ears of a head hear that is turned so, 65536 a turn, from a jump to the position on; then slots
        that are decoded from the next block on, noise from the next frame on. ValueError of a stream with two channels.
        Not of one that is played otherwise than encoded."""
        self._listen(lib.gs_set_listener(self._decoder, yaw, pitch, roll))

    def set_direction(self, azimuth: int, elevation: int) -> None:
        """`set_listener` where the source is in another direction."""
        self._listen(lib.gs_set_direction(self._decoder, azimuth, elevation))

    def _listen(self, result: int) -> None:
        # Damage of the stream shows again in `read`.
        if result in (lib.GS_ERR_ARGUMENT, lib.GS_ERR_MEMORY):
            _check(result)
        self._is_stereo = True

    def seek(self, sample: int) -> None:
        _check(lib.gs_seek(self._decoder, sample))

    def rewind(self) -> None:
        _check(lib.gs_rewind(self._decoder))

    def check(self) -> None:
        """Decode all of the stream without rendering, rewind, and raise BitstreamError if it is damaged anywhere."""
        _check(lib.gs_check(self._decoder))

    def set_loop(self, enabled: bool) -> None:
        _check(lib.gs_set_loop(self._decoder, enabled))

    def set_budget(self, macs: int | None) -> None:
        _check(lib.gs_set_budget(self._decoder, UNLIMITED if macs is None else macs))

    def set_fade(self, gain: int, samples: int) -> None:
        _check(lib.gs_set_fade(self._decoder, gain, samples))

    def set_pitch(self, pitch: int) -> None:
        _check(lib.gs_set_pitch(self._decoder, pitch))

    def set_tempo(self, tempo: int) -> None:
        _check(lib.gs_set_tempo(self._decoder, tempo))

    def set_rate(self, rate: int) -> None:
        _check(lib.gs_set_rate(self._decoder, rate))

    def set_mute(self, kinds: int, low: int, high: int) -> None:
        _check(lib.gs_set_mute(self._decoder, kinds, low, high))

    def state(self) -> tuple[int, int, int, int]:
        """Range, code, bytes read and Gaussians held after the last decoded slot."""
        state = ffi.new("gs_coder_state *")
        lib.gs_get_coder_state(self._decoder, state)
        return state.range, state.code, state.bytes_read, state.held


class NativeMixer:
    """Several streams at once, as the C library's mixer plays them, in mono, with all shared that can be."""

    def __init__(self, sample_rate: int, voices: int, voice_bytes: int) -> None:
        size = int(lib.gs_mixer_size(voices, voice_bytes))
        self._memory = ffi.new("uint64_t[]", max(1, -(-size // 8)))
        self._streams: list[Any] = []
        mixer = ffi.new("gs_mixer **")
        _check(lib.gs_mixer_open(self._memory, size, voices, voice_bytes, sample_rate, 1, mixer))
        self._mixer = mixer[0]
        _check(lib.gs_mixer_share(self._mixer))

    def play(self, data: bytes, gain: int) -> int:
        """Begin a stream at a gain of the C library's numbers. Returns the number of its voice."""
        stream = ffi.from_buffer("uint8_t[]", data)
        self._streams.append(stream)
        sound = ffi.new("gs_sound *", {"stream": stream, "bytes": len(data), "gain": gain})
        return _check(lib.gs_mixer_play(self._mixer, sound))

    def set_budget(self, macs: int | None) -> None:
        _check(lib.gs_mixer_set_budget(self._mixer, UNLIMITED if macs is None else macs))

    def mix(self, count: int) -> PcmArray:
        """The next samples, shape (count,)."""
        pcm = np.empty(count, np.int16)
        _check(lib.gs_mix(self._mixer, ffi.from_buffer("int16_t[]", pcm), count))
        return pcm


BACKEND = Backend("c", exact=True, open=NativeDecoder)
