"""The reference decoder: SPEC.md step by step, written to be read. The C decoder must give the same samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from audio_gs.errors import BitstreamError
from audio_gs.gaussians import GAUSSIAN, NOISE, TONE, GaussianTable, empty_table, ends

from .container import StreamHeader, held_after, parse_header, read_segment, warm_up_start
from .noise import NoiseRenderer
from .noise import held as held_noise
from .range_coder import CODE, DECODER_FIELDS, MAX_OVERRUN, OVERRUN, POSITION, RANGE, start_decoder
from .render import held, rendered, to_pcm
from .slots import ILLEGAL_BIN, KIND, ROW_FIELDS, TOO_MANY, decode_slot
from .tables import NOISE_SCALES, RENDER_BLOCK, WARM_UP_BLOCKS, initial_contexts


class SlotReader:
    """Steps 1 to 3: the Gaussians of a stream, slot after slot, from the start of any segment."""

    def __init__(self, data: bytes, decode: Callable[..., int] = decode_slot) -> None:
        self._data = bytes(data)
        self._decode_slot = decode
        self.header, body = parse_header(self._data)
        self._offsets = [body]
        noise = self.header.noise
        self._initial = initial_contexts(self.header.table_set, self.header.scales, noise is not None)
        self._noise_scales, self._frame_log2 = (NOISE_SCALES, noise.frame_log2) if noise else (0, 0)
        self._state = np.zeros(DECODER_FIELDS, np.int64)
        self._rows = np.zeros((self.header.max_active + self.header.max_noise, ROW_FIELDS), np.int64)
        self.go_to_segment(0)

    def go_to_segment(self, segment: int) -> None:
        """Make the first slot of a segment the next one."""
        self._segment = segment
        self.slot = self.header.segment_slots(segment).start
        self._open = False

    @property
    def coder_state(self) -> tuple[int, int, int]:
        """Range, code and bytes read of the range decoder."""
        return int(self._state[RANGE]), int(self._state[CODE]), int(self._state[POSITION])

    def read_slot(self, capacity: int, noise_capacity: int) -> npt.NDArray[np.int64]:
        """The Gaussians of the next slot, shape (n, ROW_FIELDS), tones first; BitstreamError if there are more than
        `capacity` tones or `noise_capacity` noises."""
        if not self._open:
            self._open_segment()
        header = self.header
        count = self._decode_slot(
            self._state,
            self._bytes,
            self._contexts,
            self._before,
            self._noise_before,
            header.kmin,
            header.slot_log2,
            self._frame_log2,
            self.slot,
            self._rows,
            capacity,
            noise_capacity,
        )
        if self._current.truncated and self._state[OVERRUN] > 0:
            self._current.check()
        if self._state[OVERRUN] > MAX_OVERRUN:
            raise BitstreamError(f"segment {self._segment} ends before its last Gaussian")
        if count == TOO_MANY:
            raise BitstreamError(f"slot {self.slot} begins more Gaussians than the header's class allows")
        if count == ILLEGAL_BIN:
            raise BitstreamError(f"slot {self.slot} has a Gaussian above half the sample rate")
        self.slot += 1
        if self.slot == header.segment_slots(self._segment).stop:
            self._close_segment()
        return self._rows[:count]

    def _open_segment(self) -> None:
        while len(self._offsets) <= self._segment:
            index = len(self._offsets) - 1
            self._offsets.append(read_segment(self._data, self._offsets[index], index).end)
        self._current = read_segment(self._data, self._offsets[self._segment], self._segment)
        self._bytes = np.frombuffer(self._current.data, np.uint8)
        self._contexts = self._initial.copy()
        self._before = np.zeros(self.header.scales, np.int64)
        self._noise_before = np.zeros(self._noise_scales, np.int64)
        start_decoder(self._state, self._bytes)
        self._open = True

    def _close_segment(self) -> None:
        self._current.check()
        if self._state[POSITION] < len(self._bytes):
            raise BitstreamError(f"segment {self._segment} goes on after its last slot")
        self._segment += 1
        self._open = False
        if self._segment == self.header.segments and self._current.end != len(self._data):
            raise BitstreamError(f"{len(self._data) - self._current.end} bytes follow the last segment")


class ReferenceDecoder:
    """A streaming decoder of one stream; every step in integers, as SPEC.md has it.

    Raises BitstreamError here for a damaged header, and from `read` for damage further in, after the samples
    before the damaged slot have been given.
    """

    def __init__(self, data: bytes) -> None:
        self._reader = SlotReader(data)
        self._loop = False
        self._budgets: list[tuple[int, int | None]] = [(0, None)]
        noise = self.header.noise
        self._noise = NoiseRenderer(noise, self.header.sample_rate) if noise else None
        self.rewind()

    @property
    def header(self) -> StreamHeader:
        return self._reader.header

    @property
    def position(self) -> int:
        """Number of the sample that the next `read` gives first."""
        return self._position

    def rewind(self) -> None:
        self.seek(0)

    def seek(self, sample: int) -> None:
        """Continue at a sample, 0..header.samples, as if all before it had been read."""
        if not 0 <= sample <= self.header.samples:
            raise ValueError(f"cannot seek to sample {sample} of {self.header.samples}")
        self._position = sample
        self._kept = np.zeros((0, ROW_FIELDS), np.int64)
        self._held_after = self._needed_after = warm_up_start(sample)
        self._next_block = self._needed_after // RENDER_BLOCK
        self._budgets = [(self._next_block, self._budgets[-1][1])]
        if self._noise:
            self._noise.forget()
        self._damage: BitstreamError | None = None
        self._reader.go_to_segment(self.header.segment_for_sample(sample))

    def set_loop(self, enabled: bool) -> None:
        """Jump from the loop's end to its start when reading; ValueError if there are no loop points."""
        if enabled and self.header.loop is None:
            raise ValueError("the stream has no loop points")
        self._loop = enabled

    def set_budget(self, macs: int | None) -> None:
        """Spend at most so many MACs a sample on tones from the next block on; None for all that they take."""
        self._budgets.append((self._next_block, macs))

    def state(self) -> tuple[int, int, int, int]:
        """Range, code, bytes read and Gaussians held after the last decoded slot."""
        return (*self._reader.coder_state, len(self._lasting_after(self._kept, self._held_after)))

    def read(self, count: int) -> npt.NDArray[np.int16]:
        """The next samples, int16, shape (count,); fewer at the end or before damage, none after the end."""
        pieces: list[npt.NDArray[np.int16]] = []
        wanted = count
        while wanted > 0 and (piece := self._read_piece(wanted)).size:
            pieces.append(piece)
            wanted -= piece.size
        if self._damage and wanted == count > 0:
            raise self._damage
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    def _read_piece(self, wanted: int) -> npt.NDArray[np.int16]:
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
            while (coming := self._held_after_next_slot()) <= start:
                self._hold_next_slot(coming)
        except BitstreamError as damage:
            self._damage = damage
            return np.zeros(0, np.int16)
        count = min(end, start + wanted, coming) - start
        tones = self._kept[self._kept[:, KIND] == TONE]
        quarters = rendered(held(tones, header.mantissa), start, count, header.output_shift, self._budgets)
        self._position = start + count
        self._next_block = -(-self._position // RENDER_BLOCK)
        if self._noise is None or header.noise is None:
            return to_pcm(quarters)
        noises = self._kept[self._kept[:, KIND] == NOISE]
        noise = self._noise.samples(start, count, held_noise(noises, header.noise.frame_log2))
        return to_pcm(quarters, noise)

    def _held_after_next_slot(self) -> int:
        """What the ends of Gaussians held in the next slot lie behind; the clip's end if there is none."""
        slot = self._reader.slot
        return held_after(slot << self.header.slot_log2) if slot < self.header.slots else self.header.samples

    def _hold_next_slot(self, held_after_it: int) -> None:
        """Hold what begins in the next slot and has not ended before the position, and drop what has ended."""
        self._held_after = max(self._needed_after, held_after_it)
        # The half-band filters reach back into two blocks; a decoder that goes on has those samples already.
        self._kept = self._lasting_after(self._kept, self._held_after - WARM_UP_BLOCKS * RENDER_BLOCK)
        held_rows = self._lasting_after(self._kept, self._held_after)
        begun = self._reader.read_slot(*room(held_rows, self.header))
        self._kept = np.concatenate([self._kept, self._lasting_after(begun, self._held_after)])

    def _lasting_after(self, rows: npt.NDArray[np.int64], sample: int) -> npt.NDArray[np.int64]:
        return rows[ends(as_table(rows), self.header) > sample]


def room(rows: npt.NDArray[np.int64], header: StreamHeader) -> tuple[int, int]:
    """How many more tones and noises a decoder may hold that holds these (SPEC R5)."""
    noises = int(np.sum(rows[:, KIND] == NOISE))
    return header.max_active - (len(rows) - noises), header.max_noise - noises


def as_table(rows: npt.NDArray[np.int64]) -> GaussianTable:
    """Decoded rows as a table, dtype `GAUSSIAN`."""
    table = empty_table(len(rows))
    for column, name in enumerate(GAUSSIAN.names or ()):
        table[name] = rows[:, column]
    return table


def decode_gaussians(data: bytes) -> GaussianTable:
    """All Gaussians of a stream, in the order of the stream, dtype `GAUSSIAN`; BitstreamError if it is damaged."""
    reader = SlotReader(data)
    header = reader.header
    held_rows = np.zeros((0, ROW_FIELDS), np.int64)
    slots = []
    for slot in range(-header.lead_slots, header.slots):
        after = max(warm_up_start(0), held_after(slot << header.slot_log2))
        held_rows = held_rows[ends(as_table(held_rows), header) > after]
        slots.append(reader.read_slot(*room(held_rows, header)).copy())
        held_rows = np.concatenate([held_rows, slots[-1]])
    return as_table(np.concatenate(slots))
