"""The decoder as a library of the embedded build systems, its examples, and the guide to boards."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from board_tools import (
    ARDUINOS,
    CORTEX_M,
    ESP_IDF,
    STUBS,
    ZEPHYR,
    check_sound,
    cmake_script,
    compile_for,
    gcc_or_zig,
    left_channel,
    make,
    needs_make,
    pcm_of,
    play_on_this_machine,
    play_on_unicorn,
    run,
    writes_to_dac,
)
from demo_clips import demo
from make_vectors import FOLDER
from sim_tools import needs_sim

from audio_gs.export.c.arrays import clip_sources
from audio_gs.firmware_sim.build.image import GCC
from audio_gs.firmware_sim.engines.qemu import QEMU

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "decoder_c"
EXAMPLES = LIBRARY / "examples"
DEMO_CLIP = FOLDER / "speech-3.bin"

needs_qemu = pytest.mark.skipif(not shutil.which(QEMU), reason=f"needs {QEMU}")
needs_gcc = pytest.mark.skipif(not shutil.which(GCC), reason=f"needs {GCC}")


# ---- manifests ----


def version() -> str:
    found = re.search(r'#define GS_VERSION "([^"]+)"', (LIBRARY / "include" / "audio_gs.h").read_text())
    assert found
    return found[1]


def arduino_properties() -> dict[str, str]:
    lines = (LIBRARY / "library.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_manifest_has_the_version_of_the_header() -> None:
    versions = {
        "cmake/version.txt": (LIBRARY / "cmake" / "version.txt").read_text().strip(),
        "library.properties": arduino_properties()["version"],
        "library.json": json.loads((LIBRARY / "library.json").read_text())["version"],
        "idf_component.yml": yaml.safe_load((LIBRARY / "idf_component.yml").read_text())["version"],
        "CITATION.cff": yaml.safe_load((LIBRARY.parent / "CITATION.cff").read_text())["version"],
    }
    assert versions == dict.fromkeys(versions, version())


def test_arduinos_rules_for_libraries() -> None:
    """Those of the library specification, and of arduino-lint's strict schema."""
    properties = arduino_properties()
    required = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url"}
    assert set(properties) == required | {"architectures", "includes"}
    assert all(properties[key] for key in properties if key != "url")
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.-]{0,15}", properties["name"])
    assert re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z.-]+)?", properties["version"])
    for word in (properties["name"].lower(), properties["maintainer"].lower()):
        assert "arduino" not in word and "library" not in word
    assert re.fullmatch(r"|https?://\S+", properties["url"])
    assert properties["category"] in {"Data Processing", "Signal Input/Output"}
    assert "avr" not in properties["architectures"].split(","), "an int of 16 bits is too small"
    assert (LIBRARY / "src" / properties["includes"]).is_file()
    assert properties["includes"] == properties["name"] + ".h"
    for sketch in EXAMPLES.rglob("*.ino"):
        assert sketch.stem == sketch.parent.name


def test_platformios_rules_for_libraries() -> None:
    manifest = json.loads((LIBRARY / "library.json").read_text())
    assert not set(":;/,@<>") & set(manifest["name"])
    assert 0 < len(manifest["description"]) <= 1000
    for word in (*manifest["keywords"], *manifest["platforms"]):
        assert re.fullmatch(r"[a-z\d\-+. ]{1,50}", word)
    for example in manifest["examples"]:
        for name in example["files"]:
            assert (LIBRARY / example["base"] / name).is_file()
    assert (LIBRARY / "include" / manifest["headers"]).is_file()


def test_espressifs_and_zephyrs_rules_for_components() -> None:
    component = yaml.safe_load((LIBRARY / "idf_component.yml").read_text())
    assert set(component) == {"version", "description", "license", "tags", "dependencies", "files"}
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{3,32}", tag) for tag in component["tags"])
    module = yaml.safe_load((LIBRARY / "zephyr" / "module.yml").read_text())
    assert set(module) == {"name", "build", "samples"}
    assert (LIBRARY / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    assert (LIBRARY / module["build"]["kconfig"]).is_file()
    assert all((LIBRARY / sample / "sample.yaml").is_file() for sample in module["samples"])


def test_the_library_has_the_licence_that_it_names() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("MIT License")
    assert (LIBRARY / "LICENSE").read_text() == text
    assert json.loads((LIBRARY / "library.json").read_text())["license"] == "MIT"
    assert yaml.safe_load((LIBRARY / "idf_component.yml").read_text())["license"] == "MIT"


# ---- build files ----


def sources() -> list[str]:
    """As the one list of them has them."""
    listed = [name for name in (LIBRARY / "cmake" / "sources.txt").read_text().split() if name.endswith(".c")]
    assert sorted(listed) == sorted(f"src/{path.name}" for path in (LIBRARY / "src").glob("*.c"))
    return listed


def test_the_library_is_a_component_of_esp_idf(tmp_path: Path) -> None:
    # The second time, the registration is a function and goes on.
    for macros in (ESP_IDF, ESP_IDF.replace("  return()\n", "")):
        (line,) = cmake_script(f"{macros}expand({LIBRARY.as_posix()})\n", tmp_path)
        assert line == f"SRCS;{';'.join(sources())};INCLUDE_DIRS;include"


def test_the_library_is_a_module_of_zephyr(tmp_path: Path) -> None:
    module = f"{ZEPHYR}include({(LIBRARY / 'zephyr').as_posix()}/CMakeLists.txt)\n"
    assert cmake_script(module, tmp_path) == []
    lines = cmake_script(f"set(CONFIG_AUDIO_GS y)\n{module}", tmp_path)
    told = dict(line.split(" ", 1) for line in lines)
    assert told["library_named"] == "audio_gs"
    assert told["library_compile_definitions"] == "GS_NO_ERROR_STRINGS"
    assert (Path(told["include_directories"]) / "audio_gs.h").is_file()
    named = [Path(source).resolve() for source in told["library_sources"].split(";")]
    assert named == [LIBRARY / source for source in sources()]
    lines = cmake_script(f"set(CONFIG_AUDIO_GS y)\nset(CONFIG_AUDIO_GS_ERROR_STRINGS y)\n{module}", tmp_path)
    assert len(lines) == len(told) - 1
    kconfig = (LIBRARY / "zephyr" / "Kconfig").read_text()
    assert re.findall(r"^config (\w+)$", kconfig, re.MULTILINE) == ["AUDIO_GS", "AUDIO_GS_ERROR_STRINGS"]


def test_the_example_for_esp_idf_finds_decoder_and_clips(tmp_path: Path) -> None:
    example = EXAMPLES / "esp-idf"
    tools = tmp_path / "tools" / "cmake"
    tools.mkdir(parents=True)
    say = 'execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${EXTRA_COMPONENT_DIRS}")'
    (tools / "project.cmake").write_text(f"macro(project name)\n  {say}\nendmacro()\n")
    (line,) = cmake_script(f"include({example.as_posix()}/CMakeLists.txt)\n", tmp_path, IDF_PATH=str(tmp_path))
    assert Path(line).resolve() == LIBRARY
    (line,) = cmake_script(f"{ESP_IDF}expand({(example / 'main').as_posix()})\n", tmp_path)
    _, main, clips, _, here, include = line.split(";")
    assert (main, here) == ("main.c", ".")
    assert Path(clips).resolve() == EXAMPLES / "PlayClip" / "audio_gs_clips.c"
    assert Path(include).resolve() == EXAMPLES / "PlayClip"


@needs_sim
def test_arduino_needs_no_folder_but_src(tmp_path: Path) -> None:
    compile_for("cortex-m0plus", [LIBRARY / source for source in sources()], [LIBRARY / "src"], tmp_path)


# ---- examples ----


def test_the_examples_clip_is_the_golden_one() -> None:
    for name, content in clip_sources([("speech_3", DEMO_CLIP.read_bytes())]).items():
        assert (EXAMPLES / "PlayClip" / name).read_bytes() == content, (
            "the format has changed: gs-export c tests/vectors/speech-3.bin -o decoder_c/examples/PlayClip -f"
        )


@needs_sim
@needs_make
@pytest.mark.parametrize("core", CORTEX_M)
def test_bare_metal_plays_bit_exactly(core: str, tmp_path: Path) -> None:
    elf = make(EXAMPLES / "baremetal", tmp_path / "build", f"CORE={core}")
    assert play_on_unicorn(elf, core) == pcm_of(DEMO_CLIP.read_bytes())


@needs_gcc
@needs_sim
@needs_make
@pytest.mark.parametrize("core", CORTEX_M)
def test_bare_metal_plays_bit_exactly_as_gcc_builds_it(core: str, tmp_path: Path) -> None:
    elf = make(EXAMPLES / "baremetal", tmp_path / "build", f"CORE={core}", cc=GCC)
    assert play_on_unicorn(elf, core) == pcm_of(DEMO_CLIP.read_bytes())


@needs_qemu
@needs_sim
@needs_make
def test_output_by_interrupt_loses_and_repeats_nothing(tmp_path: Path) -> None:
    settings = ("CORE=cortex-m4", "AUDIO=systick", "FLASH_START=0x08000000")
    elf = make(EXAMPLES / "baremetal", tmp_path / "build", *settings, cc=gcc_or_zig())
    pcm = np.frombuffer(pcm_of(DEMO_CLIP.read_bytes()), "<i2")
    assert writes_to_dac(elf, "netduinoplus2", len(pcm)) == [int(sample) + 32768 for sample in pcm]


@needs_sim
@needs_make
@pytest.mark.parametrize("too_little", ["FLASH_SIZE=8K", "RAM_SIZE=2K"])
def test_what_does_not_fit_does_not_link(too_little: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"will not fit in region|overflowed"):
        make(EXAMPLES / "baremetal", tmp_path / "build", too_little, cc=gcc_or_zig())


def library_and_clips() -> list[Path]:
    return [*(LIBRARY / source for source in sources()), EXAMPLES / "PlayClip" / "audio_gs_clips.c"]


def headers(vendor: str) -> list[Path]:
    return [LIBRARY / "include", EXAMPLES / "PlayClip", STUBS / vendor]


VENDORS = {"esp_idf": EXAMPLES / "esp-idf" / "main" / "main.c", "zephyr": EXAMPLES / "zephyr" / "src" / "main.c"}


@needs_sim
@pytest.mark.parametrize("core", CORTEX_M)
@pytest.mark.parametrize("vendor", VENDORS)
def test_the_other_c_examples_compile_without_a_warning(vendor: str, core: str, tmp_path: Path) -> None:
    compile_for(core, [VENDORS[vendor], library_and_clips()[-1]], headers(vendor), tmp_path)


@needs_sim
@pytest.mark.parametrize("vendor", VENDORS)
def test_the_other_c_examples_play_bit_exactly(vendor: str, tmp_path: Path) -> None:
    programs = [VENDORS[vendor], STUBS / vendor / "harness.c", *library_and_clips()]
    check_sound(left_channel(play_on_this_machine(programs, headers(vendor), tmp_path)), DEMO_CLIP.read_bytes())


@needs_sim
@pytest.mark.parametrize("board", ARDUINOS)
def test_the_sketch_compiles_and_plays_bit_exactly(board: str, tmp_path: Path) -> None:
    sketch = EXAMPLES / "PlayClip" / "PlayClip.ino"
    compile_for("cortex-m0plus", [sketch], headers("arduino"), tmp_path / "core", *ARDUINOS[board])
    programs = [sketch, STUBS / "arduino" / "harness.cpp", *library_and_clips()]
    output = play_on_this_machine(programs, headers("arduino"), tmp_path / "host", *ARDUINOS[board])
    check_sound(output if board == "rp2040" else left_channel(output), DEMO_CLIP.read_bytes())


# ---- the guide ----

PROGRAMS = {
    "gs-encode": "audio_gs.cli.gs_encode",
    "gs-decode": "audio_gs.cli.gs_decode",
    "gs-info": "audio_gs.cli.gs_info",
    "gs-export": "audio_gs.export.gs_export",
}


def guide_commands() -> list[tuple[str, str]]:
    """The condition and the text of each block that is to be run."""
    text = (ROOT / "docs" / "BOARDS.md").read_text()
    return re.findall(r"^```sh run ?(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)


def programs(folder: Path) -> Path:
    folder.mkdir()
    for name, module in PROGRAMS.items():
        path = folder / name
        path.write_text(f"#!{sys.executable}\nfrom {module} import main\nmain()\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


@needs_sim
@needs_make
def test_the_guides_commands_work(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", *speech_excerpt())
    blocks = guide_commands()
    assert len(blocks) == 9
    script = "".join(text for condition, text in blocks if not condition or shutil.which(QEMU))
    path = f"{programs(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"
    run(("bash", "-euo", "pipefail", "-c", script), tmp_path, PATH=path, CC=gcc_or_zig())
    for project in (
        "play/build/firmware.elf",
        "player/build/firmware.elf",
        "sketch/PlayClip/PlayClip.ino",
        "pio_project/src/main.cpp",
    ):
        assert (tmp_path / project).is_file()


def speech_excerpt() -> tuple[np.ndarray, int]:
    samples, rate = demo("speech")
    return samples[: rate // 2], rate
