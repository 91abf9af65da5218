"""What a kind of Gaussian is to the rest of the codec: a room with five sections.

fields      its columns, its part of the header, and what they say in seconds and hertz
syntax      how a slot codes it
dequantise  from the stream's integers to those that rendering takes
render      samples from it
cost        the multiplications that this takes

Container, slots, decoder and cost walk over `audio_gs.codec.kinds.KINDS` and know no kind by name.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ..container import StreamHeader
    from ..directions import Ears

Array = npt.NDArray[Any]
Table = npt.NDArray[Any]
"""Gaussians of one kind, of the kind's own dtype, shape (n,)."""
Macs = npt.NDArray[np.int64]


class Muted(NamedTuple):
    """What of a stream is left out (SPEC 9.3)."""

    kinds: frozenset[str] = frozenset()
    """Names of kinds, and "residual"."""
    low: int = 0
    """The frequencies from this one on.."""
    high: int = 0
    """..and below this one; both in phase steps a sample of the clip, 65536 a turn."""

    def frequencies(self, steps: Array) -> npt.NDArray[np.bool_]:
        """Marks which frequencies are left out."""
        return np.asarray((steps >= self.low) & (steps < self.high))


NOTHING_MUTED = Muted()


PITCH_ONE = 1 << 14
"""The pitch of a stream as encoded."""


class Pace(NamedTuple):
    """What pitch, tempo and output rate come to (SPEC 9.5)."""

    pitch: int = PITCH_ONE
    rate: int = 0
    """Of the samples that are given, in Hz; 0 for that of the stream."""
    frequency: int = 1 << 16
    """By which the frequencies of encoding are multiplied, a sample of each, in 1/65536."""
    step: int = 1 << 16
    """Samples of the clip for each that is given, in 1/65536."""
    stretch: int = 1 << 16
    """Samples that are given for each of the clip, in 1/65536."""
    turn: int = PITCH_ONE
    """By which phases turn further, in 1/16384."""
    size: int = 0
    """Of supports: what they are stretched by, in 1/32 octaves."""


AS_ENCODED = Pace()


class Clock(Protocol):
    """Where the clip lies among the samples that are given."""

    def clip_sample(self, sample: int) -> int: ...


class Rule(NamedTuple):
    """How the blocks from number `first` on are made."""

    first: int
    macs: int | None = None
    """Budget in MACs a sample; None for none."""
    muted: Muted = NOTHING_MUTED
    pace: Pace = AS_ENCODED
    """That of noise, and of tones that begin."""
    clock: Clock | None = None
    """None where the samples that are given are those of the clip."""
    ears: Ears | None = None
    """What a listener hears of noise, and of tones that begin (SPEC 11); None without one."""


Rules = Sequence[Rule]
"""Ascending, the first one before all blocks."""
EVERYTHING = (Rule(-1 << 31),)

PHYSICAL = np.dtype(
    [
        ("time", "<f8"),
        ("frequency", "<f8"),
        ("spread_time", "<f8"),
        ("spread_frequency", "<f8"),
        ("weight", "<f8"),
        ("phase", "<f8"),
    ]
)
"""time: centre in seconds. frequency: hertz. spread_time, spread_frequency: standard deviations in seconds and hertz.
weight and phase: see the kind."""


class HeaderLimit(NamedTuple):
    """A field of the header and what it may be."""

    name: str
    value: int
    low: int
    high: int

    @property
    def error(self) -> str | None:
        """What is illegal about it, in one line."""
        if self.low <= self.value <= self.high:
            return None
        return f"illegal header: {self.name} is {self.value}, allowed are {self.low}..{self.high}"


def refuse(wrong: npt.NDArray[np.bool_], table: Table, name: str, problem: str) -> None:
    """Raises ValueError for the first row that is marked as wrong, by its number in the table and its columns."""
    marked = np.flatnonzero(wrong)
    if len(marked):
        row = table[marked[0]]
        columns = ", ".join(f"{column} {row[column]}" for column in table.dtype.names or ())
        raise ValueError(f"{name} {marked[0]} ({columns}) {problem}")


class Renderer(abc.ABC):
    """Makes the samples of one kind of one stream, from anywhere."""

    @abc.abstractmethod
    def samples(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        """Samples start.. of the Gaussians in the table, shape (count,), in output steps."""

    @abc.abstractmethod
    def mid_and_side(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        """The same of both channels of a stream with panned Gaussians, shape (2, count) (SPEC 10)."""

    @abc.abstractmethod
    def left_and_right(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        """The same of both ears of a listener, shape (2, count) (SPEC 11)."""

    def forget(self) -> None:  # noqa: B027
        """Forget what was made so far, before a jump; most kinds keep nothing."""


class Kind(abc.ABC):
    """One kind of Gaussian."""

    name: ClassVar[str]
    bit: ClassVar[int]
    """Number of its bit in the header."""
    dtype: ClassVar[np.dtype[Any]]
    side_columns: ClassVar[tuple[str, str]]
    """Those of its columns that are 0 in a stream without panned Gaussians."""
    optional: ClassVar[bool] = True
    """False: every stream may have it, and the header's own fields say how."""
    header_bytes: ClassVar[int] = 0
    """Bytes of its own part of the header, if it is optional."""
    prior_contexts: ClassVar[int]
    """Contexts that a table set has a prior for."""
    order_in_scale: ClassVar[str]
    """Column by which those of a slot and a scale are in order."""
    decode: ClassVar[Callable[..., int]]
    encode: ClassVar[Callable[..., None]]
    """Compiled: `decode_slot` and `encode_slot` with what `layout` gives in its place."""

    # ---- fields ----

    def columns(self, is_panned: bool) -> tuple[str, ...]:
        """Names of the columns that a stream with or without panned Gaussians has."""
        return tuple(name for name in self.dtype.names or () if is_panned or name not in self.side_columns)

    def empty(self, rows: int = 0) -> Table:
        """A table of so many Gaussians with every column 0."""
        return np.zeros(rows, self.dtype)

    def occurs(self, header: StreamHeader) -> bool:
        """Whether streams with this header may have Gaussians of the kind."""
        return not self.optional or getattr(header, self.name) is not None

    def parse_part(self, part: bytes) -> Any:
        """Its part of the header from `header_bytes` bytes: what `HeaderParts` has under the kind's name."""
        raise NotImplementedError(f"{self.name} has no part of the header")

    def part_of_info(self, info: Any) -> Any:
        """The same from the C library's `gs_info`."""
        raise NotImplementedError(f"{self.name} has no part of the header")

    def pack_part(self, header: StreamHeader) -> bytes:
        """Its part of the header, `header_bytes` bytes."""
        return b""

    @abc.abstractmethod
    def header_limits(self, header: StreamHeader) -> Sequence[HeaderLimit]:
        """The limits of its fields of a header in which it occurs."""

    @abc.abstractmethod
    def capacity(self, header: StreamHeader) -> int:
        """Decoder class: the most Gaussians held at a time."""

    @abc.abstractmethod
    def with_capacity(self, header: StreamHeader, most: int) -> StreamHeader:
        """The header with another class."""

    @abc.abstractmethod
    def fill_class(self, decoder_class: Any, header: StreamHeader) -> None:
        """Sets the members of the C library's `gs_class` that are the kind's."""

    @abc.abstractmethod
    def longest_support(self, header: StreamHeader) -> int:
        """Samples that one can last at most."""

    @abc.abstractmethod
    def shortest_hop(self, header: StreamHeader) -> int:
        """Samples, a power of two: one begins at multiples of it alone (SPEC S1)."""

    def reach_back(self, header: StreamHeader) -> int:
        """Samples before one from which on its Gaussians must be known for it to come out right."""
        return 0

    @abc.abstractmethod
    def supports(self, table: Table, header: StreamHeader) -> npt.NDArray[np.int64]:
        """Samples that each lasts, shape (n,)."""

    def ends(self, table: Table, header: StreamHeader) -> npt.NDArray[np.int64]:
        """The sample after each one's last, shape (n,)."""
        return table["onset"].astype(np.int64) + self.supports(table, header)

    @abc.abstractmethod
    def physical(self, table: Table, header: StreamHeader) -> npt.NDArray[Any]:
        """The Gaussians in physical units, dtype `PHYSICAL`, in the order of the table."""

    @abc.abstractmethod
    def check(self, table: Table, header: StreamHeader) -> None:
        """Raises ValueError for Gaussians that the syntax of a stream with this header has no words for."""

    # ---- syntax ----

    @abc.abstractmethod
    def scales(self, header: StreamHeader) -> int:
        """Scales whose counts the syntax remembers from slot to slot."""

    @abc.abstractmethod
    def prior(self, of_set: Array, header: StreamHeader) -> Array:
        """Prior bytes of the contexts that a stream with this header has, of those of a table set."""

    def trained_contexts(self, header: StreamHeader) -> int:
        """How many these are."""
        return len(self.prior(np.zeros(self.prior_contexts, np.int64), header))

    def side_prior(self) -> Array:
        """Initial probabilities, 1/4096, of the contexts that it has beside those in a stream with panned Gaussians."""
        return np.zeros(0, np.int64)

    @abc.abstractmethod
    def layout(self, header: StreamHeader) -> tuple[int, ...]:
        """What `decode_slot` and `encode_slot` need to know of the header."""

    def sorted_for_coding(self, table: Table, slot_log2: int) -> Table:
        """The table in the order of the stream (SPEC S2)."""
        slot = table["onset"] >> slot_log2
        return table[np.lexsort((table["onset"], table[self.order_in_scale], table["scale"], slot))]

    def decode_slot(
        self,
        state: Array,
        data: Array,
        contexts: Array,
        before: Array,
        layout: tuple[int, ...],
        slot: int,
        table: Table,
        capacity: int,
    ) -> int:
        """Decodes what begins in slot number `slot` into table[0..], shape (>= capacity,); returns how many.

        contexts and before (counts by scale) carry over from slot to slot of a segment. Returns `TOO_MANY` when there
        are more than `capacity`, `ILLEGAL_BIN` for a frequency beyond half the sample rate.
        """
        return int(self.decode(state, data, contexts, before, *layout, slot, table, capacity))

    def encode_slot(
        self,
        state: Array,
        output: Array,
        contexts: Array,
        before: Array,
        layout: tuple[int, ...],
        slot: int,
        table: Table,
    ) -> None:
        """Twin of `decode_slot`: the table is all that begins in the slot, sorted for coding."""
        self.encode(state, output, contexts, before, *layout, slot, table)

    # ---- dequantise, render ----

    @abc.abstractmethod
    def renderer(self, header: StreamHeader) -> Renderer:
        """A renderer of a stream with this header; dequantises by itself."""

    # ---- cost ----

    @abc.abstractmethod
    def macs(self, table: Table, header: StreamHeader, start: int, stop: int) -> Macs:
        """MACs at each of the samples start..stop-1, shape (stop - start,), of rendering the Gaussians of the table,
        and of what the kind takes where there are none."""

    @abc.abstractmethod
    def silent_macs(self, header: StreamHeader, start: int, stop: int) -> int | None:
        """Sum of `macs` of an empty table; None where a window of 20 ms in it can be the costliest."""

    @abc.abstractmethod
    def most_silent_macs(self, header: StreamHeader, samples: int) -> int:
        """The most that rendering no Gaussians can take in so many samples in a row, at least."""
