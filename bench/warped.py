"""How far clips played at another pitch or tempo are from what they should be.

    python -m audio_gs.bench.warped CLIP..

Each clip is encoded, decoded at each pitch and tempo, and compared with the original and with the decoded clip, whose
spectra are warped instead of their samples, so that nothing else's artefacts count. The metrics are those of the
figures in docs/DESIGN.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audio_gs import api, audio_io

Samples = npt.NDArray[np.float64]

PITCHES = (0.7, 0.84, 1.19, 1.5)
LENGTHS = (0.67, 0.8, 1.25, 1.6)
"""By which tempos divide."""
SECONDS = 4.0
"""Of each clip."""
DEFAULTS = ("8", "auto")
"""Rate and preset of one that has none behind its name."""
_BANDS = 40
_WINDOW_S, _HOP_S = 0.032, 0.008
_EDGE_S = 0.02
"""At both ends, where windows would lie outside."""
_TOP_HZ = 8000.0
_FLOOR_DB = 60.0
_ENVELOPE_RATE = 500
_ENVELOPE_WINDOW = 128
_ROUGH_HZ = (20.0, 70.0)


def log_mel_distance(
    played: Samples, rate: int, reference: Samples, reference_rate: int, pitch: float, tempo: float
) -> float:
    """Mean distance in dB of the cells of two mel spectrograms, 40 bands up to 8 kHz and frames of 32 ms, that are less
    than 60 dB under the loudest; the reference's with its frames where the tempo puts them and its bands where the
    pitch does."""
    top = min(_TOP_HZ, 0.46 * rate, 0.46 * reference_rate * pitch, _TOP_HZ * pitch)
    edges = _hertz(np.linspace(_mel(60 * max(1.0, pitch)), _mel(top), _BANDS + 2))
    seconds = min(len(played) / rate, len(reference) / reference_rate / tempo)
    times = np.arange(_EDGE_S, seconds - _EDGE_S, _HOP_S)
    got = _mel_powers(played, rate, times, _WINDOW_S, edges)
    wanted = _mel_powers(reference, reference_rate, times * tempo, _WINDOW_S * pitch, edges / pitch)
    floor = 10 * np.log10(wanted.max()) - _FLOOR_DB
    levels = [np.maximum(10 * np.log10(powers + 1e-15), floor) for powers in (got, wanted)]
    audible = (levels[0] > floor) | (levels[1] > floor)
    return float(np.abs(levels[0] - levels[1])[audible].mean())


def _mel(hertz: float) -> float:
    return 2595 * float(np.log10(1 + hertz / 700))


def _hertz(mel: Samples) -> Samples:
    return 700 * (10 ** (mel / 2595) - 1)


def _mel_powers(samples: Samples, rate: int, times: Samples, window_s: float, edges: Samples) -> Samples:
    """Power density by the width of each of the triangular bands, shape (times, bands)."""
    size = int(window_s * rate) // 2 * 2
    window = np.hanning(size + 1)[:-1]
    padded = np.pad(samples, (size, size + 1))
    centres = np.clip(np.rint(times * rate).astype(np.int64), 0, len(samples) - 1) + size
    frames = padded[centres[:, None] + np.arange(-size // 2, size // 2)] * window
    bins = 1 << (2 * size - 1).bit_length()
    powers = np.abs(np.fft.rfft(frames, bins, axis=1)) ** 2 / (np.sum(window**2) * rate)
    hertz = np.arange(powers.shape[1]) * rate / bins
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = np.clip(np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)), 0, None)
    weights *= (high - low) / 100 / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(powers @ weights.T)


def roughness(samples: Samples, rate: int, pitch: float = 1.0, tempo: float = 1.0) -> float:
    """Power of the envelopes of subbands at 20 to 70 Hz by all of their power, in dB. The bands are those of a clip at
    another pitch; the envelopes are taken as if it were played at another tempo."""
    spectrum, hertz = np.fft.fft(samples), np.fft.fftfreq(len(samples), 1 / rate)
    smoothing = np.hanning(rate // 300 | 1)
    times = np.arange(0, len(samples) / rate / tempo, 1 / _ENVELOPE_RATE)
    window = np.hanning(_ENVELOPE_WINDOW)
    modulation = np.arange(_ENVELOPE_WINDOW // 2 + 1) * _ENVELOPE_RATE / _ENVELOPE_WINDOW
    rough = (modulation >= _ROUGH_HZ[0]) & (modulation <= _ROUGH_HZ[1])
    varying = whole = 0.0
    for centre, width in _subbands(rate, pitch):
        shape = 2 * np.exp(-0.5 * ((hertz - centre) / (width / 2.35)) ** 2) * (hertz > 0)
        envelope = np.convolve(np.abs(np.fft.ifft(spectrum * shape)), smoothing / smoothing.sum(), "same")
        envelope = np.interp(times * tempo, np.arange(len(envelope)) / rate, envelope)
        for start in range(0, len(envelope) - _ENVELOPE_WINDOW, _ENVELOPE_WINDOW // 2):
            part = envelope[start : start + _ENVELOPE_WINDOW]
            centred = (part - np.sum(part * window) / window.sum()) * window
            powers = 2 * np.abs(np.fft.rfft(centred)) ** 2 / np.sum(window**2) / _ENVELOPE_WINDOW
            varying += float(powers[rough].sum())
            whole += float(np.mean(part**2))
    return 10 * float(np.log10(varying / whole + 1e-9))


def _subbands(rate: int, pitch: float) -> Iterator[tuple[float, float]]:
    """Centre and width of each, in hertz."""
    centre = 200.0
    while centre < min(4500.0, 0.4 * rate / max(pitch, 1.0)):
        yield centre * pitch, max(160.0, 0.2 * centre) * pitch
        centre += max(120.0, 0.16 * centre)


def distances(original: Samples, rate: int, stream: bytes, pitch: float, tempo: float) -> tuple[float, float, float]:
    """Log-mel distance in dB to the warped original and to the warped decoded clip, and what roughness grows by, of a
    stream that is played at a pitch and a tempo."""
    played, played_rate = _decoded(stream, api.Playback(pitch=pitch, tempo=tempo))
    decoded, decoded_rate = _decoded(stream, api.AS_ENCODED)
    return (
        log_mel_distance(played, played_rate, original, rate, pitch, tempo),
        log_mel_distance(played, played_rate, decoded, decoded_rate, pitch, tempo),
        roughness(played, played_rate, pitch) - roughness(decoded, decoded_rate, tempo=tempo),
    )


def _decoded(stream: bytes, playback: api.Playback) -> tuple[Samples, int]:
    samples, rate = api.decode(stream, playback=playback)
    return samples / 32768.0, rate


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m audio_gs.bench.warped", description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", metavar="CLIP[:KBIT_S[:PRESET]]")
    parser.add_argument("--residual", action="store_true", help="with the residual layer where the encoder wants it")
    parser.add_argument("--effort", default="fast")
    options = parser.parse_args(arguments)
    config = None if options.residual else {"residual": False}
    columns = [("pitch", factor, 1.0) for factor in PITCHES] + [("tempo", 1.0, 1 / length) for length in LENGTHS]
    print("log-mel dB to the original / to the decoded clip / roughness in dB; the codec alone first")
    print(f"{'':24}{'codec':>7}", *(f"{f'{name} {p * t:.2f}':>19}" for name, p, t in columns))
    found = []
    for given in options.clips:
        name, kbit_s, preset = _parts(given)
        clip = audio_io.load(Path(name))
        samples = np.asarray(clip.samples[: round(SECONDS * clip.sample_rate)], np.float64)
        stream = api.encode(
            samples, clip.sample_rate, bitrate=float(kbit_s), preset=preset, effort=options.effort, config=config
        )
        decoded, rate = _decoded(stream, api.AS_ENCODED)
        alone = log_mel_distance(decoded, rate, samples, clip.sample_rate, 1.0, 1.0)
        row = [distances(samples, clip.sample_rate, stream, pitch, tempo) for _, pitch, tempo in columns]
        found.append(row)
        print(f"{Path(name).stem[:23]:24}{alone:7.2f}", *map(_cell, row), flush=True)
    means = np.mean(found, axis=0)
    print(f"{'mean':24}{'':7}", *map(_cell, means))
    for name, part in (("pitch", means[: len(PITCHES)]), ("tempo", means[len(PITCHES) :])):
        print(f"mean of {name}: {_cell(part.mean(axis=0)).strip()}")


def _parts(given: str) -> tuple[str, str, str]:
    name, _, stated = given.partition(":")
    kbit_s, _, preset = stated.partition(":")
    return name, kbit_s or DEFAULTS[0], preset or DEFAULTS[1]


def _cell(values: Sequence[float]) -> str:
    return f"{values[0]:6.2f} / {values[1]:4.2f} / {values[2]:+4.1f}"


if __name__ == "__main__":
    main()
