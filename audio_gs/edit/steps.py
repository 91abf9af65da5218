"""The edits of one clip: each takes a clip and gives another."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import RESIDUAL
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import DECIBELS_PER_WEIGHT, MAX_NOISE_SHIFT
from audio_gs.codec.kinds.tone import support
from audio_gs.codec.residual import LEVEL_FRAMES, frames_needed
from audio_gs.codec.tables import NOISE_NARROWEST_SUPPORT, NOISE_PLACES_LOG2
from audio_gs.errors import EditError

from . import noise_levels, tones
from .carried import FINE_LEVELS, Carried
from .clip import GaussianClip, check_length
from .loops import keep_loop
from .noise_levels import NoiseMaps
from .partials import carried_on
from .selection import ALL, Selection

Mask = npt.NDArray[np.bool_]

MAX_SEMITONES = 48.0
MIN_STRETCH, MAX_STRETCH = 0.25, 4.0
MAX_GAIN_DB = 120.0
_NEAR_ENOUGH = 1.42
"""What is missing of a support at most where the nearest scale exists: the square root of 2."""
OUTSIDE = ("error", "drop")
"""What becomes of Gaussians that an edit moves out of the clip."""


def select(clip: GaussianClip, selection: Selection) -> GaussianClip:
    """What is selected alone."""
    return _without(clip, selection, inverse=True)


def drop(clip: GaussianClip, selection: Selection = ALL) -> GaussianClip:
    """All but what is selected. Where noise is selected by time or band it is silent there."""
    return _without(clip, selection, inverse=False)


def _without(clip: GaussianClip, selection: Selection, inverse: bool) -> GaussianClip:
    header = clip.header
    gone = selection.of_tones(clip.tones, header) ^ inverse
    clip = clip.with_tones(clip.tones[~gone]) if gone.any() else clip
    if header.residual:
        has = selection.has(RESIDUAL)
        gone = selection.of_coefficients(clip.carried.coefficients, header) ^ inverse
        all_gone = not has if inverse else has and not selection.by_place
        clip = clip.without_residual() if all_gone else clip.with_carried(clip.carried.kept(~gone))
    if header.noise is None:
        return clip
    silent = (frames_and_bands(clip, selection) & selection.has(NOISE.name)) ^ inverse
    if silent.all():
        note = "the residual layer is left out with the noise, whose frames it has"
        return (clip.with_note(note) if clip.header.residual else clip).without_noise()
    return _silenced(clip, silent) if silent.any() else clip


def frames_and_bands(clip: GaussianClip, selection: Selection) -> Mask:
    """Marks the noise frames and bands that are selected, shape (frames, bands)."""
    header = clip.header
    assert header.noise is not None
    frames = np.arange(frames_needed(header)) * header.noise.frame_samples / header.sample_rate
    return selection.times(frames)[:, None] & selection.band(noise_levels.band_hz(header))[None, :]


def _silenced(clip: GaussianClip, silent: Mask) -> GaussianClip:
    """Without noise in some frames and bands."""
    header = clip.header
    maps = noise_levels.maps_of(header, clip.noises)
    whole: Mask = np.all(silent, axis=1)
    kept = clip.noises[~noise_levels.within(clip.noises, header, whole)]
    return clip.with_noises(noise_levels.corrected(header, kept, maps.silenced(silent)))


def scale(clip: GaussianClip, gain_db: float, selection: Selection = ALL) -> GaussianClip:
    """What is selected louder, or softer, by so many decibels: all tones of a clip to 0.07 dB, single ones to the
    nearest index of their amplitude, noise in steps of 3 dB. Tones that become too soft to state are left out."""
    _check_range("gain_db", gain_db, -MAX_GAIN_DB, MAX_GAIN_DB)
    if gain_db == 0:
        return clip
    header, factor = clip.header, 10 ** (gain_db / 20)
    whole = not selection.by_place
    if header.residual:
        chosen = selection.of_coefficients(clip.carried.coefficients, header)
        clip = clip.with_carried(clip.carried.scaled(factor, chosen))
        if whole and selection.kinds is None:
            clip = dataclasses.replace(clip, header=_louder_residual(header, factor))
    if header.noise and selection.has(NOISE.name):
        clip = _louder_noise(clip, gain_db, selection)
    chosen = selection.of_tones(clip.tones, header)
    if whole and selection.has(TONE.name):
        step, shift = tones.louder_step(header, factor)
        header = dataclasses.replace(clip.header, amplitude_step=step, output_shift=shift)
        return dataclasses.replace(clip, header=header, new_sums=True)
    if not chosen.any():
        return clip
    louder, too_soft = tones.with_amplitudes(clip.tones, np.where(chosen, factor, 1.0))
    return _left_out(clip.with_tones(louder[~too_soft]), int(too_soft.sum()), "too soft for the amplitude step")


def _louder_residual(header: StreamHeader, factor: float) -> StreamHeader:
    """The header with steps of coefficients that rise as much as the levels; 0.7 of it they do by themselves."""
    part, octaves = header.residual, math.log2(factor)
    assert part is not None
    step = min(255, max(0, part.step + round(32 * 0.3 * octaves)))
    quiet = min(255, max(0, part.quiet + round(16 * octaves)))
    return dataclasses.replace(header, residual=dataclasses.replace(part, step=step, quiet=quiet))


def _louder_noise(clip: GaussianClip, gain_db: float, selection: Selection) -> GaussianClip:
    header = clip.header
    assert header.noise is not None
    if selection.by_time or selection.by_band:
        maps = noise_levels.maps_of(header, clip.noises)
        wanted = maps.where(frames_and_bands(clip, selection), maps.louder(gain_db / DECIBELS_PER_WEIGHT))
        return clip.with_noises(noise_levels.corrected(header, clip.noises, wanted))
    steps = round(gain_db / DECIBELS_PER_WEIGHT)
    # A noise step of 6 dB is two steps of level; so the highest level keeps its place in the decoder's 16 bits.
    shift = min(MAX_NOISE_SHIFT, max(1, header.noise.shift - steps // 2))
    base = header.noise.base + steps - 2 * (header.noise.shift - shift)
    if not -128 <= base <= 127:
        raise EditError(f"noise cannot be {gain_db:g} dB louder; take a smaller gain, or drop it")
    header = dataclasses.replace(header, noise=dataclasses.replace(header.noise, shift=shift, base=base))
    return dataclasses.replace(clip, header=header)


def move(
    clip: GaussianClip,
    selection: Selection = ALL,
    *,
    seconds: float = 0.0,
    hertz: float = 0.0,
    outside: str = "error",
) -> GaussianClip:
    """What is selected so much later and higher, negative for earlier and lower. Noises move like tones, the base of
    the noise stays. EditError for a Gaussian that leaves the clip, or with outside="drop" without it."""
    _check_outside(outside)
    header, rate = clip.header, clip.header.sample_rate
    chosen = selection.of_tones(clip.tones, header)
    noises = selection.of_noises(clip.noises, header)
    if header.residual:
        clip = _moved_coefficients(clip, selection, seconds, hertz)
    if chosen.any():
        before = clip.tones[chosen]
        later = tones.centres(before) + seconds * rate
        # What all frequencies gain alike is a wave of its own, and it runs through the whole clip.
        phases = tones.turns(before) + hertz / rate * later
        moved = tones.placed(before, later, tones.frequencies(before) + hertz / rate, phases)
        clip = _with_moved_tones(clip, chosen, moved, outside)
    if noises.any():
        clip = _with_moved_noises(clip, noises, seconds * rate, hertz, outside)
    return clip


def _moved_coefficients(clip: GaussianClip, selection: Selection, seconds: float, hertz: float) -> GaussianClip:
    header = clip.header
    assert header.noise is not None
    chosen = selection.of_coefficients(clip.carried.coefficients, header)
    coefficients, size = clip.carried.coefficients.copy(), header.noise.frame_samples
    coefficients["frame"][chosen] += round(seconds * header.sample_rate / size)
    coefficients["bin"][chosen] += round(hertz * 2 * size / header.sample_rate)
    return clip.with_carried(dataclasses.replace(clip.carried, coefficients=coefficients))


def _with_moved_tones(clip: GaussianClip, chosen: Mask, moved: Table, outside: str) -> GaussianClip:
    gone = tones.outside(moved, clip.header)
    if outside == "error":
        tones.refuse_outside(gone, moved, np.flatnonzero(chosen), lambda row: _tone_words(clip, row))
    table = clip.tones.copy()
    table[chosen] = moved
    kept = np.ones(len(table), np.bool_)
    kept[np.flatnonzero(chosen)[gone]] = False
    return _left_out(clip.with_tones(table[kept]), int(gone.sum()), "outside the clip or half its sample rate")


def _with_moved_noises(clip: GaussianClip, chosen: Mask, by: float, hertz: float, outside: str) -> GaussianClip:
    header = clip.header
    assert header.noise is not None
    table = clip.noises.copy()
    moved = table[chosen]
    hop = header.noise.frame_samples << moved["scale"].astype(np.int64)
    moved["onset"] = np.rint((moved["onset"] + by) / hop).astype(np.int64) * hop
    if hertz:
        centre = NOISE.physical(moved, header)["frequency"] + hertz
        moved["place"] = nearest_places(centre, moved["width"])
    gone = (NOISE.ends(moved, header) <= 0) | (moved["onset"] >= header.samples)
    gone |= (moved["place"] < 0) | (moved["place"] >= (1 << NOISE_PLACES_LOG2) >> moved["width"])
    if outside == "error" and gone.any():
        row = int(np.flatnonzero(chosen)[np.argmax(gone)])
        raise EditError(f"{_noise_words(clip, row)} would lie outside the clip; outside: drop leaves such out")
    table[chosen] = moved
    kept = np.ones(len(table), np.bool_)
    kept[np.flatnonzero(chosen)[gone]] = False
    return _left_out(clip.with_noises(table[kept]), int(gone.sum()), "outside the clip", "noises")


def nearest_places(hertz: npt.NDArray[np.float64], width: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The place of a noise of a width whose centre is nearest to a frequency on the Bark axis (SPEC 5.1); negative
    below 0 Hz."""
    quarter = (NOISE_NARROWEST_SUPPORT << width.astype(np.int64)) / 4
    return np.where(hertz < 0, -1, np.rint(_bark(np.maximum(hertz, 0)) / quarter - 0.5)).astype(np.int64)


def _bark(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse of `hz_of_bark`."""
    return 26.81 * hertz / (1960 + hertz) - 0.53


def transpose(
    clip: GaussianClip, semitones: float, selection: Selection = ALL, *, outside: str = "drop"
) -> GaussianClip:
    """What is selected higher by so many semitones, negative for lower; time stays.

    Each tone goes to the nearest bin of its scale, and its phase goes on from the tones before it, so that a partial's
    pitch does not depend on the bins. Noise moves where a selection does not limit the band. Tones above half the
    sample rate are left out, or with outside="error" are an EditError.
    """
    _check_range("semitones", semitones, -MAX_SEMITONES, MAX_SEMITONES)
    _check_outside(outside)
    if semitones == 0:
        return clip
    factor, header = 2 ** (semitones / 12), clip.header
    noise = header.noise is not None and selection.has(NOISE.name) and not selection.by_band
    if noise:
        clip = _warped_noise(clip, frames_and_bands(clip, selection), factor)
    if header.residual:
        clip = _transposed_residual(clip, selection, factor, noise)
    chosen = selection.of_tones(clip.tones, header)
    if not chosen.any():
        return clip
    before = clip.tones[chosen]
    peaks = TONE.physical(before, header)["weight"]
    partial, gained = carried_on(before, peaks, header.sample_rate, factor)
    frequency = tones.frequencies(before) + (factor - 1) * partial
    moved = tones.placed(before, tones.centres(before), np.maximum(frequency, 0), tones.turns(before) + gained)
    return _with_moved_tones(clip, chosen, moved, outside)


def _warped_noise(clip: GaussianClip, region: Mask, factor: float) -> GaussianClip:
    """With the noise of some frames moved up the frequency axis; as much power lies there in more hertz."""
    header = clip.header
    maps = noise_levels.maps_of(header, clip.noises)
    hertz = noise_levels.band_hz(header)
    source = hertz / factor
    place = np.clip(_bark(source) - 0.5, 0, len(hertz) - 1)
    below = np.minimum(place.astype(np.int64), max(0, len(hertz) - 2))
    above = np.minimum(below + 1, len(hertz) - 1)
    warped = maps.mapped(lambda of: of[:, below] + (of[:, above] - of[:, below]) * (place - below))
    warped = warped.louder(-math.log2(factor))
    warped = warped.silenced(np.broadcast_to(source >= header.sample_rate / 2, warped.level.shape))
    return _with_levels(clip, maps.where(region, warped), region)


def _with_levels(clip: GaussianClip, wanted: NoiseMaps, region: Mask) -> GaussianClip:
    """With noises of these levels: all of them new if all that is there changes, others beside them if not."""
    if not region.all():
        free = noise_levels.within(clip.noises, clip.header, np.all(region, axis=1))
        return clip.with_noises(noise_levels.corrected(clip.header, clip.noises, wanted, free))
    header, noises = noise_levels.refitted(clip.header, wanted, max(1, len(clip.noises)))
    return dataclasses.replace(clip, header=header, noises=noises)


def _transposed_residual(clip: GaussianClip, selection: Selection, factor: float, noise: bool) -> GaussianClip:
    """With coefficients in the nearest bins, where they are a noise of the right level at the right place."""
    header, carried = clip.header, clip.carried
    chosen = selection.of_coefficients(carried.coefficients, header)
    coefficients, fine = carried.coefficients.copy(), carried.fine
    coefficients["bin"][chosen] = np.rint((coefficients["bin"][chosen] + 0.5) * factor - 0.5).astype(np.int64)
    if noise and header.noise:
        fine = fine[~selection.times(fine["frame"] * header.noise.frame_samples / header.sample_rate)]
    return clip.with_carried(Carried(coefficients, fine))


def stretch(clip: GaussianClip, factor: float) -> GaussianClip:
    """The whole clip so many times as long, pitch as it is.

    Middles go to the nearest hop, supports to the nearest power of two, with amplitudes that make up for what is
    missing of them, and phases go on from tone to tone.
    """
    _check_range("factor", factor, MIN_STRETCH, MAX_STRETCH)
    if factor == 1:
        return clip
    header = clip.header
    samples = max(1, round(header.samples * factor))
    longer = check_length(dataclasses.replace(header, samples=samples, loop=None))
    if header.noise:
        longer, noises = _stretched_noise(clip, longer, factor)
        clip = clip.with_noises(noises)
    moved, too_soft, steps = _stretched_tones(clip.tones, header, factor)
    longer = tones.with_steps(longer, steps)
    gone = tones.outside(moved, longer) | too_soft
    carried = _stretched_residual(clip, longer, factor)
    clip = dataclasses.replace(clip, header=longer, carried=carried).with_tones(moved[~gone])
    clip = _left_out(clip, int(gone.sum()), "outside the clip or too soft for the amplitude step")
    return keep_loop(clip, header.loop and (round(header.loop[0] * factor), round(header.loop[1] * factor)))


def _stretched_tones(before: Table, header: StreamHeader, factor: float) -> tuple[Table, Mask, tones.Steps]:
    """Tones as far apart as a factor asks for, which of them are too soft to have an index, and the steps that they
    take."""
    peaks = TONE.physical(before, header)["weight"]
    partial, gained = carried_on(before, peaks, header.sample_rate, factor)
    frequency = np.maximum(tones.frequencies(before) + (factor - 1) * partial, 0) / factor
    smallest, largest = header.smallest_scale, header.smallest_scale + header.scales - 1
    scaled = np.clip(before["scale"] + round(math.log2(factor)), smallest, largest)
    missing = factor * 2.0 ** (before["scale"] - scaled)
    # Where no scale is long enough some tones in a row are: n of them, two hops or 2.5 standard deviations apart, are
    # about 0.2 + 0.7 n times as long as one.
    copies = np.where(missing > _NEAR_ENOUGH, np.rint((missing - 0.2) / 0.7), 1).astype(np.int64)
    row = np.repeat(np.arange(len(before)), copies)
    number = np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
    table = before[row]
    # Steps of amplitude fall with the square root of the support (SPEC 4.3).
    gain = (missing / copies * 2.0 ** ((scaled - before["scale"]) / 2))[row]
    louder, too_soft, steps = tones.with_amplitudes_in_any_step(table, gain, header)
    louder["scale"] = scaled[row]
    aside = (2 * number - (copies[row] - 1)) * (support(louder["scale"]) >> 2)
    middle = tones.centres(table) * factor + aside
    phases = tones.turns(table) + gained[row] + frequency[row] * aside
    return tones.placed(louder, middle, frequency[row], phases), too_soft, steps


def _stretched_noise(clip: GaussianClip, longer: StreamHeader, factor: float) -> tuple[StreamHeader, Table]:
    """The header of the longer clip with the bases of its noises, and those."""
    maps = noise_levels.maps_of(clip.header, clip.noises)
    last = len(maps.level) - 1
    place = np.clip(np.arange(frames_needed(longer)) / factor, 0, last)
    below = np.minimum(place.astype(np.int64), max(0, last - 1))
    above = np.minimum(below + 1, last)
    wanted = maps.mapped(lambda of: of[below] + (of[above] - of[below]) * (place - below)[:, None])
    longer = dataclasses.replace(longer, noise=clip.header.noise, panning=clip.header.panning)
    return noise_levels.refitted(longer, wanted, math.ceil(max(1, len(clip.noises)) * max(1.0, factor)))


def _stretched_residual(clip: GaussianClip, longer: StreamHeader, factor: float) -> Carried:
    """Each frame is the one before that lies nearest."""
    if longer.residual is None or longer.noise is None:
        return clip.carried
    frames = np.arange(frames_needed(longer))
    source = np.rint(frames / factor).astype(np.int64)
    coefficients = _taken(clip.carried.coefficients, frames, source)
    held = frames[frames % LEVEL_FRAMES == 0]
    fine = _taken(clip.carried.fine, held, source[held] // LEVEL_FRAMES * LEVEL_FRAMES)
    return Carried(coefficients, fine.astype(FINE_LEVELS))


def _taken(rows: Table, frames: npt.NDArray[np.int64], source: npt.NDArray[np.int64]) -> Table:
    """The rows of the frames that are sources, once for each frame that is made of them."""
    rows = rows[np.argsort(rows["frame"], kind="stable")]
    start, stop = np.searchsorted(rows["frame"], source), np.searchsorted(rows["frame"], source + 1)
    counts = stop - start
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    out = rows[np.repeat(start, counts) + within]
    out["frame"] = np.repeat(frames, counts)
    return out


def _left_out(clip: GaussianClip, count: int, reason: str, what: str = "tones") -> GaussianClip:
    return clip.with_note(f"{count} {what} {reason} left out") if count else clip


def _tone_words(clip: GaussianClip, row: int) -> str:
    units = TONE.physical(clip.tones[row : row + 1], clip.header)[0]
    return f"tone {row} ({units['time']:.3f} s, {units['frequency']:.1f} Hz)"


def _noise_words(clip: GaussianClip, row: int) -> str:
    units = NOISE.physical(clip.noises[row : row + 1], clip.header)[0]
    return f"noise {row} ({units['time']:.3f} s, {units['frequency']:.0f} Hz)"


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value:g}, allowed are {low:g}..{high:g}")


def _check_outside(outside: str) -> None:
    if outside not in OUTSIDE:
        raise ValueError(f"outside is {outside!r}, allowed are {' and '.join(OUTSIDE)}")
