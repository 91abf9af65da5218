"""Encode the clips of this folder, decode them, say what it cost, and draw them. Run by `make demo`."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import soundfile

import audio_gs
from audio_gs.picture import draw_clip

HERE = Path(__file__).parent
OUT = HERE / "out"
KBIT_S = {"speech": 6.0, "music": 12.0, "sfx": 12.0}
FULL_SCALE = 32768


def main() -> None:
    OUT.mkdir(exist_ok=True)
    print(
        f"{'clip':<8}{'s':>6}{'Hz':>7}{'bytes':>7}{'kbit/s':>8}{'ratio':>7}{'Gaussians':>11}{'SNR dB':>8}",
        end="",
    )
    print(f"{'MACs/sample mean':>18}{'peak':>6}{'decoder bytes':>15}{'encoded in':>12}")
    for name, kbit_s in KBIT_S.items():
        samples, sample_rate = soundfile.read(HERE / f"{name}.flac")
        began = time.perf_counter()
        data = audio_gs.encode(samples, sample_rate, bitrate=kbit_s, preset=name)
        seconds = time.perf_counter() - began
        pcm, _ = audio_gs.decode(data)
        decoded = pcm / FULL_SCALE
        snr_db = 10 * np.log10(np.sum(samples**2) / np.sum((samples - decoded) ** 2))

        (OUT / f"{name}.gs").write_bytes(data)
        soundfile.write(OUT / f"{name}.wav", pcm, sample_rate)
        info = audio_gs.info(data)
        count = sum(info.gaussians.values())
        title = f"{name}: {info.kbit_s:.2f} kbit/s, {count} Gaussians, SNR {snr_db:.1f} dB"
        draw_clip(OUT / f"{name}.png", samples, decoded, info.header, audio_gs.read_gaussians(data), title)

        macs = info.macs_per_sample
        ratio = 2 * len(samples) / len(data)
        print(f"{name:<8}{info.header.duration:>6.2f}{sample_rate:>7}{len(data):>7}{info.kbit_s:>8.2f}", end="")
        print(f"{ratio:>7.1f}{count:>11}{snr_db:>8.2f}{macs['mean']:>18.1f}{macs['peak']:>6.0f}", end="")
        print(f"{info.decoder_bytes:>15}{seconds:>10.1f} s")
    print("streams, decoded clips and spectrograms with their Gaussians: demo/out/")


if __name__ == "__main__":
    main()
