"""Pictures of clips and their Gaussians; matplotlib is imported when the first one is drawn."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import RESIDUAL, Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.residual import COEFFICIENT
from audio_gs.gaussians import pans

FLOOR_DB = -90.0
WINDOW_SECONDS = 0.032
HOPS_A_WINDOW = 8
LOWEST_TOP_HZ = 2000.0
STANDS_OUT_DB = 15.0
PICTURE_INCHES = (14.0, 10.0)
TONE_COLOUR = (0.4, 0.95, 1.0)
NOISE_COLOUR = (0.5, 1.0, 0.5)
LEFT_COLOUR, MIDDLE_COLOUR, RIGHT_COLOUR = (1.0, 0.3, 0.3), (0.95, 0.95, 0.95), (0.4, 0.6, 1.0)
COEFFICIENT_COLOUR, COEFFICIENT_OPACITY = (1.0, 0.6, 0.2), 0.6
NOISE_OPAQUE_DB = 60.0
TONE_RANGE_DB = 60.0
"""Below the strongest tone, where the others become faint."""


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
    """Write a PNG: the original's spectrogram, below it the decoded clip's, and below that the Gaussians.

    Samples have full scale -1..1 and shape (n,) or (n, channels); left and right have a spectrogram each. Each
    Gaussian is the ellipse of its spreads, one standard deviation in time and in frequency; the stronger it is, the
    more opaque, and of two channels the more to one side, the more it has that side's colour. Each coefficient of a
    residual layer is a point.
    """
    sounds = [*_by_channel(original, "original"), *_by_channel(decoded, "decoded")]
    wide, high = PICTURE_INCHES
    figure = new_figure((wide, high * (len(sounds) + 1) / 3))
    *above, below = figure.subplots(len(sounds) + 1, 1, sharex=True, sharey=True)
    rate = header.sample_rate
    tops = []
    for axes, (samples, name) in zip(above, sounds, strict=True):
        power, step = spectrogram_db(samples, rate)
        extent = (-step / 2, (len(power) - 0.5) * step, 0.0, rate / 2000)
        image = axes.imshow(power.T, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=FLOOR_DB, vmax=0)
        axes.set_title(name, loc="left")
        tops.append(_top_hz(power, rate))
    figure.colorbar(image, ax=above, label="dB under full scale", pad=0.01)
    _draw_gaussians(below, header, gaussians)
    for axes in (*above, below):
        axes.set_ylabel("frequency, kHz")
    below.set_xlabel("time, s")
    below.set_xlim(0, header.duration)
    below.set_ylim(0, max(tops) / 1000)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)


def _by_channel(samples: npt.NDArray[np.floating], name: str) -> list[tuple[npt.NDArray[np.floating], str]]:
    """Each channel with its name."""
    if samples.ndim == 1 or samples.shape[1] == 1:
        return [(samples.reshape(-1), name)]
    return [(samples[:, channel], f"{name}, {side}") for channel, side in enumerate(("left", "right"))]


def _draw_gaussians(axes: Any, header: StreamHeader, gaussians: Gaussians) -> None:
    tones, noises = TONE.physical(gaussians["tone"], header), NOISE.physical(gaussians["noise"], header)
    axes.set_facecolor("black")
    tone_colours, noise_colours = np.tile(TONE_COLOUR, (len(tones), 1)), np.tile(NOISE_COLOUR, (len(noises), 1))
    title, noise_lines = f"{len(tones)} tones (blue), {len(noises)} noises (green)", "solid"
    if header.channels == 2:
        pan = pans(gaussians, header)
        tone_colours = colours_of_pans(pan["tone"])
        noise_colours = colours_of_pans(pan.get("noise", np.zeros(len(noises))))
        title, noise_lines = (
            f"{len(tones)} tones, {len(noises)} noises (dashed); left red, middle white, right blue",
            ":",
        )
    if header.residual and header.noise:
        table = gaussians[RESIDUAL]
        points = table[table["layer"] == COEFFICIENT]
        hop, bins = header.noise.frame_samples / header.sample_rate, 2 * header.noise.frame_samples
        khz = (points["place"] + 0.5) * header.sample_rate / bins / 1000
        axes.plot(points["frame"] * hop, khz, ",", color=COEFFICIENT_COLOUR, alpha=COEFFICIENT_OPACITY)
        title += f", {len(points)} coefficients (orange)"
    axes.set_title(title, loc="left")
    if len(noises):
        opacity = np.clip(np.abs(noises["weight"]) / NOISE_OPAQUE_DB, 0.15, 0.8)
        axes.add_collection(_ellipses(axes, noises, noise_colours, opacity, noise_lines))
    if len(tones):
        weight = np.maximum(tones["weight"], 1e-12)
        opacity = np.clip(1 + 20 * np.log10(weight / weight.max()) / TONE_RANGE_DB, 0.08, 1.0)
        axes.add_collection(_ellipses(axes, tones, tone_colours, opacity))


def _top_hz(power_db: npt.NDArray[np.float64], sample_rate: int) -> float:
    """Where the picture of a spectrogram, shape (frames, bins), may end: a tenth above what stands out of the floor."""
    (there,) = np.nonzero(power_db.max(axis=0) > FLOOR_DB + STANDS_OUT_DB)
    highest = 1.1 * float(there.max(initial=0)) * sample_rate / 2 / (power_db.shape[1] - 1)
    return min(sample_rate / 2, max(highest, LOWEST_TOP_HZ))


def colours_of_pans(pan: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Red, green and blue of places between left, -1, and right, 1, shape (n, 3)."""
    left, middle, right = np.array([LEFT_COLOUR, MIDDLE_COLOUR, RIGHT_COLOUR])
    side = np.where(pan[:, None] < 0, left, right)
    return np.asarray(middle + np.abs(pan)[:, None] * (side - middle))


def _ellipses(
    axes: Any, units: npt.NDArray[Any], colours: npt.NDArray[np.float64], opacity: Any, lines: str = "solid"
) -> Any:
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
        edgecolors=np.column_stack([colours, opacity]),
        linewidths=0.6,
        linestyles=lines,
    )
