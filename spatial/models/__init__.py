"""The models, behind one interface; PyTorch is imported when one is made."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import SceneModel

MODELS = {
    "ours": ("ours", "MirrorPoints"),
    "gs-only": ("gs_only", "HarmonicFields"),
    "audio-3dgs": ("audio_3dgs", "AudioPoints"),
}
"""Module and class of each model by its name."""


def model_class(name: str) -> type[SceneModel]:
    """The class of a model; KeyError for a name that is none."""
    module, cls = MODELS[name]
    found: type[SceneModel] = getattr(import_module(f".{module}", __package__), cls)
    return found
