"""ONNX models of the decoder behind the bitstream (SPEC 4 to 6, 8, 10): for any table of Gaussians, and for one clip;
of the mid, or of left and right."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, checker, helper

from audio_gs.codec import residual
from audio_gs.codec.container import FORMAT_VERSION, StreamHeader
from audio_gs.codec.gaussians import RESIDUAL, Gaussians
from audio_gs.codec.kinds import NOISE, TONE, Kind
from audio_gs.codec.kinds.noise import MAX_FRAME_LOG2
from audio_gs.codec.stereo import DIRECTIONS, GAIN_OF_ONE, LARGEST_STEP, direction_gains

from .builder import INT16, INT32, INT64, Graph, Value
from .noise import COEFFICIENT_COLUMNS, NoiseRenderer, Residual
from .tones import ToneRenderer, dequantised, dequantised_sides

PRODUCER = "audio-gs"
OUTPUT = "pcm"
WINDOW = 1 << 17
"""Most samples that are rendered at a time: what decides on the memory beside table and output."""

_WINDOW_STEP = 1 << MAX_FRAME_LOG2
"""A window begins with a frame of noise of any size, and with a sample of every octave."""

_FIELDS = {
    "samples": "samples of the clip",
    "sample_rate": "Hz",
    "amplitude_step": "mantissa of the step of the amplitude quantiser",
    "output_shift": "its binary exponent, negated",
    "noise_frame_log2": "log2 of the samples in a frame of noise; 0 without noise",
    "noise_shift": "binary exponent of the noise step; any without noise",
    "noise_base": "base level of the noise; any without noise",
}
"""Numbers of the header that the decoder needs behind the bitstream, by the names of the inputs."""

_STEREO_FIELDS = {
    "direction": "of the mid, in 1/256 of half a turn from left; 64 of a stream of one channel",
    "panned": "1 if the Gaussians may be panned, else 0",
    "side_step": "by how much the amplitude step of the side is larger, in quarters of an octave; any if not panned",
    "side_base": "level of the side's own noise above the mid's; any if not panned",
}
"""What the decoder of left and right needs beside that."""

_TABLES = {"tones": TONE, "noises": NOISE}
"""Kinds by the names of the inputs that take their tables."""

_COEFFICIENTS, _CELLS, _OFFSETS = "coefficients", "cells", "level_offsets"
_LAYER = {
    _COEFFICIENTS: (INT32, (_COEFFICIENTS, len(COEFFICIENT_COLUMNS))),
    _CELLS: (INT32, (_CELLS,)),
    _OFFSETS: (INT16, ("coded_frames", _CELLS)),
}
"""Type and shape of the inputs that take what a residual layer makes of the noise's frames."""
_LAYER_DOCS = {
    _COEFFICIENTS: f"coefficients of the residual layer in any order, in columns {', '.join(COEFFICIENT_COLUMNS)}; "
    "step is the level of a coefficient of 1",
    _CELLS: "first bin of each cell of the residual layer; empty without one",
    _OFFSETS: "what the residual layer adds to the level of the noise in each cell of the frames from frame 0 on",
}


def _fields(channels: int) -> dict[str, str]:
    return _FIELDS | (_STEREO_FIELDS if channels == 2 else {})


def _columns(kind: Kind, channels: int) -> tuple[str, ...]:
    return kind.columns(is_panned=channels == 2)


def _table_doc(kind: Kind, channels: int) -> str:
    columns = ", ".join(_columns(kind, channels))
    return f"decoded {kind.name}s of a stream in any order, in columns {columns} (SPEC 4.1, 5.1 and 10.1)"


def model_inputs(header: StreamHeader, gaussians: Gaussians, channels: int = 1) -> dict[str, npt.NDArray[Any]]:
    """What the decoder model of so many channels takes, by the names of its inputs, for a stream's header and its
    Gaussians."""
    noise, panning = header.noise, header.panning
    of_noise = (noise.frame_log2, noise.shift, noise.base) if noise else (0, 1, 0)
    numbers = [header.samples, header.sample_rate, header.amplitude_step, header.output_shift, *of_noise]
    if channels == 2:
        of_side = (1, panning.side_step, panning.side_base) if panning else (0, 0, 0)
        numbers += [header.direction, *of_side]
    rows = {
        name: np.stack([gaussians[kind.name][column] for column in _columns(kind, channels)], axis=1).astype(np.int32)
        for name, kind in _TABLES.items()
    }
    fields = {name: np.array(number, np.int64) for name, number in zip(_fields(channels), numbers, strict=True)}
    return {**rows, **_layer_inputs(header, gaussians), **fields}


def _layer_inputs(header: StreamHeader, gaussians: Gaussians) -> dict[str, npt.NDArray[Any]]:
    """Those that `_LAYER` names."""
    frames = residual.coded_frames(header, gaussians)
    cells = 2 * len(residual.layout_of(header).spread) if header.residual else 0
    rows = [np.zeros((0, len(COEFFICIENT_COLUMNS)), np.int32)]
    firsts, offsets = np.zeros(cells, np.int32), np.zeros((len(frames), cells), np.int16)
    # They are numbered from 0 on without a gap.
    for number, coded in frames.items():
        firsts[:], offsets[number] = coded.first[:cells], coded.offsets[:cells]
        bins = np.flatnonzero(coded.values)
        cell = np.searchsorted(firsts, bins, side="right") - 1
        columns = (np.full(len(bins), number), bins, coded.values[bins], coded.steps[cell])
        rows.append(np.stack(columns, axis=1).astype(np.int32))
    return {_COEFFICIENTS: np.concatenate(rows), _CELLS: firsts, _OFFSETS: offsets}


class _Parts(NamedTuple):
    """What a stream may have or not: known of a clip, of the decoder a condition."""

    noise: Value | bool
    residual: Value | bool
    panning: Value | bool


def decoder_model(channels: int = 1) -> ModelProto:
    """From the tables of Gaussians and numbers of the header, as `model_inputs` gives them, to the samples of the clip:
    of one channel those of the mid, shape (samples,), of two left and right, shape (samples, 2).

    Nothing of a stream is part of the model, so one serves all that are legal.
    """
    graph = Graph()
    inputs = {
        name: graph.input(name, INT32, [name, len(_columns(kind, channels))], _table_doc(kind, channels))
        for name, kind in _TABLES.items()
    }
    for name, (dtype, shape) in _LAYER.items():
        inputs[name] = graph.input(name, dtype, shape, _LAYER_DOCS[name])
    for name, doc in _fields(channels).items():
        inputs[name] = graph.input(name, INT64, [], doc)
    parts = _Parts(
        noise=inputs["noise_frame_log2"] > 0,
        residual=inputs[_CELLS].length().scalar() > 0,
        panning=inputs["panned"] > 0 if channels == 2 else False,
    )
    doc = "Renders the Gaussians of an Audio-GS stream, sample for sample as the decoder in C does."
    facts = {} if channels == 1 else {"channels": channels}
    return _finished(graph, inputs, parts, "audio_gs_decoder", ["samples"], doc, facts)


def clip_model(header: StreamHeader, gaussians: Gaussians, channels: int | None = None) -> ModelProto:
    """Without inputs: the samples of one clip from its Gaussians, which are part of the model. All its channels, or of
    two the mid alone."""
    channels = channels or header.channels
    graph = Graph()
    inputs = {
        name: graph.constant(array, helper.np_dtype_to_tensor_dtype(array.dtype), name)
        for name, array in model_inputs(header, gaussians, channels).items()
    }
    facts = clip_facts(header, gaussians, channels)
    doc = f"A clip of Audio-GS: {header.samples} samples, {header.sample_rate} Hz, {gaussians.total} Gaussians."
    parts = _Parts(header.noise is not None, header.residual is not None, header.panning is not None)
    return _finished(graph, inputs, parts, "audio_gs_clip", [header.samples], doc, facts)


def clip_facts(header: StreamHeader, gaussians: Gaussians, channels: int | None = None) -> dict[str, Any]:
    """What a clip's model says of the clip in its metadata."""
    return {
        "sample_rate": header.sample_rate,
        "channels": channels or header.channels,
        "samples": header.samples,
        "loop": list(header.loop) if header.loop else None,
        **{name: len(gaussians[kind.name]) for name, kind in _TABLES.items()},
        _COEFFICIENTS: int(np.sum(gaussians[RESIDUAL]["layer"] == residual.COEFFICIENT)),
    }


def serialised(model: ModelProto) -> bytes:
    """The bytes of a model's file, after ONNX's full check of it."""
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _finished(
    graph: Graph,
    inputs: Mapping[str, Value],
    parts: _Parts,
    name: str,
    shape: list[str | int],
    doc: str,
    facts: Mapping[str, Any],
) -> ModelProto:
    is_stereo = "direction" in inputs
    pcm = _pcm(graph, inputs, parts, is_stereo)
    about = "16-bit samples, full scale 32768" + (", left and right" if is_stereo else "")
    output = OUTPUT, pcm, [*shape, 2] if is_stereo else shape, about
    model = graph.model(
        name,
        output,
        producer_name=PRODUCER,
        producer_version=version(PRODUCER),
        doc_string=doc,
    )
    properties = {"format": f"Audio-GS bitstream {FORMAT_VERSION}", **facts}
    helper.set_model_props(model, {key: _text(value) for key, value in properties.items()})
    return model


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _pcm(graph: Graph, inputs: Mapping[str, Value], parts: _Parts, is_stereo: bool) -> Value:
    """Tones, noises and PCM, one window of the clip after another."""
    samples = inputs["samples"]
    windows = _rounded_up(samples, WINDOW)
    window = _rounded_up(_rounded_up(samples, windows), _WINDOW_STEP) * _WINDOW_STEP
    rows, amplitude_step = inputs["tones"].to(INT64), inputs["amplitude_step"]
    tone_renderer = ToneRenderer(graph, dequantised(graph, rows, amplitude_step), inputs["output_shift"], window)
    noise_renderer = NoiseRenderer(
        graph,
        inputs["noises"].to(INT64),
        sample_rate=inputs["sample_rate"],
        frame_log2=inputs["noise_frame_log2"],
        shift=inputs["noise_shift"],
        base=inputs["noise_base"],
        window=window,
        residual=Residual(inputs[_COEFFICIENTS].to(INT64), inputs[_CELLS].to(INT64), inputs[_OFFSETS]),
        with_residual=parts.residual,
    )

    def mid(start: Value) -> list[Value]:
        (noise,) = _where(graph, parts.noise, lambda: [noise_renderer.samples(start)], [window])
        return [_steps(tone_renderer, start) + noise]

    def both(start: Value) -> list[Value]:
        held = dequantised_sides(graph, rows, amplitude_step, inputs["side_step"])
        of_sides = dataclasses.replace(tone_renderer, tones=held)
        noises = _where(
            graph, parts.noise, lambda: noise_renderer.mid_and_side(start, inputs["side_base"]), [window, window]
        )
        renderers = (tone_renderer, of_sides)
        return [_steps(one, start) + noise for one, noise in zip(renderers, noises, strict=True)]

    def mid_and_side(start: Value) -> list[Value]:
        def mid_alone() -> list[Value]:
            return [*mid(start), graph.zeros(window)]

        if isinstance(parts.panning, Value):
            return graph.branches(parts.panning, lambda: both(start), mid_alone)
        return both(start) if parts.panning else mid_alone()

    def render(number: Value, _states: list[Value]) -> tuple[list[Value], list[Value]]:
        start = number * window
        if is_stereo:
            middle, side = mid_and_side(start)
            pcm = _left_and_right(graph, middle, side, inputs["direction"])
        else:
            (pcm,) = mid(start)
        return [], [pcm.clip(-32768, 32767).to(INT16)]

    _, (pieces,) = graph.loop(windows, [], render)
    return (pieces.reshape(-1, 2) if is_stereo else pieces.flat()).slice(0, samples)


def _steps(tones: ToneRenderer, start: Value) -> Value:
    """What tones are in a window, in output steps."""
    return tones.quarters(start).shift_right(2, rounding=2)


def _where(
    graph: Graph, condition: Value | bool, values: Callable[[], Sequence[Value]], lengths: Sequence[Value]
) -> list[Value]:
    """The values where a condition holds, else zeros of these lengths."""
    if isinstance(condition, Value):
        return graph.branches(condition, values, lambda: [graph.zeros(length) for length in lengths])
    return list(values()) if condition else [graph.zeros(length) for length in lengths]


def _left_and_right(graph: Graph, mid: Value, side: Value, direction: Value) -> Value:
    """Output steps of both channels, shape (n, 2) (SPEC 10.5)."""
    table = graph.constant([direction_gains(at) for at in range(DIRECTIONS)], INT64, "DIRECTION")
    left, right = (table.take(direction).take(channel) for channel in range(2))
    mid, side = (steps.clip(-LARGEST_STEP, LARGEST_STEP) for steps in (mid, side))
    half = GAIN_OF_ONE >> 1
    pair = (left * mid - right * side, right * mid + left * side)
    return graph.concat(*(one.shift_right(14, rounding=half).unsqueeze(1) for one in pair), axis=1)


def _rounded_up(number: Value, divisor: Value | int) -> Value:
    """The quotient of positive numbers, rounded up."""
    return (number + (divisor - 1)) // divisor
