"""Code and tables of the C decoder on a Cortex-M0+, in the image that the simulator builds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from audio_gs.firmware_sim.build.elf import Elf, Rom, read_rom
from audio_gs.firmware_sim.build.image import SimError, build_image

CORE, OPTIMISATION = "cortex-m0plus", "Os"


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Bytes in flash, and what made them."""

    compiler: str
    core: str
    optimisation: str
    rom: Rom


def measure_footprint(source: Path | None = None) -> Footprint:
    """Build the decoder of `source` (decoder_c/; None: the package's own) and add up its sections, by clang of ziglang,
    or by arm-none-eabi-gcc where that is missing. Raises SimError where there is neither."""
    try:
        image = build_image(CORE, "zig", OPTIMISATION, source=source)
    except SimError as without_zig:
        try:
            image = build_image(CORE, "gcc", OPTIMISATION, source=source)
        except SimError:
            raise without_zig from None
    return Footprint(image.compiler, CORE, OPTIMISATION, read_rom(image, Elf(image)))
