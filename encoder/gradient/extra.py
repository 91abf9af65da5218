"""The extra that the joint fit needs, asked for before its modules are imported."""

from __future__ import annotations

import importlib.util

from audio_gs.errors import AudioGsError

_MEND = "PyTorch is not installed; install the extra 'torch': pip install 'audio-gs[torch]'"


def missing() -> str | None:
    """Why nothing here can run that needs PyTorch, in one line; None if it can."""
    return None if importlib.util.find_spec("torch") else _MEND


def need_torch() -> None:
    """Raise AudioGsError if PyTorch is not installed."""
    reason = missing()
    if reason:
        raise AudioGsError(reason)
