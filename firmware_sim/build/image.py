"""Builds the decoder and the program around it for a core, once for each set of sources and options."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audio_gs.codec.decoder_source import SourceMissing, find_decoder_source
from audio_gs.compilers import run_compiler, zig
from audio_gs.errors import AudioGsError

from .cores import CORES, Core

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
COMPILERS = ("zig", "gcc")
OPTIMISATIONS = ("O2", "Os", "O3")
GCC = "arm-none-eabi-gcc"
MIXER = ("gs_bus.c", "gs_mixer.c")
"""The sources of the mixer."""
PLAYING = (
    "gs_info_from_memory",
    "gs_decoder_size",
    "gs_open_memory",
    "gs_open_callback",
    "gs_read",
    "gs_seek",
    "gs_tell",
    "gs_set_loop",
    "gs_set_budget",
)
"""What a program calls that plays clips as they were encoded."""
MIXING = (
    "gs_mixer_open",
    "gs_mixer_play",
    "gs_mixer_queue",
    "gs_mixer_stop",
    "gs_mixer_fade",
    "gs_mixer_set_pan",
    "gs_mixer_set_loop",
    "gs_mixer_status",
    "gs_mix",
)
"""What one calls besides that plays several at once.."""
SHARING = ("gs_mixer_share", "gs_mixer_set_budget")
"""..and has voices share what they can, one budget among it."""
PROGRAMS = {"playing": PLAYING, "mixing": PLAYING + MIXING, "sharing": PLAYING + MIXING + SHARING}
"""Programs that are linked to see what a linker leaves of the decoder, with the functions that they call."""

# Symbols of debugging cost no instruction; a section for each function is what firmware builds with.
_FLAGS = (
    "-std=c99",
    "-ffreestanding",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-gdwarf-4",
)
# GCC then writes a .ci file beside each object; the code is the same.
_CALL_GRAPH_FLAGS = ("-fstack-usage", "-fcallgraph-info=su")
# Shared with the example of a program on bare metal.
_RUNTIME = Path("examples", "baremetal", "runtime.c")


class SimError(AudioGsError):
    """The simulation cannot be done here, or went wrong; the text says what is missing."""


@dataclasses.dataclass(frozen=True)
class Image:
    """A linked program, and the object files of the decoder in it, and of the mixer, which a program may do without."""

    elf: Path
    playing: Path
    """What the linker leaves of the decoder in a program that calls `PLAYING` alone.."""
    mixing: Path
    """..and `MIXING`.."""
    sharing: Path
    """..and `SHARING`."""
    objects: tuple[Path, ...]
    mixer_objects: tuple[Path, ...]
    core: Core
    compiler: str
    """With its version."""
    optimisation: str
    source: Path


def need(module: str) -> None:
    """Raise SimError if a module of the extra is not installed."""
    if importlib.util.find_spec(module) is None:
        raise SimError(f"{module} is not installed; install the extra 'sim': pip install 'audio-gs[sim]'")


def find_source() -> Path:
    """The decoder's C sources: those that were installed with the package, or those of the checkout around it."""
    try:
        return find_decoder_source()
    except SourceMissing as error:
        raise SimError(f"{error}; name decoder_c/ with --decoder-source") from None


def default_cache() -> Path:
    """Where builds are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "audio-gs" / "sim"


def compiler_version(compiler: str) -> str:
    """Name and version of a compiler. Raises SimError if it is not there."""
    if compiler == "zig":
        need("ziglang")
        return f"ziglang {importlib.metadata.version('ziglang')}"
    path = shutil.which(GCC)
    if path is None:
        raise SimError(f"{GCC} is not installed (Debian: gcc-arm-none-eabi); or take --compiler zig")
    return f"gcc {_run((path, '-dumpfullversion')).strip()}"


def build_image(
    core: Core | str,
    compiler: str = "zig",
    optimisation: str = "O2",
    *,
    source: Path | None = None,
    defines: Sequence[str] = (),
    cache: Path | None = None,
) -> Image:
    """Compile and link for a core, or take what an earlier call made of the same files.

    `source` is a folder with include/ and src/*.c, `defines` are macros for the decoder, NAME or NAME=VALUE. Raises
    SimError with the compiler's first complaint.
    """
    core = CORES[core] if isinstance(core, str) else core
    source = source or find_source()
    version = compiler_version(compiler)
    command = _compiler(core, compiler)
    flags = (*_FLAGS, f"-{optimisation}", *(f"-D{define}" for define in defines))
    if compiler == "gcc":
        flags += _CALL_GRAPH_FLAGS
    places = (str(core.flash_start), str(core.ram_start))
    key = _fingerprint(_files(source), (version, *command[1:], *flags, *places, *PROGRAMS["sharing"]))
    folder = (cache or default_cache()) / key
    if not folder.is_dir():
        with _made_whole(folder) as fresh:
            _compile_all(core, command, flags, source, fresh)
            _link(core, compiler, fresh)
            for name, called in PROGRAMS.items():
                _link_calling(core, compiler, fresh, name, called)
    objects = {path.name: folder / f"{path.stem}.o" for path in _decoder_files(source)}
    mixer = tuple(objects.pop(name) for name in MIXER if name in objects)
    programs = {name: folder / f"{name}.elf" for name in PROGRAMS}
    decoder = tuple(objects.values())
    return Image(
        folder / "image.elf",
        **programs,
        objects=decoder,
        mixer_objects=mixer,
        core=core,
        compiler=version,
        optimisation=optimisation,
        source=source,
    )


def build_library(
    source: Path, command: Sequence[str], name: str, cache: Path | None, flags: Sequence[str] = ()
) -> Path:
    """Compile one of the firmware folder's files as a shared library for this machine."""
    key = _fingerprint((source, FIRMWARE / "block_counter.h"), (*command, *flags))
    folder = (cache or default_cache()) / key
    if not folder.is_dir():
        with _made_whole(folder) as fresh:
            _run((*command, "-O2", "-fPIC", "-shared", *flags, str(source), "-o", str(fresh / name)))
    return folder / name


def _compiler(core: Core, compiler: str) -> tuple[str, ...]:
    if compiler == "zig":
        return (*zig("cc"), *core.zig_flags)
    if not core.is_arm:
        raise SimError(f"{GCC} cannot compile for {core.name}; take --compiler zig")
    return (GCC, *core.gcc_flags)


def _decoder_files(source: Path) -> list[Path]:
    files = sorted((source / "src").glob("*.c"))
    if not files:
        raise SimError(f"no C files in {source / 'src'}; name the decoder's folder with --decoder-source")
    return files


def _files(source: Path) -> list[Path]:
    headers = sorted((source / "src").glob("*.h")) + sorted((source / "include").glob("*.h"))
    return [*_decoder_files(source), *headers, FIRMWARE / "board.c", find_source() / _RUNTIME, FIRMWARE / "image.ld"]


def _fingerprint(files: Iterable[Path], options: Iterable[str]) -> str:
    digest = hashlib.sha256("\0".join(options).encode())
    for path in files:
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:24]


def _compile_all(core: Core, command: Sequence[str], flags: Sequence[str], source: Path, folder: Path) -> None:
    jobs: list[tuple[Path, tuple[str, ...]]] = [(path, ()) for path in _decoder_files(source)]
    # The same at every optimisation, and without a memset that calls memset.
    jobs.append((find_source() / _RUNTIME, ("-Os", "-fno-builtin")))
    if core.is_arm:
        jobs.append((FIRMWARE / "board.c", ()))

    def compile_one(job: tuple[Path, tuple[str, ...]]) -> None:
        path, extra = job
        include = ("-I", str(source / "include"))
        _run((*command, *flags, *extra, *include, "-c", str(path), "-o", str(folder / f"{path.stem}.o")))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(compile_one, jobs))


def _link(core: Core, compiler: str, folder: Path) -> None:
    objects = [str(path) for path in sorted(folder.glob("*.o"))]
    places = [f"--defsym=FLASH_START={core.flash_start:#x}", f"--defsym=RAM_START={core.ram_start:#x}"]
    options = [*places, "-T", str(FIRMWARE / "image.ld"), "-e", "board_start" if core.is_arm else "0", "--gc-sections"]
    elf = str(folder / "image.elf")
    if compiler == "zig":
        _run((*zig("ld.lld"), *options, *objects, "-o", elf))
        return
    # Thumb-1 calls helpers of the compiler's own library where it jumps by table.
    passed = [f"-Wl,{option}" for option in (*places, "-e", "board_start", "--gc-sections", "--build-id=none")]
    script = ["-T", str(FIRMWARE / "image.ld")]
    _run((GCC, *core.gcc_flags, "-nostdlib", *passed, *script, *objects, "-lgcc", "-o", elf))


def _link_calling(core: Core, compiler: str, folder: Path, name: str, called: Sequence[str]) -> None:
    objects = [str(path) for path in sorted(folder.glob("*.o")) if path.name != "board.o"]
    options = ["-e", "gs_read", "--gc-sections", *(f"--undefined={function}" for function in called)]
    elf = str(folder / f"{name}.elf")
    if compiler == "zig":
        _run((*zig("ld.lld"), *options, *objects, "-o", elf))
        return
    passed = [f"-Wl,{','.join(options)},--build-id=none"]
    _run((GCC, *core.gcc_flags, "-nostdlib", *passed, *objects, "-lgcc", "-o", elf))


def _run(command: Sequence[str]) -> str:
    return run_compiler(command, SimError)


@contextlib.contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """A folder that appears under its name when all that belongs into it is there; several processes may race."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=".making-"))
    try:
        yield fresh
        try:
            fresh.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@functools.cache
def host_compiler() -> tuple[str, ...]:
    """A compiler for this machine that has a C library."""
    path = shutil.which("cc")
    if path:
        return (path,)
    need("ziglang")
    return zig("cc")
