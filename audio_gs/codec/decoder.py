"""The reference decoder: SPEC.md step by step, written to be read. The C decoder must give the same samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audio_gs.errors import BitstreamError

from . import residual
from .backend import Backend
from .container import StreamHeader, held_after, warm_up_start
from .directions import ears_of
from .gaussians import RESIDUAL, Gaussians
from .kinds import NOISE, TONE
from .kinds.base import EVERYTHING, PITCH_ONE, Pace, Rule, Table
from .kinds.noise import NoiseRenderer
from .kinds.tone import PLAYED_TONE_DTYPE, ends_at_pace, hear
from .pace import Clock, first_sample, is_paced, pace_of, played_samples, segment_for
from .pcm import PcmArray
from .playback import Gain, at_pace, muted
from .slots import SlotReader
from .stereo import left_and_right
from .tables import RENDER_BLOCK, WARM_UP_BLOCKS


class ReferenceDecoder:
    """A streaming decoder of one stream; every step in integers, as SPEC.md has it.

    Raises BitstreamError here for a damaged header, and from `read` for damage further in, after the samples
    before the damaged slot have been given.
    """

    def __init__(self, data: bytes) -> None:
        self._reader = SlotReader(data)
        self._loop = False
        self._pitch = self._tempo = PITCH_ONE
        self._rate = self.header.sample_rate
        self._muted = (0, 0, 0)
        self._rules: list[Rule] = [EVERYTHING[0]._replace(pace=self._pace())]
        self._gain = Gain()
        self._stereo = False
        self._direction, self._head = (0, 0), (0, 0, 0)
        self._kinds = self.header.kinds
        self._renderers = {kind.name: kind.renderer(self.header) for kind in self._kinds}
        self.rewind()

    @property
    def header(self) -> StreamHeader:
        return self._reader.header

    @property
    def position(self) -> int:
        """Number of the clip's sample that the next `read` gives first."""
        if self._jumped_to is not None:
            return self._jumped_to
        if self._clock is None:
            return self._position
        if self._position == self._clock.end:
            return self.header.samples
        return min(max(self._clock.clip_sample(self._position), 0), self.header.samples)

    def rewind(self) -> None:
        """Continue at the first sample."""
        self.seek(0)

    def seek(self, sample: int) -> None:
        """Continue at a sample, 0..header.samples, as if all before it had been read."""
        if not 0 <= sample <= self.header.samples:
            raise ValueError(f"cannot seek to sample {sample} of {self.header.samples}")
        pace = self._pace()
        self._clock: Clock | None = None
        self._kept = {kind.name: kind.empty() for kind in self._kinds}
        self._kept[TONE.name] = np.zeros(0, PLAYED_TONE_DTYPE)
        self._jumped_to: int | None = sample
        if is_paced(pace, self.header):
            self._position = first_sample(pace, sample)
            segment = segment_for(self.header, pace, sample)
        else:
            self._position = sample
            segment = self.header.segment_for_sample(sample)
        self._damage: BitstreamError | None = None
        self._reader.go_to_segment(segment)
        if is_paced(pace, self.header):
            self._clock = Clock(self.header, pace, self._reader.slot)
        # What has ended before the sample may still steer the frames of a residual layer on the way there.
        reaches_back = self.header.residual or self._clock
        self._held_after = self._needed_after = warm_up_start(0 if reaches_back else sample)
        self._made = self._next_block = warm_up_start(self._position) // RENDER_BLOCK
        self._rules = [self._rules[-1]._replace(first=self._next_block, pace=pace, clock=self._clock)]
        for renderer in self._renderers.values():
            renderer.forget()

    def set_loop(self, enabled: bool) -> None:
        """Jump from the loop's end to its start when reading; ValueError if the stream cannot loop."""
        if enabled and not self.header.can_loop:
            raise ValueError("the stream has no loop points, or too few samples between them")
        self._loop = enabled

    def set_budget(self, macs: int | None) -> None:
        """Spend at most so many MACs a sample on tones from the next block on; None for all that they take."""
        self._rules.append(self._rules[-1]._replace(first=self._next_block, macs=macs))

    @property
    def channels(self) -> int:
        """Of what `read` gives."""
        return 2 if self._stereo else 1

    def set_stereo(self, enabled: bool) -> None:
        """Give left and right of a stream with two channels from a jump to the position on, else the mid alone.
        ValueError if the stream has one."""
        if enabled and self.header.channels != 2:
            raise ValueError("the stream has one channel")
        if enabled != self._stereo:
            self._stereo = enabled
            self._rules[-1] = self._rules[-1]._replace(ears=None)
            self.seek(self.position)

    def set_listener(self, yaw: int, pitch: int, roll: int) -> None:
        """Give what the ears of a head hear that is turned so, 65536 a turn, from a jump to the position on; then slots
        that are decoded from the next block on, noise from the next frame on. ValueError of a stream with two channels.
        Not of one that is played otherwise than encoded."""
        self._head = (yaw, pitch, roll)
        self._listen()

    def set_direction(self, azimuth: int, elevation: int) -> None:
        """`set_listener` where the source is in another direction."""
        self._direction = (azimuth, elevation)
        self._listen()

    def _listen(self) -> None:
        if self.header.channels != 1:
            raise ValueError("the stream has two channels; a listener hears one")
        ears = ears_of(*self._direction, *self._head)
        self._rules.append(self._rules[-1]._replace(first=self._next_block, ears=ears))
        if not self._stereo:
            self._stereo = True
            self.seek(self.position)
        elif self._jumped_to is not None and self._damage is None:
            self.seek(self._jumped_to)

    def set_fade(self, gain: int, samples: int) -> None:
        """Move the gain to another one, 0..LARGEST_GAIN where GAIN_ONE is 1, in so many samples from the next on."""
        self._gain.fade(gain, samples)

    def set_pitch(self, pitch: int) -> None:
        """Play at a pitch, LOWEST_PITCH..HIGHEST_PITCH where PITCH_ONE is 1: tones of slots that are decoded from the
        next block on, noise from the next frame on."""
        self._pitch = pitch
        self._change_pace()

    def set_tempo(self, tempo: int) -> None:
        """Play at a tempo, LOWEST_TEMPO..HIGHEST_TEMPO where PITCH_ONE is 1, slots that are decoded from the next block
        on. ValueError if the clip is too long for it."""
        played_samples(self.header, tempo, self._rate)
        self._tempo = tempo
        self._change_pace()

    def set_rate(self, rate: int) -> None:
        """Give samples of another rate in Hz, LOWEST_RATE..HIGHEST_RATE, from a jump to the position on. ValueError if
        the clip is too long for it."""
        played_samples(self.header, self._tempo, rate)
        position = self.position
        self._rate = rate
        self._change_muted()
        self.seek(position)

    @property
    def length(self) -> int:
        """Samples that the clip has as it is played now."""
        return played_samples(self.header, self._tempo, self._rate)

    def set_mute(self, kinds: int, low: int, high: int) -> None:
        """Leave out kinds, bits in the order of `playback.MUTABLE`, and frequencies from `low` Hz on and below `high`:
        of tones from the next block on, of noise from the next frame on."""
        self._muted = (kinds, low, high)
        self._change_muted()

    def _change_muted(self) -> None:
        self._rules.append(self._rules[-1]._replace(first=self._next_block, muted=muted(self._rate, *self._muted)))

    def _pace(self) -> Pace:
        return pace_of(self.header, self._pitch, self._tempo, self._rate)

    def _change_pace(self) -> None:
        pace = self._pace()
        if self._jumped_to is not None and self._damage is None:
            self.seek(self._jumped_to)
        elif self._clock is None and is_paced(pace, self.header):
            self._clock = Clock(self.header, self._rules[-1].pace, self._reader.slot)
        self._rules.append(self._rules[-1]._replace(first=self._next_block, pace=pace, clock=self._clock))

    def state(self) -> tuple[int, int, int, int]:
        """Range, code, bytes read and Gaussians held after the last decoded slot."""
        held = self._lasting_after(self._kept, self._held_after)
        return (*self._reader.coder_state, sum(len(table) for table in held.values()))

    def read(self, count: int) -> PcmArray:
        """The next samples, int16, shape (count,), of left and right shape (count, 2); fewer at the end or before
        damage, none after the end."""
        pieces = [self._no_samples()]
        wanted = count
        while wanted > 0 and len(piece := self._read_piece(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        if self._damage and wanted == count > 0:
            raise self._damage
        return np.concatenate(pieces)

    def _no_samples(self) -> PcmArray:
        return np.zeros((0, 2) if self._stereo else 0, np.int16)

    def _read_piece(self, wanted: int) -> PcmArray:
        """Up to `wanted` samples, at most to where the next slot is needed."""
        header = self.header
        if self._loop and header.loop and self._position == self._loop_end():
            self.seek(header.loop[0])
        if self._damage:
            return self._no_samples()
        start = self._position
        try:
            coming = self._decode_for(start)
        except BitstreamError as damage:
            self._damage = damage
            return self._no_samples()
        end = self._clock.end if self._clock else header.samples
        if self._loop and header.loop and start < self._loop_end():
            end = self._loop_end()
        count = min(end, start + wanted, coming) - start
        if count <= 0:
            return self._no_samples()
        steps = self._steps(start, count)
        self._position = start + count
        self._jumped_to = None
        self._next_block = self._made = -(-self._position // RENDER_BLOCK)
        return self._gain.applied(steps)

    def _steps(self, start: int, count: int) -> npt.NDArray[np.int64]:
        """Output steps from sample `start` on, shape (count,), of left and right shape (count, 2)."""
        header = self.header
        is_heard = self._stereo and header.channels == 1
        is_panned = is_heard or (self._stereo and header.panning is not None)
        steps: npt.NDArray[np.int64] = np.zeros((2, count) if is_panned else count, np.int64)
        for name, renderer in self._renderers.items():
            make = renderer.mid_and_side if is_panned else renderer.samples
            make = renderer.left_and_right if is_heard else make
            steps += make(start, count, self._kept[name], self._rules)
        if is_heard:
            return steps.T
        if not self._stereo:
            return steps
        mid, side = steps if is_panned else (steps, np.zeros_like(steps))
        return left_and_right(header.direction, mid, side).T

    def _loop_end(self) -> int:
        assert self.header.loop
        return self._clock.loop_end if self._clock else self.header.loop[1]

    def _decode_for(self, start: int) -> int:
        """Decode what sample `start` needs; returns the first one that needs more."""
        if self._clock is None:
            if start == self.header.samples:
                return start
            while (coming := self._needed_next()) <= start:
                self._take_next(coming)
            return coming
        if start == self._clock.end:
            return start
        last = start // RENDER_BLOCK
        while self._made <= last:
            self._decode_for_block(self._made, self._clock)
            self._made += 1
        while not self._needs_more(last + 1, self._clock) and last * RENDER_BLOCK < self._clock.end:
            last += 1
        return (last + 1) * RENDER_BLOCK

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
        renderer.coded[number] = renderer.latest = coded
        renderer.held = coded if self._clock else None
        renderer.coded.pop(number - 2, None)

    def _read_slot(self, held: dict[str, Table]) -> dict[str, Table]:
        """What begins in the next slot, beside what is held."""
        begins_segment = self._reader.is_between_segments
        begun = self._reader.read_slot(room(held, self.header))
        renderer = self._renderers.get(NOISE.name)
        if begins_segment and isinstance(renderer, NoiseRenderer):
            renderer.latest = renderer.held = None
        return self._lasting_after(begun, self._held_after)

    def _needs_slot(self, block: int, clock: Clock) -> bool:
        before = (block + 1) * RENDER_BLOCK + self.header.slots_ahead
        return self._reader.slot < self.header.slots and clock.next_slot() < before

    def _needs_frame(self, block: int, clock: Clock) -> bool:
        """Whether a frame of the residual layer lies before that of the noise which the block needs."""
        if not len(self._reader.frames):
            return False
        assert self.header.noise is not None
        log2 = self.header.noise.frame_log2
        after = ((block * RENDER_BLOCK) >> log2) + 1
        return self._reader.frames.start <= clock.clip_sample(after << log2) >> log2

    def _needs_more(self, block: int, clock: Clock) -> bool:
        return self._needs_slot(block, clock) or self._needs_frame(block, clock)

    def _decode_for_block(self, block: int, clock: Clock) -> None:
        """Decode what a block needs of those that are given at a pace of their own."""
        while self._needs_slot(block, clock):
            while len(self._reader.frames):
                self._take_next(0)
            self._hold_next_paced_slot(block, clock)
        while self._needs_frame(block, clock):
            self._take_next(0)

    def _hold_next_slot(self, held_after_it: int) -> None:
        """Hold what begins in the next slot and has not ended before the position, and drop what has ended."""
        self._held_after = max(self._needed_after, held_after_it)
        # The half-band filters reach back into two blocks; a decoder that goes on has those samples already.
        self._kept = self._lasting_after(self._kept, self._held_after - WARM_UP_BLOCKS * RENDER_BLOCK)
        held = self._lasting_after(self._kept, self._held_after)
        begun = self._read_slot(held)
        begun[TONE.name] = at_pace(begun[TONE.name], held[TONE.name], self._rules[-1].pace, None, self.header)
        if ears := self._rules[-1].ears:
            hear(begun[TONE.name], ears, self.header.sample_rate)
        self._kept = {name: np.concatenate([table, begun[name]]) for name, table in self._kept.items()}

    def _hold_next_paced_slot(self, block: int, clock: Clock) -> None:
        """`_hold_next_slot` when a block is made of samples at a pace of their own. Tones that would be dropped stay as
        long as they sound and there is room."""
        header = self.header
        self._held_after = max(
            self._needed_after, held_after(self._reader.slot << header.slot_log2, header.slots_ahead)
        )
        held = self._lasting_after(self._kept, self._held_after)
        tones = self._kept[TONE.name]
        sounds_until = ends_at_pace(tones)
        here = tones["last"] >= block
        is_held = here & (TONE.ends(tones, header) > self._held_after)
        lingers = here & ~is_held & (sounds_until > block * RENDER_BLOCK)
        held[TONE.name] = tones[is_held]
        begun = self._read_slot(held)
        while np.sum(is_held) + np.sum(lingers) + len(begun[TONE.name]) > header.max_tones:
            first = lingers & (sounds_until == sounds_until[lingers].min())
            tones["last"][first] = block - 1
            lingers &= ~first
        clock.go_on(self._rules[-1].pace)
        begun[TONE.name] = at_pace(begun[TONE.name], tones[is_held | lingers], self._rules[-1].pace, clock, header)
        held[TONE.name] = tones[is_held | (sounds_until > (block - WARM_UP_BLOCKS) * RENDER_BLOCK)]
        self._kept = {name: np.concatenate([table, begun[name]]) for name, table in held.items()}

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
