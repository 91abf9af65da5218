"""Draws gaussians.png, the picture of README, from demo/speech.flac: python docs/start/make_picture.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from matplotlib.collections import EllipseCollection
from PIL import Image

import audio_gs
from audio_gs.gaussians import physical
from audio_gs.picture import FLOOR_DB, new_figure, spectrogram_db

HERE = Path(__file__).parent
CLIP = HERE.parents[1] / "demo" / "speech.flac"
KBIT_S = 6
SECONDS = (1.25, 2.7)
TOP_KHZ = 4
COLOURS = {"tone": (1.0, 0.72, 0.3), "noise": (0.45, 0.75, 1.0)}
INCHES, DPI, PALETTE = (9.6, 3.2), 100, 96


def opacity(kind: str, weight: np.ndarray) -> np.ndarray:
    """How visible each Gaussian is: a tone by its amplitude over 55 dB, a noise by what it adds up to 60 dB."""
    if kind == "tone":
        return np.clip(1 + 20 * np.log10(weight / weight.max()) / 55, 0.12, 1)
    return np.clip(weight / 60, 0, 0.3)


def main() -> None:
    samples, rate = soundfile.read(CLIP)
    data = audio_gs.encode(samples, rate, bitrate=KBIT_S, preset="speech")
    decoded = audio_gs.decode(data)[0] / 32768
    header, _ = audio_gs.parse_header(data)
    figure = new_figure(INCHES)
    original, middle, last = figure.subplots(1, 3, sharex=True, sharey=True)
    for axes, sound in ((original, samples), (last, decoded)):
        power, step = spectrogram_db(sound, rate)
        extent = (-step / 2, (len(power) - 0.5) * step, 0, rate / 2000)
        axes.imshow(power.T, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=FLOOR_DB, vmax=-10)
    middle.set_facecolor("black")
    for kind, units in physical(audio_gs.read_gaussians(data), header).items():
        visible = opacity(kind, units["weight"])
        colours = np.column_stack([np.tile(COLOURS[kind], (len(units), 1)), visible])
        ellipses = EllipseCollection(
            2 * units["spread_time"],
            2 * units["spread_frequency"] / 1000,
            np.zeros(len(units)),
            units="xy",
            offsets=np.column_stack([units["time"], units["frequency"] / 1000]),
            transOffset=middle.transData,
            facecolors=colours * (1, 1, 1, 0.35),
            edgecolors=colours,
            linewidths=0.7,
        )
        middle.add_collection(ellipses)
    titles = ("original", f"its Gaussians, {len(data) / 1000:.1f} KB for {len(samples) / rate:.1f} s", "decoded")
    for axes, title in zip((original, middle, last), titles, strict=True):
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("time, s", fontsize=9)
        axes.tick_params(labelsize=8)
    original.set_ylabel("frequency, kHz", fontsize=9)
    original.set_xlim(*SECONDS)
    original.set_ylim(0, TOP_KHZ)
    path = HERE / "gaussians.png"
    figure.savefig(path, dpi=DPI)
    Image.open(path).convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
