"""Plays a clip on a simulated core and reports what it takes."""

from __future__ import annotations

import dataclasses
import shutil
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from audio_gs import api
from audio_gs.codec.container import MAX_DURATION, check_duration, check_stream
from audio_gs.codec.kinds.base import PITCH_ONE
from audio_gs.codec.pace import pace_of, promised_macs

from .build.cores import CORES
from .build.elf import Rom, read_rom
from .build.image import COMPILERS, GCC, OPTIMISATIONS, Image, SimError, build_image
from .engines.machine import Machine
from .engines.playback import play_on_unicorn, state_bytes
from .engines.qemu import play_on_qemu
from .profile.costs import BlockCounts, Cost, CostBook
from .profile.stack import stack_bound
from .profile.steps import STEPS, step_of
from .profile.timing import TIMINGS

ENGINES = ("unicorn", "qemu")
WINDOW_S = 0.02


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to build and what to run it on."""

    core: str
    compiler: str = "zig"
    optimisation: str = "O2"
    engine: str = "unicorn"
    block: int = 32
    """Samples that each gs_read is asked for."""
    source: Path | None = None
    """decoder_c/, or a changed copy of it; None for the package's own."""
    defines: tuple[str, ...] = ()
    """Macros for the decoder: NAME or NAME=VALUE."""
    cache: Path | None = None
    """Folder of builds; None for the user's."""
    pitch: float = 1.0
    """At which it plays (SPEC 9.4)."""
    tempo: float = 1.0
    rate: int | None = None
    """In Hz (SPEC 9.5); None for that of the clip."""
    mono: bool = False
    """Of a clip with two channels the mid alone (SPEC 10), as QEMU always plays it."""
    azimuth: float | None = None
    """Of the source for a listener (SPEC 11), in degrees; None for none."""

    def __post_init__(self) -> None:
        for value, known in ((self.core, CORES), (self.compiler, COMPILERS), (self.optimisation, OPTIMISATIONS)):
            if value not in known:
                raise SimError(f"{value} is not one of {', '.join(known)}")
        if self.engine not in ENGINES:
            raise SimError(f"{self.engine} is not one of {', '.join(ENGINES)}")
        if self.block < 1:
            raise SimError("a block has at least one sample")
        if self.playback != api.AS_ENCODED and self.engine != "unicorn":
            raise SimError(f"{self.engine} plays as encoded; leave out pitch, tempo and rate or take unicorn")
        if self.listening and (self.playback != api.AS_ENCODED or self.engine != "unicorn"):
            raise SimError("a listener hears clips as they were encoded, on unicorn; leave out what asks for another")

    def image(self) -> Image:
        """What is run, built. Raises SimError as `build_image` does."""
        return build_image(
            self.core, self.compiler, self.optimisation, source=self.source, defines=self.defines, cache=self.cache
        )

    @property
    def listening(self) -> api.Listening | None:
        """The same for the package's own decoders."""
        try:
            return None if self.azimuth is None else api.Listening(azimuth=self.azimuth)
        except ValueError as error:
            raise SimError(str(error)) from None

    @property
    def playback(self) -> api.Playback:
        """The same for the package's own decoders."""
        try:
            return api.Playback(pitch=self.pitch, tempo=self.tempo, rate=self.rate)
        except ValueError as error:
            raise SimError(str(error)) from None


@dataclasses.dataclass(frozen=True)
class Report:
    """What playing one clip took. `cost` and all that is derived from it is of the calls of gs_read."""

    settings: Settings
    compiler_version: str
    samples: int
    sample_rate: int
    bit_exact: bool
    """The PCM is that of `api.decode`."""
    pcm_crc32: str
    cost: Cost
    opening: Cost
    """Of gs_open_memory."""
    worst_block: Cost
    """The call with the most instructions."""
    worst_block_samples: int
    worst_window_instructions: float
    """A sample, over the costliest run of calls that gives at least 20 ms."""
    worst_window_cycles: float
    worst_window_multiplies: float
    worst_window_samples: int
    promised_macs: int
    """The most MACs a sample over 20 ms that the stream's class promises."""
    functions: Mapping[str, Cost]
    """By file:function of the source, inlined or not; opening included."""
    steps: Mapping[str, Cost]
    """By step of decoding; opening included."""
    rom: Rom
    state_bytes: int
    pcm_bytes: int
    stack_bytes: int
    """Measured by painting."""
    stack_bound_bytes: int | None
    """By GCC's call graph, of GCC's build; None where there is no GCC for the core."""

    @property
    def ram_bytes(self) -> int:
        """All in: decoder, PCM block, stack."""
        return self.state_bytes + self.pcm_bytes + self.stack_bytes

    @property
    def within_class(self) -> bool:
        """No 20 ms take more multiplications than the class promises MACs."""
        return self.worst_window_multiplies <= self.promised_macs

    def per_sample(self, amount: float) -> float:
        return amount / self.samples

    def cycles_per_sample(self, cost: Cost) -> float:
        """Estimated."""
        return self.per_sample(cost.cycles * TIMINGS[self.settings.core].factor)

    def megahertz(self, cycles_per_sample: float) -> float:
        """Clock that real time takes."""
        return cycles_per_sample * self.sample_rate / 1e6

    def as_dict(self) -> dict[str, Any]:
        """All of it as what JSON can hold."""
        settings = self.settings
        cycles = self.cycles_per_sample(self.cost)
        return {
            "core": settings.core,
            "engine": settings.engine,
            "compiler": self.compiler_version,
            "opt": settings.optimisation,
            "block_samples": settings.block,
            "pitch": settings.pitch,
            "tempo": settings.tempo,
            "samples": self.samples,
            "sample_rate": self.sample_rate,
            "bit_exact": self.bit_exact,
            "pcm_crc32": self.pcm_crc32,
            "instructions": self.cost.instructions,
            "instructions_per_sample": self.per_sample(self.cost.instructions),
            "multiplies": self.cost.multiplies,
            "multiplies_per_sample": self.per_sample(self.cost.multiplies),
            "opening_instructions": self.opening.instructions,
            "worst_block_instructions": self.worst_block.instructions,
            "worst_block_instructions_per_sample": self.worst_block.instructions / self.worst_block_samples,
            "worst_20ms_instructions_per_sample": self.worst_window_instructions,
            "worst_20ms_multiplies_per_sample": self.worst_window_multiplies,
            "promised_macs_per_sample": self.promised_macs,
            "within_class": self.within_class,
            "cycles_per_sample_estimated": cycles,
            "mhz_estimated": self.megahertz(cycles),
            "worst_20ms_cycles_per_sample_estimated": self.worst_window_cycles,
            "worst_20ms_mhz_estimated": self.megahertz(self.worst_window_cycles),
            "timing_model": TIMINGS[settings.core].describe(),
            "rom_bytes": self.rom.total,
            "rom": dataclasses.asdict(self.rom),
            "ram_bytes": self.ram_bytes,
            "state_bytes": self.state_bytes,
            "pcm_bytes": self.pcm_bytes,
            "stack_bytes": self.stack_bytes,
            "stack_bound_bytes": self.stack_bound_bytes,
            "steps": {name: self._rates(cost) for name, cost in self.steps.items()},
            "functions": {name: self._rates(cost) for name, cost in self.functions.items()},
        }

    def _rates(self, cost: Cost) -> dict[str, float]:
        return {
            "instructions": cost.instructions,
            "instructions_per_sample": self.per_sample(cost.instructions),
            "multiplies_per_sample": self.per_sample(cost.multiplies),
            "cycles_per_sample_estimated": self.cycles_per_sample(cost),
        }


def simulate(data: bytes, settings: Settings, max_duration: float | None = MAX_DURATION) -> Report:
    """Build the decoder, play a stream on it from beginning to end, and compare its PCM with the host's.

    Raises BitstreamError for a damaged stream, TooLongError for one of more than `max_duration` seconds (None takes
    any), and SimError where the simulation is not possible.
    """
    header = check_stream(data)
    check_duration(header, max_duration)
    image = settings.image()
    machine = Machine(image, settings.cache)
    elf = machine.elf
    book = CostBook(image, elf)
    calls: list[Cost] = []

    def on_call(counts: BlockCounts) -> None:
        calls.append(book.add(counts))

    pitch, tempo = (round(factor * PITCH_ONE) for factor in (settings.pitch, settings.tempo))
    pace = pace_of(header, pitch, tempo, settings.rate or header.sample_rate)
    changes: dict[str, tuple[int, ...]] = {
        name: (value,)
        for name, value, is_other in (
            ("gs_set_rate", pace.rate, settings.rate is not None),
            ("gs_set_tempo", tempo, settings.tempo != 1),
            ("gs_set_pitch", pitch, settings.pitch != 1),
        )
        if is_other
    }
    sizes_by = "gs_playback_size" if changes else "gs_decoder_size"
    if settings.azimuth is not None:
        sizes_by = "gs_listener_size"
        changes = {"gs_set_direction": (round(settings.azimuth / 360 * 65536) & 0xFFFFFFFF, 0)}
    size = state_bytes(header, machine, sizes_by)
    mono = settings.mono or settings.engine != "unicorn"
    audio, sample_rate = api.decode(
        data, playback=settings.playback, max_duration=None, mono=mono, listening=settings.listening
    )
    channels = audio.ndim
    if header.channels == 2 and channels == 2:
        changes = {"gs_set_stereo": (1,), **changes}
    if settings.engine == "unicorn":
        played = play_on_unicorn(machine, data, len(audio), settings.block, size, on_call, changes, channels)
    else:
        played = play_on_qemu(image, elf, data, header, settings.block, size, on_call, settings.cache)
    expected = audio.astype("<i2").tobytes()
    opening, reads = calls[0], calls[1:]
    sizes = np.full(len(reads), settings.block)
    sizes[-1] = len(audio) - settings.block * (len(reads) - 1)
    worst = max(range(len(reads)), key=lambda index: reads[index].instructions)
    window = max(1, -(-round(WINDOW_S * sample_rate) // settings.block))
    factor = TIMINGS[settings.core].factor
    chains = book.by_chain()
    return Report(
        settings=settings,
        compiler_version=image.compiler,
        samples=len(audio),
        sample_rate=sample_rate,
        bit_exact=played.pcm == expected,
        pcm_crc32=f"{zlib.crc32(played.pcm):08x}",
        cost=sum(reads, Cost()),
        opening=opening,
        worst_block=reads[worst],
        worst_block_samples=int(sizes[worst]),
        worst_window_instructions=_worst_window(reads, sizes, window, lambda cost: cost.instructions),
        worst_window_cycles=_worst_window(reads, sizes, window, lambda cost: cost.cycles * factor),
        worst_window_multiplies=_worst_window(reads, sizes, window, lambda cost: cost.multiplies),
        worst_window_samples=window * settings.block,
        promised_macs=promised_macs(header, pace),
        functions=_grouped({chain: chain[0] if chain else "?" for chain in chains}, chains),
        steps=_in_order(_grouped({chain: step_of(chain) for chain in chains}, chains)),
        rom=read_rom(image, elf),
        state_bytes=size,
        pcm_bytes=2 * settings.block * channels,
        stack_bytes=played.stack_bytes,
        stack_bound_bytes=_bound_or_none(settings),
    )


def _worst_window(reads: list[Cost], sizes: Any, window: int, amount: Callable[[Cost], float]) -> float:
    """Most of something a sample over so many calls in a row; over all of them if there are fewer."""
    width = min(window, len(reads))
    ones = np.ones(width)
    amounts = np.convolve([amount(cost) for cost in reads], ones, "valid")
    return float(np.max(amounts / np.convolve(sizes, ones, "valid")))


def _grouped(names: Mapping[Any, str], costs: Mapping[Any, Cost]) -> dict[str, Cost]:
    sums: dict[str, Cost] = {}
    for key, cost in costs.items():
        sums[names[key]] = sums.get(names[key], Cost()) + cost
    return dict(sorted(sums.items(), key=lambda item: -item[1].instructions))


def _in_order(steps: dict[str, Cost]) -> dict[str, Cost]:
    return {name: steps[name] for name in (*STEPS, *(steps.keys() - set(STEPS))) if name in steps}


def _bound_or_none(settings: Settings) -> int | None:
    if shutil.which(GCC) is None or not CORES[settings.core].is_arm:
        return None
    image = build_image(
        settings.core,
        "gcc",
        settings.optimisation,
        source=settings.source,
        defines=settings.defines,
        cache=settings.cache,
    )
    return stack_bound(image)
