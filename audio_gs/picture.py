"""Pictures of clips and their Gaussians; matplotlib is imported when the first one is drawn."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE

FLOOR_DB = -90.0
WINDOW_SECONDS = 0.032
HOPS_A_WINDOW = 8
LOWEST_TOP_HZ = 2000.0
PICTURE_INCHES = (14.0, 8.0)
TONE_COLOUR = (0.4, 0.95, 1.0)
NOISE_COLOUR = (0.5, 1.0, 0.5)
NOISE_OPAQUE_DB = 60.0


def spectrogram_db(samples: npt.NDArray[np.floating], sample_rate: int) -> tuple[npt.NDArray[np.float64], float]:
    """Power in dB under full scale, shape (frames, bins), and the seconds from frame to frame.

    Frame 0 is centred on sample 0. `samples` has full scale -1..1.
    """
    size = 1 << round(np.log2(WINDOW_SECONDS * sample_rate))
    hop = size // HOPS_A_WINDOW
    window = np.hanning(size + 1)[:-1]
    padded = np.concatenate([np.zeros(size // 2), samples, np.zeros(size)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    amplitude = np.abs(np.fft.rfft(frames * window, axis=1)) * (2 / window.sum())
    return 20 * np.log10(np.maximum(amplitude, 10 ** (FLOOR_DB / 20))), hop / sample_rate


def new_figure(inches: tuple[float, float]) -> Any:
    """An empty figure that can be saved without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def draw_clip(
    path: str | os.PathLike[str],
    original: npt.NDArray[np.floating],
    decoded: npt.NDArray[np.floating],
    header: StreamHeader,
    gaussians: Gaussians,
    title: str,
) -> None:
    """Write a PNG: the original's spectrogram with the Gaussians over it, above the decoded clip's.

    Samples have full scale -1..1. Each Gaussian is the ellipse of its spreads, one standard deviation in time
    and in frequency; the stronger it is, the more opaque. Noises are drawn over the decoded clip.
    """
    rate = header.sample_rate
    tones, noises = TONE.physical(gaussians["tone"], header), NOISE.physical(gaussians["noise"], header)
    figure = new_figure(PICTURE_INCHES)
    upper, lower = figure.subplots(2, 1, sharex=True, sharey=True)
    for axes, samples, name in (
        (upper, original, "original and tone Gaussians"),
        (lower, decoded, "decoded and noise Gaussians"),
    ):
        power, step = spectrogram_db(samples, rate)
        extent = (-step / 2, (len(power) - 0.5) * step, 0.0, rate / 2000)
        image = axes.imshow(power.T, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=FLOOR_DB, vmax=0)
        axes.set_ylabel("frequency, kHz")
        axes.set_title(name)
        figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    top_khz = rate / 2000
    if len(tones):
        highest = float(np.max(tones["frequency"] + 3 * tones["spread_frequency"]))
        top_khz = min(top_khz, max(highest, LOWEST_TOP_HZ) / 1000)
        weight = np.maximum(tones["weight"], 1e-12)
        opacity = np.clip(1 + 20 * np.log10(weight / weight.max()) / 60, 0.08, 1.0)
        upper.add_collection(_ellipses(upper, tones, TONE_COLOUR, opacity))
    if len(noises):
        opacity = np.clip(np.abs(noises["weight"]) / NOISE_OPAQUE_DB, 0.08, 0.8)
        lower.add_collection(_ellipses(lower, noises, NOISE_COLOUR, opacity))
        top_khz = rate / 2000
    lower.set_xlabel("time, s")
    lower.set_xlim(0, header.duration)
    lower.set_ylim(0, top_khz)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)


def _ellipses(axes: Any, units: npt.NDArray[Any], colour: tuple[float, float, float], opacity: Any) -> Any:
    """One ellipse for each Gaussian, on axes in seconds and kilohertz."""
    from matplotlib.collections import EllipseCollection

    return EllipseCollection(
        2 * units["spread_time"],
        2 * units["spread_frequency"] / 1000,
        np.zeros(len(units)),
        units="xy",
        offsets=np.column_stack([units["time"], units["frequency"] / 1000]),
        transOffset=axes.transData,
        facecolors="none",
        edgecolors=np.column_stack([np.tile(colour, (len(units), 1)), opacity]),
        linewidths=0.6,
    )
