"""The encoder: samples to Gaussians to a stream. Its fit by gradient descent needs PyTorch (extra `torch`).

Public names come with their modules on first use, so that what registers a backend here does not wait for all others.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .encode import EncodeResult, encode_audio
    from .options import EncoderOptions

__all__ = ["EncodeResult", "EncoderOptions", "encode_audio"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(".options" if name == "EncoderOptions" else ".encode", __name__), name)
    globals()[name] = value
    return value
