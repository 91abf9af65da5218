"""How many MACs a sample a core has time for.

A line lies above the cycles that the worst 20 ms of the golden streams take on each simulated core, over the peak of
MACs that their headers state: fixed + each * MACs, clang -O2, without wait states of flash. tests/bank holds it against
the simulator.
"""

from __future__ import annotations

from typing import NamedTuple

from audio_gs.errors import OptionsError

FEWEST_MACS = 20
"""That the encoder takes for a ceiling."""


class Line(NamedTuple):
    """Cycles a sample in the worst 20 ms."""

    fixed: float
    each: float
    """Of a MAC."""


CORES = {
    "cortex-m0plus": Line(200, 22.5),
    "cortex-m3": Line(110, 16.1),
    "cortex-m4": Line(100, 14.7),
    "cortex-m7": Line(60, 10.3),
    "cortex-m33": Line(100, 14.7),
    "riscv32": Line(100, 18.3),
}


def macs_within(core: str, megahertz: float, share: float, voices: int, sample_rate: int) -> int:
    """The ceiling on MACs a sample of each of so many voices, on a share of a core's time.

    Raises OptionsError where there is no time for a clip.
    """
    line = CORES[core]
    cycles = megahertz * 1e6 * share / sample_rate / voices
    macs = int((cycles - line.fixed) / line.each)
    if macs < FEWEST_MACS:
        needed = (line.fixed + FEWEST_MACS * line.each) * voices * sample_rate / share / 1e6
        raise OptionsError(
            f"{megahertz:g} MHz of a {core} at a share of {share:g} are too slow for {voices} at {sample_rate} Hz; "
            f"{needed:.0f} MHz would do, or a lower --sample-rate"
        )
    return macs
