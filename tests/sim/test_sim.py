"""The simulator: counts to the instruction, the same on both engines, and what it says of the decoder."""

from __future__ import annotations

import importlib.util
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from make_vectors import FOLDER
from sim_tools import build_cache, needs_sim

from audio_gs import api
from audio_gs.codec.container import parse_header
from audio_gs.codec.memory import decoder_memory
from audio_gs.errors import BitstreamError
from audio_gs.firmware_sim import CORES, CostBook, Machine, Report, Settings, SimError, build_image, gs_sim, simulate
from audio_gs.firmware_sim.build import image
from audio_gs.firmware_sim.build.cores import Board
from audio_gs.firmware_sim.engines import qemu
from audio_gs.firmware_sim.mixing import simulate_mix
from audio_gs.firmware_sim.profile import stack, steps
from audio_gs.firmware_sim.profile.timing import TIMINGS

SOURCE = Path(__file__).parents[2] / "decoder_c"
CLIP = FOLDER / "random-44.bin"
"""Short, with tones, noise and seek points."""
SPEECH = FOLDER / "speech-3.bin"
ARM = tuple(name for name, core in CORES.items() if core.is_arm)

pytestmark = needs_sim
needs_qemu = pytest.mark.skipif(
    not (shutil.which(qemu.QEMU) and shutil.which("cc")), reason="needs qemu-system-arm and cc"
)
needs_gcc = pytest.mark.skipif(not shutil.which(image.GCC), reason=f"needs {image.GCC}")


def play(clip: Path, core: str, **options: object) -> Report:
    settings = Settings(core, **{"source": SOURCE, "cache": build_cache(), **options})  # type: ignore[arg-type]
    return simulate(clip.read_bytes(), settings)


# ---- what is reported ----


@pytest.mark.parametrize("core", CORES)
def test_a_clip_plays_bit_exactly_and_its_costs_add_up(core: str) -> None:
    report = play(CLIP, core)
    assert report.bit_exact
    whole = report.cost + report.opening
    for parts in (report.functions, report.steps):
        assert sum(part.instructions for part in parts.values()) == whole.instructions
        assert sum(part.multiplies for part in parts.values()) == whole.multiplies
        assert sum(part.cycles for part in parts.values()) == whole.cycles
    tone = {"tone: syntax", "tone: dequantise", "tone: render"}
    noise = {"noise: syntax", "noise: dequantise", "noise: render", "transform"}
    assert {"range coder", "slots", *tone, *noise, "pcm"} < set(report.steps)
    assert not {"unknown", "other"} & set(report.steps)
    assert whole.instructions < whole.cycles
    assert 0 < whole.multiplies < whole.instructions
    facts = report.as_dict()
    mean = facts["instructions_per_sample"]
    assert mean == report.cost.instructions / report.samples
    assert mean < facts["worst_20ms_instructions_per_sample"] <= facts["worst_block_instructions_per_sample"]
    assert facts["ram_bytes"] == report.state_bytes + 64 + report.stack_bytes
    playing = facts["rom"].pop("playing")
    assert facts["rom_bytes"] == sum(facts["rom"].values()) > playing > facts["rom"]["tables"]
    assert 0 < report.stack_bytes < 1024
    assert json.loads(json.dumps(facts)) == facts


def test_the_state_is_that_of_the_clips_class() -> None:
    header = parse_header(CLIP.read_bytes())[0]
    assert header.noise is not None
    expected = decoder_memory(header)
    assert play(CLIP, "cortex-m4").state_bytes == expected


def test_samples_do_not_depend_on_the_block_but_costs_do() -> None:
    small, large = (play(CLIP, "cortex-m4", block=block) for block in (1, 1000))
    assert small.bit_exact and large.bit_exact
    assert small.cost.instructions > large.cost.instructions
    assert (small.pcm_bytes, large.pcm_bytes) == (2, 2000)
    # A block of one sample leaves a window of exactly 20 ms; one that is longer than that is a window by itself.
    assert small.worst_window_samples == round(0.02 * small.sample_rate)
    assert large.worst_window_samples == 1000


def test_another_pitch_is_played_bit_exactly() -> None:
    plain, higher = (play(CLIP, "cortex-m4", pitch=pitch) for pitch in (1.0, 1.5))
    assert higher.bit_exact
    assert higher.pcm_crc32 != plain.pcm_crc32
    assert higher.state_bytes > plain.state_bytes
    assert higher.promised_macs == 2 * plain.promised_macs
    with pytest.raises(SimError, match="take unicorn"):
        Settings("cortex-m4", engine="qemu", pitch=1.5)


def test_another_pace_is_played_bit_exactly() -> None:
    plain, other = play(CLIP, "cortex-m4"), play(CLIP, "cortex-m4", tempo=1.5, rate=8000)
    assert other.bit_exact
    assert other.sample_rate == 8000
    assert other.samples == pytest.approx(plain.samples * 8000 / plain.sample_rate / 1.5, abs=2)
    assert other.promised_macs > plain.promised_macs
    assert other.worst_window_multiplies < other.promised_macs * other.worst_window_samples
    with pytest.raises(SimError, match="take unicorn"):
        Settings("cortex-m4", engine="qemu", tempo=1.5)
    with pytest.raises(SimError, match=r"8000\.\.48000"):
        Settings("cortex-m4", rate=4000)


def test_worst_windows_are_the_worst() -> None:
    report = play(SPEECH, "cortex-m4", block=160)
    # 20 ms are one block of 160 samples at 8 kHz.
    assert report.worst_window_instructions == report.worst_block.instructions / 160


def test_other_samples_than_the_hosts_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = api.decode

    def one_bit_off(data: bytes, **options: Any) -> tuple[np.ndarray, int]:
        pcm, rate = real(data, **options)
        pcm[len(pcm) // 2] ^= 1
        return pcm, rate

    monkeypatch.setattr(api, "decode", one_bit_off)
    assert not play(CLIP, "cortex-m4").bit_exact


def test_damage_is_refused() -> None:
    with pytest.raises(BitstreamError):
        simulate(CLIP.read_bytes()[:-1], Settings("cortex-m4"))


def functions_of_a_room(room: str) -> set[str]:
    """Those that compilers made something of, inlined or not."""
    elffile: Any = importlib.import_module("elftools.elf.elffile")
    found = set()
    for path in build_image("cortex-m4", source=SOURCE, cache=build_cache()).objects:
        with path.open("rb") as file:
            debug = elffile.ELFFile(file).get_dwarf_info()
            for unit in debug.iter_CUs():
                files = debug.line_program_for_CU(unit)["file_entry"]
                for entry in unit.iter_DIEs():
                    if entry.tag == "DW_TAG_subprogram" and {"DW_AT_name", "DW_AT_decl_file"} <= set(entry.attributes):
                        name = files[entry.attributes["DW_AT_decl_file"].value - 1].name.decode()
                        if name in {f"gs_{room}{suffix}" for suffix in steps.FILES_OF_A_ROOM}:
                            found.add(entry.attributes["DW_AT_name"].value.decode())
    return found


@pytest.mark.parametrize("room", steps.ROOMS)
def test_every_function_of_a_room_stands_in_one_of_its_sections(room: str) -> None:
    listed = [function for functions in steps.ROOMS[room].values() for function in functions]
    assert len(listed) == len(set(listed))
    assert functions_of_a_room(room) - set(listed) == set()
    files = [SOURCE / "src" / f"gs_{room}{suffix}" for suffix in steps.FILES_OF_A_ROOM]
    text = "".join(file.read_text() for file in files if file.exists())
    assert [function for function in listed if f"{function}(" not in text] == []


def test_a_helper_belongs_to_what_it_was_inlined_into() -> None:
    gamma, read = "gs_symbols.h:gs_read_gamma", "gs_tone.h:gs_tone_read"
    assert steps.step_of((gamma, read, "gs_slots.c:gs_slots_next")) == "tone: syntax"
    assert steps.step_of((gamma,)) == "slots"
    assert steps.step_of(("new.c:tried",)) == "other"
    assert steps.step_of(()) == "unknown"


# ---- how it counts ----

WITHOUT_DECODER = """
#include <audio_gs.h>
int gs_open_memory(void *memory, size_t size, const void *stream, uint32_t bytes, gs_decoder **decoder)
{
    return memory && size && stream && bytes && decoder;
}
int32_t gs_read(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    return decoder && pcm && samples;
}
"""
KNOWN_THUMB = """
__asm__(".section .text.known, \\"ax\\"\\n.syntax unified\\n.thumb\\n"
        ".global loop\\n.thumb_func\\n.type loop, %function\\n"
        "loop: movs r1, #1\\n1: muls r1, r0, r1\\nsubs r0, #1\\nbne 1b\\nbx lr\\n.size loop, . - loop\\n"
        ".global loads\\n.thumb_func\\n.type loads, %function\\n"
        "loads: push {r4, r5, lr}\\nldr r4, [r0]\\nldr r5, [r0, #4]\\nadds r0, r4, r5\\nstr r0, [r0]\\n"
        "pop {r4, r5, pc}\\n.size loads, . - loads\\n"
        ".global wild\\n.thumb_func\\n.type wild, %function\\n"
        "wild: movs r0, #0\\nmvns r0, r0\\nbx r0\\n.size wild, . - wild\\n"
        ".global deep\\n.thumb_func\\n.type deep, %function\\n"
        "deep: push {r0}\\nsubs r0, #1\\nbne deep\\nbx lr\\n.size deep, . - deep\\n");
"""
KNOWN_IT = """
__asm__(".section .text.it, \\"ax\\"\\n.syntax unified\\n.thumb\\n.global choose\\n.thumb_func\\n"
        ".type choose, %function\\nchoose: cmp r0, #0\\nit eq\\nmoveq r0, #7\\nsmull r0, r1, r0, r0\\n"
        "bx lr\\n.size choose, . - choose\\n");
"""
KNOWN_DSP = """
__asm__(".section .text.dsp, \\"ax\\"\\n.syntax unified\\n.thumb\\n.global pairs\\n.thumb_func\\n"
        ".type pairs, %function\\npairs: smlad r0, r0, r1, r0\\nsmuad r0, r0, r1\\nsmulbb r0, r0, r0\\n"
        "smlawb r0, r0, r1, r0\\nbx lr\\n.size pairs, . - pairs\\n");
"""
KNOWN_RISCV = """
__asm__(".section .text.known, \\"ax\\"\\n.global loop\\n.type loop, @function\\n"
        "loop: li a1, 1\\n1: mul a1, a0, a1\\naddi a0, a0, -1\\nbnez a0, 1b\\nret\\n.size loop, . - loop\\n");
"""


@pytest.fixture(scope="module")
def machine_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Machine]:
    """A core with this file in the place of the decoder's."""

    def make(core: str, text: str) -> Machine:
        folder = tmp_path_factory.mktemp("decoder") / "decoder_c"
        shutil.copytree(SOURCE / "include", folder / "include")
        (folder / "src").mkdir()
        (folder / "src" / "known.c").write_text(WITHOUT_DECODER + text)
        return Machine(build_image(core, source=folder, cache=build_cache()), build_cache())

    return make


def cost_of(machine: Machine, *call: str | int) -> tuple[int, int, int]:
    machine.call(str(call[0]), *map(int, call[1:]))
    cost = CostBook(machine.image, machine.elf).add(machine.counts)
    return cost.instructions, cost.multiplies, cost.cycles


@pytest.mark.parametrize(("core", "taken", "jump"), [("cortex-m0plus", 2, 2), ("cortex-m4", 3, 3)])
def test_known_code_takes_what_it_must(
    core: str, taken: int, jump: int, machine_with: Callable[[str, str], Machine]
) -> None:
    machine = machine_with(core, KNOWN_THUMB)
    for turns in (1, 2, 10):
        cycles = 1 + 2 * turns + taken * (turns - 1) + 1 + jump
        assert cost_of(machine, "loop", turns) == (2 + 3 * turns, turns, cycles)
    place = machine.reserve(8)
    machine.write(place, place.to_bytes(4, "little"))
    assert machine.call("loads", place) == np.int32(place)
    # 4 cycles to push and 1 to add; the return goes by the list.
    second = 2 if core == "cortex-m0plus" else 1
    assert cost_of(machine, "loads", place) == (6, 0, 4 + 2 + second + 1 + 2 + 4 + 2)


def test_what_a_condition_skips_is_counted(machine_with: Callable[[str, str], Machine]) -> None:
    machine = machine_with("cortex-m3", KNOWN_THUMB + KNOWN_IT)
    assert cost_of(machine, "choose", 0) == cost_of(machine, "choose", 1) == (5, 1, 3 + 5 + 3)


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_dsp_instructions_multiply_once_or_twice(core: str, machine_with: Callable[[str, str], Machine]) -> None:
    machine = machine_with(core, KNOWN_DSP)
    assert cost_of(machine, "pairs", 1, 2) == (5, 6, 4 + 3)


def test_known_code_on_riscv(machine_with: Callable[[str, str], Machine]) -> None:
    machine = machine_with("riscv32", KNOWN_RISCV)
    assert cost_of(machine, "loop", 10) == (32, 10, 1 + 20 + 9 * 3 + 1 + 2)


def test_a_wild_jump_and_a_deep_stack_are_errors(machine_with: Callable[[str, str], Machine]) -> None:
    machine = machine_with("cortex-m0plus", KNOWN_THUMB)
    machine.call("deep", 16)
    assert machine.stack_bytes == 64
    with pytest.raises(SimError, match="wild stopped at"):
        machine.call("wild")
    with pytest.raises(SimError, match="no function nowhere"):
        machine.call("nowhere")
    with pytest.raises(SimError, match="4096 bytes overflowed"):
        machine.call("deep", 1024)


def test_arguments_beyond_the_registers_go_by_the_stack() -> None:
    machine = Machine(build_image("cortex-m4", source=SOURCE, cache=build_cache()), build_cache())
    data = CLIP.read_bytes()
    memory, clip, opened = (machine.reserve(size) for size in (8192, len(data), 4))
    machine.write(clip, data)
    assert machine.call("gs_open_memory", memory, 8192, clip, len(data), 0) == -1
    assert machine.call("gs_open_memory", memory, 8192, clip, len(data), opened) == 0
    assert machine.read(opened, 4) == memory.to_bytes(4, "little")


@needs_qemu
@pytest.mark.parametrize("core", ARM)
@pytest.mark.parametrize("clip", [CLIP, FOLDER / "random-142.bin"], ids=lambda clip: clip.stem)
def test_both_engines_agree_to_the_instruction(core: str, clip: Path) -> None:
    unicorn, board = (play(clip, core, engine=engine) for engine in ("unicorn", "qemu"))
    assert board.bit_exact
    for name in ("cost", "opening", "worst_block", "worst_window_cycles", "functions", "stack_bytes"):
        assert getattr(unicorn, name) == getattr(board, name), name


@needs_qemu
@needs_gcc
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_both_engines_agree_on_gccs_code(core: str) -> None:
    unicorn, board = (
        play(SPEECH, core, engine=engine, compiler="gcc", optimisation="Os") for engine in ("unicorn", "qemu")
    )
    assert unicorn.bit_exact and board.bit_exact
    assert (unicorn.cost, unicorn.functions) == (board.cost, board.functions)


@needs_qemu
def test_the_plugin_has_the_version_that_qemu_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "_PLUGIN_VERSIONS", (99, 1))
    assert play(CLIP, "cortex-m4", engine="qemu").bit_exact
    monkeypatch.setattr(qemu, "_PLUGIN_VERSIONS", (99,))
    with pytest.raises(SimError, match=r"mps2-an386 in QEMU: .*API version 99"):
        play(CLIP, "cortex-m4", engine="qemu")


@needs_qemu
def test_a_clip_too_large_for_the_board_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    core = CORES["cortex-m0plus"]
    tiny = (Board("microbit", 1 << 16, 1 << 14),)
    monkeypatch.setitem(CORES, core.name, type(core)(core.name, core.zig_cpu, core.unicorn_cpu, tiny))
    with pytest.raises(SimError, match="does not fit into the flash of microbit"):
        play(CLIP, core.name, engine="qemu")


# ---- stack ----


@needs_gcc
def test_the_call_graph_bounds_the_stack_of_gccs_build() -> None:
    report = play(SPEECH, "cortex-m0plus", compiler="gcc")
    assert report.stack_bound_bytes is not None
    assert 0 < report.stack_bytes <= report.stack_bound_bytes < 1152


def graph(*edges: str, size: str = "16 bytes (static)") -> str:
    """A .ci file with an edge for each pair of letters."""
    nodes = sorted({name for edge in edges for name in edge})
    lines = [f'node: {{ title: "{name}" label: "{name}\\na.c:1:1\\n{size}" }}' for name in nodes]
    lines += [f'edge: {{ sourcename: "{edge[0]}" targetname: "{edge[1]}" label: "a.c:1:1" }}' for edge in edges]
    return "\n".join(lines)


def test_the_deepest_chain_bounds_the_stack() -> None:
    assert stack.deepest_stack([graph("ab", "bc"), graph("ad", size="8 bytes (static)")], ["b", "a"]) == 8 + 16 + 16
    with pytest.raises(SimError, match="calls itself"):
        stack.deepest_stack([graph("ab", "ba")], ["a"])
    with pytest.raises(SimError, match="no bound: dynamic"):
        stack.deepest_stack([graph("ab", size="16 bytes (dynamic)")], ["a"])
    with pytest.raises(SimError, match="none of the decoder's functions"):
        stack.deepest_stack([graph("ab")])


# ---- what is missing ----


def test_the_package_has_the_sources() -> None:
    assert sorted(path.name for path in (image.find_source() / "src").glob("*.c")) == sorted(
        path.name for path in (SOURCE / "src").glob("*.c")
    )


def test_errors_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SimError, match=r"cortex-m5 is not one of cortex-m0plus, .*riscv32"):
        Settings("cortex-m5")
    with pytest.raises(SimError, match="take --engine unicorn"):
        play(CLIP, "riscv32", engine="qemu")
    with pytest.raises(SimError, match="error: "):
        build_image("cortex-m4", source=SOURCE, defines=("int16_t=@",), cache=tmp_path)
    with pytest.raises(SimError, match="name the decoder's folder with --decoder-source"):
        build_image("cortex-m4", source=tmp_path, cache=tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(SimError, match="Debian: gcc-arm-none-eabi"):
        build_image("cortex-m4", "gcc", source=SOURCE, cache=tmp_path)
    with pytest.raises(SimError, match="Debian: qemu-system-arm"):
        play(CLIP, "cortex-m4", engine="qemu")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SimError, match=r"ziglang is not installed; .*pip install 'audio-gs\[sim\]'"):
        build_image("cortex-m4", source=SOURCE, cache=tmp_path)


def test_writable_globals_are_refused(machine_with: Callable[[str, str], Machine]) -> None:
    with pytest.raises(SimError, match="no writable global"):
        machine_with("cortex-m4", "int counter = 1;\n")


def test_every_core_has_a_timing_model() -> None:
    assert set(TIMINGS) == set(CORES)
    assert "0.68" in TIMINGS["cortex-m7"].describe()


# ---- the command ----


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    before = signal.getsignal(signal.SIGTERM)

    def run_command(*arguments: object) -> Result:
        given = [*map(str, arguments), "--cache", str(build_cache()), "--decoder-source", str(SOURCE)]
        monkeypatch.setattr(sys, "argv", ["gs-sim", *given])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            gs_sim.main()
        out, err = capfd.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    yield run_command
    signal.signal(signal.SIGTERM, before)


def test_the_command_prints_json(call: Callable[..., Result]) -> None:
    result = call(CLIP, "--core", "cortex-m4", "--core", "riscv32", "--json")
    assert (result.code, result.err) == (0, "")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["core"] for line in lines] == ["cortex-m4", "riscv32"]
    promised = {"bit_exact", "instructions_per_sample", "multiplies_per_sample", "rom_bytes", "ram_bytes"}
    promised |= {"stack_bytes", "cycles_per_sample_estimated", "mhz_estimated", "timing_model", "steps", "functions"}
    assert promised < set(lines[0])


def test_the_command_prints_tables(call: Callable[..., Result]) -> None:
    result = call(CLIP, "--core", "cortex-m4", "--functions", "2", "--against", SOURCE)
    assert (result.code, result.err) == (0, "")
    for text in ("bit-exact", "timing model", "noise: render", "RAM", "against"):
        assert text in result.out
    assert result.out.count("gs_tone.c:") <= 2
    assert call(CLIP, "--core", "cortex-m4", "-q").out == ""


def test_the_commands_exit_codes(call: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(CLIP, "--core", "pdp11").code == 2
    damaged = tmp_path / "damaged.bin"
    damaged.write_bytes(CLIP.read_bytes()[:-1])
    assert call(damaged).code == 3
    assert call(tmp_path / "none.bin").code == 1
    silence = np.zeros(1, np.int16)
    monkeypatch.setattr(api, "decode", lambda _data, **_settings: (silence, 8000))
    result = call(CLIP)
    assert result.code == 1
    assert "cortex-m4 gives other samples than the host" in result.err


def test_voices_of_a_mixer_cost_less_than_decoders() -> None:
    report = simulate_mix((FOLDER / "speech-6.bin").read_bytes(), Settings("cortex-m4", block=64), 4)
    assert report.bit_exact
    assert report.share < 0.85
    assert report.ram_bytes <= 300
    facts = report.as_dict()
    assert facts["share"] == facts["mixer_instructions"] / facts["decoders_instructions"]
    assert json.loads(json.dumps(facts)) == facts
    text = gs_sim.describe_mix("clip", report)
    assert "bit-exact" in text and "4 voices" in text


def test_a_mixer_is_simulated_as_encoded() -> None:
    with pytest.raises(SimError, match="leave out"):
        simulate_mix(CLIP.read_bytes(), Settings("cortex-m4", pitch=1.5), 2)
    with pytest.raises(SimError, match="leave out"):
        simulate_mix(CLIP.read_bytes(), Settings("cortex-m4", tempo=2), 2)
    with pytest.raises(SimError, match="between 1 and 64"):
        simulate_mix(CLIP.read_bytes(), Settings("cortex-m4"), 65)
