"""gs-export c: clips as C arrays that compile anywhere and play, and files that are all written or none."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import re
import resource
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from export_tools import LANGUAGES, compile_for_small_core, compile_program, contents, export, needs_compilers
from hypothesis import given
from hypothesis import strategies as st
from make_vectors import FOLDER
from sim_tools import needs_sim

from audio_gs import api
from audio_gs.codec.container import StreamHeader, pack_header, parse_header, write_varint
from audio_gs.codec.memory import decoder_memory
from audio_gs.codec.native import decoder_bytes
from audio_gs.errors import OptionsError, OutputError
from audio_gs.export.names import KEYWORDS, identifiers
from audio_gs.files import write_files

CLIPS = sorted(FOLDER.glob("*.bin"))
CLIP = FOLDER / "random-44.bin"
FILES = {"audio_gs_clips.c", "audio_gs_clips.h"}

PLAYER = """
#define AUDIO_GS_IMPLEMENTATION
#include "audio_gs.h"
#include "audio_gs_clips.h"
#include <stdio.h>

static GS_CLIPS_DECODER_STORAGE(memory);
static int16_t pcm[500];

int main(void)
{
    int i;
    printf("%d %u\\n", GS_CLIPS, GS_CLIPS_TOTAL_BYTES);
    for (i = 0; i < GS_CLIPS; i++) {
        const gs_clip *clip = &gs_clips[i];
        uint32_t crc = GS_OK;
        gs_decoder *decoder;
        int32_t n = gs_open_memory(&memory, sizeof memory, clip->data, clip->bytes, &decoder);
        int32_t at;
        int bit;
        while (n >= 0 && (n = gs_read(decoder, pcm, 500)) > 0)
            for (at = 0; at < n; at++)
                for (crc ^= (uint16_t)pcm[at], bit = 0; bit < 16; bit++)
                    crc = crc >> 1 ^ (crc & 1u ? 0xEDB88320u : 0u);
        printf("%s %d %u %u %u %u %u %u %u %u %u %u %u %u\\n", clip->name, (int)n, crc, clip->bytes, clip->sample_rate,
               clip->samples, clip->loop_start, clip->loop_end, clip->peak_macs, clip->decoder_class.max_tones + 0u,
               clip->decoder_class.scales + 0u, clip->decoder_class.max_noises + 0u,
               clip->decoder_class.noise_frame_log2 + 0u, clip->decoder_class.residual + 0u);
    }
    return sizeof memory < GS_CLIPS_DECODER_BYTES;
}
"""


def header_of(clip: Path) -> StreamHeader:
    return parse_header(clip.read_bytes())[0]


def class_of(header: StreamHeader) -> tuple[int, int, int, int, int]:
    noise = (header.noise.max_noises, header.noise.frame_log2) if header.noise else (0, 0)
    return header.max_tones, header.scales, *noise, int(header.residual is not None)


# ---- names ----


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("door.bin", "door"),
        ("a/b/Door_2.gs", "Door_2"),
        ("door_.bin", "door_"),
        ("door", "door"),
        ("big door-2.v3.bin", "big_door_2_v3"),
        ("808.bin", "clip_808"),
        ("int.bin", "clip_int"),
        ("namespace.bin", "clip_namespace"),
        ("and.bin", "clip_and"),
        ("Int.bin", "Int"),
        ("_start.bin", "start"),
        ("two__scores.bin", "two_scores"),
        ("Tür é.bin", "Tur_e"),
        ("ﬁn.bin", "fin"),
        ("門.bin", "clip"),
        ("...", "clip"),
        ("a\udcffb.bin", "a_b"),
        ('*/ "x\n.bin', "x_"),
    ],
)
def test_names_are_made_of_file_names(file: str, name: str) -> None:
    [made] = identifiers([file])
    assert made.identifier == name
    assert made.changed == (name != Path(file).stem)
    assert name in made.notice


@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), max_size=4))
def test_any_name_becomes_an_identifier_or_two_are_one(files: list[str]) -> None:
    try:
        names = [name.identifier for name in identifiers(files)]
    except OptionsError as error:
        assert "would both be called" in str(error)
        return
    assert len(set(names)) == len(files)
    for name in names:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*_?", name, re.ASCII)
        assert name not in KEYWORDS


def test_two_clips_of_one_name_are_refused(tmp_path: Path) -> None:
    clips = [tmp_path / "a b.bin", tmp_path / "a-b.bin"]
    for clip in clips:
        clip.write_bytes(CLIP.read_bytes())
    result = export("c", *clips, "-o", tmp_path / "out")
    says = f"gs-export: {clips[0]} and {clips[1]} would both be called a_b; rename one of them\n"
    assert result == (2, b"", says)
    assert not (tmp_path / "out").exists()


# ---- what is written ----


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All golden streams."""
    folder = tmp_path_factory.mktemp("arrays")
    assert export("c", *CLIPS, "-o", folder, "-q") == (0, b"", "")
    assert set(contents(folder)) == FILES
    assert export("header", "-o", folder / "audio_gs.h").code == 0
    return folder


@needs_compilers
@pytest.mark.parametrize("standard", LANGUAGES)
def test_all_clips_play_from_the_arrays_in_the_memory_stated(folder: Path, standard: str) -> None:
    sources: dict[str, str | Path] = {"player": PLAYER, "clips": folder / "audio_gs_clips.c"}
    program = compile_program(folder, standard, sources, "-O2", "-fsanitize=address,undefined")
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0] == f"{len(CLIPS)} {sum(len(clip.read_bytes()) for clip in CLIPS)}"
    for line, clip in zip(said[1:], CLIPS, strict=True):
        data, header = clip.read_bytes(), header_of(clip)
        # The register of a CRC that starts at zero and is not inverted.
        crc = zlib.crc32(api.decode(data)[0].astype("<i2").tobytes(), 0xFFFFFFFF) ^ 0xFFFFFFFF
        name, *numbers = line.split()
        assert name == clip.stem.replace("-", "_")
        assert [int(number) for number in numbers] == [
            0,
            crc,
            len(data),
            header.sample_rate,
            header.samples,
            *(header.loop or (0, 0)),
            header.peak_macs,
            *class_of(header),
        ]


@needs_compilers
@pytest.mark.parametrize("standard", LANGUAGES)
def test_the_documents_example_compiles(folder: Path, standard: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "EXPORT.md").read_text(encoding="utf-8")
    [example] = [code for code in re.findall(r"```c\n(.*?)```", text, re.DOTALL) if "gs_clips[" in code]
    before = "#include <stdint.h>\nstatic void audio_out(const int16_t *pcm, int32_t samples, uint32_t rate)\n"
    before += "{ (void)pcm; (void)samples; (void)rate; }\n"
    main = "int main(void) { play(GS_CLIP_random_44); return 0; }\n"
    example = "#define AUDIO_GS_IMPLEMENTATION\n" + before + example + main
    sources: dict[str, str | Path] = {"example": example, "clips": folder / "audio_gs_clips.c"}
    program = compile_program(folder, standard, sources)
    assert subprocess.run([program]).returncode == 0


@needs_sim
@pytest.mark.parametrize("standard", LANGUAGES)
def test_the_memory_stated_is_that_of_a_32_bit_machine(folder: Path, standard: str) -> None:
    source = '#include "audio_gs.h"\n#include "audio_gs_clips.h"\n'
    largest = max(decoder_memory(header_of(clip)) for clip in CLIPS)
    stated = f"GS_CLIPS_DECODER_BYTES == {largest} && GS_CLIPS_DECODER_BYTES_32 == {largest} && sizeof(void *) == 4"
    check = f"typedef char check[{stated} ? 1 : -1];\n"
    compile_for_small_core(folder, standard, source + check + (folder / "audio_gs_clips.c").read_text())


def test_what_is_said(tmp_path: Path) -> None:
    clips = [tmp_path / "loud.bin", tmp_path / "1 quiet.bin"]
    for clip, vector in zip(clips, ("speech-6", "random-44"), strict=True):
        clip.write_bytes((FOLDER / f"{vector}.bin").read_bytes())
    result = export("c", *clips, "-o", tmp_path / "out", "--json")
    facts = json.loads(result.out)
    total = sum(len(clip.read_bytes()) for clip in clips)
    memories = [one["decoder_bytes_32"] for one in facts["clips"]]
    assert {**facts, "clips": None} == {
        "output": f"{tmp_path}/out",
        "files": ["audio_gs_clips.h", "audio_gs_clips.c"],
        "clips": None,
        "bytes": total,
        "decoder_bytes_32": max(memories),
    }
    for one, clip, name in zip(facts["clips"], clips, ("loud", "clip_1_quiet"), strict=True):
        assert (one["input"], one["name"]) == (str(clip), name)
        header = header_of(clip)
        assert one["bytes"] == len(clip.read_bytes())
        for key in ("sample_rate", "samples", "loop", "scales", "peak_macs"):
            assert one[key] == getattr(header, key), key
        assert (one["max_tones"], one["max_noises"]) == (header.max_tones, header.max_noises)
        assert decoder_bytes(header) - 16 <= one["decoder_bytes_32"] <= decoder_bytes(header)
    assert result.err == (
        f"gs-export: {clips[1]}: is called clip_1_quiet\n"
        f"{tmp_path}/out: 2 clips, {total} bytes, decoder for any of them {max(memories)} bytes on a 32-bit machine\n"
    )


def test_the_same_clips_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert export("c", *CLIPS, "-o", tmp_path).code == 0
    assert contents(tmp_path) == {name: content for name, content in contents(folder).items() if name in FILES}


# ---- what is refused ----


def damaged() -> dict[str, bytes]:
    whole = CLIP.read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    newer = bytearray(whole)
    newer[2] += 1
    return {
        "empty": b"",
        "no stream": b"RIFF" + bytes(40),
        "cut": whole[:-1],
        "longer": whole + b"\0",
        "flipped": bytes(flipped),
        "newer": bytes(newer),
        "header only": pack_header(header_of(CLIP)),
        "nonsense with the right checksums": nonsense(),
    }


def nonsense() -> bytes:
    """One segment of zeros, of which the decoder needs fewer."""
    header = dataclasses.replace(header_of(CLIP), seek_slots=0)
    zeros = bytes(4000)
    return pack_header(header) + write_varint(len(zeros)) + zlib.crc32(zeros).to_bytes(4, "little") + zeros


def test_a_clip_that_costs_more_than_it_promises_stops_all(tmp_path: Path) -> None:
    data = CLIP.read_bytes()
    header = dataclasses.replace(parse_header(data)[0], peak_macs=1)
    (tmp_path / "lie.bin").write_bytes(pack_header(header) + data[parse_header(data)[1] :])
    result = export("c", CLIP, tmp_path / "lie.bin", "-o", tmp_path / "out")
    assert result.code == 1
    assert "costs more than it promises" in result.err and "lie.bin" in result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", damaged())
def test_a_damaged_clip_stops_all(tmp_path: Path, damage: str) -> None:
    (tmp_path / "bad.bin").write_bytes(damaged()[damage])
    result = export("c", CLIP, tmp_path / "bad.bin", "-o", tmp_path / "out")
    assert (result.code, result.out) == (3, b"")
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith(f"gs-export: {tmp_path}/bad.bin: ")
    if damage == "flipped":
        assert re.search(r"segment \d+ is damaged", result.err)
    assert set(contents(tmp_path)) == {"bad.bin"}


def test_inputs_that_are_no_files_are_refused(tmp_path: Path) -> None:
    assert export("c", "-", "-o", tmp_path).code == 2
    assert export("c", "-o", tmp_path).code == 2
    assert export("c", CLIP).code == 2
    missing = export("c", tmp_path / "no.bin", CLIP, "-o", tmp_path / "out")
    assert missing == (1, b"", f"gs-export: {tmp_path}/no.bin: no such file\n")
    assert export("c", tmp_path, "-o", tmp_path / "out").code == 1
    assert contents(tmp_path) == {}


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    (tmp_path / "audio_gs_clips.c").write_text("mine")
    before = contents(tmp_path)
    refused = export("c", CLIP, "-o", tmp_path)
    assert refused == (1, b"", f"gs-export: {tmp_path}/audio_gs_clips.c exists; -f overwrites it\n")
    assert contents(tmp_path) == before
    assert export("c", CLIP, "-o", tmp_path, "-f").code == 0
    assert set(contents(tmp_path)) == FILES


def test_folders_that_cannot_be_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    before = contents(tmp_path)
    for output in (tmp_path / "file", tmp_path / "file" / "out", tmp_path / "no" / "out"):
        result = export("c", CLIP, "-o", output)
        assert (result.code, result.out, len(result.err.splitlines())) == (1, b"", 1)
    assert contents(tmp_path) == before


def test_a_form_that_is_not_there_is_refused() -> None:
    assert export("pascal") == (2, b"", "gs-export: No such command 'pascal' (see gs-export --help)\n")
    assert export() == (2, b"", "gs-export: Missing command (see gs-export --help)\n")
    assert {"c", "header", "firmware", "tables", "onnx"} <= set(export("--help").out.decode().split())


# ---- all files or none ----


@contextlib.contextmanager
def small_disk(bytes_a_file: int) -> Iterator[None]:
    """Nothing larger than this can be written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """The superuser may write anywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("force", [(), ("-f",)])
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, force: tuple[str, ...]) -> None:
    if force:
        (tmp_path / "out").mkdir()
        for name in FILES:
            (tmp_path / "out" / name).write_text("mine")
    before = contents(tmp_path)
    with small_disk(4096):
        result = export("c", FOLDER / "music-12.bin", "-o", tmp_path / "out", *force)
    says = f"gs-export: cannot write {tmp_path}/out/audio_gs_clips.c: {os.strerror(errno.EFBIG)}\n"
    assert result == (1, b"", says)
    assert contents(tmp_path) == before


def test_a_read_only_folder_is_an_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "old").mkdir()
        for path in (folder / "old", folder):
            path.chmod(0o555)
        for inner in ("old", "new"):
            with (
                without_privileges(),
                pytest.raises(OutputError, match=rf"^cannot write .*{inner}.*: Permission denied$"),
            ):
                write_files(folder / inner, {"a/b": b"1", "c": b"2"}, force=False)
        assert set(contents(folder)) == {"old"}
        folder.chmod(0o755)


NEW: dict[str, bytes] = {"a": b"new a", "inner/b": b"new b", "inner/deep/c": b"new c", "d": b"new d"}


def old(folder: Path) -> Path:
    folder.mkdir()
    (folder / "a").write_bytes(b"old a")
    (folder / "d").write_bytes(b"old d")
    (folder / "other").write_bytes(b"other")
    (folder / "a").chmod(0o640)
    return folder


def test_a_set_of_files_is_written(tmp_path: Path) -> None:
    folder = old(tmp_path / "out")
    write_files(folder, NEW, force=True)
    assert {name: content for name, content in contents(folder).items() if content is not None} == {
        **NEW,
        "other": b"other",
    }
    assert (folder / "a").stat().st_mode & 0o777 == 0o640
    umask = os.umask(0)
    os.umask(umask)
    assert (folder / "inner" / "b").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), SystemExit(143)])
@pytest.mark.parametrize("step", ["before", "after"])
@pytest.mark.parametrize("function", ["replace", "write_bytes", "mkdir", "chmod"])
def test_a_failure_at_any_step_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, step: str, error: BaseException
) -> None:
    folder = old(tmp_path / "out")
    before = contents(tmp_path)
    real = getattr(Path, function)
    left = 0

    def failing(self: Path, *arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and step == "before":
            raise error
        result = real(self, *arguments)
        if left == 0:
            raise error
        return result

    monkeypatch.setattr(Path, function, failing)
    for steps in range(1, 100):
        left = steps
        try:
            write_files(folder, NEW, force=True)
        except (OutputError, SystemExit):
            left = 0
            assert contents(tmp_path) == before
        else:
            assert steps > 2
            break
    else:
        pytest.fail("never ends")


def test_links_and_odd_files_are_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists"):
        write_files(tmp_path, {"dangling": b""}, force=False)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="neither a file nor a folder"):
        write_files(tmp_path, {"pipe": b""}, force=True)
    for name in ("", "/a", "../a", "a/../../b"):
        with pytest.raises(ValueError, match="does not lie in a folder"):
            write_files(tmp_path, {name: b""}, force=True)
