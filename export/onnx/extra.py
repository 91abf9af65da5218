"""The extra that the modules on ONNX need, asked for before they are imported."""

from __future__ import annotations

import importlib.util

from audio_gs.errors import AudioGsError


def missing(*modules: str) -> str | None:
    """Which module of the extra is not installed, in one line with the mend; None if all are."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed; install the extra 'export': pip install 'audio-gs[export]'"
    return None


def need(*modules: str) -> None:
    """Raise AudioGsError if a module of the extra is not installed."""
    reason = missing(*modules)
    if reason:
        raise AudioGsError(reason)
