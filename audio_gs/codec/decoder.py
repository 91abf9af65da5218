"""The reference decoder: SPEC.md step by step, written to be read. The C decoder must give the same samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audio_gs.errors import BitstreamError

from . import residual
from .backend import Backend
from .container import StreamHeader, held_after, warm_up_start
from .gaussians import RESIDUAL, Gaussians
from .kinds import NOISE, TONE
from .kinds.base import EVERYTHING, Rule, Table
from .kinds.noise import NoiseRenderer
from .kinds.tone import PLAYED_TONE_DTYPE
from .pcm import PcmArray
from .playback import Gain, muted, with_pitch
from .slots import SlotReader
from .tables import RENDER_BLOCK, WARM_UP_BLOCKS


class ReferenceDecoder:
    """A streaming decoder of one stream; every step in integers, as SPEC.md has it.

    Raises BitstreamError here for a damaged header, and from `read` for damage further in, after the samples
    before the damaged slot have been given.
    """

    def __init__(self, data: bytes) -> None:
        self._reader = SlotReader(data)
        self._loop = False
        self._rules: list[Rule] = list(EVERYTHING)
        self._gain = Gain()
        self._kinds = self.header.kinds
        self._renderers = {kind.name: kind.renderer(self.header) for kind in self._kinds}
        self.rewind()

    @property
    def header(self) -> StreamHeader:
        return self._reader.header

    @property
    def position(self) -> int:
        """Number of the sample that the next `read` gives first."""
        return self._position

    def rewind(self) -> None:
        """Continue at the first sample."""
        self.seek(0)

    def seek(self, sample: int) -> None:
        """Continue at a sample, 0..header.samples, as if all before it had been read."""
        if not 0 <= sample <= self.header.samples:
            raise ValueError(f"cannot seek to sample {sample} of {self.header.samples}")
        self._position = sample
        self._kept = {kind.name: kind.empty() for kind in self._kinds}
        self._kept[TONE.name] = np.zeros(0, PLAYED_TONE_DTYPE)
        # What has ended before the sample may still steer the frames of a residual layer on the way there.
        self._held_after = self._needed_after = warm_up_start(0 if self.header.residual else sample)
        self._next_block = warm_up_start(sample) // RENDER_BLOCK
        self._rules = [self._rules[-1]._replace(first=self._next_block)]
        for renderer in self._renderers.values():
            renderer.forget()
        self._damage: BitstreamError | None = None
        self._reader.go_to_segment(self.header.segment_for_sample(sample))

    def set_loop(self, enabled: bool) -> None:
        """Jump from the loop's end to its start when reading; ValueError if the stream cannot loop."""
        if enabled and not self.header.can_loop:
            raise ValueError("the stream has no loop points, or too few samples between them")
        self._loop = enabled

    def set_budget(self, macs: int | None) -> None:
        """Spend at most so many MACs a sample on tones from the next block on; None for all that they take."""
        self._rules.append(self._rules[-1]._replace(first=self._next_block, macs=macs))

    def set_fade(self, gain: int, samples: int) -> None:
        """Move the gain to another one, 0..LARGEST_GAIN where GAIN_ONE is 1, in so many samples from the next on."""
        self._gain.fade(gain, samples)

    def set_pitch(self, pitch: int) -> None:
        """Play at a pitch, LOWEST_PITCH..HIGHEST_PITCH where PITCH_ONE is 1: tones of slots that are decoded from the
        next block on, noise from the next frame on."""
        self._rules.append(self._rules[-1]._replace(first=self._next_block, pitch=pitch))

    def set_mute(self, kinds: int, low: int, high: int) -> None:
        """Leave out kinds, bits in the order of `playback.MUTABLE`, and frequencies from `low` Hz on and below `high`:
        of tones from the next block on, of noise from the next frame on."""
        left_out = muted(self.header, kinds, low, high)
        self._rules.append(self._rules[-1]._replace(first=self._next_block, muted=left_out))

    def state(self) -> tuple[int, int, int, int]:
        """Range, code, bytes read and Gaussians held after the last decoded slot."""
        held = self._lasting_after(self._kept, self._held_after)
        return (*self._reader.coder_state, sum(len(table) for table in held.values()))

    def read(self, count: int) -> PcmArray:
        """The next samples, int16, shape (count,); fewer at the end or before damage, none after the end."""
        pieces: list[PcmArray] = []
        wanted = count
        while wanted > 0 and (piece := self._read_piece(wanted)).size:
            pieces.append(piece)
            wanted -= piece.size
        if self._damage and wanted == count > 0:
            raise self._damage
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    def _read_piece(self, wanted: int) -> PcmArray:
        """Up to `wanted` samples, at most to where the next slot is needed."""
        header = self.header
        start = self._position
        end = header.samples
        if self._loop and header.loop and start <= header.loop[1]:
            if start == header.loop[1]:
                self.seek(header.loop[0])
                start = header.loop[0]
            end = header.loop[1]
        if start >= min(end, start + wanted) or self._damage:
            return np.zeros(0, np.int16)
        try:
            while (coming := self._needed_next()) <= start:
                self._take_next(coming)
        except BitstreamError as damage:
            self._damage = damage
            return np.zeros(0, np.int16)
        count = min(end, start + wanted, coming) - start
        steps: npt.NDArray[np.int64] = np.zeros(count, np.int64)
        for name, renderer in self._renderers.items():
            steps += renderer.samples(start, count, self._kept[name], self._rules)
        self._position = start + count
        self._next_block = -(-self._position // RENDER_BLOCK)
        return self._gain.applied(steps)

    def _needed_next(self) -> int:
        """The first sample that needs what the stream codes next, a slot or a frame of the residual layer; the clip's
        end if there is nothing more."""
        header, slot = self.header, self._reader.slot
        if len(self._reader.frames):
            assert header.noise is not None
            return (self._reader.frames.start - 1) << header.noise.frame_log2
        return held_after(slot << header.slot_log2, header.slots_ahead) if slot < header.slots else header.samples

    def _last_needed(self, sample: int) -> int:
        """The last slot that a sample needs (SPEC P2)."""
        ahead = sample + self.header.slots_ahead
        slot = (ahead // RENDER_BLOCK * RENDER_BLOCK + RENDER_BLOCK - 1) >> self.header.slot_log2
        return min(slot, self.header.slots - 1)

    def _take_next(self, needed: int) -> None:
        if not len(self._reader.frames):
            self._hold_next_slot(needed)
            self._reader.skip_empty(self._last_needed(self._position))
            return
        number = self._reader.frames.start
        coded = self._reader.read_frame()
        renderer = self._renderers[NOISE.name]
        assert isinstance(renderer, NoiseRenderer)
        renderer.coded[number] = coded
        renderer.coded.pop(number - 2, None)

    def _hold_next_slot(self, held_after_it: int) -> None:
        """Hold what begins in the next slot and has not ended before the position, and drop what has ended."""
        self._held_after = max(self._needed_after, held_after_it)
        # The half-band filters reach back into two blocks; a decoder that goes on has those samples already.
        self._kept = self._lasting_after(self._kept, self._held_after - WARM_UP_BLOCKS * RENDER_BLOCK)
        held = self._lasting_after(self._kept, self._held_after)
        begun = self._lasting_after(self._reader.read_slot(room(held, self.header)), self._held_after)
        begun[TONE.name] = with_pitch(begun[TONE.name], held[TONE.name], self._rules[-1].pitch, self.header)
        self._kept = {name: np.concatenate([table, begun[name]]) for name, table in self._kept.items()}

    def _lasting_after(self, tables: dict[str, Table], sample: int) -> dict[str, Table]:
        return {
            kind.name: tables[kind.name][kind.ends(tables[kind.name], self.header) > sample] for kind in self._kinds
        }


def room(held: dict[str, Table], header: StreamHeader) -> dict[str, int]:
    """How many more of each kind a decoder may hold that holds these (SPEC P1)."""
    return {kind.name: kind.capacity(header) - len(held[kind.name]) for kind in header.kinds}


def decode_gaussians(data: bytes) -> Gaussians:
    """All Gaussians of a stream, each kind in the order of the stream; BitstreamError if it is damaged."""
    reader = SlotReader(data)
    header = reader.header
    held = {kind.name: kind.empty() for kind in header.kinds}
    slots: dict[str, list[Table]] = {kind.name: [kind.empty()] for kind in header.kinds}
    slots[RESIDUAL] = [residual.empty()]
    while reader.slot < header.slots:
        slot = reader.slot
        after = max(warm_up_start(0), held_after(slot << header.slot_log2, header.slots_ahead))
        for kind in header.kinds:
            table = held[kind.name]
            held[kind.name] = table[kind.ends(table, header) > after]
        for name, begun in reader.read_slot(room(held, header)).items():
            if len(begun):
                slots[name].append(begun.copy())
                held[name] = np.concatenate([held[name], begun])
        for number in reader.frames:
            slots[RESIDUAL].append(residual.rows_of(number, reader.read_frame(), reader.level_changes))
        reader.skip_empty(header.slots - 1)
    return Gaussians({name: np.concatenate(tables) for name, tables in slots.items()})


BACKEND = Backend("numba", exact=True, open=ReferenceDecoder)
