"""SPEC 2, Range coder: bytes to decisions; and the codes of numbers that chapter 3 makes of decisions."""

from __future__ import annotations

from .container import Segment
from .integers import CorruptError
from .tables import SHIFT, START_COUNT


class Context:
    """How likely the next bit is a 1, and how often that was learned from."""

    __slots__ = ("n", "p")

    def __init__(self, p: int, n: int = 0) -> None:
        self.p, self.n = p, n


def trained_context(prior: int) -> Context:
    """The context that a byte of PRIOR stands for (R2)."""
    return Context((prior >> 2) * 64 + 32, START_COUNT[prior & 3])


class RangeDecoder:
    """The decoder of one segment."""

    def __init__(self, data: bytes, segment: Segment) -> None:
        self._data, self._segment = data, segment
        self._at = segment.start  # of the next byte, behind the segment's end where zeros are read
        self._range, self._code = 0xFFFFFFFF, 0
        for _ in range(4):
            self._code = self._code << 8 | self._next_byte()

    def _next_byte(self) -> int:
        self._at += 1
        if self._at > self._segment.end:
            return 0
        if self._at > len(self._data):
            raise CorruptError("the file ends within a segment")
        return self._data[self._at - 1]

    def _renormalise(self) -> None:
        while self._range < 1 << 24:
            self._range <<= 8
            self._code = (self._code << 8 & 0xFFFFFFFF) | self._next_byte()

    def decode(self, ctx: Context) -> int:
        """A bit of which something is known."""
        bound = (self._range >> 12) * (ctx.p | 1)
        if self._code < bound:
            bit = 1
            self._range = bound
            ctx.p += (4095 - ctx.p) >> SHIFT[ctx.n]
        else:
            bit = 0
            self._code -= bound
            self._range -= bound
            ctx.p -= ctx.p >> SHIFT[ctx.n]
        ctx.n = min(ctx.n + 1, 15)
        self._renormalise()
        return bit

    def direct(self, m: int) -> int:
        """A number of m bits of which nothing is known."""
        value = 0
        for _ in range(m):
            self._range >>= 1
            bit = self._code >= self._range
            if bit:
                self._code -= self._range
            self._renormalise()
            value = value << 1 | bit
        return value

    def tree(self, c: list[Context], bits: int) -> int:
        """A number of so many bits, highest first (3)."""
        v = 1
        for _ in range(bits):
            v = 2 * v + self.decode(c[v - 1])
        return v - (1 << bits)

    def gamma(self, u: list[Context], m: list[Context], top: int) -> int:
        """A number of at least 1 that is the likelier, the smaller it is (3)."""
        e = 0
        while e < top and self.decode(u[min(e, 11)]):
            e += 1
        if e == 0:
            return 1
        return (2 + self.decode(m[min(e, 11) - 1])) << (e - 1) | self.direct(e - 1)

    def unary(self, c: list[Context], count: int) -> int:
        """A number 1 .. 15 (8.2)."""
        x = 1
        while x < 15 and self.decode(c[min(x, count) - 1]):
            x += 1
        return x

    def check_overrun(self) -> None:
        """R3, after a slot's Gaussians and after a frame."""
        if self._at > self._segment.end + 4:
            raise CorruptError("a segment ends too early")

    def check_end(self, crc: int) -> None:
        """C4, after all that the segment holds."""
        if self._at < self._segment.end:
            raise CorruptError("a segment has more bytes than it needs")
        if crc != self._segment.crc:
            raise CorruptError("a segment's CRC is wrong")
