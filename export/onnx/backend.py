"""Decoding with the ONNX model in onnxruntime, on the CPU."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from audio_gs.codec.backend import Backend
from audio_gs.codec.container import parse_header
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.pcm import PcmArray

from .extra import missing, need

_MODULES = ("onnx", "onnxruntime")


def decode_samples(data: bytes) -> PcmArray:
    """All samples of a stream, int16, shape (samples,), of two channels those of the mid.

    Raises BitstreamError for a damaged stream, AudioGsError without the extra, and MemoryError.
    """
    return _decoded(data, 1)


def decode_both(data: bytes) -> PcmArray:
    """The same of left and right, shape (samples, 2)."""
    return _decoded(data, 2)


def _decoded(data: bytes, channels: int) -> PcmArray:
    need(*_MODULES)
    from .graph import OUTPUT, model_inputs

    header, _ = parse_header(data)
    inputs = model_inputs(header, decode_gaussians(data), channels)
    try:
        (pcm,) = _session(channels).run([OUTPUT], inputs)
    except Exception as error:
        # onnxruntime has no exception of its own for this.
        if "alloc" in str(error):
            raise MemoryError from None
        raise
    return np.asarray(pcm, np.int16)


@functools.cache
def _session(channels: int) -> Any:
    """The decoder model, made and loaded once."""
    import onnxruntime

    from .graph import decoder_model

    options = onnxruntime.SessionOptions()
    # The tensors are small: a second thread costs more than it brings.
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    model = decoder_model(channels).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


BACKEND = Backend(
    "onnx", exact=True, render=decode_samples, render_both=decode_both, missing=lambda: missing(*_MODULES)
)
