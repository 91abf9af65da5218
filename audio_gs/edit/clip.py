"""A clip as edits take it: its Gaussians, and its residual layer as no Gaussian steers it."""

from __future__ import annotations

import dataclasses

from audio_gs.codec.container import StreamHeader, check_stream, parse_header
from audio_gs.codec.cost import held_each_slot
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import RESIDUAL, Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import MAX_NOISES
from audio_gs.codec.kinds.tone import MAX_TONES
from audio_gs.errors import EditError
from audio_gs.gaussians import write_gaussians

from .carried import NOTHING, Carried, carried_from, table_of
from .tones import steps_of, with_room, with_steps

MAX_SAMPLES = 1 << 28
MAX_PARTS = 1 << 20
"""Slots, and noise frames. A header can state more than anyone wants to wait for; this is hours."""


@dataclasses.dataclass(frozen=True, eq=False)
class GaussianClip:
    """The Gaussians of a clip. Nothing changes one; edits give another."""

    header: StreamHeader
    """But for the decoder's class, which `stream_of` reckons anew."""
    tones: Table
    noises: Table
    carried: Carried = NOTHING
    """The residual layer."""
    new_sums: bool = False
    """Whether tones may add up to what they did not before."""
    notes: tuple[str, ...] = ()
    """What the edits left out or rounded, a line each."""

    def with_note(self, note: str) -> GaussianClip:
        return dataclasses.replace(self, notes=(*self.notes, note))

    def with_tones(self, tones: Table) -> GaussianClip:
        return dataclasses.replace(self, tones=tones, new_sums=True)

    def with_noises(self, noises: Table) -> GaussianClip:
        return dataclasses.replace(self, noises=noises)

    def with_carried(self, carried: Carried) -> GaussianClip:
        return dataclasses.replace(self, carried=carried)

    def without_residual(self) -> GaussianClip:
        return dataclasses.replace(self, header=dataclasses.replace(self.header, residual=None), carried=NOTHING)

    def without_noise(self) -> GaussianClip:
        """And so without residual."""
        header = dataclasses.replace(self.header, noise=None, residual=None)
        return dataclasses.replace(self, header=header, noises=self.noises[:0], carried=NOTHING)


def check_length(header: StreamHeader) -> StreamHeader:
    """EditError for a clip that is too long to edit."""
    frames = header.samples >> header.noise.frame_log2 if header.noise else 0
    if header.samples > MAX_SAMPLES or max(header.slots, frames) > MAX_PARTS:
        raise EditError(f"a clip of {header.duration:.0f} s is too long to edit; cut the audio and encode the parts")
    return header


def clip_of(data: bytes | bytearray | memoryview) -> GaussianClip:
    """The clip of a stream. BitstreamError for a damaged one, EditError for one that is too long."""
    data = bytes(data)
    header = check_length(parse_header(data)[0])
    check_stream(data)
    gaussians = decode_gaussians(data)
    return GaussianClip(header, gaussians["tone"], gaussians["noise"], carried_from(header, gaussians))


def gaussians_of(clip: GaussianClip) -> Gaussians:
    """The tables of a clip, its residual layer in the steps that its Gaussians ask for."""
    gaussians = Gaussians(tone=clip.tones, noise=clip.noises)
    return gaussians.replaced(**{RESIDUAL: table_of(clip.carried, clip.header, gaussians)})


def stream_of(clip: GaussianClip) -> bytes:
    """The stream of a clip, with the class that decoding it takes. EditError for one that the format has no words
    for."""
    check_length(clip.header)
    if clip.new_sums:
        tones, steps = with_room(clip.tones, steps_of(clip.header), clip.header.samples)
        clip = dataclasses.replace(clip, header=with_steps(clip.header, steps), tones=tones)
    for kind, table, most in ((TONE, clip.tones, MAX_TONES), (NOISE, clip.noises, MAX_NOISES)):
        held = int(held_each_slot(table, kind, clip.header).max(initial=0)) if len(table) else 0
        if held > most:
            raise EditError(
                f"{held} {kind.name}s would be held at a time, and a decoder holds {most}; edit or join less"
            )
    try:
        return write_gaussians(gaussians_of(clip), clip.header)
    except ValueError as error:
        raise EditError(str(error)) from None
