"""gs-export firmware: projects that build as they are, and play bit-exactly."""

from __future__ import annotations

import configparser
import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from board_tools import (
    ARDUINOS,
    ESP_IDF,
    STUBS,
    ZEPHYR,
    ProgramFailed,
    check_sound,
    cmake_script,
    compile_for,
    gcc_or_zig,
    left_channel,
    make,
    mix_of,
    needs_make,
    pcm_of,
    play_on_this_machine,
    play_on_unicorn,
    symbol_bytes,
    writes_to_dac,
)
from export_tools import contents, export
from make_vectors import FOLDER
from sim_tools import needs_sim

from audio_gs.codec.decoder_source import find_decoder_source
from audio_gs.export.firmware.project import TARGETS
from audio_gs.firmware_sim.engines.qemu import QEMU

CLIP = FOLDER / "random-44.bin"
"""Short, with tones, noise and seek points."""
OTHER = FOLDER / "speech-3.bin"
SOURCE = find_decoder_source()

needs_qemu = pytest.mark.skipif(not shutil.which(QEMU), reason=f"needs {QEMU}")


MIXED = [FOLDER / "random-11.bin", FOLDER / "speech-6.bin", FOLDER / "residual-610.bin"]
"""Of one rate. The third one has a residual layer, and begins while both others sound."""
MIXED_SAMPLES = 16000
"""In which all of them have begun, and the third and the first have ended."""


def project(target: str, folder: Path, *clips: Path, voices: int = 1) -> Path:
    """A project with these clips, or with the first one."""
    several = () if voices == 1 else ("--voices", voices)
    result = export("firmware", "--target", target, *(clips or [CLIP]), "-o", folder / target, "-q", *several)
    assert (result.code, result.out, result.err) == (0, b"", "")
    return folder / target


def c_files(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob("*.c"))]


# ---- each target ----


@needs_sim
@needs_make
@pytest.mark.parametrize(("core", "clips"), [("cortex-m0plus", [CLIP, OTHER]), ("cortex-m4", [CLIP])])
def test_bare_metal_plays_its_clips_bit_exactly(core: str, clips: list[Path], tmp_path: Path) -> None:
    elf = make(project("baremetal", tmp_path, *clips), tmp_path / "build", f"CORE={core}")
    assert play_on_unicorn(elf, core) == pcm_of(*(clip.read_bytes() for clip in clips))


@needs_sim
@needs_make
def test_start_up_code_copies_initialised_data(tmp_path: Path) -> None:
    folder = project("baremetal", tmp_path, OTHER, CLIP)
    main = folder / "main.c"
    text = main.read_text()
    changed = text.replace("    uint32_t place;", "    static volatile uint32_t place = 1;").replace(
        "for (place = 0;", "for (;"
    )
    assert changed.count("place = 1") == changed.count("for (;") == 1
    main.write_text(changed)
    elf = make(folder, tmp_path / "build", cc=gcc_or_zig())
    assert play_on_unicorn(elf, "cortex-m0plus") == pcm_of(CLIP.read_bytes())


@needs_sim
@needs_make
def test_bare_metal_stops_at_a_clip_that_is_damaged_in_flash(tmp_path: Path) -> None:
    folder = project("baremetal", tmp_path)
    clips = folder / "audio_gs_clips.c"
    clips.write_text(clips.read_text().replace("0x47", "0x48", 1))
    with pytest.raises(ProgramFailed, match="0x20023"):
        play_on_unicorn(make(folder, tmp_path / "build"), "cortex-m0plus")


@needs_sim
@pytest.mark.parametrize("board", ARDUINOS)
def test_the_arduino_sketch_needs_nothing_but_its_folder(board: str, tmp_path: Path) -> None:
    sketch = project("arduino", tmp_path) / "PlayClip"
    # Arduino compiles the sketch's folder, and src/ with all below it, with the core on the include path only.
    files = [sketch / "PlayClip.ino", *c_files(sketch), *sorted((sketch / "src").rglob("*.c"))]
    compile_for("cortex-m0plus", files[:2], [STUBS / "arduino"], tmp_path / "core", *ARDUINOS[board])
    files.append(STUBS / "arduino" / "harness.cpp")
    output = play_on_this_machine(files, [STUBS / "arduino"], tmp_path / "host", *ARDUINOS[board])
    check_sound(output if board == "rp2040" else left_channel(output), CLIP.read_bytes())


@needs_sim
def test_the_platformio_project_has_sketch_and_library(tmp_path: Path) -> None:
    folder = project("platformio", tmp_path)
    settings = configparser.ConfigParser()
    settings.read(folder / "platformio.ini")
    assert settings.sections()
    for section in settings.sections():
        assert section.startswith("env:")
        assert {"platform", "board", "framework"} <= set(settings[section])
    library = folder / "lib" / "audio_gs"
    assert json.loads((library / "library.json").read_text())["name"] == library.name
    include = [library / "include", library / "src", folder / "src", STUBS / "arduino"]
    files = [folder / "src" / "main.cpp", *c_files(folder / "src", library / "src"), STUBS / "arduino" / "harness.cpp"]
    check_sound(left_channel(play_on_this_machine(files, include, tmp_path / "host")), CLIP.read_bytes())


@needs_sim
def test_the_esp_idf_project_has_main_and_component(tmp_path: Path) -> None:
    folder = project("esp-idf", tmp_path)
    component = folder / "components" / "audio_gs"
    assert yaml.safe_load((component / "idf_component.yml").read_text())["version"]
    files, include = [STUBS / "esp_idf" / "harness.c"], [STUBS / "esp_idf"]
    for part in (folder / "main", component):
        (line,) = cmake_script(f"{ESP_IDF}expand({part.as_posix()})\n", tmp_path)
        named, folders = line.removeprefix("SRCS;").split(";INCLUDE_DIRS;")
        files += [part / name for name in named.split(";")]
        include += [part / name for name in folders.split(";")]
    assert set(files[1:]) == set(c_files(folder / "main", component / "src"))
    compile_for("cortex-m0plus", files[1:2], include, tmp_path / "core")
    check_sound(left_channel(play_on_this_machine(files, include, tmp_path / "host")), CLIP.read_bytes())
    tools = tmp_path / "tools" / "cmake"
    tools.mkdir(parents=True)
    say = 'execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${name}:${EXTRA_COMPONENT_DIRS}")'
    (tools / "project.cmake").write_text(f"macro(project name)\n  {say}\nendmacro()\n")
    top = f"include({folder.as_posix()}/CMakeLists.txt)\n"
    assert cmake_script(top, tmp_path, IDF_PATH=str(tmp_path)) == ["play_clip:"]


@needs_sim
def test_the_zephyr_project_has_application_and_module(tmp_path: Path) -> None:
    folder = project("zephyr", tmp_path)
    application = """
        macro(find_package)
        endmacro()
        macro(project)
        endmacro()
        foreach(name target_sources target_include_directories)
          cmake_language(EVAL CODE "function(${name})
            execute_process(COMMAND ${CMAKE_COMMAND} -E echo \\"\\${ARGN}\\")
          endfunction()")
        endforeach()
    """
    lines = cmake_script(
        f"{application}{ZEPHYR}include({folder.as_posix()}/CMakeLists.txt)\n"
        "set(CONFIG_AUDIO_GS y)\nset(CONFIG_AUDIO_GS_ERROR_STRINGS y)\n"
        "include(${ZEPHYR_EXTRA_MODULES}/zephyr/CMakeLists.txt)\n",
        tmp_path,
    )
    assert "CONFIG_AUDIO_GS=y" in (folder / "prj.conf").read_text().splitlines()
    module = yaml.safe_load((folder / "audio_gs" / "zephyr" / "module.yml").read_text())
    assert (folder / "audio_gs" / module["build"]["kconfig"]).is_file()
    words = [Path(word) for line in lines for word in line.replace(" ", ";").split(";")]
    files = [folder / word for word in words if word.suffix == ".c"]
    assert {path.resolve() for path in files} == set(c_files(folder / "src", folder / "audio_gs" / "src"))
    include = [*(word for word in words if word.is_dir()), STUBS / "zephyr"]
    compile_for("cortex-m4", files[:1], include, tmp_path / "core")
    output = play_on_this_machine([*files, STUBS / "zephyr" / "harness.c"], include, tmp_path / "host")
    check_sound(left_channel(output), CLIP.read_bytes())


# ---- players ----


def check_mix(pcm: bytes, voices: int, block: int) -> None:
    """What the host's mixer gives, and not less than was asked for."""
    samples = len(pcm) // 2
    assert samples >= MIXED_SAMPLES
    assert pcm == mix_of([clip.read_bytes() for clip in MIXED], voices, samples, block)


def play_the_mix(sources: list[Path], include: list[Path], build: Path, channels: int, *options: str) -> bytes:
    """What a player sends, on this machine, to an output that it never waits for."""
    end = f"-DSTUB_BYTES={2 * channels * MIXED_SAMPLES}"
    output = play_on_this_machine(sources, include, build, end, *options)
    return left_channel(output) if channels == 2 else output


@needs_sim
@needs_make
def test_a_bare_metal_player_mixes_bit_exactly(tmp_path: Path) -> None:
    core, voices = "cortex-m0plus", 2
    # The third clip takes a voice that plays.
    short = [MIXED[0], tmp_path / "again.gs", MIXED[2]]
    short[1].write_bytes(MIXED[0].read_bytes())
    folder = project("baremetal", tmp_path, *short, voices=voices)
    elf = make(folder, tmp_path / "build", f"CORE={core}", "RAM_SIZE=64K")
    pcm = play_on_unicorn(elf, core, 1 << 16)
    # Half a second of silence shows that nothing was cut off.
    expected = mix_of([clip.read_bytes() for clip in short], voices, len(pcm) // 2 + 4000, 128)
    assert pcm == expected[: len(pcm)] and not any(expected[len(pcm) :])
    said = json.loads(export("firmware", *given(short, voices), "-o", tmp_path / "said", "--json").out)
    assert symbol_bytes(elf, "player_memory") == said["mixer_bytes_32"]


def given(clips: list[Path], voices: int) -> list[object]:
    return ["--target", "baremetal", "--voices", voices, *clips]


@needs_sim
@needs_make
def test_a_clip_alone_in_a_player_is_what_its_decoder_gives_up_to_its_last_block(tmp_path: Path) -> None:
    folder = project("baremetal", tmp_path, OTHER, voices=2)
    pcm = play_on_unicorn(make(folder, tmp_path / "build", "CORE=cortex-m4"), "cortex-m4")
    alone = pcm_of(OTHER.read_bytes())
    whole = len(alone) // 128 * 128
    assert pcm[:whole] == alone[:whole] and any(alone)


@needs_qemu
@needs_sim
@needs_make
def test_a_players_output_by_interrupt_loses_and_repeats_nothing(tmp_path: Path) -> None:
    folder = project("baremetal", tmp_path, CLIP, FOLDER / "random-63.bin", voices=2)
    settings = ("CORE=cortex-m4", "AUDIO=systick", "FLASH_START=0x08000000", "RAM_SIZE=128K")
    elf = make(folder, tmp_path / "build", *settings, cc=gcc_or_zig())
    clips = [CLIP.read_bytes(), (FOLDER / "random-63.bin").read_bytes()]
    # The last clip, which begins after 6000 samples, ends in a block; when that has been heard, the output rests.
    samples = 6000 + len(pcm_of(clips[1])) // 2
    written = writes_to_dac(elf, "netduinoplus2", samples)
    mixed = np.frombuffer(mix_of(clips, 2, len(written), 128), "<i2")
    assert len(written) >= samples and written == [int(sample) + 32768 for sample in mixed]


@needs_sim
@pytest.mark.parametrize("board", ["esp32", "rp2040"])
def test_the_sketch_of_a_player_never_waits(board: str, tmp_path: Path) -> None:
    sketch = project("arduino", tmp_path, *MIXED, voices=3) / "PlayClip"
    files = [sketch / "PlayClip.ino", *c_files(sketch), *sorted((sketch / "src").rglob("*.c"))]
    compile_for("cortex-m0plus", files[:3], [STUBS / "arduino"], tmp_path / "core", *ARDUINOS[board])
    files.append(STUBS / "arduino" / "harness.cpp")
    channels = 1 if board == "rp2040" else 2
    check_mix(play_the_mix(files, [STUBS / "arduino"], tmp_path / "host", channels, *ARDUINOS[board]), 3, 64)


@needs_sim
def test_the_platformio_project_can_be_a_player_on_a_standard_board(tmp_path: Path) -> None:
    folder = project("platformio", tmp_path, *MIXED, voices=3)
    library = folder / "lib" / "audio_gs"
    include = [library / "include", library / "src", folder / "src", STUBS / "arduino"]
    files = [folder / "src" / "main.cpp", *c_files(folder / "src", library / "src"), STUBS / "arduino" / "harness.cpp"]
    check_mix(play_the_mix(files, include, tmp_path / "host", 2), 3, 64)


@needs_sim
def test_the_esp_idf_project_can_be_a_player(tmp_path: Path) -> None:
    folder = project("esp-idf", tmp_path, *MIXED, voices=3)
    (line,) = cmake_script(f"{ESP_IDF}expand({(folder / 'main').as_posix()})\n", tmp_path)
    named = line.removeprefix("SRCS;").split(";INCLUDE_DIRS;")[0].split(";")
    files = [folder / "main" / name for name in named]
    assert set(files) == set(c_files(folder / "main")) and len(files) == 3
    component = folder / "components" / "audio_gs"
    include = [STUBS / "esp_idf", folder / "main", component / "include"]
    compile_for("cortex-m0plus", files[:2], include, tmp_path / "core")
    files += [STUBS / "esp_idf" / "harness.c", *c_files(component / "src")]
    check_mix(play_the_mix(files, include, tmp_path / "host", 2), 3, 64)


@needs_sim
def test_the_zephyr_project_can_be_a_player(tmp_path: Path) -> None:
    folder = project("zephyr", tmp_path, *MIXED, voices=3)
    assert "src/player.c" in (folder / "CMakeLists.txt").read_text()
    decoder = folder / "audio_gs"
    include = [STUBS / "zephyr", folder / "src", decoder / "include"]
    compile_for("cortex-m4", c_files(folder / "src"), include, tmp_path / "core")
    files = [*c_files(folder / "src", decoder / "src"), STUBS / "zephyr" / "harness.c"]
    # I2S runs out of blocks once: it begins anew, and only the block that found it so is lost.
    pcm = play_the_mix(files, include, tmp_path / "host", 2, "-DSTUB_LATE=3")
    expected = mix_of([clip.read_bytes() for clip in MIXED], 3, len(pcm) // 2 + 128, 128)
    assert any(expected[:place] + expected[place + 256 :] == pcm for place in range(256, len(pcm), 256))


# ---- all targets ----


@pytest.mark.parametrize("target", TARGETS)
def test_projects_are_made_of_the_examples_and_the_decoder(target: str, tmp_path: Path) -> None:
    layout = TARGETS[target]
    folder = project(target, tmp_path)
    files = {name: content for name, content in contents(folder).items() if content is not None}
    for example, name in layout.examples.items():
        assert files.pop(name) == (SOURCE / "examples" / example).read_bytes()
    for name in [name for name in files if name.startswith(layout.decoder)]:
        assert files.pop(name) == (SOURCE / name.removeprefix(layout.decoder)).read_bytes()
    for name in (f"{layout.clips}audio_gs_clips.h", f"{layout.clips}audio_gs_clips.c", *layout.texts):
        files.pop(name)
    assert not files
    for name in ("include/audio_gs.h", "LICENSE", *layout.manifests):
        assert (folder / layout.decoder / name).is_file()


@pytest.mark.parametrize("target", TARGETS)
def test_players_are_made_of_the_player_and_the_rest_of_the_project(target: str, tmp_path: Path) -> None:
    layout = TARGETS[target]
    (tmp_path / "one").mkdir()
    (tmp_path / "more").mkdir()
    one = contents(project(target, tmp_path / "one"))
    more = contents(project(target, tmp_path / "more", voices=3))
    for part, replaced in layout.player.items():
        assert more.pop(replaced) == (SOURCE / "examples" / "player" / part).read_bytes() != one.pop(replaced)
    for name in ("player.c", "player.h"):
        assert more.pop(layout.clips + name) == (SOURCE / "examples" / "player" / name).read_bytes()
    assert b"#define PLAYER_VOICES 3\n" in (more.pop(f"{layout.clips}player_voices.h") or b"")
    assert more == one


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_clips_give_the_same_project(target: str, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        project(target, tmp_path / name)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


# ---- the command ----


def test_what_is_said(tmp_path: Path) -> None:
    result = export("firmware", "--target", "baremetal", CLIP, "-o", tmp_path / "play", "--json", "-v")
    assert result.code == 0
    said = json.loads(result.out)
    assert said["target"] == "baremetal"
    assert said["files"] == sorted(name for name, content in contents(tmp_path / "play").items() if content is not None)
    assert said["clips"] == [{"input": str(CLIP), "name": "random_44"}]
    assert said["bytes"] == len(CLIP.read_bytes())
    assert said["build"] == "make"
    assert f"{CLIP}: is called random_44" in result.err
    assert f"decoder {said['decoder_bytes_32']} bytes" in result.err


def test_clips_of_two_rates_are_not_mixed(tmp_path: Path) -> None:
    result = export("firmware", *given([CLIP, OTHER], 2), "-o", tmp_path / "play")
    assert (result.code, result.out, result.err.count("\n")) == (2, b"", 1)
    assert f"{CLIP} has 12000 Hz and {OTHER} 8000; only clips of one rate are mixed" in result.err
    assert not (tmp_path / "play").exists()
    assert export("firmware", *given([CLIP, OTHER], 1), "-o", tmp_path / "play", "-q").code == 0
    for voices in (0, 65):
        result = export("firmware", *given([CLIP], voices), "-o", tmp_path / "none")
        assert (result.code, result.err.count("\n")) == (2, 1)
    assert not (tmp_path / "none").exists()


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    folder = project("zephyr", tmp_path)
    made = contents(folder)
    (folder / "src" / "main.c").write_text("mine")
    before = contents(folder)
    result = export("firmware", "--target", "zephyr", CLIP, "-o", folder)
    assert result.code == 1
    assert result.err.endswith("exists; -f overwrites it\n") and result.err.count("\n") == 1
    assert contents(folder) == before
    assert export("firmware", "--target", "zephyr", CLIP, "-o", folder, "-f", "-q").code == 0
    assert contents(folder) == made


def test_bad_clips_stop_all(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gs"
    damaged.write_bytes(CLIP.read_bytes()[:-1])
    for clips, code in (([CLIP, damaged], 3), ([tmp_path / "none.gs"], 1), (["-"], 2), ([CLIP, CLIP], 2), ([], 2)):
        result = export("firmware", "--target", "esp-idf", *clips, "-o", tmp_path / "play")
        assert (result.code, result.out, result.err.count("\n")) == (code, b"", 1)
        assert not (tmp_path / "play").exists()
    assert export("firmware", "--target", "abacus", CLIP, "-o", tmp_path / "play").code == 2


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = [10]
    write = Path.write_bytes

    def write_until_full(path: Path, content: bytes) -> int:
        room[0] -= 1
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_until_full)
    result = export("firmware", "--target", "baremetal", CLIP, "-o", tmp_path / "play")
    assert result.code == 1
    assert result.err.endswith("No space left on device\n") and result.err.count("\n") == 1
    assert contents(tmp_path) == {}


def test_an_installation_without_the_examples_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_gs.export.firmware.project.find_decoder_source", lambda: tmp_path)
    result = export("firmware", "--target", "baremetal", CLIP, "-o", tmp_path / "play")
    assert (result.code, result.err) == (1, "gs-export: LICENSE was not installed with the package\n")
