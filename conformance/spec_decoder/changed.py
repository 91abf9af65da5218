"""SPEC 9, Changed playback: gain, muting and pitch. (Tempo and output rate, 9.5, are left to other decoders.)"""

from __future__ import annotations

from .integers import log, saturate16, wrap32
from .noise import (
    TOP_LEVEL,
    Frame,
    Noise,
    band_bins,
    band_levels,
    bin_levels,
    draw,
    frame_of,
)
from .playback import Decoder
from .residual import CodedFrame, Layout, fine_step
from .tables import BARK_HZ
from .tone import Tone

AS_ENCODED = 16384  # of P
GAIN_ONE = 8192
TONE, NOISE, RESIDUAL = "tone", "noise", "residual"


class ChangedDecoder(Decoder):
    """A decoder that plays otherwise than encoded, where it is told to."""

    def __init__(self, data: bytes) -> None:
        self.pitch = AS_ENCODED
        self.muted: frozenset[str] = frozenset()
        self.muted_band = (0, 0)
        self._gain, self._step, self._goal, self._fading = GAIN_ONE << 16, 0, GAIN_ONE << 16, 0
        super().__init__(data)

    # 9.1 Settings

    def set_pitch(self, pitch: int) -> None:
        if not 8192 <= pitch <= 32768:
            raise ValueError(f"pitch {pitch} is not 8192..32768")
        self.pitch = pitch

    def set_mute(self, kinds: set[str], low: int = 0, high: int = 0) -> None:
        if kinds - {TONE, NOISE, RESIDUAL} or not 0 <= low <= high <= 65535:
            raise ValueError("kinds are tone, noise and residual; a band is 0 <= low <= high <= 65535")
        self.muted, self.muted_band = frozenset(kinds), (low, high)

    # 9.2 Gain

    def set_gain(self, gain: int, fade: int = 0) -> None:
        """A gain in 1/8192, reached in so many samples."""
        if not (0 <= gain <= 32767 and 0 <= fade < 1 << 31):
            raise ValueError("a gain is 0..32767, a fade 0..2^31-1 samples")
        self._goal, self._fading = gain << 16, fade
        if fade == 0:
            self._gain = self._goal
        else:
            way = self._goal - self._gain
            self._step = abs(way) // fade * (-1 if way < 0 else 1)

    def mixed(self, w: list[int], noise: list[int]) -> list[int]:
        out = []
        for tones, of_noise in zip(w, noise, strict=True):
            x = (wrap32(tones + 2) >> 2) + of_noise
            out.append(saturate16((min(max(x, -65536), 65535) * (self._gain >> 16) + 4096) >> 13))
            if self._fading:
                self._fading -= 1
                self._gain = self._gain + self._step if self._fading else self._goal
        return out

    # 9.3 Muting

    def _is_muted(self, y: int) -> bool:
        """Whether a frequency in phase steps a sample lies in the muted band."""
        low, high = (min(65535, hz * 65536 // self.header.sample_rate) for hz in self.muted_band)
        return low <= y < high

    def audible(self, tones: list[Tone]) -> list[Tone]:
        if TONE in self.muted:
            return []
        return [tone for tone in tones if tone.step != BEYOND and not self._is_muted(_frequency(tone))]

    def _mute_bins(self, spectrum: list[int], v: list[int] | None) -> None:
        n = self.header.noise_frame_log2
        for b in range(len(spectrum)):
            has_coefficient = v is not None and v[b] != 0
            if self._is_muted(((2 * b + 1) << 14) >> n) or (NOISE in self.muted and not has_coefficient):
                spectrum[b] = 0

    def noise_frame(self, f: int) -> Frame:
        return self._drawn_frame(f, None, None)

    def coded_frame(self, coded: CodedFrame, layout: Layout) -> Frame:
        if self.pitch != AS_ENCODED or RESIDUAL in self.muted:
            return self._drawn_frame(coded.f, coded.fine, layout)
        spectrum, exponent = coded.spectrum(self.header, layout, self.noises)
        self._mute_bins(spectrum, coded.v)
        return frame_of(spectrum, exponent, self.header.noise_frame_log2)

    # 9.4 Pitch: tones

    def on_gaussian(self, gaussian: Tone | Noise) -> None:
        if isinstance(gaussian, Tone) and self.pitch != AS_ENCODED:
            self._link(gaussian)
            self._place(gaussian)

    def _link(self, i: Tone) -> None:
        """Rotation and deviation of a tone, by the tones that are held."""
        if i.height == 0 or i.support * 250 <= 3 * self.header.sample_rate:
            return
        numerator, denominator = 0, 80
        best: tuple[int, int, int, int, int] | None = None
        link: Tone | None = None
        for j in self.tones:
            if j.height == 0:
                continue
            away = abs(i.inc - j.inc)
            reach = (5 * ((2048 >> i.scale) + (2048 >> j.scale))) >> 1
            apart, both = _twice_centre(i) - _twice_centre(j), i.support + j.support
            if away >= reach or abs(apart) >= both:
                continue
            near = log(reach - away) - log(reach)
            score = _weight(j) + near + log(both - abs(apart)) - log(both)
            rank = (score, _twice_centre(j), j.inc, j.rotation, j.deviation)
            if best is None or rank > best:
                best, link = rank, j
            d = (8 * apart) >> (i.scale + 5)
            share = 2 * min(_weight(j) - _weight(i), 256) + near + 1024
            frequency = 16 * j.inc + j.deviation
            e = ((i.turn - j.turn - ((frequency * apart) >> 5) + 32768) & 0xFFFF) - 32768
            if share >= 0 and 0 < abs(d) <= 32 and away <= 4096 >> i.scale and abs(e) <= 24576:
                told = d * d * (frequency - 16 * i.inc) + ((8 * d * e) >> i.scale)
                numerator = wrap32(numerator + (told << (share >> 8)))
                denominator = wrap32(denominator + ((d * d) << (share >> 8)))
        if denominator > 0:
            size = min(abs(numerator) // denominator, 32768 >> i.scale)
            i.deviation = -size if numerator < 0 else size
        if link is None or best is None or best[0] <= _weight(i) - 1295:
            return
        change = self.pitch - AS_ENCODED
        turn = 2 * change * (i.inc + link.inc) + ((change * (i.deviation + link.deviation)) >> 3)
        apart = _twice_centre(i) - _twice_centre(link)
        i.rotation = (((link.rotation << 16) + turn * (apart >> 1) + 32768) >> 16) & 0xFFFF

    def _place(self, tone: Tone) -> None:
        """The octave and the phase step at which a tone is rendered."""
        change = self.pitch - AS_ENCODED
        f = max(0, 16 * tone.inc + ((change * tone.inc) >> 10) + ((change * tone.deviation) >> 14))
        octaves = [o for o in (1, 2, 3) if o + 2 <= tone.scale and ((f << o) + 8) >> 4 <= 19200]
        tone.octave = max(octaves, default=0)
        tone.step = BEYOND if f >= 1 << 19 else ((f << tone.octave) + 8) >> 4

    # 9.4 Pitch: noise and residual

    def _bins(self, bands: int) -> list[int]:
        """k'_i of the bands that count, at most so many."""
        h = self.header
        bins = [((hz * self.pitch) >> 14) * 2 * h.frame // h.sample_rate for hz in BARK_HZ]
        return [k for k in bins if k < h.frame][:bands]

    def _drawn_frame(self, f: int, fine: dict[int, int] | None, layout: Layout | None) -> Frame:
        """A frame of noise at a pitch; with the fine levels of the frame that a slot codes."""
        h = self.header
        n = h.noise_frame_log2
        bins = self._bins(len(band_bins(h)))
        lowered = (log(self.pitch) - 14 * 256) >> 1
        level = [_limited(x - lowered) for x in band_levels(h, self.noises, f, len(bins))]
        lines, top = bin_levels(level, bins, h.frame), max(level)
        if fine is not None and layout is not None:
            top = _limited(top + fine_step(h) * max(0, *fine.values()))
            self._add_fine(lines, bins, fine)
        spectrum = draw(lines, top >> 8, f, n)
        for b in range((h.frame * self.pitch) >> 14, h.frame):
            spectrum[b] = 0
        self._mute_bins(spectrum, None)
        return frame_of(spectrum, top >> 8, n)

    def _add_fine(self, lines: list[int], bins: list[int], fine: dict[int, int]) -> None:
        for cell in Layout(self.header, bins).cells:
            c = cell.number
            steps = fine[c] if c in fine else fine.get(c ^ 1, 0)
            for b in range(cell.start, cell.stop):
                lines[b] = _limited(lines[b] + fine_step(self.header) * steps)


BEYOND = 1 << 19
"""As a tone's phase step: it is not rendered."""


def _limited(level: int) -> int:
    return min(max(level, 0), TOP_LEVEL)


def _frequency(tone: Tone) -> int:
    """In phase steps a sample, as the tone is played."""
    return tone.inc if tone.step is None else tone.step >> tone.octave


def _twice_centre(tone: Tone) -> int:
    """C"""
    return 2 * tone.onset + tone.support


def _weight(tone: Tone) -> int:
    """W"""
    return log(tone.height) + 128 * tone.scale
