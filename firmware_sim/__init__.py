"""The C decoder on small cores, in a simulator: exact instruction counts, a cost profile, ROM, RAM and stack.

    from audio_gs.firmware_sim import Settings, simulate
    report = simulate(data, Settings(core="cortex-m4"))

`Machine` calls any function of the decoder, or of a changed copy of it, and counts what that takes. Needs the extra
`sim`."""

from .build.cores import CORES, Core
from .build.image import Image, SimError, build_image
from .engines.machine import Machine
from .profile.costs import Cost, CostBook
from .simulate import Report, Settings, simulate

__all__ = [
    "CORES",
    "Core",
    "Cost",
    "CostBook",
    "Image",
    "Machine",
    "Report",
    "Settings",
    "SimError",
    "build_image",
    "simulate",
]
