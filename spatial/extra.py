"""The extra that scenes need, asked for before its packages are imported."""

from __future__ import annotations

import importlib.util

from audio_gs.errors import AudioGsError

_PACKAGES = {
    "torch": "PyTorch",
    "pyroomacoustics": "pyroomacoustics",
    "slab": "slab",
    "safetensors": "safetensors",
}


def need(*modules: str) -> None:
    """Raise AudioGsError if one of these modules, names of imports, is not installed."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise AudioGsError(
                f"{_PACKAGES[module]} is not installed; install the extra 'scenes': pip install 'audio-gs[scenes]'"
            )
