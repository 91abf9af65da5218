"""What WAV files say beside their samples, whatever bytes they hold."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from audio_gs.riff import Loop, WavFacts, wav_facts

FORMAT = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """A chunk, with a size of its own if one is given."""
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) & 1)


def wav(*chunks: bytes, form: bytes = b"RIFF") -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(content)) + content


def sampler(*loops: tuple[int, int, int], promised: int | None = None) -> bytes:
    count = len(loops) if promised is None else promised
    content = struct.pack("<9I", 0, 0, 0, 60, 0, 0, 0, count, 0)
    return chunk(b"smpl", content + b"".join(struct.pack("<6I", 1, *loop, 0, 0) for loop in loops))


@pytest.mark.parametrize("file_format", ["WAV", "WAVEX", "RF64"])
def test_what_soundfile_writes_is_whole(file_format: str) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(101), 8000, format=file_format, subtype="PCM_U8" if file_format == "WAV" else None)
    content = buffer.getvalue()
    assert wav_facts(content) == WavFacts(0, ())
    assert wav_facts(content[:-20]) != WavFacts(0, ())


@pytest.mark.parametrize("content", [b"", b"RIFF", b"fLaC" + bytes(40), b"FORM\0\0\0\4AIFF", b"RIFF\0\0\0\0AVI "])
def test_other_files_have_no_facts(content: bytes) -> None:
    assert wav_facts(content) is None


def test_loops() -> None:
    loops = ((0, 2, 9), (1, 0, 0), (2, 5, 0xFFFFFFFF))
    found = wav_facts(wav(chunk(b"fmt ", FORMAT), chunk(b"odd ", b"abc"), sampler(*loops), chunk(b"data", bytes(40))))
    assert found == WavFacts(0, (Loop(2, 10, True), Loop(0, 1, False), Loop(5, 1 << 32, False)))


def test_loops_that_are_only_promised_are_not_read() -> None:
    assert wav_facts(wav(sampler((0, 2, 9), promised=0xFFFFFFFF))) == WavFacts(0, (Loop(2, 10, True),))
    assert wav_facts(wav(sampler((0, 2, 9)))[:-1]) == WavFacts(0, ())
    assert wav_facts(wav(chunk(b"smpl", b"short"))) == WavFacts(0, ())


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_size_that_was_never_filled_in_promises_nothing(size: int) -> None:
    assert wav_facts(wav(chunk(b"data", bytes(40), size))) == WavFacts(0, ())


def test_long_sizes() -> None:
    sizes = struct.pack("<QQQI", 0, 50, 25, 0)
    data = chunk(b"data", bytes(40), 0xFFFFFFFF)
    assert wav_facts(wav(chunk(b"ds64", sizes), data, form=b"RF64")) == WavFacts(10, ())
    assert wav_facts(wav(chunk(b"ds64", sizes), data)) == WavFacts(0, ())


@given(st.binary(max_size=200), st.integers(0, 120), st.integers(0, 255))
@example(b"", 4, 255)
def test_any_bytes_are_read(tail: bytes, at: int, byte: int) -> None:
    content = bytearray(wav(sampler((0, 2, 9)), chunk(b"data", bytes(8))) + tail)
    content[at % len(content)] = byte
    facts = wav_facts(bytes(content))
    assert facts is None or (facts.bytes_missing >= 0 and len(facts.loops) <= len(content) // 24)
