"""The Gaussians of a clip: one table for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from .kinds import KINDS
from .kinds.base import Table
from .residual import RESIDUAL_DTYPE

RESIDUAL = "residual"
"""Name of the table of the residual layer, which is no kind of Gaussian but goes with them."""
_DTYPES = {**{kind.name: kind.dtype for kind in KINDS}, RESIDUAL: RESIDUAL_DTYPE}


class Gaussians(Mapping[str, Table]):
    """A mapping from the name of each kind to its table, of the kind's dtype (`TONE_DTYPE`, `NOISE_DTYPE`), and from
    "residual" to that of the residual layer (`RESIDUAL_DTYPE`).

    What is not given is an empty table. Raises ValueError for a name that is no kind's, and for a table of another
    dtype or shape.
    """

    def __init__(self, tables: Mapping[str, Table] | None = None, /, **more: Table) -> None:
        given = {**(tables or {}), **more}
        unknown = [name for name in given if name not in _DTYPES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no kind of Gaussian; there are {', '.join(_DTYPES)}")
        self._tables: dict[str, Table] = {
            name: np.asarray(given.get(name, np.zeros(0, dtype))) for name, dtype in _DTYPES.items()
        }
        for name, dtype in _DTYPES.items():
            table = self._tables[name]
            if table.dtype != dtype or table.ndim != 1:
                raise ValueError(f"the table of {name} Gaussians has not the columns {dtype.names}")

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        """How many tables there are; `total` counts the Gaussians."""
        return len(self._tables)

    def __eq__(self, other: object) -> bool:
        """Whether the tables of all kinds are the same, order included."""
        if not isinstance(other, Gaussians):
            return NotImplemented
        return all(np.array_equal(table, other[name]) for name, table in self.items())

    def __repr__(self) -> str:
        return f"Gaussians({', '.join(f'{name}: {len(table)}' for name, table in self.items())})"

    @property
    def total(self) -> int:
        """How many Gaussians there are, of all kinds, without the residual layer."""
        return sum(len(self._tables[kind.name]) for kind in KINDS)

    def replaced(self, **tables: Table) -> Gaussians:
        """The same with other tables of some kinds."""
        return Gaussians({**self._tables, **tables})
