"""SPEC 5, Noise: a wider Gaussian without a phase, which raises or lowers a noise floor."""

from __future__ import annotations

from dataclasses import dataclass

from .container import Header
from .integers import saturate16
from .range_coder import RangeDecoder
from .slots import Contexts, read_onset
from .tables import BARK_HZ, COS, ENV, GAIN

TOP_LEVEL = 14 * 256 - 1
TONES_CONTEXTS = 8 * 89


# 5.1 Fields


@dataclass
class Noise:
    """A noise as the stream says it."""

    scale: int  # a
    onset: int
    width: int  # c: it covers 3 << c Bark
    place: int
    weight: int
    frame: int  # N
    segment: int = 0

    @property
    def end(self) -> int:
        return self.onset + (4 * self.frame << self.scale)

    def frames_since(self, f: int) -> int:
        """u of 5.3."""
        return f - self.onset // self.frame

    def lasts_in(self, f: int) -> bool:
        return 0 < self.frames_since(f) < 4 << self.scale


# 5.2 Syntax


class Noises:
    """The contexts of the noises of a segment."""

    scales = 6

    def __init__(self, header: Header, contexts: Contexts) -> None:
        self._header = header
        contexts.skip_to(TONES_CONTEXTS)
        self.more, self._width = [], []
        for _ in range(self.scales):
            self.more.append(contexts.rows(5, 4))
            self._width.append(contexts.row(3))
        self._place = [contexts.row(count) for count in (31, 15, 7, 3)]
        self._sign = contexts.row(4)
        self._weight = [(contexts.row(5), contexts.row(5)) for _ in range(4)]

    def support(self, j: int) -> int:
        return 4 * self._header.frame << j

    def longest(self, j: int) -> int:
        return self.support(j)

    def begin(self) -> None:
        """Nothing goes from one noise to the next."""

    def read(self, coder: RangeDecoder, j: int, i: int, slot_start: int) -> Noise:
        c = coder.tree(self._width[j], 2)
        place = coder.tree(self._place[c], 5 - c)
        onset = read_onset(coder, slot_start, self._header.slot, self._header.frame << j)
        minus = coder.decode(self._sign[c])
        weight = coder.gamma(*self._weight[c], top=5)
        return Noise(j, onset, c, place, -weight if minus else weight, self._header.frame)


# 5.3 Dequantise


def band_bins(header: Header) -> list[int]:
    """k_i of the bands that count."""
    bins = [hz * 2 * header.frame // header.sample_rate for hz in BARK_HZ]
    return [k for k in bins if k < header.frame]


def contribution(noise: Noise, f: int, i: int) -> int:
    """What a noise that lasts in frame f adds to the level of band i."""
    a, c, u = noise.scale, noise.width, noise.frames_since(f)
    r, j = (u << 3) & ((1 << a) - 1), (u << 3) >> a
    et = ENV[j] + (((ENV[j + 1] - ENV[j]) * r) >> a)
    d = 8 * i + 4 - (2 * noise.place - 3) * (3 << c)
    if not 0 < d < 24 << c:
        return 0
    x = (d * 341) >> c
    j = x >> 8
    eb = ENV[j] + (((ENV[j + 1] - ENV[j]) * (x & 255)) >> 8)
    return (((noise.weight * et) >> 7) * eb) >> 16


def band_levels(header: Header, noises: list[Noise], f: int, bands: int) -> list[int]:
    """level[i] of frame f, limited."""
    lasting = [noise for noise in noises if noise.lasts_in(f)]
    sums = [128 * header.noise_base + sum(contribution(noise, f, i) for noise in lasting) for i in range(bands)]
    return [min(max(level, 0), TOP_LEVEL) for level in sums]


# 5.4 Render


@dataclass
class Frame:
    """A frame of noise after the transform."""

    exponent: int
    z: list[tuple[int, int]]


def join_bands_in_one_bin(level: list[int], bins: list[int]) -> list[int]:
    """Of bands in one bin the highest counts for the line that begins there."""
    joined = list(level)
    for i in range(len(bins) - 1):
        if bins[i] == bins[i + 1]:
            joined[i + 1] = max(joined[i], joined[i + 1])
    return joined


def bin_levels(level: list[int], bins: list[int], frame: int) -> list[int]:
    """line >> 8 of each bin: straight lines between the bands."""
    level = join_bands_in_one_bin(level, bins)
    lines = [level[0]] * bins[0]
    for i in range(len(bins) - 1):
        if bins[i] == bins[i + 1]:
            continue
        line = level[i] << 8
        slope = ((level[i + 1] - level[i]) * (65536 // (bins[i + 1] - bins[i]))) >> 8
        for _ in range(bins[i], bins[i + 1]):
            lines.append(line >> 8)
            line += slope
    return lines + [level[-1]] * (frame - bins[-1])


def raised_by(exponent: int, n: int) -> int:
    return 256 * (15 - exponent + (1 if n % 2 == 0 else 0))


def gain(level: int) -> int:
    """8192 * 2^(level / 256), nearly; what it is shifted by afterwards is the caller's."""
    return GAIN[(level >> 3) & 31] << (level >> 8)


def signs(f: int, count: int) -> list[bool]:
    """Whether each bin of frame f is negative."""
    s = ((f + 1) * 0x9E3779B9) & 0xFFFFFFFF
    s ^= s >> 16
    s = (s * 0x85EBCA6B) & 0xFFFFFFFF
    s ^= s >> 13
    minus = []
    for _ in range(count // 2):
        s = (s * 1664525 + 1013904223) & 0xFFFFFFFF
        minus += [bool(s >> 31 & 1), bool(s >> 30 & 1)]
    return minus


def drawn(amp: int, minus: bool) -> int:
    return -1 - amp if minus else amp


def frame_of(spectrum: list[int], exponent: int, n: int) -> Frame:
    """A frame from its X; in exponent 0 it is silent."""
    if exponent == 0:
        return Frame(0, [(0, 0)] * (1 << (n - 1)))
    return Frame(exponent, transform(spectrum, n))


def noise_frame(header: Header, noises: list[Noise], f: int) -> Frame:
    """Frame f as the noises that last in it make it."""
    n, bins = header.noise_frame_log2, band_bins(header)
    level = band_levels(header, noises, f, len(bins))
    exponent = max(level) >> 8
    return frame_of(draw(bin_levels(level, bins, header.frame), exponent, f, n), exponent, n)


def draw(lines: list[int], exponent: int, f: int, n: int) -> list[int]:
    """X of frame f from the level of each bin."""
    raised = raised_by(exponent, n)
    minus = signs(f, len(lines))
    return [drawn(gain(line + raised) >> 15, sign) for line, sign in zip(lines, minus, strict=True)]


def twiddle(z: tuple[int, int], p: int) -> tuple[int, int]:
    re, im = z
    c, s = COS[(p & 0xFFFF) >> 6], COS[((p - 16384) & 0xFFFF) >> 6]
    return re * c + im * s, im * c - re * s


def quarter(z: tuple[int, int], p: int) -> tuple[int, int]:
    re, im = twiddle(z, p)
    return re >> 16, im >> 16


def transform(spectrum: list[int], n: int) -> list[tuple[int, int]]:
    """z of a spectrum X."""
    frame, half = 1 << n, 1 << (n - 1)
    folded = [quarter((spectrum[2 * k], spectrum[frame - 1 - 2 * k]), k << (15 - n)) for k in range(half)]
    z = [folded[int(f"{k:0{n - 1}b}"[::-1], 2)] for k in range(half)]
    span = 1
    if n % 2 == 0:
        for j in range(0, half, 2):
            (ar, ai), (br, bi) = z[j], z[j + 1]
            z[j], z[j + 1] = (ar + br, ai + bi), (ar - br, ai - bi)
        span = 2
    while span < half:
        for j in range(half):
            if (j // span) % 4 == 0:
                _butterfly4(z, j, j % span, span)
        span *= 4
    return z


def _butterfly4(z: list[tuple[int, int]], j: int, k: int, span: int) -> None:
    a, b, c, d = z[j], z[j + 2 * span], z[j + span], z[j + 3 * span]
    if span > 1:
        w = k * 16384 // span
        a, b, c, d = quarter(a, 0), quarter(b, w), quarter(c, 2 * w), quarter(d, 3 * w)
    (ar, ai), (br, bi), (cr, ci), (dr, di) = a, b, c, d
    z[j] = (ar + br + cr + dr, ai + bi + ci + di)
    z[j + span] = (ar + bi - cr - di, ai - br - ci + dr)  # a - ib - c + id
    z[j + 2 * span] = (ar - br + cr - dr, ai - bi + ci - di)
    z[j + 3 * span] = (ar - bi - cr + di, ai + br - ci - dr)  # a + ib - c - id


def noise_block(header: Header, before: Frame, after: Frame) -> list[int]:
    """The N samples between the middles of two frames."""
    n, size = header.noise_frame_log2, header.frame
    top = max(before.exponent, after.exponent)
    shift = 24 + header.noise_shift - (n >> 1) - top
    d, up = min(31, max(14, shift)), max(0, 14 - shift)
    samples = [0] * size
    for j in range(size // 2):
        i = ((2 * j + 1) << 7) >> n
        fall, rise = COS[i], -COS[i + 256]
        if j % 2 == 0:
            k, p = j // 2, (640 + i) << 6
            new, old = twiddle(after.z[k], p)[0], twiddle(before.z[k], p)[1]
        else:
            k, p = size // 2 - (j + 1) // 2, (128 - i) << 6
            new, old = twiddle(after.z[k], p)[1], twiddle(before.z[k], p)[0]
        new >>= 14 + top - after.exponent
        old = (old >> 14) >> (top - before.exponent)
        x = (-new * rise - old * fall + (1 << (d - 1))) >> d
        y = (new * fall - old * rise + (1 << (d - 1))) >> d
        samples[j] = saturate16(x << up)
        samples[size - 1 - j] = saturate16(y << up)
    return samples


# 5.5 Cost


def cost(header: Header, noises: list[Noise], f: int) -> int:
    """MACs of frame f."""
    size = header.frame
    return size * (header.noise_frame_log2 + 5) + 2 * 25 + levels_cost(noises, f)


def levels_cost(noises: list[Noise], f: int) -> int:
    return sum(3 + 2 * (3 << noise.width) for noise in noises if noise.lasts_in(f))
