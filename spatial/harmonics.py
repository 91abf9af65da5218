"""Real spherical harmonics of any degree, on NumPy arrays and PyTorch tensors alike."""

from __future__ import annotations

import math
from typing import Any


def count(degree: int) -> int:
    """How many harmonics there are up to a degree."""
    return (degree + 1) ** 2


def harmonics(degree: int, x: Any, y: Any, z: Any) -> list[Any]:
    """Values at unit vectors (x, y, z), each in the shape of x; order l = 0..degree, then m = -l..l.

    Each harmonic has a mean square of 1 over the sphere. cos and sin of m times the azimuth come with sin^m of the
    polar angle as powers of x + iy, associated Legendre functions without it by the usual recursion.
    """
    one = x * 0 + 1
    cosines, sines = [one], [x * 0]
    for _ in range(degree):
        cosines, sines = [*cosines, x * cosines[-1] - y * sines[-1]], [*sines, x * sines[-1] + y * cosines[-1]]
    legendre: dict[tuple[int, int], Any] = {}
    for m in range(degree + 1):
        legendre[m, m] = one * math.prod(range(1, 2 * m, 2))
        if m < degree:
            legendre[m + 1, m] = (2 * m + 1) * z * legendre[m, m]
        for n in range(m + 2, degree + 1):
            legendre[n, m] = ((2 * n - 1) * z * legendre[n - 1, m] - (n + m - 1) * legendre[n - 2, m]) / (n - m)
    values = []
    for n in range(degree + 1):
        for m in range(-n, n + 1):
            k = abs(m)
            scale = math.sqrt((2 if k else 1) * (2 * n + 1) * math.factorial(n - k) / math.factorial(n + k))
            values.append(scale * legendre[n, k] * (cosines[k] if m >= 0 else sines[k]))
    return values
