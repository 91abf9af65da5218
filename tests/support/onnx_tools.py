"""What the tests of the ONNX models share: the extra that they need, and sessions on the CPU."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

HAS_EXPORT = all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))

needs_export = pytest.mark.skipif(not HAS_EXPORT, reason="needs the extra 'export'")


def session(model: bytes) -> Any:
    """The model loaded into onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
