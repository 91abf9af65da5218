"""SPEC, Conventions: the arithmetic that all chapters use, and the errors that a stream can meet."""


class StreamError(ValueError):
    """A stream that cannot be decoded; `name` is which of SPEC's two errors it is."""

    name = ""


class CorruptError(StreamError):
    """Damage, or what no encoder may make."""

    name = "corrupt"


class UnsupportedError(StreamError):
    """A stream that may be sound, but asks for a version or a feature that this decoder does not know (C2)."""

    name = "unsupported"


def wrap32(x: int) -> int:
    """x modulo 2^32, as int32."""
    return ((x + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def saturate16(x: int) -> int:
    """x limited to what 16 bits hold."""
    return min(max(x, -32768), 32767)


def log(x: int) -> int:
    """256 log2(x), in straight lines; x >= 1 (8.3)."""
    h = x.bit_length() - 1
    return 256 * h + (((x << 8) >> h) & 255)
