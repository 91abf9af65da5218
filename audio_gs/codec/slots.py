"""Step 3 of SPEC.md, the slots: which Gaussians begin where, entropy-coded, kind after kind."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.errors import BitstreamError

from . import residual
from .container import StreamHeader, build_stream, parse_header, read_segment
from .gaussians import RESIDUAL, Gaussians
from .kinds import KINDS, Kind
from .kinds.base import Table, refuse
from .kinds.noise import Coded
from .range_coder import (
    CODE,
    DECODER_FIELDS,
    ENCODER_FIELDS,
    MAX_OVERRUN,
    NOTES,
    OVERRUN,
    POSITION,
    RANGE,
    finish_encoder,
    start_decoder,
    start_encoder,
)
from .symbols import ILLEGAL_BIN, TOO_MANY
from .tables import contexts_of_prior, priors

Array = npt.NDArray[Any]


def _prior_starts() -> dict[str, int]:
    """The number of each kind's first context in a table set."""
    starts, at = {}, 0
    for kind in KINDS:
        starts[kind.name] = at
        at += kind.prior_contexts
    return starts


PRIOR_STARTS = _prior_starts()


def initial_contexts(header: StreamHeader, kind: Kind) -> npt.NDArray[np.uint16]:
    """The contexts of a kind at the start of a segment (SPEC R2)."""
    start = PRIOR_STARTS[kind.name]
    of_kind = priors()[header.table_set, start : start + kind.prior_contexts]
    contexts = contexts_of_prior(kind.prior(of_kind, header))
    if header.panning is None:
        return contexts
    return np.concatenate([contexts, (kind.side_prior() << 4).astype(np.uint16)])


class _KindOfSegment:
    """What the syntax of one kind remembers within a segment."""

    def __init__(self, header: StreamHeader, kind: Kind) -> None:
        self.kind = kind
        self.layout = kind.layout(header)
        self._initial = initial_contexts(header, kind)
        self._scales = kind.scales(header)
        self.start()

    def start(self) -> None:
        self.contexts = self._initial.copy()
        self.before = np.zeros(self._scales, np.int64)


class SlotReader:
    """Steps 1 to 3: the Gaussians of a stream, slot after slot, from the start of any segment.

    `notes` is how many bits with an adaptive context a slot's kind may at most code, for `coded_bits`; 0 for no notes.
    """

    def __init__(self, data: bytes, notes: int = 0) -> None:
        self._data = bytes(data)
        self.header, body = parse_header(self._data)
        self._offsets = [body]
        self._kinds = [_KindOfSegment(self.header, kind) for kind in self.header.kinds]
        self._tables = [part.kind.empty(part.kind.capacity(self.header)) for part in self._kinds]
        self._state = np.zeros(DECODER_FIELDS + (1 + notes if notes else 0), np.int64)
        self._frames = residual.FrameSource(self.header) if self.header.residual else None
        self.notes: dict[str, npt.NDArray[np.int64]] = {}
        """Of the last slot, by kind: 2 * context + bit for each bit with an adaptive context."""
        self.go_to_segment(0)

    def go_to_segment(self, segment: int) -> None:
        """Make the first slot of a segment the next one."""
        self._segment = segment
        self.slot = self.header.segment_slots(segment).start
        self.frames = range(0)
        """Frames of the residual layer that `read_frame` gives before the next slot."""
        self._open = False

    def skip_empty(self, last: int) -> None:
        """Leave out slots before slot `last` of the segment in which no Gaussian can begin. They take no bits, so that
        a stream can state as many of them as it likes."""
        hop = min(kind.shortest_hop(self.header) for kind in self.header.kinds) >> self.header.slot_log2
        if hop > 1 and self._open:
            last = min(last, self.header.segment_slots(self._segment).stop - 1)
            self.slot = max(self.slot, min(last, -(-self.slot // hop) * hop))

    @property
    def coder_state(self) -> tuple[int, int, int]:
        """Range, code and bytes read of the range decoder."""
        return int(self._state[RANGE]), int(self._state[CODE]), int(self._state[POSITION])

    @property
    def is_between_segments(self) -> bool:
        """Whether the next slot begins a segment."""
        return not self._open

    def read_slot(self, room: dict[str, int]) -> dict[str, Table]:
        """The Gaussians of the next slot by kind; BitstreamError if there are more of one than `room` has for it. The
        frames of the slot before must have been read."""
        assert len(self.frames) == 0
        if not self._open:
            self._open_segment()
        begun: dict[str, Table] = {}
        count = 0
        for part, table in zip(self._kinds, self._tables, strict=True):
            name = part.kind.name
            count = part.kind.decode_slot(
                self._state,
                self._bytes,
                part.contexts,
                part.before,
                part.layout,
                self.slot,
                table,
                room[name],
            )
            if len(self._state) > DECODER_FIELDS:
                self.notes[name] = self._state[NOTES + 1 : NOTES + 1 + self._state[NOTES]].copy()
                self._state[NOTES] = 0
            if count < 0:
                break
            begun[name] = table[:count]
        self._check_overrun()
        if count == TOO_MANY:
            raise BitstreamError(f"slot {self.slot} begins more Gaussians than the header's class allows")
        if count == ILLEGAL_BIN:
            raise BitstreamError(f"slot {self.slot} has a Gaussian above half the sample rate")
        if self._frames:
            self._frames.begin(begun)
            self.frames = residual.frames_of_slot(self.header, self.slot)
        self.slot += 1
        self._close_segment_at_its_end()
        return begun

    def read_frame(self) -> Coded:
        """The next of `frames`."""
        source = self._frames
        assert source is not None
        number = self.frames.start
        # Without room for notes: table sets have no priors for the residual's contexts.
        state = self._state[:DECODER_FIELDS]
        frame = residual.decode_frame(
            state, self._bytes, source.contexts, source.memory, number, source.cells(number), source.layout
        )
        self._check_overrun()
        self.frames = self.frames[1:]
        self._close_segment_at_its_end()
        return frame

    @property
    def level_changes(self) -> Array:
        """What the last frame with fine levels coded, int64, shape (residual.CELLS,)."""
        assert self._frames is not None
        return self._frames.memory.changes

    def _check_overrun(self) -> None:
        if self._current.truncated and self._state[OVERRUN] > 0:
            self._current.check()
        if self._state[OVERRUN] > MAX_OVERRUN:
            raise BitstreamError(f"segment {self._segment} ends before its last Gaussian")

    def _open_segment(self) -> None:
        while len(self._offsets) <= self._segment:
            index = len(self._offsets) - 1
            self._offsets.append(read_segment(self._data, self._offsets[index], index).end)
        self._current = read_segment(self._data, self._offsets[self._segment], self._segment)
        self._bytes = np.frombuffer(self._current.data, np.uint8)
        for part in self._kinds:
            part.start()
        if self._frames:
            self._frames.start()
        start_decoder(self._state, self._bytes)
        self._open = True

    def _close_segment_at_its_end(self) -> None:
        if len(self.frames) or self.slot < self.header.segment_slots(self._segment).stop:
            return
        self._current.check()
        if self._state[POSITION] < len(self._bytes):
            raise BitstreamError(f"segment {self._segment} goes on after its last slot")
        self._segment += 1
        self._open = False
        if self._segment == self.header.segments and self._current.end != len(self._data):
            raise BitstreamError(f"{len(self._data) - self._current.end} bytes follow the last segment")


_MOST_BITS_A_GAUSSIAN = 64


def coded_bits(data: bytes) -> dict[int, list[int]]:
    """The bits that a stream codes with each context of a table set, segment after segment, -1 between segments; what
    the priors are trained on. Raises BitstreamError if the stream is damaged."""
    header = parse_header(data)[0]
    room = {kind.name: kind.capacity(header) for kind in header.kinds}
    # Contexts of panned Gaussians come after these, and have no priors in table sets.
    trained = {kind.name: kind.trained_contexts(header) for kind in header.kinds}
    reader = SlotReader(data, notes=_MOST_BITS_A_GAUSSIAN * (max(room.values()) + 1))
    of_context: dict[int, list[int]] = defaultdict(list)
    for segment in range(header.segments):
        for _ in header.segment_slots(segment):
            reader.read_slot(room)
            while len(reader.frames):
                reader.read_frame()
            for kind in header.kinds:
                for note in reader.notes[kind.name].tolist():
                    if note >> 1 >= trained[kind.name]:
                        continue
                    of_context[PRIOR_STARTS[kind.name] + (note >> 1)].append(note & 1)
        for bits in of_context.values():
            bits.append(-1)
    return dict(of_context)


def check_gaussians(gaussians: Gaussians, header: StreamHeader) -> None:
    """Raises ValueError for Gaussians that the syntax of a stream with this header has no words for."""
    for kind in KINDS:
        table = gaussians[kind.name]
        if len(table):
            slot = table["onset"] >> header.slot_log2
            outside = (slot < -header.lead_slots) | (slot >= header.slots)
            refuse(outside, table, kind.name, f"begins outside the clip's {header.samples} samples")
        kind.check(table, header)
    residual.check(gaussians[RESIDUAL], header)


class _FrameWriter:
    """The frames of a stream with a residual layer."""

    _MOST_BYTES_A_FRAME = 8

    def __init__(self, table: Table, header: StreamHeader) -> None:
        self._header = header
        self._table = residual.sorted_for_coding(table)
        self._source = residual.FrameSource(header)

    def start(self) -> None:
        self._source.start()

    def _rows(self, frames: range) -> Table:
        start, stop = np.searchsorted(self._table["frame"], (frames.start, frames.stop))
        return self._table[start:stop]

    def room(self, slots: range) -> int:
        """Bytes enough for the frames of so many slots."""
        assert self._header.noise is not None
        first, last = (residual.frames_of_slot(self._header, slot) for slot in (slots[0], slots[-1]))
        count = max(0, last.stop - first.start)
        cells = (residual.CELLS + self._header.noise.frame_samples) * count // 4
        return count * self._MOST_BYTES_A_FRAME + cells + 4 * len(self._rows(range(first.start, last.stop)))

    def encode(self, state: Array, output: Array, slot: int, begun: dict[str, Table]) -> None:
        source = self._source
        source.begin(begun)
        for frame in residual.frames_of_slot(self._header, slot):
            rows = self._rows(range(frame, frame + 1))
            done = residual.encode_frame(
                state, output, source.contexts, source.memory, frame, source.cells(frame), source.layout, rows
            )
            if done < len(rows):
                raise ValueError(f"frame {frame} has a residual value where the stream's levels have no place for one")


def encode_slots(gaussians: Gaussians, header: StreamHeader) -> list[bytes]:
    """The range-coded bytes of each segment of a stream with this header and these Gaussians.

    Raises ValueError for Gaussians that such a stream cannot code.
    """
    check_gaussians(gaussians, header)
    parts = [_KindOfSegment(header, kind) for kind in header.kinds]
    tables = [part.kind.sorted_for_coding(gaussians[part.kind.name], header.slot_log2) for part in parts]
    slots_of_tables = [table["onset"] >> header.slot_log2 for table in tables]
    scales = sum(kind.scales(header) for kind in header.kinds)
    frames = _FrameWriter(gaussians[RESIDUAL], header) if header.residual else None
    payloads = []
    for segment in range(header.segments):
        slots = header.segment_slots(segment)
        edges = np.arange(slots.start, slots.stop + 1)
        starts = [np.searchsorted(slots_of_table, edges).tolist() for slots_of_table in slots_of_tables]
        count = sum(of_kind[-1] - of_kind[0] for of_kind in starts)
        room = 64 + 16 * count + 2 * len(slots) * scales + (frames.room(slots) if frames else 0)
        output = np.zeros(room, np.uint8)
        state = np.zeros(ENCODER_FIELDS, np.int64)
        start_encoder(state)
        for part in parts:
            part.start()
        if frames:
            frames.start()
        for index, slot in enumerate(slots):
            begun = {}
            for part, table, start in zip(parts, tables, starts, strict=True):
                here = begun[part.kind.name] = table[start[index] : start[index + 1]]
                part.kind.encode_slot(state, output, part.contexts, part.before, part.layout, slot, here)
            if frames:
                frames.encode(state, output, slot, begun)
        payloads.append(output[: finish_encoder(state, output)].tobytes())
    return payloads


def encode_stream(header: StreamHeader, gaussians: Gaussians) -> bytes:
    """A whole stream: steps 1 to 3 backwards."""
    return build_stream(header, encode_slots(gaussians, header))
