"""How fast the codecs are and how much memory they take, on a machine that does nothing else meanwhile."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from audio_gs import api, audio_io, inspect
from audio_gs.audio_io import Clip
from audio_gs.parallel import worker_pool

from .clips import ClipFile
from .codecs import Codec, CodecError, OurOptions, make_codec
from .codecs.tool import observed, read_stream, run_tool, scratch, write_wav
from .results import OURS, SpeedRow
from .run import Progress

CLIPS = 3
KBIT_S = 6.0
"""Of ours; a rival runs at the rate nearest to it."""
THREADS = 2
TOOL_SECONDS = 60.0
"""Audio for a rival's tool, so that its start does not count."""
COMMANDS = "gs-encode, gs-decode"
REFERENCE_CLASS, REFERENCE_RATE = "speech", 16000
_ROUNDS = 3
_ROUND_SECONDS = 0.1
_BLOCK_SAMPLES = 1024


@dataclasses.dataclass(frozen=True)
class _OurSpeed:
    """Seconds of work for `audio` seconds of sound."""

    audio: float
    encode: float
    decode: float
    state_bytes: int


def measure_speed(
    files: Sequence[ClipFile],
    codecs: Mapping[tuple[str, str], str],
    ours: Mapping[str, OurOptions] | None,
    progress: Progress,
) -> list[SpeedRow]:
    """Ours within a warm process and as commands, and the rivals' tools, on the same clips, one after the other."""
    chosen = choose_clips(files)
    clips = [audio_io.load(file.path, mono=True) for file in chosen]
    rows: list[SpeedRow] = []
    steps = len(codecs) + 2
    if ours is not None:
        progress(0.0, OURS)
        with worker_pool(1, THREADS) as pool:
            found = pool.submit(_time_ours, [(file.path, ours[file.clip_class]) for file in chosen]).result()
        times = found.audio / found.encode, found.audio / found.decode
        rows.append(SpeedRow(OURS, *times, 1.0, 1.0, None, None, found.state_bytes))
        progress(1 / steps, COMMANDS)
        rows.append(_relative(_time_commands(chosen[0], ours[chosen[0].clip_class]), rows[0]))
    reference = rows[0] if rows else None
    for index, (key, variant) in enumerate(codecs):
        progress((index + 2) / steps, key)
        codec = make_codec(key, variant, OurOptions())
        suited = codec.classes is None or chosen[0].clip_class in codec.classes
        if suited and codec.rates(clips[0].sample_rate):
            rows.append(_relative(_time_tool(codec, clips), reference))
    return rows


def choose_clips(files: Sequence[ClipFile]) -> list[ClipFile]:
    """Those that the targets speak of if there are any, else speech, else any."""
    speech = [file for file in files if file.clip_class == REFERENCE_CLASS]
    reference = [file for file in speech if audio_io.load(file.path, mono=True).sample_rate == REFERENCE_RATE]
    return list((reference or speech or files)[:CLIPS])


def _time_ours(clips: list[tuple[Path, OurOptions]]) -> _OurSpeed:
    """In one process, once all is compiled; decoding in C, opening and checksums included."""
    loaded = [(audio_io.load(path, mono=True), options.at(KBIT_S)) for path, options in clips]
    for rate in sorted({clip.sample_rate for clip, _ in loaded}):
        api.encode_clip(*next(pair for pair in loaded if pair[0].sample_rate == rate))
    audio = encode = decode = 0.0
    state = 0
    for clip, options in loaded:
        began = time.perf_counter()
        data = api.encode_clip(clip, options).data
        encode += time.perf_counter() - began
        decode += _decode_time(data)
        audio += len(clip.samples) / clip.sample_rate
        state = max(state, inspect.info(data, None).decoder_bytes)
    return _OurSpeed(audio, encode, decode, state)


def _decode_time(data: bytes) -> float:
    """Seconds that the C decoder needs for a stream, the fastest of several rounds of many repetitions."""
    fastest = float("inf")
    for _ in range(_ROUNDS):
        repetitions, began = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < _ROUND_SECONDS or not repetitions:
            for _block in api.StreamDecoder(data).blocks(_BLOCK_SAMPLES):
                pass
            repetitions += 1
        fastest = min(fastest, elapsed / repetitions)
    return fastest


def _time_commands(file: ClipFile, options: OurOptions) -> SpeedRow:
    """On one clip, start and imports of the commands included."""
    program = (sys.executable, "-c")
    settings: list[str | float] = ["--bitrate", KBIT_S, "--preset", options.preset, "--effort", options.effort, "-q"]
    if options.max_macs is not None:
        settings += ["--max-macs", options.max_macs]
    clip = audio_io.load(file.path, mono=True)
    seconds = len(clip.samples) / clip.sample_rate
    with scratch() as folder:
        source, stream, target = folder / "in.wav", folder / "clip.gs", folder / "out.wav"
        write_wav(source, clip.samples, clip.sample_rate)
        with observed() as encoding:
            main = "from audio_gs.cli.gs_encode import main; main()"
            run_tool(*program, main, source, "-o", stream, *settings, folder=folder)
        with observed() as decoding:
            main = "from audio_gs.cli.gs_decode import main; main()"
            run_tool(*program, main, stream, "-o", target, "-q", folder=folder)
        state = inspect.info(read_stream(stream), None).decoder_bytes
    return SpeedRow(
        codec=COMMANDS,
        encode_x_real_time=seconds / encoding.seconds,
        decode_x_real_time=seconds / decoding.seconds,
        encode_to_ours=None,
        decode_to_ours=None,
        encode_peak_bytes=encoding.peak_bytes,
        decode_peak_bytes=decoding.peak_bytes,
        decoder_state_bytes=state,
    )


def _time_tool(codec: Codec, clips: Sequence[Clip]) -> SpeedRow:
    """The tool's own run time on a minute of the clips, files read and written included."""
    sample_rate = clips[0].sample_rate
    audio = np.concatenate([clip.samples for clip in clips if clip.sample_rate == sample_rate])
    audio = np.resize(audio, round(TOOL_SECONDS * sample_rate))
    name = f"{codec.key} {codec.variant}".strip()
    kbit_s = min(codec.rates(sample_rate), key=lambda rate: abs(rate - KBIT_S))
    try:
        with observed() as encoding:
            data = codec.encode(audio, sample_rate, kbit_s)
        with observed() as decoding:
            codec.decode(data)
    except CodecError:
        return SpeedRow(name, None, None, None, None, None, None, None)
    return SpeedRow(
        codec=name,
        encode_x_real_time=_quotient(TOOL_SECONDS, encoding.seconds),
        decode_x_real_time=_quotient(TOOL_SECONDS, decoding.seconds),
        encode_to_ours=None,
        decode_to_ours=None,
        encode_peak_bytes=encoding.peak_bytes,
        decode_peak_bytes=decoding.peak_bytes,
        decoder_state_bytes=None,
    )


def _relative(row: SpeedRow, ours: SpeedRow | None) -> SpeedRow:
    return dataclasses.replace(
        row,
        encode_to_ours=_quotient(row.encode_x_real_time, ours.encode_x_real_time if ours else None),
        decode_to_ours=_quotient(row.decode_x_real_time, ours.decode_x_real_time if ours else None),
    )


def _quotient(dividend: float | None, divisor: float | None) -> float | None:
    return dividend / divisor if dividend and divisor else None
