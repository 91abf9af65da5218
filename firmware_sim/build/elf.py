"""What an image is made of: symbols, code, and which function of the source each address belongs to."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .image import Image, SimError, need

Chain = tuple[str, ...]
"""Functions that an instruction belongs to, as file:name: the one it was written in, then those that one was inlined
into."""

LIBRARY = "library"
"""Stands in for the file of what has no debugging symbols: the compiler's own library."""


@dataclasses.dataclass(frozen=True)
class Rom:
    """Bytes in flash."""

    code: int
    tables: int
    texts: int
    """Those of gs_error_string."""
    runtime: int
    """Of memcpy, memset and the like, as far as the decoder calls them."""
    playing: int
    """All that is linked into a program that plays clips as they were encoded."""

    @property
    def total(self) -> int:
        return self.code + self.tables + self.texts + self.runtime


@dataclasses.dataclass(frozen=True)
class MixerRom:
    """Bytes in flash beside the decoder's."""

    mixing: int
    """All that is linked besides into a program that plays several clips at once.."""
    sharing: int
    """..with what voices share, and one budget."""
    total: int
    """Whether a program calls it or not."""


class Elf:
    """A linked image, read."""

    def __init__(self, image: Image) -> None:
        need("elftools")
        with image.elf.open("rb") as stream:
            elf = _elf_file(stream)
            table = elf.get_section_by_name(".symtab")
            symbols = list(table.iter_symbols())
            self.symbols: dict[str, int] = {entry.name: int(entry["st_value"]) for entry in symbols if entry.name}
            self.segments = [
                (int(part["p_paddr"]), bytes(part.data()))
                for part in elf.iter_segments()
                if part["p_type"] == "PT_LOAD" and part["p_filesz"]
            ]
            thumb_bit = 1 if image.core.is_arm else 0
            self._functions = [
                (int(entry["st_value"]) & ~thumb_bit, int(entry["st_size"]), entry.name)
                for entry in symbols
                if entry["st_info"]["type"] == "STT_FUNC"
            ]
            text = elf.get_section_by_name(".text")
            self.code_start = int(text["sh_addr"])
            self.code = bytes(text.data())
            self._chains = self._read_chains(elf)

    @property
    def code_end(self) -> int:
        return self.code_start + len(self.code)

    def address_of(self, name: str) -> int:
        """Raises SimError if there is no such symbol."""
        try:
            return self.symbols[name]
        except KeyError:
            raise SimError(f"the decoder has no function {name}") from None

    def chain_at(self, address: int) -> Chain:
        return self._chains[address - self.code_start]

    def bytes_of(self, file: str) -> int:
        """Code of the functions whose outermost file this is."""
        return sum(chain[-1].split(":")[0] == file for chain in self._chains if chain)

    def _read_chains(self, elf: Any) -> list[Chain]:
        chains: list[Chain] = [()] * len(self.code)
        for start, size, name in self._functions:
            self._mark(chains, start, start + size, f"{LIBRARY}:{name}")
        if not elf.has_dwarf_info():
            return chains
        dwarf = elf.get_dwarf_info()
        ranges = dwarf.range_lists()
        for unit in dwarf.iter_CUs():
            top = unit.get_top_DIE()
            base = top.attributes["DW_AT_low_pc"].value if "DW_AT_low_pc" in top.attributes else 0
            for die in top.iter_children():
                if die.tag != "DW_TAG_subprogram":
                    continue
                for start, end in _ranges_of(die, ranges, base):
                    for at in range(max(start, self.code_start), min(end, self.code_end)):
                        chains[at - self.code_start] = ()
                if _is_of_the_source(die):
                    self._add(chains, die, _files_of(dwarf, unit), ranges, base)
                else:
                    self._mark_all(chains, die, f"{_file_of(top)}:{_text(die, 'DW_AT_linkage_name')}", ranges, base)
        return chains

    def _mark_all(self, chains: list[Chain], die: Any, name: str, ranges: Any, base: int) -> None:
        for start, end in _ranges_of(die, ranges, base):
            self._mark(chains, start, end, name)

    def _add(self, chains: list[Chain], die: Any, files: Sequence[str], ranges: Any, base: int) -> None:
        if die.tag in ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine"):
            defined = _defined(die)
            name = f"{files[defined.attributes['DW_AT_decl_file'].value - 1]}:{_text(defined, 'DW_AT_name')}"
            for start, end in _ranges_of(die, ranges, base):
                self._mark(chains, start, end, name)
        for child in die.iter_children():
            if child.tag in ("DW_TAG_inlined_subroutine", "DW_TAG_lexical_block"):
                self._add(chains, child, files, ranges, base)

    def _mark(self, chains: list[Chain], start: int, end: int, name: str) -> None:
        for at in range(max(start, self.code_start), min(end, self.code_end)):
            chains[at - self.code_start] = (name, *chains[at - self.code_start])


def read_rom(image: Image, elf: Elf) -> Rom:
    """The whole decoder, whether a program calls all of it or not, without the mixer."""
    return Rom(*_sizes(image.objects), elf.bytes_of("runtime.c") + elf.bytes_of(LIBRARY), _linked(image.playing))


def read_mixer_rom(image: Image) -> MixerRom:
    """Of the mixer, beside the decoder's."""
    playing = _linked(image.playing)
    return MixerRom(_linked(image.mixing) - playing, _linked(image.sharing) - playing, sum(_sizes(image.mixer_objects)))


def _linked(program: Path) -> int:
    return sum(_sizes([program])[:2])


def _sizes(objects: Sequence[Path]) -> tuple[int, int, int]:
    """Code, tables and texts."""
    code = tables = texts = 0
    for path in objects:
        for name, size in _sections(path):
            if name.startswith(".text"):
                code += size
            elif name.startswith(".rodata"):
                texts += size if ".str" in name else 0
                tables += 0 if ".str" in name else size
    return code, tables, texts


def _sections(path: Path) -> Iterator[tuple[str, int]]:
    with path.open("rb") as stream:
        for section in _elf_file(stream).iter_sections():
            yield section.name, int(section["sh_size"])


def _elf_file(stream: Any) -> Any:
    return importlib.import_module("elftools.elf.elffile").ELFFile(stream)


def _text(die: Any, attribute: str) -> str:
    return die.attributes[attribute].value.decode() if attribute in die.attributes else "?"


def _files_of(dwarf: Any, unit: Any) -> list[str]:
    """The names of a compilation unit's files, without folders. The numbers in DWARF 4 begin at 1."""
    entries = dwarf.line_program_for_CU(unit)["file_entry"]
    return [PurePosixPath(entry.name.decode()).name for entry in entries]


def _file_of(top: Any) -> str:
    return PurePosixPath(_text(top, "DW_AT_name")).name


def _is_of_the_source(die: Any) -> bool:
    """Not one that a compiler made of what several functions have in common, for the size."""
    return bool({"DW_AT_decl_file", "DW_AT_abstract_origin", "DW_AT_specification"} & die.attributes.keys())


def _defined(die: Any) -> Any:
    """The entry that names a function, and the file where it is defined."""
    while "DW_AT_decl_file" not in die.attributes or "DW_AT_name" not in die.attributes:
        links = [name for name in ("DW_AT_abstract_origin", "DW_AT_specification") if name in die.attributes]
        if not links:
            raise SimError("the debugging information does not say where a function is defined")
        die = die.get_DIE_from_attribute(links[0])
    return die


def _ranges_of(die: Any, lists: Any, base: int) -> Iterator[tuple[int, int]]:
    attributes = die.attributes
    if "DW_AT_low_pc" in attributes and "DW_AT_high_pc" in attributes:
        low, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
        yield low, high.value if high.form == "DW_FORM_addr" else low + high.value
    elif "DW_AT_ranges" in attributes:
        for entry in lists.get_range_list_at_offset(attributes["DW_AT_ranges"].value):
            if hasattr(entry, "base_address"):
                base = entry.base_address
            else:
                yield base + entry.begin_offset, base + entry.end_offset
