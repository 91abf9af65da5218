"""ONNX models of the decoder behind the bitstream (SPEC 4 to 6, 8): for any table of Gaussians, and for one clip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, checker, helper

from audio_gs.codec import residual
from audio_gs.codec.container import FORMAT_VERSION, StreamHeader
from audio_gs.codec.gaussians import RESIDUAL, Gaussians
from audio_gs.codec.kinds import NOISE, TONE, Kind
from audio_gs.codec.kinds.noise import MAX_FRAME_LOG2

from .builder import INT16, INT32, INT64, Graph, Value
from .noise import COEFFICIENT_COLUMNS, NoiseRenderer, Residual
from .tones import ToneRenderer, dequantised

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


def _columns(kind: Kind) -> tuple[str, ...]:
    return kind.columns(is_panned=False)


def _table_doc(kind: Kind) -> str:
    return f"decoded {kind.name}s of a stream in any order, in columns {', '.join(_columns(kind))} (SPEC 4.1 and 5.1)"


def model_inputs(header: StreamHeader, gaussians: Gaussians) -> dict[str, npt.NDArray[Any]]:
    """What the decoder model takes, by the names of its inputs, for a stream's header and its Gaussians."""
    noise = header.noise
    of_noise = (noise.frame_log2, noise.shift, noise.base) if noise else (0, 1, 0)
    numbers = (header.samples, header.sample_rate, header.amplitude_step, header.output_shift, *of_noise)
    rows = {
        name: np.stack([gaussians[kind.name][column] for column in _columns(kind)], axis=1).astype(np.int32)
        for name, kind in _TABLES.items()
    }
    fields = {name: np.array(number, np.int64) for name, number in zip(_FIELDS, numbers, strict=True)}
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


def decoder_model() -> ModelProto:
    """From the tables of Gaussians and numbers of the header, as `model_inputs` gives them, to the samples of the clip.

    Nothing of a stream is part of the model, so one serves all that are legal.
    """
    graph = Graph()
    inputs = {
        name: graph.input(name, INT32, [name, len(_columns(kind))], _table_doc(kind)) for name, kind in _TABLES.items()
    }
    for name, (dtype, shape) in _LAYER.items():
        inputs[name] = graph.input(name, dtype, shape, _LAYER_DOCS[name])
    for name, doc in _FIELDS.items():
        inputs[name] = graph.input(name, INT64, [], doc)
    with_noise = inputs["noise_frame_log2"] > 0
    with_residual = inputs[_CELLS].length().scalar() > 0
    doc = "Renders the Gaussians of an Audio-GS stream, sample for sample as the decoder in C does."
    return _finished(graph, inputs, (with_noise, with_residual), "audio_gs_decoder", "samples", doc, {})


def clip_model(header: StreamHeader, gaussians: Gaussians) -> ModelProto:
    """Without inputs: the samples of one clip from its Gaussians, which are part of the model."""
    graph = Graph()
    inputs = {
        name: graph.constant(array, helper.np_dtype_to_tensor_dtype(array.dtype), name)
        for name, array in model_inputs(header, gaussians).items()
    }
    facts = clip_facts(header, gaussians)
    doc = f"A clip of Audio-GS: {header.samples} samples, {header.sample_rate} Hz, {gaussians.total} Gaussians."
    parts = header.noise is not None, header.residual is not None
    return _finished(graph, inputs, parts, "audio_gs_clip", header.samples, doc, facts)


def clip_facts(header: StreamHeader, gaussians: Gaussians) -> dict[str, Any]:
    """What a clip's model says of the clip in its metadata."""
    return {
        "sample_rate": header.sample_rate,
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
    parts: tuple[Value | bool, Value | bool],
    name: str,
    length: str | int,
    doc: str,
    facts: Mapping[str, Any],
) -> ModelProto:
    pcm = _pcm(graph, inputs, *parts)
    output = OUTPUT, pcm, [length], "16-bit samples, full scale 32768"
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


def _pcm(graph: Graph, inputs: Mapping[str, Value], with_noise: Value | bool, with_residual: Value | bool) -> Value:
    """Tones, noises and PCM, one window of the clip after another."""
    samples = inputs["samples"]
    windows = _rounded_up(samples, WINDOW)
    window = _rounded_up(_rounded_up(samples, windows), _WINDOW_STEP) * _WINDOW_STEP
    held = dequantised(graph, inputs["tones"].to(INT64), inputs["amplitude_step"])
    tone_renderer = ToneRenderer(graph, held, inputs["output_shift"], window)
    noise_renderer = NoiseRenderer(
        graph,
        inputs["noises"].to(INT64),
        sample_rate=inputs["sample_rate"],
        frame_log2=inputs["noise_frame_log2"],
        shift=inputs["noise_shift"],
        base=inputs["noise_base"],
        window=window,
        residual=Residual(inputs[_COEFFICIENTS].to(INT64), inputs[_CELLS].to(INT64), inputs[_OFFSETS]),
        with_residual=with_residual,
    )

    def render(number: Value, _states: list[Value]) -> tuple[list[Value], list[Value]]:
        start = number * window
        pcm = tone_renderer.quarters(start).shift_right(2, rounding=2)
        if isinstance(with_noise, Value):
            noise = graph.branch(with_noise, lambda: noise_renderer.samples(start), lambda: graph.zeros(window))
            pcm = pcm + noise
        elif with_noise:
            pcm = pcm + noise_renderer.samples(start)
        return [], [pcm.clip(-32768, 32767).to(INT16)]

    _, (pieces,) = graph.loop(windows, [], render)
    return pieces.flat().slice(0, samples)


def _rounded_up(number: Value, divisor: Value | int) -> Value:
    """The quotient of positive numbers, rounded up."""
    return (number + (divisor - 1)) // divisor
