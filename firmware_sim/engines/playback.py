"""What both engines do: play a whole clip on a core, and give the counts of every call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.native import class_bytes

from ..build.image import SimError
from ..profile.costs import BlockCounts
from .machine import Machine

OnCall = Callable[[BlockCounts], None]
"""Takes the counts of gs_open_memory first, then of each gs_read."""


@dataclasses.dataclass(frozen=True)
class Playback:
    pcm: bytes
    """16 bits, little-endian."""
    stack_bytes: int
    """The most that any call wrote to."""


def state_bytes(header: StreamHeader, machine: Machine, function: str = "gs_decoder_size") -> int:
    """Memory that gs_open_memory needs for a stream's class by the core's own reckoning, in a function that says it:
    also to play it otherwise, or for a listener."""
    decoder_class = class_bytes(header)
    place = machine.reserve(len(decoder_class))
    machine.write(place, decoder_class)
    return machine.call(function, place)


def play_on_unicorn(
    machine: Machine,
    data: bytes,
    samples: int,
    block: int,
    memory_bytes: int,
    on_call: OnCall,
    changes: Mapping[str, tuple[int, ...]],
    channels: int = 1,
) -> Playback:
    """Call gs_open_memory, the functions of the C library that `changes` names, with their numbers, and then gs_read,
    `block` samples of each channel at a time, for so many samples."""
    memory, clip = machine.reserve(memory_bytes), machine.reserve(len(data))
    pcm, opened = machine.reserve(2 * block * channels), machine.reserve(4)
    machine.write(clip, data)
    error = machine.call("gs_open_memory", memory, memory_bytes, clip, len(data), opened)
    if error:
        raise SimError(f"gs_open_memory gave {error} on the simulated core")
    on_call(machine.counts)
    decoder = int.from_bytes(machine.read(opened, 4), "little")
    for name, values in changes.items():
        if error := machine.call(name, decoder, *values):
            raise SimError(f"{name} gave {error} on the simulated core")
    pieces: list[bytes] = []
    done = 0
    while done < samples:
        count = machine.call("gs_read", decoder, pcm, block)
        if count <= 0:
            raise SimError(f"gs_read gave {count} on the simulated core, after {done} samples")
        on_call(machine.counts)
        pieces.append(machine.read(pcm, 2 * count * channels))
        done += count
    return Playback(b"".join(pieces), machine.stack_bytes)
