"""gs-export header: one header that is the decoder, in C and in C++, bit for bit the library."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from export_tools import LANGUAGES, compile_for_small_core, compile_program, contents, export, needs_compilers
from make_vectors import FOLDER
from sim_tools import build_cache, needs_sim

from audio_gs import StreamHeader, api, parse_header
from audio_gs.export.header.single_header import SourceError, single_header

ROOT = Path(__file__).parents[2]
DECODER = ROOT / "decoder_c"
IMPLEMENTATION = '#define AUDIO_GS_IMPLEMENTATION\n#include "audio_gs.h"\n'

# Names of its own that the decoder's sources have too, and nothing of the decoder but the interface.
PLAYER = """
#include "audio_gs.h"
#include <stdio.h>

static int least(int value) { return value; }
static int seek(int value) { return value; }
#define LARGEST_MAX_TONES 4096
#define LARGEST_SCALES 8
#define LARGEST_MAX_NOISES 255
#define LARGEST_NOISE_FRAME_LOG2 9
#define LARGEST_RESIDUAL 1
static GS_DECODER_STORAGE(memory, LARGEST);
static uint8_t stream[1 << 16];
static int16_t pcm[999];

int main(int argc, char **argv)
{
    int i;
    for (i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        gs_decoder *decoder;
        int32_t n;
        uint32_t bytes;
        if (!file)
            return 1;
        bytes = (uint32_t)fread(stream, 1, sizeof stream, file);
        fclose(file);
        n = gs_open_memory(&memory, sizeof memory, stream, bytes, &decoder);
        while (n >= 0 && (n = gs_read(decoder, pcm, 999)) > 0)
            fwrite(pcm, sizeof pcm[0], (size_t)n, stdout);
        if (n < 0) {
            fprintf(stderr, "%s: %s\\n", argv[i], gs_error_string((int)n));
            return 1;
        }
    }
    return least(seek(0));
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("header")
    result = export("header", "-o", folder / "audio_gs.h", "--json")
    facts = json.loads(result.out)
    content = (folder / "audio_gs.h").read_bytes()
    assert result.code == 0
    assert facts["output"] == str(folder / "audio_gs.h")
    assert facts["bytes"] == len(content)
    return folder


def implementation(folder: Path) -> str:
    return (folder / "audio_gs.h").read_text().partition("AUDIO_GS_IMPLEMENTED\n")[2]


@needs_compilers
@pytest.mark.parametrize("standard", LANGUAGES)
def test_it_plays_every_golden_stream_as_the_library_does(folder: Path, standard: str) -> None:
    program = compile_program(folder, standard, {"player": PLAYER, "decoder": IMPLEMENTATION}, "-O2")
    clips = sorted(FOLDER.glob("*.bin"))
    played = subprocess.run([program, *clips], capture_output=True, check=True).stdout
    expected = b"".join(api.decode(clip.read_bytes())[0].astype("<i2").tobytes() for clip in clips)
    assert len(clips) > 20
    assert (len(played), zlib.crc32(played)) == (len(expected), zlib.crc32(expected))


@needs_compilers
@pytest.mark.parametrize("standard", LANGUAGES)
def test_a_program_in_one_file_may_include_it_first_and_implement_it_later(folder: Path, standard: str) -> None:
    program = compile_program(folder, standard, {"alone": PLAYER.replace("seek", "hunt") + IMPLEMENTATION}, "-O1")
    clip = FOLDER / "random-44.bin"
    played = subprocess.run([program, clip], capture_output=True, check=True).stdout
    assert played == api.decode(clip.read_bytes())[0].astype("<i2").tobytes()


@needs_compilers
@pytest.mark.parametrize("standard", LANGUAGES)
@pytest.mark.parametrize("define", ["GS_NO_ERROR_STRINGS", "GS_RANGE_CHECKS"])
def test_its_options_compile(folder: Path, standard: str, define: str) -> None:
    compile_program(folder, standard, {"player": PLAYER, "decoder": IMPLEMENTATION}, f"-D{define}")


def nothing(header: StreamHeader) -> bool:
    return False


NEEDS: dict[str, Callable[[StreamHeader], bool]] = {
    "GS_NO_STEREO": lambda header: header.panning is not None,
    "GS_NO_RESIDUAL": lambda header: header.residual is not None,
    "GS_NO_NOISE": lambda header: header.noise is not None,
    "GS_ONLY_TABLE_SET=0": lambda header: header.table_set != 0,
    "GS_ONLY_TABLE_SET=2": lambda header: header.table_set != 2,
    "GS_NO_PLAYBACK": nothing,
    "GS_FULL_COSINE": nothing,
}
"""By macro, the streams that a build with it refuses."""


@needs_compilers
@pytest.mark.parametrize(
    ("optimisation", "defines"),
    [
        ("-Os", ()),
        ("-Os", ("GS_NO_STEREO", "GS_NO_PLAYBACK", "GS_NO_RESIDUAL", "GS_ONLY_TABLE_SET=0")),
        ("-Os", ("GS_NO_NOISE", "GS_FULL_COSINE")),
        ("-O1", ("GS_NO_STEREO",)),
        ("-O1", ("GS_NO_RESIDUAL",)),
        ("-O1", ("GS_NO_NOISE", "GS_ONLY_TABLE_SET=2")),
    ],
)
def test_a_build_without_something_refuses_what_needs_it(
    folder: Path, defines: tuple[str, ...], optimisation: str
) -> None:
    """And plays all else bit for bit."""
    flags = (optimisation, *(f"-D{define}" for define in defines))
    program = compile_program(folder, "c99", {"player": PLAYER, "decoder": IMPLEMENTATION}, *flags)
    refused: list[Path] = []
    played: list[Path] = []
    for clip in (*sorted(FOLDER.glob("*.bin")), *sorted(FOLDER.glob("stereo/*.bin"))):
        header, _ = parse_header(clip.read_bytes())
        (refused if any(NEEDS[define](header) for define in defines) else played).append(clip)
    assert played
    assert bool(refused) == any(NEEDS[define] is not nothing for define in defines)
    pcm = subprocess.run([program, *played], capture_output=True, check=True).stdout
    assert pcm == b"".join(api.decode(clip.read_bytes(), mono=True)[0].astype("<i2").tobytes() for clip in played)
    for clip in refused:
        done = subprocess.run([program, clip], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.strip() == f"{clip}: stream with an unknown feature"


@needs_sim
@pytest.mark.parametrize("standard", LANGUAGES)
def test_it_compiles_for_a_cortex_m0plus(folder: Path, standard: str) -> None:
    compile_for_small_core(folder, standard, IMPLEMENTATION)


@needs_sim
def test_it_plays_on_a_cortex_m0plus(folder: Path, tmp_path: Path) -> None:
    from audio_gs.firmware_sim import Settings, simulate

    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "audio_gs.h").write_bytes((folder / "audio_gs.h").read_bytes())
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "decoder.c").write_text(IMPLEMENTATION)
    # All of it stays in the image, whose flash is small.
    settings = Settings("cortex-m0plus", optimisation="Os", source=tmp_path, cache=build_cache())
    assert simulate((FOLDER / "random-44.bin").read_bytes(), settings).bit_exact


@needs_compilers
def test_it_leaves_no_macro_defined(folder: Path) -> None:
    def macros(text: str) -> set[str]:
        command = ["cc", "-std=c99", "-dM", "-E", "-I", str(folder), "-"]
        return set(subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines())

    left = macros(IMPLEMENTATION) - macros('#include "audio_gs.h"\n')
    assert {line.split()[1] for line in left} == {"AUDIO_GS_IMPLEMENTATION", "AUDIO_GS_IMPLEMENTED"}


def test_all_that_it_declares_has_the_projects_prefix(folder: Path) -> None:
    text = implementation(folder)
    declared = re.findall(r"^static [^\n]*?\b(\w+)(?:\[[^\n]*\])?(?: =|;|\()", text, re.MULTILINE)
    macros = re.findall(r"^#define (\w+)", text, re.MULTILINE)
    assert {"gs_make_blocks", "gs_least", "gs_prior"} <= set(declared)
    assert "GS_COUNT_MASK" in macros
    assert not [name for name in declared if not name.startswith("gs_")]
    assert not [name for name in macros if not name.startswith("GS_")]


def test_it_states_version_and_licence(folder: Path) -> None:
    text = (folder / "audio_gs.h").read_text()
    version = re.search(r'#define GS_VERSION "(.+)"', text)
    assert version
    assert text.startswith(f"/* The Audio-GS decoder {version.group(1)} in one file")
    for line in (ROOT / "LICENSE").read_text().splitlines():
        assert f" * {line}".rstrip() + "\n" in text


def test_the_module_does_it_alone(folder: Path, tmp_path: Path) -> None:
    """As ctest does: with no package around it."""
    script = tmp_path / "single_header.py"
    script.write_bytes((ROOT / "export" / "header" / "single_header.py").read_bytes())

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(script), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True)

    assert run(DECODER, tmp_path / "audio_gs.h").returncode == 0
    assert (tmp_path / "audio_gs.h").read_bytes() == (folder / "audio_gs.h").read_bytes()
    assert run().returncode == 2
    failed = run(tmp_path, tmp_path / "other.h")
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert set(contents(tmp_path)) == {"single_header.py", "audio_gs.h"}


def test_standard_output(folder: Path) -> None:
    result = export("header", "-o", "-", "-q")
    assert result == (0, (folder / "audio_gs.h").read_bytes(), "")
    assert export("header", "-o", "-", "--json").code == 2


def test_bad_outputs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "audio_gs.h"
    path.write_text("mine")
    before = contents(tmp_path)
    assert export("header", "-o", path) == (1, b"", f"gs-export: {path} exists; -f overwrites it\n")
    assert export("header", "-o", tmp_path).code == 2
    assert export("header", "-o", f"{tmp_path}/new/").code == 2
    assert export("header", "-o", "").code == 2
    missing = export("header", "-o", tmp_path / "no" / "audio_gs.h")
    assert (missing.code, len(missing.err.splitlines())) == (1, 1)
    assert contents(tmp_path) == before
    assert export("header", "-o", path, "-f").code == 0
    assert path.read_text() != "mine"


# ---- how it is made ----


def decoder_of(folder: Path, *listed: str, **sources: str) -> Path:
    """A folder like decoder_c with these source files, of which these are listed."""
    for name in ("include", "src", "cmake"):
        (folder / name).mkdir()
    (folder / "include" / "audio_gs.h").write_text(
        '#ifndef AUDIO_GS_H\n#define AUDIO_GS_H\n#define GS_VERSION "1.2.3"\nint gs_a(int x);\nint gs_b(int x);\n'
        "#endif\n"
    )
    (folder / "LICENSE").write_text("Do what you like.\n")
    (folder / "cmake" / "version.txt").write_text("1.2.3\n")
    for name, text in sources.items():
        stem, _, suffix = name.rpartition("_")
        (folder / "src" / f"{stem}.{suffix}").write_text(text)
    (folder / "src" / "audio_gs.h").write_text('#include "../include/audio_gs.h"\n')
    (folder / "cmake" / "sources.txt").write_text("".join(f"src/{name}\n" for name in listed))
    return folder


SHARED = """\
#ifndef GS_SHARED_H
#define GS_SHARED_H
#include <stddef.h>

#include "audio_gs.h"
typedef struct gs_pair { int half, other; } gs_pair;
int gs_half(int x);
#endif
"""
FIRST = """\
#include "gs_shared.h"

/* gs_half() and "GS_LIMIT" are words here. */
#define GS_LIMIT 3
#define GS_TWICE(x) \\
    gs_half(gs_half(x))
static const char *const gs_text = "gs_half GS_LIMIT";
int gs_half(int x)
{
    gs_pair pair = {x, 2};
    return pair.half / pair.other;
}
int gs_a(int x) { return gs_half(x) + GS_LIMIT + GS_TWICE(0) + gs_text[0] + (int)(NULL != 0); }
"""
SECOND = '#include "audio_gs.h"\n#include "gs_shared.h"\nint gs_b(int x) { return gs_half(x) + 7; }\n'
FILES = ("gs_shared.h", "gs_one.c", "gs_two.c")


@needs_compilers
@pytest.mark.parametrize("standard", LANGUAGES)
def test_files_follow_one_another_as_listed(tmp_path: Path, standard: str) -> None:
    decoder = decoder_of(tmp_path, *FILES, gs_shared_h=SHARED, gs_one_c=FIRST, gs_two_c=SECOND)
    (tmp_path / "audio_gs.h").write_text(single_header(decoder))
    main = IMPLEMENTATION + "enum { GS_LIMIT = 1, GS_TWICE, half, pair, text };\n"
    main += "int main(void) { return gs_a(8) == 4 + 3 + 'g' && gs_b(2) == 8 && GS_TWICE == 2 ? 0 : 1; }\n"
    program = compile_program(tmp_path, standard, {"main": main})
    assert subprocess.run([program]).returncode == 0


def test_sources_stay_as_they_are_but_for_their_own_includes(tmp_path: Path) -> None:
    text = single_header(decoder_of(tmp_path, *FILES, gs_shared_h=SHARED, gs_one_c=FIRST, gs_two_c=SECOND))
    assert [text.index(f"/* ---- {name} ---- */") for name in FILES] == sorted(
        text.index(f"/* ---- {name} ---- */") for name in FILES
    )
    for source in (SHARED, FIRST, SECOND):
        lines = [line for line in source.strip().splitlines() if not line.startswith('#include "')]
        assert "\n".join(lines).strip() in text
    assert "#include <stddef.h>" in text
    assert '#include "' not in text
    assert text.count("#undef ") == len({"GS_SHARED_H", "GS_LIMIT", "GS_TWICE"})


def test_a_file_that_is_not_listed_is_noticed(tmp_path: Path) -> None:
    decoder = decoder_of(tmp_path, *FILES[:2], gs_shared_h=SHARED, gs_one_c=FIRST, gs_two_c=SECOND)
    with pytest.raises(SourceError, match=r"sources\.txt does not list src/gs_two\.c"):
        single_header(decoder)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    decoder = decoder_of(tmp_path)
    (decoder / "cmake" / "version.txt").unlink()
    with pytest.raises(SourceError, match="does not hold the decoder's sources"):
        single_header(decoder)
    (decoder / "LICENSE").unlink()
    with pytest.raises(FileNotFoundError):
        single_header(decoder)
