"""The backend `torch`: tones rendered in floating point, with PyTorch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audio_gs.codec.backend import Backend

from .extra import missing, need_torch


def _render(data: bytes) -> npt.NDArray[np.float64]:
    need_torch()
    from .render import render_stream

    return render_stream(data)


def _render_both(data: bytes) -> npt.NDArray[np.float64]:
    need_torch()
    from .render import render_both

    return render_both(data)


BACKEND = Backend("torch", exact=False, render=_render, render_both=_render_both, missing=missing)
