"""Where the installed commands begin: ready for Ctrl-C before anything large is imported."""

from __future__ import annotations

import importlib
import sys

from .interrupt import EXIT_CODE, Interrupted, take_interrupts


def start(program: str, module: str) -> None:
    """Import the module of a command and run its `main`."""
    try:
        take_interrupts(program)
        importlib.import_module(module).main()
    except Interrupted:
        sys.stderr.write(f"{program}: interrupted\n")
        sys.exit(EXIT_CODE)


def gs_encode() -> None:
    start("gs-encode", "audio_gs.cli.gs_encode")


def gs_decode() -> None:
    start("gs-decode", "audio_gs.cli.gs_decode")


def gs_play() -> None:
    start("gs-play", "audio_gs.cli.gs_play")


def gs_info() -> None:
    start("gs-info", "audio_gs.cli.gs_info")


def gs_verify() -> None:
    start("gs-verify", "audio_gs.cli.gs_verify")


def gs_edit() -> None:
    start("gs-edit", "audio_gs.cli.gs_edit")


def gs_bench() -> None:
    start("gs-bench", "audio_gs.bench.gs_bench")


def gs_sim() -> None:
    start("gs-sim", "audio_gs.firmware_sim.gs_sim")


def gs_export() -> None:
    start("gs-export", "audio_gs.export.gs_export")


def gs_bank() -> None:
    start("gs-bank", "audio_gs.bank.gs_bank")


def gs_scene() -> None:
    start("gs-scene", "audio_gs.spatial.gs_scene")
