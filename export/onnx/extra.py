"""The extra that the modules on ONNX need, asked for before they are imported."""

from __future__ import annotations

import importlib.util

from audio_gs.errors import AudioGsError


def need(*modules: str) -> None:
    """Raise AudioGsError if a module of the extra is not installed."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise AudioGsError(f"{module} is not installed; install the extra 'export': pip install 'audio-gs[export]'")
