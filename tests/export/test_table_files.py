"""gs-export tables: the same tables in C, NumPy and JSON."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from export_tools import contents, export

from audio_gs.codec import tables
from audio_gs.codec.tables import Table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert export("tables", "-o", tmp_path / "out") == (0, b"", f"{tmp_path}/out: {len(tables.all_tables())} tables\n")
    return tmp_path / "out"


def arrays_in_c(folder: Path) -> dict[str, tuple[str, list[int]]]:
    """Type and values of each array of the C header."""
    text = (folder / "gs_tables.h").read_text()
    found = re.findall(r"(?:static|GS_SHARED_TABLE) const (\w+) gs_(\w+)\[(\d+)\] = \{([^}]*)\};", text)
    for _, name, count, values in found:
        assert int(count) == len(values.split(",")), name
    return {name: (c_type, [int(value) for value in values.split(",")]) for c_type, name, _, values in found}


def priors_in_c(folder: Path) -> list[int]:
    """Those of all table sets, each under a condition, where they stand whole."""
    text = (folder / "gs_tables.h").read_text()
    whole = re.search(r"static const uint8_t gs_prior\[\] = \{([^}]*)\};", text)
    assert whole is not None
    return [int(value) for value in re.findall(r"\d+", re.sub(r"#.*", "", whole[1]))]


def test_the_three_forms_say_the_same(folder: Path) -> None:
    assert set(contents(folder)) == {"gs_tables.h", "gs_tables.npz", "gs_tables.json"}
    in_c = arrays_in_c(folder)
    stated = json.loads((folder / "gs_tables.json").read_text())
    with np.load(folder / "gs_tables.npz") as arrays:
        assert [one["name"] for one in stated["tables"]] == list(arrays)
        assert set(in_c) - {table.name for table in tables.smaller_tables()} <= set(arrays)
        for one in stated["tables"]:
            array = arrays[one["name"]]
            assert array.dtype == np.dtype(one["c_type"].removesuffix("_t")).newbyteorder("<")
            assert list(array.shape) == one["shape"]
            assert array.tolist() == one["values"]
            assert hashlib.sha256(array.tobytes()).hexdigest() == one["sha256"]
            assert one["formula"]
            assert one["q_format"] is None or re.fullmatch(r"Q\d+", one["q_format"])
            if one["name"] in in_c:
                assert in_c[one["name"]] == (one["c_type"], array.ravel().tolist())
    text = (folder / "gs_tables.h").read_text()
    in_macros = {name: int(value) for name, value in re.findall(r"#define (\w+) \(?(-?\d+)", text)}
    assert stated["constants"] == in_macros


def test_every_table_is_in_c(folder: Path) -> None:
    """As an array, in parts, or as a constant for each value."""
    in_c = arrays_in_c(folder)
    for table in tables.smaller_tables():
        assert in_c[table.name] == (table.c_type, table.values.tolist())
    for table in tables.all_tables():
        assert table.array_in_c == (table.name in in_c)
        if table.name == "prior":
            assert priors_in_c(folder) == table.values.ravel().tolist()
        elif not table.array_in_c:
            named = [tables.constants()[f"GS_{table.name.upper()}_{i}"] for i in range(table.values.size)]
            assert named == table.values.ravel().tolist()


def test_q_formats_are_those_of_the_formulas(folder: Path) -> None:
    stated = {one["name"]: one for one in json.loads((folder / "gs_tables.json").read_text())["tables"]}
    assert (stated["envelope"]["q_format"], max(stated["envelope"]["values"])) == ("Q15", (1 << 15) - 1)
    assert (stated["cosine"]["q_format"], stated["cosine"]["values"][0]) == ("Q14", 1 << 14)
    assert (stated["gain"]["q_format"], stated["gain"]["values"][0]) == ("Q13", 1 << 13)
    assert stated["prior"]["shape"][0] == len(tables.TABLE_SETS)


def test_the_same_bytes_at_any_time(folder: Path, tmp_path: Path) -> None:
    assert export("tables", "-o", tmp_path / "again", "-q") == (0, b"", "")
    assert contents(tmp_path / "again") == contents(folder)
    with zipfile.ZipFile(folder / "gs_tables.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_table_more_is_in_all_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tables.all_tables()
    more = Table("sawtooth", np.array([-3, 0, 3]), "int8_t", "3 i - 3", q=2)
    monkeypatch.setattr(tables, "all_tables", lambda: (*listed, more))
    result = export("tables", "-o", tmp_path, "--json", "-v")
    digest = hashlib.sha256(bytes([253, 0, 3])).hexdigest()
    facts = json.loads(result.out)
    assert facts["files"] == ["gs_tables.h", "gs_tables.npz", "gs_tables.json"]
    assert facts["tables"]["sawtooth"] == digest
    assert f"sawtooth: 3 Q2, int8_t, SHA-256 {digest}" in result.err
    assert arrays_in_c(tmp_path)["sawtooth"] == ("int8_t", [-3, 0, 3])
    assert "/* Q2: 3 i - 3 */" in (tmp_path / "gs_tables.h").read_text()
    with np.load(tmp_path / "gs_tables.npz") as arrays:
        assert arrays["sawtooth"].tolist() == [-3, 0, 3]
    assert json.loads((tmp_path / "gs_tables.json").read_text())["tables"][-1]["sha256"] == digest


@pytest.mark.parametrize("value", [-1, 256])
def test_a_table_that_does_not_fit_its_type_is_an_error(value: int) -> None:
    with pytest.raises(ValueError, match="sawtooth does not fit uint8_t"):
        _ = Table("sawtooth", np.array([0, value]), "uint8_t", "").stored


def test_nothing_is_overwritten_without_force(folder: Path) -> None:
    (folder / "gs_tables.h").unlink()
    (folder / "gs_tables.npz").write_bytes(b"mine")
    before = contents(folder)
    refused = export("tables", "-o", folder)
    assert refused == (1, b"", f"gs-export: {folder}/gs_tables.npz exists; -f overwrites it\n")
    assert contents(folder) == before
    assert export("tables", "-o", folder, "-f").code == 0
    assert contents(folder)["gs_tables.npz"] != b"mine"
