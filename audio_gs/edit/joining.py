"""Edits that cut a clip, or make one clip of two."""

from __future__ import annotations

import dataclasses

import numpy as np

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds import NOISE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.kinds.tone import support
from audio_gs.codec.residual import LEVEL_FRAMES, frames_needed
from audio_gs.codec.tables import MAX_SCALES
from audio_gs.errors import EditError

from . import noise_levels, tones
from .clip import GaussianClip, check_length
from .directions import in_one_direction, mixture
from .loops import keep_loop
from .noise_levels import SILENT, SILENT_BASE, Levels, Mask, NoiseMaps, silence, within


def cut(clip: GaussianClip, start: float = 0.0, stop: float | None = None, *, align: bool = True) -> GaussianClip:
    """The part of a clip between two times, in seconds; without `stop`, to its end.

    The beginning goes back to where all that is kept stays as it is (`grid`), or without `align` to the nearest noise
    frame; tones that have no place there move by up to an eighth of their support. Loop points stay with a loop that is
    kept whole.
    """
    header, rate = clip.header, clip.header.sample_rate
    last = header.samples if stop is None else min(header.samples, round(stop * rate))
    first = round(start * rate)
    if not 0 <= first < last:
        raise EditError(f"nothing of a clip of {header.duration:.3f} s lies there")
    heard = (clip.tones["onset"] < last) & (clip.tones["onset"] + support(clip.tones["scale"]) > first)
    step = _grid(clip, clip.tones[heard]) if align else _frame(clip)
    aligned = first // step * step if align else round(first / step) * step
    aligned = aligned if aligned < last else first // step * step
    shorter = dataclasses.replace(header, samples=last - aligned, loop=None)
    table = _shifted_tones(clip.tones, -aligned)
    table = table[~tones.outside(table, shorter)]
    out = dataclasses.replace(clip, header=shorter, carried=clip.carried.shifted(-_in_frames(clip, aligned)))
    out = out.with_tones(table)
    if header.noise:
        begin, count = _in_frames(clip, aligned), frames_needed(shorter)
        maps = noise_levels.maps_of(header, clip.noises).mapped(lambda of: of[begin:][:count])
        out = out.with_noises(noise_levels.corrected(shorter, _shifted_noises(clip, -aligned, shorter), maps))
    if aligned != first:
        out = out.with_note(f"cut at {aligned / rate:.4f} s, where tones and frames have their places")
    return keep_loop(out, header.loop and (header.loop[0] - aligned, header.loop[1] - aligned))


def concatenate(first: GaussianClip, second: GaussianClip, gap: float = 0.0, *, align: bool = True) -> GaussianClip:
    """One clip after the other, so many seconds of silence between.

    The second one begins at the next point where all of it stays as it is, or without `align` at the nearest noise
    frame. Of two amplitude steps the finer one counts, unless it is too fine for the loudest tone; the loop is
    that of the first.
    """
    if gap < 0:
        raise ValueError("a gap cannot be negative; merge mixes clips that overlap")
    begin = first.header.samples + round(gap * first.header.sample_rate)
    return _joined(first, second, begin, align, mixed=False)


def merge(first: GaussianClip, second: GaussianClip, at: float = 0.0, *, align: bool = True) -> GaussianClip:
    """Both clips at a time, the second one from a time in seconds on, which goes to a point as in `concatenate`."""
    if at < 0:
        raise ValueError("a clip cannot begin before the other one; exchange them")
    return _joined(first, second, round(at * first.header.sample_rate), align, mixed=True)


def _frame(clip: GaussianClip) -> int:
    return clip.header.noise.frame_samples if clip.header.noise else 1


def _grid(clip: GaussianClip, kept: Table) -> int:
    """By how many samples, and multiples of them, a clip can be moved with these tones and its residual as they are; a
    power of two."""
    hop = int(support(kept["scale"]).max(initial=4)) >> 2
    frame = _frame(clip) * (LEVEL_FRAMES if clip.header.residual else 1)
    return max(hop, frame)


def _in_frames(clip: GaussianClip, samples: int) -> int:
    return samples >> clip.header.noise.frame_log2 if clip.header.noise else 0


def _shifted_tones(table: Table, by: int) -> Table:
    return tones.placed(table, tones.centres(table) + by, tones.frequencies(table), tones.turns(table))


def _shifted_noises(clip: GaussianClip, by: int, header: StreamHeader) -> Table:
    """Those that have a place after the shift, and something of them in the clip."""
    assert clip.header.noise is not None
    table = clip.noises.copy()
    table["onset"] += by
    hop = clip.header.noise.frame_samples << table["scale"].astype(np.int64)
    there = (table["onset"] % hop == 0) & (NOISE.ends(table, clip.header) > 0) & (table["onset"] < header.samples)
    return table[there]


def _joined(first: GaussianClip, second: GaussianClip, begin: int, align: bool, mixed: bool) -> GaussianClip:
    if first.header.sample_rate != second.header.sample_rate:
        rates = f"{first.header.sample_rate} and {second.header.sample_rate} Hz"
        raise EditError(f"the clips have {rates}; encode both at one sample rate")
    first, second = _alike(_heard(first), _heard(second))
    rate, step = first.header.sample_rate, _grid(second, second.tones) if align else _frame(second)
    aligned = -(-begin // step) * step if align and not mixed else round(begin / step) * step
    samples = max(first.header.samples, aligned + second.header.samples)
    noise, panning = first.header.noise, first.header.panning
    if noise and noise.base == SILENT_BASE:
        noise, panning = second.header.noise, second.header.panning
    if panning and panning.side_base == SILENT_BASE:
        panning = second.header.panning
    header = check_length(dataclasses.replace(first.header, samples=samples, noise=noise, panning=panning))
    table = np.concatenate([first.tones, _shifted_tones(second.tones, aligned)])
    carried = first.carried.with_those_of(second.carried.shifted(_in_frames(second, aligned)))
    out = dataclasses.replace(first, header=header, carried=carried, notes=(*first.notes, *second.notes)).with_tones(
        table
    )
    if header.noise:
        out = out.with_noises(_joined_noises(first, second, header, aligned, mixed))
    if aligned != begin:
        out = out.with_note(
            f"the second clip begins at {aligned / rate:.4f} s, where tones and frames have their places"
        )
    return out


def _joined_noises(first: GaussianClip, second: GaussianClip, header: StreamHeader, begin: int, mixed: bool) -> Table:
    at = begin // first.header.noise.frame_samples if first.header.noise else 0
    shape = (frames_needed(header), len(noise_levels.band_hz(header)))
    one = _heard_maps(first, shape, 0)
    if not mixed:
        one = one.silenced(np.arange(shape[0])[:, None] >= np.full(shape, at))
    other = _heard_maps(second, shape, at)
    own = first.noises
    moved = _shifted_noises(second, begin, header)
    bases = [clip.header.panning and clip.header.panning.side_base for clip in (first, second)]
    # Weights in the side are above a base: those of the clip that has another one are to be found anew.
    anew = [header.panning is not None and base != header.panning.side_base for base in bases]
    free = [np.full(len(table), is_new) for table, is_new in zip((own, moved), anew, strict=True)]
    if mixed:
        # Levels of noises add up, powers should: where both are heard those of the second give way, and what mid and
        # side have in common is another.
        both: Mask = np.any((one.loudest > SILENT) & (other.loudest > SILENT), axis=1)
        free[0] |= within(own, header, both)
        stays = within(moved, header, ~both)
        moved, free[1] = moved[stays], free[1][stays]
    return noise_levels.corrected(header, np.concatenate([own, moved]), mixture(one, other), np.concatenate(free))


def _heard_maps(clip: GaussianClip, shape: tuple[int, int], at: int) -> NoiseMaps:
    """Those of the frames that lie in the clip, from a frame of a longer one on: a frame's middle is its first sample
    of its block. Silence where the clip is not."""
    assert clip.header.noise is not None
    heard = noise_levels.maps_of(clip.header, clip.noises)
    count = min(-(-clip.header.samples // clip.header.noise.frame_samples), shape[0] - at)

    def placed(of: Levels, elsewhere: Levels) -> Levels:
        out = elsewhere.copy()
        out[at : at + count] = of[:count]
        return out

    silent = silence(shape)
    pairs = ((heard.level, silent.level), (heard.above, silent.above), (heard.pan, silent.pan))
    return NoiseMaps(*(placed(*pair) for pair in pairs))


def _heard(clip: GaussianClip) -> GaussianClip:
    """Without tones that a stream codes though they lie outside of its clip, and would be heard in a longer one."""
    outside = tones.outside(clip.tones, clip.header)
    return clip.with_tones(clip.tones[~outside]) if outside.any() else clip


def _alike(first: GaussianClip, second: GaussianClip) -> tuple[GaussianClip, GaussianClip]:
    """Both with what one header can say of both."""
    smallest = min(first.header.smallest_scale, second.header.smallest_scale)
    end = max(clip.header.smallest_scale + clip.header.scales for clip in (first, second))
    if end - smallest > MAX_SCALES:
        raise EditError(
            f"the clips' tones have more than {MAX_SCALES} scales between them; encode both with one preset"
        )
    first, second = _with_alike_noise(*in_one_direction(first, second))
    headers = (first.header, second.header)
    steps = tones.common_steps([(clip.tones, clip.header) for clip in (first, second)])
    if (first.header.residual is None) != (second.header.residual is None):
        # The noise of the clip without would be lowered for coefficients that it does not have.
        note = "the residual layer is left out, as one clip has none"
        first = first.without_residual().with_note(note)
        second = second.without_residual()
    slot_log2 = max(header.slot_log2 for header in headers)
    out = []
    for clip in (first, second):
        table = tones.in_other_steps(clip.tones, clip.header, steps)
        header = dataclasses.replace(
            tones.with_steps(clip.header, steps),
            smallest_scale=smallest,
            scales=end - smallest,
            residual=first.header.residual,
            slot_log2=slot_log2,
            seek_slots=clip.header.seek_slots << clip.header.slot_log2 >> slot_log2,
        )
        out.append(dataclasses.replace(clip, header=header, tones=table))
    return out[0], out[1]


def _with_alike_noise(first: GaussianClip, second: GaussianClip) -> tuple[GaussianClip, GaussianClip]:
    """Both with a part of the header on noise that has the same frames and the same step; bases may differ."""
    one, other = first.header.noise, second.header.noise
    if one is None or other is None:
        part = one or other
        if part is None:
            return first, second
        silent = dataclasses.replace(part, base=SILENT_BASE)
        return first if one else _with_noise_part(first, silent), second if other else _with_noise_part(second, silent)
    if one.frame_log2 != other.frame_log2:
        sizes = f"{one.frame_samples} and {other.frame_samples}"
        raise EditError(f"the clips' noise has frames of {sizes} samples; encode both with one preset")
    shift = min(one.shift, other.shift)
    return _with_noise_part(first, _in_noise_step(one, shift)), _with_noise_part(second, _in_noise_step(other, shift))


def _in_noise_step(part: NoiseHeader, shift: int) -> NoiseHeader:
    """The same levels in a coarser step, which is 6 dB, two steps of level, for one less of the shift."""
    return dataclasses.replace(part, shift=shift, base=max(SILENT_BASE, part.base - 2 * (part.shift - shift)))


def _with_noise_part(clip: GaussianClip, part: NoiseHeader) -> GaussianClip:
    return dataclasses.replace(clip, header=dataclasses.replace(clip.header, noise=part))
