"""Code and tables of the C decoder on a Cortex-M0+, from a cross-compiler if there is one."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from audio_gs.errors import AudioGsError

_FLAGS = (
    "-std=c99",
    "-Os",
    "-ffreestanding",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)
_SIZE_TOOLS = ("arm-none-eabi-size", "llvm-size", "size")


class FootprintError(AudioGsError):
    """The size cannot be measured here; the text says what is missing."""


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Bytes in the firmware's image and in its static memory."""

    compiler: str
    code: int
    tables: int
    """Constants, the texts of `gs_error_string` not counted."""
    texts: int
    data: int
    """Writable, initialised and not."""
    files: dict[str, int]
    """Code, tables and texts of each source file."""

    @property
    def total(self) -> int:
        return self.code + self.tables + self.texts


def measure_footprint(source: Path | None = None) -> Footprint:
    """Compile decoder_c/ for a Cortex-M0+ and add up its sections. Raises FootprintError if it cannot be done."""
    folder = source or find_source()
    compiler, command = find_compiler()
    sections = {}
    with tempfile.TemporaryDirectory() as objects:
        for file in sorted((folder / "src").glob("*.c")):
            target = Path(objects) / f"{file.stem}.o"
            arguments = (*command, *_FLAGS, "-I", str(folder / "include"), "-c", str(file), "-o", str(target))
            ended = subprocess.run(arguments, capture_output=True, text=True)
            if ended.returncode:
                reason = ended.stderr.strip().splitlines() or ["no reason given"]
                raise FootprintError(f"{compiler} cannot compile {file.name}: {reason[0]}")
            sections[file.name] = read_sections(target)
    if not sections:
        raise FootprintError(f"no C files in {folder / 'src'}; name the decoder's folder with --decoder-source")
    kinds = dict.fromkeys(("code", "tables", "texts", "data"), 0)
    files = dict.fromkeys(sections, 0)
    for file_name, sizes in sections.items():
        for name, size in sizes.items():
            kind = _kind_of(name)
            if kind:
                kinds[kind] += size
            if kind and kind != "data":
                files[file_name] += size
    return Footprint(compiler=compiler, files=files, **kinds)


def find_source() -> Path:
    """decoder_c/ in the working folder, in the folder of the Python environment, or in one above them."""
    for start in (Path.cwd(), Path(sys.prefix)):
        for folder in (start, *start.parents):
            if (folder / "decoder_c" / "src" / "gs_decoder.c").is_file():
                return folder / "decoder_c"
    raise FootprintError("decoder_c/ not found; name it with --decoder-source")


def find_compiler() -> tuple[str, tuple[str, ...]]:
    """Name and command of a compiler for the Cortex-M0+."""
    if importlib.util.find_spec("ziglang"):
        target = ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m0plus")
        return "ziglang", (sys.executable, "-m", "ziglang", "cc", *target)
    gcc = shutil.which("arm-none-eabi-gcc")
    if gcc:
        return "arm-none-eabi-gcc", (gcc, "-mcpu=cortex-m0plus", "-mthumb")
    raise FootprintError("no compiler for the Cortex-M0+; install the extra 'sim' (ziglang) or arm-none-eabi-gcc")


def read_sections(path: Path) -> dict[str, int]:
    """Bytes of each section of an object file."""
    if importlib.util.find_spec("elftools"):
        elf_file = importlib.import_module("elftools.elf.elffile").ELFFile
        with path.open("rb") as stream:
            sizes: dict[str, int] = {}
            for section in elf_file(stream).iter_sections():
                sizes[section.name] = sizes.get(section.name, 0) + int(section["sh_size"])
            return sizes
    tools = [tool for tool in map(shutil.which, _SIZE_TOOLS) if tool]
    # Each of them reads the formats of some machines only.
    for tool in tools:
        ended = subprocess.run((tool, "-A", "-d", str(path)), capture_output=True, text=True)
        if not ended.returncode:
            return parse_sizes(ended.stdout)
    found = f"{' and '.join(tools)} cannot read {path.name}" if tools else "no tool to read object files"
    raise FootprintError(f"{found}; install the extra 'sim' (pyelftools) or binutils")


def parse_sizes(text: str) -> dict[str, int]:
    """Sections and their bytes from what `size -A` prints."""
    sizes: dict[str, int] = {}
    for words in map(str.split, text.splitlines()):
        if len(words) >= 2 and words[0].startswith(".") and words[1].isdigit():
            sizes[words[0]] = sizes.get(words[0], 0) + int(words[1])
    return sizes


def _kind_of(section: str) -> str | None:
    if section.startswith(".text"):
        return "code"
    if section.startswith(".rodata"):
        return "texts" if ".str" in section else "tables"
    if section.startswith((".data", ".bss")):
        return "data"
    return None
