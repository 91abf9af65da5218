"""What a metric is, and how it says that it cannot judge a clip."""

from __future__ import annotations

import abc
import functools
import importlib.metadata
import math

import numpy as np
import soxr

from audio_gs.audio_io import FloatArray
from audio_gs.errors import AudioGsError


class MetricMissing(AudioGsError):
    """A metric's package is not installed; the text says what to install."""


class MetricUnusable(AudioGsError):
    """A metric would give wrong values without saying so; the text says what to do."""


class NotMeasurable(AudioGsError):
    """This clip has no value; the text is the mark that stands in its place."""


class Metric(abc.ABC):
    """Compares decoded audio with the original of the same shape, (n,) or (n, 2), and rate, delay taken out."""

    key: str
    title: str
    unit: str = ""
    digits: int = 2
    higher_is_better: bool = True
    revision: int = 1
    """Grows when the same audio would get other values."""
    packages: tuple[str, ...] = ()
    """Distributions without which it cannot be measured."""
    classes: frozenset[str] | None = None
    min_rate: int = 0
    """Hz of the slowest clip that it can judge."""
    min_seconds: float = 0.0
    stereo = False
    """Whether it compares what is between two channels, and has no value for one."""

    def version(self) -> str:
        """What identifies its values. Raises MetricMissing, or MetricUnusable if it must not be left out silently."""
        return " ".join((f"{self.revision}", *(f"{name} {_version(name)}" for name in self.packages)))

    def suits(self, clip_class: str) -> bool:
        """Whether it is meant for clips of a class."""
        return self.classes is None or clip_class in self.classes

    def value(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        """Raises NotMeasurable where there is none."""
        if sample_rate < self.min_rate:
            raise NotMeasurable(f"not for clips below {self.min_rate} Hz")
        if len(reference) < self.min_seconds * sample_rate:
            raise NotMeasurable(f"too short: needs {self.min_seconds:g} s")
        if not reference.any():
            raise NotMeasurable("silence")
        if self.stereo and reference.ndim == 1:
            raise NotMeasurable("one channel")
        of_pair = reference.ndim == 2 and not self.stereo
        found = (self.measure_pair if of_pair else self.measure)(reference, decoded, sample_rate)
        if math.isnan(found):
            raise NotMeasurable("NaN")
        return found

    def measure_pair(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        """The value of two channels, shape (n, 2): the mean over those that are not silent. Raises NotMeasurable where
        there is none in either."""
        found, why = [], NotMeasurable("silence")
        for wanted, channel in zip(reference.T, decoded.T, strict=True):
            try:
                if wanted.any():
                    found.append(self.measure(np.ascontiguousarray(wanted), np.ascontiguousarray(channel), sample_rate))
            except NotMeasurable as error:
                why = error
        if not found:
            raise why
        return float(np.mean(found))

    @abc.abstractmethod
    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        """The bare value of one channel, or of two for a metric of what is between them."""


@functools.cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise MetricMissing(f"{package} is not installed; install the extra 'bench'") from None


def at_rate(audio: FloatArray, sample_rate: int, wanted: int) -> FloatArray:
    """Audio resampled for a metric that has a rate of its own."""
    if sample_rate == wanted:
        return audio
    return np.asarray(soxr.resample(audio, sample_rate, wanted, quality="VHQ"), np.float64)
