"""Plays a clip in several voices of a mixer on a simulated core, and compares that with as many decoders."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

from audio_gs import api
from audio_gs.codec.container import MAX_DURATION, check_duration, check_stream
from audio_gs.codec.memory import MOST_VOICES
from audio_gs.codec.native import NativeMixer
from audio_gs.codec.playback import GAIN_ONE

from .build.elf import MixerRom, read_mixer_rom
from .build.image import SimError
from .engines.machine import Machine
from .engines.playback import state_bytes
from .profile.costs import Cost, CostBook
from .simulate import Settings, simulate

APART_S = 0.04
_SOUND = struct.Struct("<IIIIHhHBB")
"""gs_sound on a 32-bit core."""


@dataclasses.dataclass(frozen=True)
class MixReport:
    """What playing a clip in several voices took, each of which began `apart` samples after the one before."""

    settings: Settings
    voices: int
    apart: int
    samples: int
    """Of the clip."""
    bit_exact: bool
    """The PCM is that of the host's mixer."""
    mixer: Cost
    """All calls of gs_mixer_play and gs_mix."""
    decoders: Cost
    """All calls of gs_open_memory and gs_read of as many decoders."""
    rom: MixerRom
    """The mixer's own, beside the decoder's."""
    ram_bytes: int
    """Of the mixer beside its voices' decoders."""
    stack_bytes: int

    @property
    def share(self) -> float:
        """Instructions of the mixer by those of the decoders."""
        return self.mixer.instructions / self.decoders.instructions

    def per_sample(self, cost: Cost) -> float:
        """Instructions for a sample of a voice."""
        return cost.instructions / (self.samples * self.voices)

    def as_dict(self) -> dict[str, Any]:
        """All of it as what JSON can hold."""
        return {
            "core": self.settings.core,
            "opt": self.settings.optimisation,
            "block_samples": self.settings.block,
            "voices": self.voices,
            "samples_apart": self.apart,
            "bit_exact": self.bit_exact,
            "mixer_instructions": self.mixer.instructions,
            "decoders_instructions": self.decoders.instructions,
            "share": self.share,
            "mixer_instructions_per_voice_sample": self.per_sample(self.mixer),
            "decoders_instructions_per_voice_sample": self.per_sample(self.decoders),
            "mixer_rom_bytes": self.rom.total,
            "mixer_rom_mixing_bytes": self.rom.mixing,
            "mixer_rom_sharing_bytes": self.rom.sharing,
            "mixer_ram_bytes": self.ram_bytes,
            "stack_bytes": self.stack_bytes,
        }


def simulate_mix(data: bytes, settings: Settings, voices: int, max_duration: float | None = MAX_DURATION) -> MixReport:
    """Play a stream in `voices` voices, 1 to MOST_VOICES, each a few blocks after the one before.

    Raises BitstreamError for a damaged stream, TooLongError for one of more than `max_duration` seconds (None takes
    any), and SimError where the simulation is not possible.
    """
    if settings.engine != "unicorn" or settings.playback != api.AS_ENCODED:
        raise SimError("voices are simulated as encoded, by unicorn; leave out the engine, pitch, tempo and rate")
    if not 1 <= voices <= MOST_VOICES:
        raise SimError(f"{voices} voices are not between 1 and {MOST_VOICES}")
    header = check_stream(data)
    check_duration(header, max_duration)
    alone = simulate(data, settings, max_duration)
    image = settings.image()
    machine = Machine(image, settings.cache)
    book = CostBook(image, machine.elf)
    room = state_bytes(header, machine)
    apart = -(-round(APART_S * header.sample_rate) // settings.block) * settings.block
    size = machine.call("gs_mixer_size", voices, room)
    memory, opened, pcm = machine.reserve(size), machine.reserve(4), machine.reserve(2 * settings.block)
    clip, sound = machine.reserve(len(data)), machine.reserve(_SOUND.size)
    machine.write(clip, data)
    machine.write(sound, _SOUND.pack(clip, 0, 0, len(data), GAIN_ONE, 0, 0, 0, 0))
    _check(machine, "gs_mixer_open", memory, size, voices, room, header.sample_rate, 1, opened)
    mixer = int.from_bytes(machine.read(opened, 4), "little")
    _check(machine, "gs_mixer_share", mixer)
    cost, begun, done = Cost(), 0, 0
    pieces, expected = [], []
    host = NativeMixer(header.sample_rate, voices, room + 64)
    while done < header.samples + (voices - 1) * apart:
        if begun < voices and done >= begun * apart:
            _check(machine, "gs_mixer_play", mixer, sound)
            cost += book.add(machine.counts)
            host.play(data, GAIN_ONE)
            begun += 1
        _check(machine, "gs_mix", mixer, pcm, settings.block)
        cost += book.add(machine.counts)
        pieces.append(machine.read(pcm, 2 * settings.block))
        expected.append(host.mix(settings.block).astype("<i2").tobytes())
        done += settings.block
    decoders = alone.cost + alone.opening
    return MixReport(
        settings=settings,
        voices=voices,
        apart=apart,
        samples=header.samples,
        bit_exact=pieces == expected,
        mixer=cost,
        decoders=sum([decoders] * voices, Cost()),
        rom=read_mixer_rom(image),
        ram_bytes=size - voices * room,
        stack_bytes=machine.stack_bytes,
    )


def _check(machine: Machine, function: str, *arguments: int) -> None:
    result = machine.call(function, *arguments)
    if result < 0:
        raise SimError(f"{function} gave {result} on the simulated core")
