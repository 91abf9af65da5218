"""The table of results, a Parquet file."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence

import pyarrow
import pyarrow.parquet

from .work import Row

MANIFEST = "manifest.parquet"
_TYPES = {"str": pyarrow.string(), "bool": pyarrow.bool_(), "int": pyarrow.int64(), "float": pyarrow.float64()}
_SCHEMA = pyarrow.schema([(one.name, _TYPES[str(one.type).split(" ")[0]]) for one in dataclasses.fields(Row)])


def manifest(rows: Sequence[Row]) -> bytes:
    """A row for each clip, by name, whoever made it when."""
    ordered = [dataclasses.asdict(row) for row in sorted(rows, key=lambda row: row.source)]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ordered, _SCHEMA), file, compression="zstd")
    return file.getvalue()
