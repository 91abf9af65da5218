"""SPEC, Tables: each by its formula. PRIOR alone is data, trained, and read from a file."""

import json
import math
from pathlib import Path

PRIORS_FILE = Path(__file__).resolve().parents[2] / "audio_gs" / "codec" / "priors.json"
TABLE_SETS = ("speech", "music", "sfx")


def _nearest(x: float) -> int:
    """x rounded; no table has an entry that lies half way between two integers."""
    return math.floor(x + 0.5)


def _envelope(i: int) -> int:
    x, c = 2.5 * (i - 16) / 16, math.exp(-(2.5**2) / 2)
    return _nearest(32767 * (math.exp(-(x**2) / 2) - c) / (1 - c))


def _bessel(x: float) -> float:
    """I0, the modified Bessel function of the first kind, by its power series."""
    return sum((x / 2) ** (2 * n) / math.factorial(n) ** 2 for n in range(40))


def _half_band() -> list[int]:
    places = [i + 0.5 for i in range(4)]
    wave = [math.sin(math.pi * x) / (math.pi * x) * _bessel(5.25 * math.sqrt(1 - x**2 / 16)) for x in places]
    rest = [_nearest(4096 * w / (2 * sum(wave))) for w in wave[1:]]
    return [2048 - sum(rest), *rest]


def _share(i: int) -> int:
    """How much of its energy a tone of 2^(i - 4) N samples has in a frame in whose middle it lies."""
    length, points, total = 2.0 ** (i - 4), 3200, 0.0  # in units of N; the frame is 2 of them long
    for n in range(points):
        t = ((n + 0.5) / points - 0.5) * min(length, 2)  # from the middle of both
        piece, part = divmod((t / length + 0.5) * 32, 1)
        e = ENV[int(piece)] + (ENV[int(piece) + 1] - ENV[int(piece)]) * part
        total += (e / 32767 * math.cos(math.pi * t / 2)) ** 2
    mean = total / points * min(length, 2) / 2
    return _nearest(128 * math.log2(2 * mean))


def _curvature(i: int) -> int:
    r = 2.0 ** (i - 4)
    return _nearest(max(1, r**2) / (math.log(2) * (0.0179 * r**2 + 0.13)))


def _cut(i: int) -> int:
    """By how many 1/32 octaves a normal variable is smaller that is known to lie within t of 0."""
    t = 0.85 * 2 ** (2 - (i + 0.5) / 2)
    density, inside = math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi), math.erf(t / math.sqrt(2))
    return _nearest(-32 * math.log2(math.sqrt(1 - 2 * t * density / inside)))


ENV = [_envelope(i) for i in range(33)]
COS = [_nearest(16384 * math.cos(2 * math.pi * i / 1024)) for i in range(1024)]
HALF_BAND = _half_band()
BARK_HZ = [_nearest(1960 * (i + 0.5 + 0.53) / (26.28 - (i + 0.5))) for i in range(25)]
GAIN = [_nearest(8192 * 2 ** (i / 32)) for i in range(32)]
SHIFT = [math.ceil(math.log2(i + 1.5)) for i in range(16)]
START_COUNT = [0, 3, 6, 10]
PHASE_LIMITS = [math.ceil(2.5 * 2**i) for i in range(7)]
SHARE = [_share(i) for i in range(15)]
CURVATURE = [_curvature(i) for i in range(15)]
SUM = [_nearest(128 * math.log2(1 + 2 ** (-(i + 0.5) / 2))) for i in range(10)]
CUT = [_cut(i) for i in range(16)]


def prior(table_set: int) -> list[int]:
    """PRIOR of a table set: a byte for each context, 89 for each of 8 scales of tones, then 238 for noise."""
    return list(json.loads(PRIORS_FILE.read_text(encoding="utf-8"))[TABLE_SETS[table_set]])
