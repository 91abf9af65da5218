"""Checkpoints of the joint fit: NumPy archives of plain arrays, nothing pickled."""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import TONE_DTYPE
from audio_gs.errors import AudioGsError, OptionsError

from ..options import EncoderOptions
from .model import PARAMETERS

_VERSION = 2
_FREE_OPTIONS = frozenset(
    ["log_dir", "resume", "checkpoint_every", "device", "seek_every", "loop", "max_macs", "max_tones"]
)
"""Options that do not bear on what a gradient step does, so a fit may go on under other values of them."""
HISTORY_COLUMNS = 5


@dataclasses.dataclass
class FitState:
    """All that a joint fit needs to go on."""

    step: int
    """Gradient steps done."""
    parameters: npt.NDArray[np.float32]
    """Shape (5, n), rows by `PARAMETERS`."""
    start: npt.NDArray[np.float32]
    """Length and centre at the start, shape (2, n)."""
    moments: npt.NDArray[np.float32]
    """Adam's first and second, shape (2, 5, n)."""
    updates: npt.NDArray[np.float32]
    """Adam's count of updates, shape (5,)."""
    best: Table
    best_loss: float
    history: npt.NDArray[np.float64]
    """Step, loss, SNR in dB, Gaussians and hardness of the quantiser of every step so far, shape (steps + 1, 5)."""


@dataclasses.dataclass(frozen=True)
class FitProblem:
    """What a checkpoint has to be about for a fit to go on from it."""

    options: EncoderOptions
    signal: npt.NDArray[np.float64]
    layout: tuple[int, int]
    step_weight: float
    wanted: int

    def stated(self) -> dict[str, Any]:
        """The options that bear on the fit, and fingerprints of the rest; JSON."""
        options = dataclasses.asdict(self.options)
        return {
            "version": _VERSION,
            "options": {name: value for name, value in options.items() if name not in _FREE_OPTIONS},
            "clip": [len(self.signal), zlib.crc32(np.ascontiguousarray(self.signal, "<f8").tobytes())],
            "fit": [*self.layout, self.step_weight, self.wanted],
        }


def checkpoint_path(log_dir: str, step: int) -> Path:
    """Where the checkpoint after a gradient step goes."""
    return Path(log_dir) / f"checkpoint_{step:06d}.npz"


def save(path: Path, state: FitState, problem: FitProblem) -> None:
    """Writes a checkpoint, whole or not at all; AudioGsError if it cannot."""
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            np.savez(file, problem=np.array(json.dumps(problem.stated())), **_plain(state))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise AudioGsError(f"cannot write checkpoint {path}: {error.strerror or error}") from None


def load(path: str | os.PathLike[str], problem: FitProblem) -> FitState:
    """Reads a checkpoint of this problem; OptionsError if it cannot be read, is damaged, or is of another problem."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        stated = json.loads(str(arrays["problem"]))
        version, options = stated["version"], dict(stated["options"])
        state = _state(arrays)
    except OSError as error:
        raise OptionsError(f"cannot read checkpoint {path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error):
        raise OptionsError(f"{path} is not a checkpoint or is damaged; resume from another") from None
    if version != _VERSION:
        raise OptionsError(f"checkpoint {path} has version {version}; this encoder reads {_VERSION}")
    wanted = json.loads(json.dumps(problem.stated()))
    for name, value in wanted["options"].items():
        if options.get(name) != value:
            raise OptionsError(f"checkpoint {path} was made with {name} {options.get(name)}, not {value}")
    if stated.get("clip") != wanted["clip"]:
        raise OptionsError(f"checkpoint {path} was made for another clip")
    if stated.get("fit") != wanted["fit"]:
        raise OptionsError(f"checkpoint {path} was made for another rate or preset")
    return state


def _plain(state: FitState) -> dict[str, Any]:
    return {field.name: np.asarray(getattr(state, field.name)) for field in dataclasses.fields(state)}


def _state(arrays: dict[str, npt.NDArray[Any]]) -> FitState:
    """The state, its shapes and numbers checked; ValueError, KeyError or TypeError if they make no sense."""
    count = arrays["start"].shape[-1]
    shapes = {
        "parameters": (len(PARAMETERS), count),
        "start": (2, count),
        "moments": (2, len(PARAMETERS), count),
        "updates": (len(PARAMETERS),),
        "history": (len(arrays["history"]), HISTORY_COLUMNS),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape or not np.issubdtype(arrays[name].dtype, np.floating):
            raise ValueError(name)
    if not all(np.isfinite(arrays[name]).all() for name in ("parameters", "start", "moments", "updates")):
        raise ValueError("not finite")
    if arrays["best"].dtype != TONE_DTYPE or arrays["best"].ndim != 1:
        raise ValueError("best")
    return FitState(
        step=int(arrays["step"]),
        parameters=arrays["parameters"],
        start=arrays["start"],
        moments=arrays["moments"],
        updates=arrays["updates"],
        best=arrays["best"],
        best_loss=float(arrays["best_loss"]),
        history=arrays["history"],
    )
