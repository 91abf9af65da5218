"""gs-export wasm: the folder that it writes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from audio_gs.export.gs_export import command

if not importlib.util.find_spec("ziglang"):
    pytest.skip("needs the package ziglang", allow_module_level=True)

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
MOST_MODULE_BYTES = 20_000
MOST_PAGE_BYTES = 120_000


def export(*arguments: str | Path) -> tuple[int, str]:
    from audio_gs.cli.common import ExitCode

    result = CliRunner().invoke(command, ["wasm", *map(str, arguments)], standalone_mode=False)
    return int(result.return_value if result.return_value is not None else ExitCode.ERROR), result.output


def test_the_folder_is_small_and_the_same_each_time(tmp_path: Path) -> None:
    code, output = export("-o", tmp_path / "one", "--json", "-q")
    assert code == 0
    stated = json.loads(output)
    assert stated["module_bytes"] == (tmp_path / "one" / "audio-gs.wasm").stat().st_size <= MOST_MODULE_BYTES
    assert stated["page_bytes"] == (tmp_path / "one" / "index.html").stat().st_size <= MOST_PAGE_BYTES
    assert [name for name in stated["files"] if name.endswith(".wasm")] == ["audio-gs.wasm"]
    assert sorted(stated["files"]) == sorted(path.name for path in (tmp_path / "one").iterdir())
    assert export("-o", tmp_path / "two", "-q")[0] == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_package_names_only_files_that_are_there(tmp_path: Path) -> None:
    assert export("-o", tmp_path / "package", "-q")[0] == 0
    about = json.loads((tmp_path / "package" / "package.json").read_text())
    named = [*about["files"], *about["bin"].values(), *about["exports"]["."].values(), about["exports"]["./worklet"]]
    for name in named:
        assert (tmp_path / "package" / name).is_file(), name


def test_a_damaged_clip_leaves_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gs"
    bad.write_bytes((VECTORS / "speech-8.bin").read_bytes()[:-1])
    code, _ = export(bad, "-o", tmp_path / "out")
    assert code == 3
    assert not (tmp_path / "out").exists()


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    result = CliRunner().invoke(command, ["wasm", "-o", str(tmp_path)], standalone_mode=False)
    assert "exists; -f overwrites it" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_text_of_a_clip_cannot_leave_its_element(tmp_path: Path) -> None:
    clip = tmp_path / "<img onerror=x>.gs"
    clip.write_bytes((VECTORS / "speech-8.bin").read_bytes())
    assert export(clip, "-o", tmp_path / "out", "-q")[0] == 0
    assert "<img" not in (tmp_path / "out" / "index.html").read_text()
