"""The log of a fit: one JSON line a step, and pictures at the end. Without a folder it does nothing.

The lines hold no times, so that equal fits write equal logs.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from audio_gs import picture
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import phase_turns
from audio_gs.codec.tables import FULL_SCALE, NOISE_SCALES, NOISE_WIDTHS
from audio_gs.errors import AudioGsError
from audio_gs.gaussians import pans

LINES = "log.jsonl"
LOSS_PICTURE = "loss.png"
CLIP_PICTURE = "spectrogram.png"
FIELDS_PICTURE = "fields.png"
_INCHES = (10.0, 6.0)
_DPI = 110


class FitLog:
    """Writes to a folder, which it makes; AudioGsError if it cannot."""

    def __init__(self, log_dir: str | None) -> None:
        self.folder = None if log_dir is None else Path(log_dir)
        self._steps: list[tuple[int, float, float, int]] = []
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / LINES).write_text("")
            except OSError as error:
                raise self._cannot_write(error) from None

    def record(
        self,
        stage: str,
        step: int | None = None,
        loss: float | None = None,
        snr_db: float | None = None,
        gaussians: int | None = None,
        hardness: float | None = None,
    ) -> None:
        """One line: what stage of the encoder, which gradient step, how the fit stands then, and how far the quantiser
        was in the loop, 0..1."""
        if self.folder is None:
            return
        entry = {
            "stage": stage,
            "step": step,
            "loss": loss,
            "snr_db": snr_db,
            "gaussians": gaussians,
            "hardness": hardness,
        }
        present = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in entry.items()
            if value is not None
        }
        if step is not None and loss is not None and snr_db is not None and gaussians is not None:
            self._steps.append((step, loss, snr_db, gaussians))
        try:
            with (self.folder / LINES).open("a") as lines:
                lines.write(json.dumps(present) + "\n")
        except OSError as error:
            raise self._cannot_write(error) from None

    def pictures(
        self,
        original: npt.NDArray[np.float64],
        decoded: npt.NDArray[np.float64],
        header: StreamHeader,
        gaussians: Gaussians,
        title: str,
    ) -> None:
        """The clip with its Gaussians, their fields, and the loss of the gradient steps if there were any.

        Both clips in output steps, shape (samples, channels).
        """
        if self.folder is None:
            return
        try:
            path = self.folder / CLIP_PICTURE
            picture.draw_clip(path, original / FULL_SCALE, decoded / FULL_SCALE, header, gaussians, title)
            self._draw_fields(self.folder / FIELDS_PICTURE, header, gaussians, title)
            if self._steps:
                self._draw_loss(self.folder / LOSS_PICTURE, title)
        except OSError as error:
            raise self._cannot_write(error) from None

    def _cannot_write(self, error: OSError) -> AudioGsError:
        return AudioGsError(f"cannot write the log to {self.folder}: {error.strerror or error}; choose another log_dir")

    def _draw_loss(self, path: Path, title: str) -> None:
        figure = picture.new_figure(_INCHES)
        upper, lower = figure.subplots(2, 1, sharex=True)
        steps, losses, snrs, counts = zip(*self._steps, strict=True)
        upper.semilogy(steps, losses)
        upper.set_ylabel("loss")
        lower.plot(steps, snrs)
        lower.set_ylabel("SNR, dB")
        lower.set_xlabel("gradient step")
        count_axes = lower.twinx()
        count_axes.plot(steps, counts, color="tab:orange")
        count_axes.set_ylabel("Gaussians", color="tab:orange")
        figure.suptitle(title)
        figure.savefig(path, dpi=_DPI)

    @staticmethod
    def _draw_fields(path: Path, header: StreamHeader, gaussians: Gaussians, title: str) -> None:
        kinds = field_panels(header, gaussians)
        figure = picture.new_figure((_INCHES[0], _INCHES[1] * len(kinds)))
        blocks = np.atleast_1d(figure.subfigures(len(kinds), 1))
        for block, (kind, panels) in zip(blocks, kinds.items(), strict=True):
            block.suptitle(f"{len(panels[0].values)} {kind}")
            for axes, panel in zip(block.subplots(len(panels) // 3, 3).flat, panels, strict=True):
                axes.hist(panel.values, bins=panel.bins, log=panel.logarithmic)
                axes.set_xlabel(panel.name)
        figure.suptitle(title)
        figure.savefig(path, dpi=_DPI)


class Panel(NamedTuple):
    """The histogram of a field over the Gaussians of a kind."""

    name: str
    values: npt.NDArray[Any]
    bins: Any = 40
    logarithmic: bool = False


def field_panels(header: StreamHeader, gaussians: Gaussians) -> dict[str, list[Panel]]:
    """The fields of each kind of Gaussian that a clip has, by the kind's plural; three times as many as there are rows
    of them."""
    made = {"tones": _tone_panels(gaussians["tone"], header), "noises": _noise_panels(gaussians["noise"], header)}
    if header.panning:
        pan = pans(gaussians, header)
        made["tones"] += _tone_side_panels(gaussians["tone"], pan["tone"])
        made["noises"] += _noise_side_panels(gaussians["noise"], pan.get("noise", np.zeros(len(gaussians["noise"]))))
    return {kind: panels for kind, panels in made.items() if len(panels[0].values)} or {"tones": made["tones"]}


def _tone_panels(table: Table, header: StreamHeader) -> list[Panel]:
    units = TONE.physical(table, header)
    scales = np.arange(header.smallest_scale, header.smallest_scale + header.scales + 1) - 0.5
    return [
        Panel("time, s", units["time"]),
        Panel("frequency, kHz", units["frequency"] / 1000),
        Panel("scale k", table["scale"], scales),
        Panel("amplitude index q", table["amplitude"], logarithmic=True),
        Panel("weight, dB under full scale", 20 * np.log10(np.maximum(units["weight"], 1e-9))),
        Panel("phase, radians", units["phase"]),
    ]


def _noise_panels(table: Table, header: StreamHeader) -> list[Panel]:
    units = NOISE.physical(table, header)
    return [
        Panel("time, s", units["time"]),
        Panel("frequency, kHz", units["frequency"] / 1000),
        Panel("scale a", table["scale"], np.arange(NOISE_SCALES + 1) - 0.5),
        Panel("width c", table["width"], np.arange(NOISE_WIDTHS + 1) - 0.5),
        Panel("spread of frequency, kHz", units["spread_frequency"] / 1000),
        Panel("weight, dB of level", units["weight"]),
    ]


def _pan_panel(pan: npt.NDArray[np.float64]) -> Panel:
    return Panel("pan, left to right", pan, np.linspace(-1, 1, 41))


def _tone_side_panels(table: Table, pan: npt.NDArray[np.float64]) -> list[Panel]:
    has_side = table["side_amplitude"] > 0
    turns = phase_turns(table["side_amplitude"], table["side_phase"]) - phase_turns(table["amplitude"], table["phase"])
    return [
        _pan_panel(pan),
        Panel("amplitude index of the side", table["side_amplitude"], logarithmic=True),
        Panel("phase from mid to side, radians", 2 * np.pi * (turns[has_side] % 1)),
    ]


def _noise_side_panels(table: Table, pan: npt.NDArray[np.float64]) -> list[Panel]:
    return [
        _pan_panel(pan),
        Panel("weight in the side's own level, 3 dB", table["side_weight"]),
        Panel("weight in the pan, 1/16", table["pan_weight"]),
    ]
