"""What may be asked of the encoder, with its defaults; and the presets, YAML files beside this module."""

from __future__ import annotations

import dataclasses
import functools
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
NARROW_RATE = 8000
"""Hz of the sample rates up to which sound is narrow-band."""


@dataclasses.dataclass(frozen=True)
class OptionFacts:
    """What is to be known of an option beside its name, type and default."""

    summary: str
    """What it means, with units, in one sentence or two."""
    low: float | None = None
    high: float | None = None
    """The range of a number; None for what is no number."""
    choices: tuple[str, ...] = ()
    """The words that it may be; with a range, beside the numbers in it."""
    default: Any = None


_FACTS = "facts"


def _option(
    default: Any, summary: str, *, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = ()
) -> Any:
    """A field with its facts."""
    return dataclasses.field(default=default, metadata={_FACTS: OptionFacts(summary, low, high, choices, default)})


def _resolution(of: str) -> Any:
    """The field of a resolution fixed by hand."""
    return _option(None, f"{of} are kept to 2^bits values. None: as fine as the format has them.", low=0, high=16)


@dataclasses.dataclass(frozen=True)
class EncoderOptions:
    """Options of `encode_audio`, by the names that a configuration file uses; `option_facts` says what they mean.

    At most one of bitrate, gaussians and quality is given; none means quality 5.
    """

    bitrate: float | None = _option(None, "kbit/s of the whole stream.", low=0.1, high=1000)
    gaussians: float | None = _option(None, "Gaussians a second.", low=0.1, high=100000)
    quality: float | None = _option(
        None,
        "How near to the clip for the ear, the same on every clip; the rate follows. Speech at 5: about 6 kbit/s.",
        low=0,
        high=10,
    )
    preset: str = _option(
        "auto",
        "Kind of clip; auto: the one with which an excerpt comes out nearest for the ear.",
        choices=PRESETS,
    )
    mono: bool = _option(False, "Whether two channels are mixed down to one.")
    sample_rate: int | str | None = _option(
        None,
        "Hz of the stream. keep: that of the clip; auto: a much lower one where nothing audible is lost. "
        "None: auto with the preset auto, else keep.",
        low=MIN_RATE,
        high=MAX_RATE,
        choices=SAMPLE_RATES,
    )
    max_macs: int = _option(300, "Ceiling on MACs a sample in every window of 20 ms.", low=20, high=100000)
    max_tones: int | None = _option(
        None,
        "Ceiling on the tones that the decoder holds at a time, which sets its memory. None: the preset's.",
        low=1,
        high=4096,
    )
    max_memory: int | None = _option(
        None,
        "Ceiling on the bytes of the decoder's memory on a 32-bit core. None: the preset's.",
        low=1024,
        high=1 << 20,
    )
    effort: str = _option("normal", "Time spent on the fit.", choices=EFFORTS)
    seek_every: float = _option(
        5.0,
        "Seconds between seek points, 0 for none. A clip shorter than one and a half times that gets none either.",
        low=0,
        high=3600,
    )
    loop: tuple[int, int] | None = _option(None, "First sample of the loop and the one after its last: [START, END].")
    device: str = _option("auto", "Where gradient steps run.", choices=DEVICES)
    log_dir: str | None = _option(None, "Folder for the log, pictures and checkpoints of the fit.")
    initialisation: str = _option(
        "pursuit",
        "Where the Gaussians start: chosen by matching pursuit, at the peaks of the spectrogram, or independent of the "
        "signal at random or evenly spaced. All but pursuit need gradient steps to become a fit.",
        choices=INITIALISATIONS,
    )
    loss: str = _option(
        "l2", "What the gradient steps lower: l1 or l2 of the waveform, or multi-resolution STFT.", choices=LOSSES
    )
    refine_steps: int | None = _option(
        None, "Gradient steps of the joint refinement; None: by effort and initialisation.", low=0, high=100000
    )
    learning_rate: float | None = _option(
        None,
        "Of time, frequency and spread; weight and phase have three times that. None: 0.002 from a pursuit, else 0.1.",
        low=1e-6,
        high=1,
    )
    adaptive_every: int = _option(
        0,
        "Gradient steps after which Gaussians are added where the error is largest, 0 for never.",
        low=0,
        high=100000,
    )
    adaptive_share: float = _option(
        0.1, "Share of the Gaussians that wait to be added that way, spread over the steps.", low=0, high=0.9
    )
    time_bits: int | None = _resolution("Positions in a support")
    frequency_bits: int | None = _resolution("Bins of a scale")
    amplitude_bits: int | None = _resolution("Amplitude indices")
    phase_bits: int | None = _resolution("Phases")
    price: float | None = _option(
        None,
        "lambda / step^2: what a bit costs, in squared amplitude steps. None: the preset's.",
        low=1e-4,
        high=10,
    )
    noise_gaussians: float | None = _option(
        None, "Noises a second, 0 for none. None: by the preset and the rate.", low=0, high=2000
    )
    noise_level: float = _option(0.0, "dB by which noise is louder than the preset has it.", low=-60, high=20)
    residual: bool = _option(
        True, "Whether coefficients and fine levels may be coded beside tones and noise, where the preset has them."
    )
    level_exponent: float | None = _option(
        None,
        "Compression of the signal's slowly varying level before the pursuit, 0 (none) to 1. None: the preset's.",
        low=0,
        high=1,
    )
    shelf_db: float | None = _option(
        None,
        "Weight of frequencies above 2 kHz in the choice of tones, in dB. None: the preset's.",
        low=-40,
        high=40,
    )
    checkpoint_every: int = _option(0, "Gradient steps between checkpoints in log_dir, 0 for none.", low=0, high=100000)
    resume: str | None = _option(None, "Checkpoint to go on from.")
    seed: int = _option(0, "Of the random initialisation.", low=0, high=2**63 - 1)

    def __post_init__(self) -> None:
        for name, facts in option_facts().items():
            _check(name, getattr(self, name), facts)
        if not isinstance(self.sample_rate, str | None) and self.sample_rate != int(self.sample_rate):
            raise OptionsError(f"sample_rate {self.sample_rate} is not a whole number")
        if sum(value is not None for value in (self.bitrate, self.gaussians, self.quality)) > 1:
            raise OptionsError("bitrate, gaussians and quality exclude each other; give one")
        if self.checkpoint_every and self.log_dir is None:
            raise OptionsError("checkpoint_every needs log_dir, where the checkpoints go")


def option_facts() -> dict[str, OptionFacts]:
    """What is to be known of each option, by name, in the order in which they are shown."""
    return {field.name: field.metadata[_FACTS] for field in dataclasses.fields(EncoderOptions)}


def _check(name: str, value: Any, facts: OptionFacts) -> None:
    """Raises OptionsError for a value that is none of the choices and not in the range, where there are such."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if facts.choices and (isinstance(value, str) or facts.low is None):
        if value not in facts.choices:
            raise OptionsError(f"{name} {value!r} is not one of {', '.join(facts.choices)}")
    elif isinstance(facts.default, bool):
        if not isinstance(value, bool):
            raise OptionsError(f"{name} {value!r} is neither true nor false")
    elif facts.low is not None and facts.high is not None and value is not None:
        if not is_number:
            raise OptionsError(f"{name} {value!r} is not a number")
        if not facts.low <= value <= facts.high:
            raise OptionsError(f"{name} {value} lies outside {facts.low}..{facts.high}")


@dataclasses.dataclass(frozen=True)
class ResidualPreset:
    """How the residual layer goes with a kind of sound. Pairs are corners of a line over kbit/s of the whole stream."""

    tones: tuple[tuple[float, float], ...]
    """Kbit/s of tones and noise; below the first corner there is no residual, beyond the last one their ratio stays."""
    fine_price: tuple[tuple[float, float], ...]
    """What a bit of fine levels costs, in their steps squared."""
    highest: tuple[tuple[float, float], ...]
    """Hz up to which there are coefficients."""
    tilt: tuple[tuple[float, float], ...]
    """By how much steps rise with frequency, in 1/16 octaves an octave."""
    fill: int
    """By how much noise between coefficients is softer, in 0.75 dB."""
    lift_low: int
    lift_high: int
    """By how much what the tones leave is taken to be louder than the noise, at low and at high frequencies, in 1.5
    dB."""
    price: float
    """What a bit of coefficients costs, in their steps squared."""
    fine_from: float
    """Hz from which on levels are fine."""
    fine_db: int
    """Their step: 3 or 4."""
    quiet_db: float
    """Level under the loudest frame from which on steps are finer; 0: none are."""


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
    residual: ResidualPreset
    residual_narrow: ResidualPreset
    """That of sample rates up to `NARROW_RATE`."""
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


@functools.cache
def load_preset(name: str) -> Preset:
    """The preset of a name other than auto."""
    text = (resources.files(__package__) / "presets" / f"{name}.yaml").read_text()
    values: dict[str, Any] = yaml.safe_load(text)
    wide = values.pop("residual")
    narrow = {**wide, **values.pop("residual_narrow", {})}
    return Preset(**values, residual=_residual_preset(wide), residual_narrow=_residual_preset(narrow))


def _residual_preset(values: dict[str, Any]) -> ResidualPreset:
    corners = {
        name: tuple(tuple(corner) for corner in values[name]) for name in ("tones", "fine_price", "highest", "tilt")
    }
    return ResidualPreset(**{**values, **corners})
