"""The codec's tables as files: a C header, NumPy arrays and JSON, all from audio_gs/codec/tables.py."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec import tables

C_NAME = "gs_tables.h"
NUMPY_NAME = "gs_tables.npz"
JSON_NAME = "gs_tables.json"


def table_files() -> dict[str, bytes]:
    """The contents of the three files by their names, the same at every call."""
    listed = tables.all_tables()
    return {
        C_NAME: tables.c_header().encode("utf-8"),
        NUMPY_NAME: _npz({table.name: table.stored for table in listed}),
        JSON_NAME: _json(listed),
    }


def sha256(table: tables.Table) -> str:
    """Of the values in their type of C, little-endian, the last index fastest."""
    return hashlib.sha256(table.stored.tobytes()).hexdigest()


def _npz(arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """What numpy.savez writes, but for the times of the members, which are fixed here."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return out.getvalue()


def _json(listed: tuple[tables.Table, ...]) -> bytes:
    described = [
        {
            "name": table.name,
            "formula": table.formula,
            "q_format": table.q_format,
            "c_type": table.c_type,
            "shape": list(table.values.shape),
            "sha256": sha256(table),
            "values": table.values.tolist(),
        }
        for table in listed
    ]
    # A line for each table keeps a change of one readable.
    lines = ",\n".join("    " + json.dumps(one) for one in described)
    values = json.dumps(tables.constants(), indent=4).replace("\n", "\n  ")
    return f'{{\n  "tables": [\n{lines}\n  ],\n  "constants": {values}\n}}\n'.encode("ascii")
