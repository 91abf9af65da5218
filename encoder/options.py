"""What may be asked of the encoder, with its defaults; and the presets, YAML files beside this module."""

from __future__ import annotations

import dataclasses
import math
from importlib import resources
from typing import Any

import yaml

from audio_gs.audio_io import MAX_RATE, MIN_RATE
from audio_gs.codec.kinds.tone import MAX_SCALE
from audio_gs.codec.tables import MAX_SCALES, SHORTEST_SUPPORT, TABLE_SETS
from audio_gs.errors import OptionsError

PRESETS = ("auto", *TABLE_SETS)
SAMPLE_RATES = ("auto", "keep")
EFFORTS = ("fast", "normal", "best")
INITIALISATIONS = ("pursuit", "peaks", "random", "uniform")
LOSSES = ("l1", "l2", "mrstft")
DEVICES = ("auto", "cpu", "cuda")
DEFAULT_QUALITY = 5.0


@dataclasses.dataclass(frozen=True)
class EncoderOptions:
    """Options of `encode_audio`, by the names that a configuration file uses.

    At most one of bitrate, gaussians and quality is given; none means quality 5.
    """

    bitrate: float | None = None
    """kbit/s of the whole file."""
    gaussians: float | None = None
    """Gaussians a second."""
    quality: float | None = None
    """0..10: how near to the clip for the ear, the same on every clip; the rate follows. At 5, speech takes about 6
    kbit/s."""
    preset: str = "auto"
    """auto: the one with which an excerpt comes out nearest for the ear."""
    sample_rate: int | str | None = None
    """Hz of the stream. keep: that of the clip; auto: a much lower one where nothing audible is lost. None: auto with
    the preset auto, else keep."""
    max_macs: int = 300
    """Ceiling on MACs a sample in every window of 20 ms."""
    max_tones: int | None = None
    """Ceiling on the tones that the decoder holds at a time, which sets its memory. None: the preset's."""
    effort: str = "normal"
    seek_every: float = 5.0
    """Seconds between seek points, 0 for none. A clip shorter than one and a half times that gets none either."""
    loop: tuple[int, int] | None = None
    """First sample of the loop and the one after its last."""
    device: str = "auto"
    log_dir: str | None = None
    """Folder for the log, pictures and checkpoints of the fit."""
    initialisation: str = "pursuit"
    """Where the Gaussians start: chosen by matching pursuit, at the peaks of the spectrogram, or independent of the
    signal at random or evenly spaced. All but pursuit need gradient steps to become a fit."""
    loss: str = "l2"
    """What the gradient steps lower: l1 or l2 of the waveform, or multi-resolution STFT."""
    refine_steps: int | None = None
    """Gradient steps of the joint refinement; None: by effort and initialisation."""
    learning_rate: float | None = None
    """Of time, frequency and spread; weight and phase have three times that. None: 0.002 from a pursuit, else 0.1."""
    adaptive_every: int = 0
    """Gradient steps after which Gaussians are added where the error is largest, 0 for never."""
    adaptive_share: float = 0.1
    """Share of the Gaussians that wait to be added that way, spread over the steps."""
    time_bits: int | None = None
    frequency_bits: int | None = None
    amplitude_bits: int | None = None
    phase_bits: int | None = None
    """Resolutions fixed by hand: positions in a support, bins of a scale, amplitude indices and phases are kept to
    2^bits values. None: as fine as the format has them."""
    price: float | None = None
    """lambda / step^2: what a bit costs, in squared amplitude steps. None: the preset's."""
    noise_gaussians: float | None = None
    """Noise Gaussians a second, 0 for none. None: by the preset and the rate."""
    noise_level: float = 0.0
    """dB by which noise is louder than the preset has it."""
    level_exponent: float | None = None
    """Compression of the signal's slowly varying level before the pursuit, 0 (none) to 1. None: the preset's."""
    shelf_db: float | None = None
    """Weight of frequencies above 2 kHz in the choice of tones, in dB. None: the preset's."""
    checkpoint_every: int = 0
    """Gradient steps between checkpoints in log_dir, 0 for none."""
    resume: str | None = None
    """Checkpoint to go on from."""
    seed: int = 0
    """Of the random initialisation."""

    def __post_init__(self) -> None:
        self._check_choice("preset", PRESETS)
        if isinstance(self.sample_rate, str):
            self._check_choice("sample_rate", SAMPLE_RATES)
        elif self.sample_rate is not None:
            self._check_range("sample_rate", MIN_RATE, MAX_RATE)
            if self.sample_rate != int(self.sample_rate):
                raise OptionsError(f"sample_rate {self.sample_rate} is not a whole number")
        self._check_choice("effort", EFFORTS)
        self._check_choice("initialisation", INITIALISATIONS)
        self._check_choice("loss", LOSSES)
        self._check_choice("device", DEVICES)
        self._check_range("bitrate", 0.1, 1000)
        self._check_range("gaussians", 0.1, 100000)
        self._check_range("quality", 0, 10)
        self._check_range("max_macs", 20, 100000)
        self._check_range("max_tones", 1, 4096)
        self._check_range("seek_every", 0, 3600)
        self._check_range("refine_steps", 0, 100000)
        self._check_range("learning_rate", 1e-6, 1)
        self._check_range("adaptive_every", 0, 100000)
        self._check_range("adaptive_share", 0, 0.9)
        self._check_range("checkpoint_every", 0, 100000)
        self._check_range("price", 1e-4, 10)
        self._check_range("level_exponent", 0, 1)
        self._check_range("shelf_db", -40, 40)
        self._check_range("noise_gaussians", 0, 2000)
        self._check_range("noise_level", -60, 20)
        self._check_range("seed", 0, 2**63 - 1)
        for name in ("time_bits", "frequency_bits", "amplitude_bits", "phase_bits"):
            self._check_range(name, 0, 16)
        if sum(value is not None for value in (self.bitrate, self.gaussians, self.quality)) > 1:
            raise OptionsError("bitrate, gaussians and quality exclude each other; give one")
        if self.checkpoint_every and self.log_dir is None:
            raise OptionsError("checkpoint_every needs log_dir, where the checkpoints go")

    def _check_choice(self, name: str, choices: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value not in choices:
            raise OptionsError(f"{name} {value!r} is not one of {', '.join(choices)}")

    def _check_range(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise OptionsError(f"{name} {value!r} is not a number")
        if not low <= value <= high:
            raise OptionsError(f"{name} {value} lies outside {low}..{high}")


@dataclasses.dataclass(frozen=True)
class Preset:
    """What depends on the kind of sound. Lengths in seconds."""

    table_set: str
    longest_support: float
    scales: int
    slot: float
    max_tones: int
    price: float
    level_exponent: float
    shelf_db: float
    noise_share: float
    """Share of a rate, or of a number of Gaussians, that noise gets."""
    noise_frame: float
    noise_level_low: float
    noise_level_high: float
    """dB, of the noise against what the tones leave out, at low and at high frequencies."""
    noise_level_alone: float
    """The same where there are no tones."""
    max_noises: int
    """Most noise Gaussians that the decoder holds at a time."""
    memory: int
    """Bytes of the decoder's state on a 32-bit core that streams keep to; long noise frames leave less for tones."""

    def layout(self, sample_rate: int) -> tuple[int, int, int]:
        """Smallest scale, number of scales and log2 of the slot's samples at a sample rate."""
        largest = round(math.log2(self.longest_support * sample_rate / SHORTEST_SUPPORT))
        largest = min(MAX_SCALE, max(0, largest))
        scales = min(self.scales, largest + 1, MAX_SCALES)
        return largest - scales + 1, scales, round(math.log2(self.slot * sample_rate))

    @property
    def table_set_index(self) -> int:
        return TABLE_SETS.index(self.table_set)


def load_preset(name: str) -> Preset:
    """The preset of a name other than auto."""
    text = (resources.files(__package__) / "presets" / f"{name}.yaml").read_text()
    values: dict[str, Any] = yaml.safe_load(text)
    return Preset(**values)
