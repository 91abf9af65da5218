"""Ways into the decoders that tests share: what a decoder makes of any bytes, and the C decoder behind a callback."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from onnx_tools import HAS_EXPORT

import audio_gs
from audio_gs import backends
from audio_gs.codec._decoder import ffi, lib
from audio_gs.codec.container import StreamHeader, parse_header
from audio_gs.codec.native import decoder_bytes
from audio_gs.errors import BitstreamError, UnsupportedError

Pcm = npt.NDArray[np.int16]

STREAMING = backends.streaming()
WHOLE_CLIP_BACKENDS = ("onnx",) if HAS_EXPORT else ()
"""Those that give the same samples as `STREAMING`, but cannot stream."""


class Verdict(NamedTuple):
    """What a decoder makes of some bytes."""

    judgement: str
    """sound, corrupt or unsupported."""
    pcm: Pcm
    """The samples that it gives before it complains."""


def verdict(data: bytes, backend: str, most: int = 1 << 16, block: int = 1 << 12) -> Verdict:
    """Decodes at most `most` samples and stops at the first error."""
    pieces: list[Pcm] = [np.zeros(0, np.int16)]
    judgement = "sound"
    try:
        decoder = backends.open_decoder(data, backend)
        while sum(map(len, pieces)) < most and len(piece := decoder.read(block)):
            pieces.append(piece)
    except UnsupportedError:
        judgement = "unsupported"
    except BitstreamError:
        judgement = "corrupt"
    return Verdict(judgement, np.concatenate(pieces))


def check_changes_of_a_header_are_refused(head: bytes) -> None:
    """The bytes of a header, cut anywhere and with any bit turned."""
    for length in range(len(head)):
        with pytest.raises(BitstreamError):
            parse_header(head[:length])
    for bit in range(8 * len(head)):
        damaged = bytearray(head)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            parse_header(bytes(damaged))


def check_damage_shows_again(data: bytes, backend: str, expected: Pcm) -> None:
    """At every read, of a stream whose last byte is missing, until the decoder is rewound."""
    decoder = audio_gs.StreamDecoder(data[:-1], backend)
    with pytest.raises(BitstreamError):
        while len(decoder.read(1000)):
            pass
    position = decoder.position
    for _ in range(3):
        with pytest.raises(BitstreamError):
            decoder.read(1)
    assert decoder.position == position
    assert len(decoder.read(0)) == 0
    decoder.rewind()
    np.testing.assert_array_equal(decoder.read(position), expected[:position])


def check_without_playing(data: bytes) -> str:
    """What `gs_check` makes of some bytes."""
    info = ffi.new("gs_info *")
    error = lib.gs_info_from_memory(ffi.from_buffer(data), len(data), info)
    if error == lib.GS_OK:
        size = decoder_bytes(parse_header(data)[0])
        memory, decoder = ffi.new("uint64_t[]", -(-size // 8)), ffi.new("gs_decoder **")
        assert lib.gs_open_memory(memory, size, ffi.from_buffer(data), len(data), decoder) == lib.GS_OK
        error = lib.gs_check(decoder[0])
    unsupported = (lib.GS_ERR_VERSION, lib.GS_ERR_UNSUPPORTED)
    return "sound" if error in (lib.GS_OK, lib.GS_ERR_COST) else "unsupported" if error in unsupported else "corrupt"


def common_verdict(data: bytes, most: int = 1 << 16, block: int = 1 << 12) -> Verdict:
    """What the C and the Numba decoder both make of some bytes; fails where they differ."""
    from_c, from_numba = (verdict(data, backend, most, block) for backend in STREAMING)
    assert from_c.judgement == from_numba.judgement
    np.testing.assert_array_equal(from_c.pcm, from_numba.pcm)
    if len(from_c.pcm) < most:
        assert check_without_playing(data) == from_c.judgement
    return from_c


class CallbackDecoder:
    """The C decoder reading its stream through a callback."""

    def __init__(self, data: bytes, header: StreamHeader) -> None:
        self.requests: list[tuple[int, int]] = []
        """Offset and length of every piece that was asked for."""

        def give(_user: object, offset: int, buffer: object, count: int) -> int:
            self.requests.append((offset, count))
            piece = data[offset : offset + count]
            ffi.memmove(buffer, piece, len(piece))
            return len(piece)

        self._give = ffi.callback("gs_read_fn", give)
        size = decoder_bytes(header)
        self._memory = ffi.new("uint64_t[]", -(-size // 8))
        decoder = ffi.new("gs_decoder **")
        assert lib.gs_open_callback(self._memory, size, self._give, ffi.NULL, len(data), decoder) == lib.GS_OK
        self._decoder = decoder[0]

    def read(self, count: int) -> Pcm:
        pcm = np.empty(count, np.int16)
        given = lib.gs_read(self._decoder, ffi.from_buffer("int16_t[]", pcm), count)
        assert given >= 0
        return pcm[:given]

    def seek(self, sample: int) -> None:
        assert lib.gs_seek(self._decoder, sample) == lib.GS_OK
