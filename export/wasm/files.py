"""The files of the folder: module, scripts for browsers and node, and the page that holds all of it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import string
import zlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from audio_gs import web
from audio_gs.codec.decoder_source import find_decoder_source

from .build import build_module, build_whole, build_writer

FILES = (
    "audio-gs.wasm",
    "audio-gs.mjs",
    "audio-gs.d.ts",
    "audio-gs-all.mjs",
    "audio-gs-worklet.js",
    "audio-gs-editor.mjs",
    "audio-gs-editor.d.ts",
    "decode.mjs",
    "index.html",
    "package.json",
    "README.md",
    "LICENSE",
)
_EDITOR_SCRIPTS = (
    "editor/stream.js",
    "editor/lattice.js",
    "editor/cost.js",
    "editor/sums.js",
    "editor/partials.js",
    "editor/edits.js",
    "editor/score.js",
)
_PAGE_SCRIPTS = (
    "decoder/player.js",
    "decoder/wav.js",
    *_EDITOR_SCRIPTS,
    "components/dom.js",
    "components/spectrogram.js",
    "player/view.js",
    "player/gaussians.js",
    "player/cores.js",
    "player/costs.js",
    "player/history.js",
    "player/editing.js",
    "player/changes.js",
    "player/main.js",
)


@dataclasses.dataclass(frozen=True)
class Modules:
    """The compiled modules."""

    plain: bytes
    """What plays streams in one channel as they were encoded.."""
    whole: bytes
    """..and all that a decoder does.."""
    writer: bytes
    """..and what reads and writes Gaussians."""


def build_modules(source: Path | None = None) -> Modules:
    """All of them, as `build_module` makes one. Raises BuildError as that does."""
    return Modules(build_module(source), build_whole(source), build_writer(source))


def folder_files(modules: Modules, clips: Sequence[tuple[str, bytes]] = ()) -> dict[str, bytes]:
    """Contents by name; `clips` are names and streams that the page offers."""
    decoder = web.read("decoder/decoder.js")
    packed = web.read("decoder/packed.js")
    scripts = ("decoder/player.js", "decoder/wav.js", "decoder/module.mjs")
    writer = f"const PACKED_WRITER = '{_packed(modules.writer)}';\n"
    editor = ("editor/imports.mjs", *_EDITOR_SCRIPTS, "editor/module.mjs")
    worklet = decoder + web.read("decoder/worklet.js")
    texts = {
        "audio-gs.mjs": decoder + packed + "".join(map(web.read, scripts)),
        "audio-gs.d.ts": web.read("decoder/audio-gs.d.ts"),
        "audio-gs-all.mjs": f"export default '{_packed(modules.whole)}';\n",
        "audio-gs-worklet.js": worklet,
        "audio-gs-editor.mjs": "".join(map(web.read, editor)) + packed + writer,
        "audio-gs-editor.d.ts": web.read("editor/editor.d.ts"),
        "decode.mjs": web.read("node/decode.mjs"),
        "index.html": _page(modules, clips),
        "package.json": _package(),
        "README.md": web.read("README.md"),
        "LICENSE": find_decoder_source().joinpath("LICENSE").read_text("utf-8"),
    }
    files = {name: text.encode("utf-8") for name, text in texts.items()}
    files["audio-gs.wasm"] = modules.plain
    return {name: files[name] for name in FILES}


def _page(modules: Modules, clips: Sequence[tuple[str, bytes]]) -> str:
    loader = _dense(web.read("player/loader.js"))
    data = {
        "module": _packed(modules.whole),
        "writer": _packed(modules.writer),
        "decoder": _packed(_dense(web.read("decoder/decoder.js")).encode("utf-8")),
        "worklet": _packed(_dense(web.read("decoder/worklet.js")).encode("utf-8")),
        "page": _packed("\n".join(_dense(web.read(name)) for name in _PAGE_SCRIPTS).encode("utf-8")),
        "clips": [{"name": name, "stream": base64.b64encode(stream).decode("ascii")} for name, stream in clips],
    }
    return string.Template(web.read("player/page.html")).substitute(
        style=web.read("player/style.css"),
        loader=loader,
        loader_hash=base64.b64encode(hashlib.sha256(loader.encode("utf-8")).digest()).decode("ascii"),
        # Text that cannot end the element it stands in.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def _packed(content: bytes) -> str:
    """Deflated, as the page's loader takes it."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def _dense(script: str) -> str:
    """A script without indents and lines of comments."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


def _package() -> str:
    about = {
        "name": "audio-gs",
        "version": version("audio-gs"),
        "description": "Decoder of Audio-GS clips: sound as 2D Gaussians",
        "type": "module",
        "license": "MIT",
        "exports": {
            ".": {"types": "./audio-gs.d.ts", "default": "./audio-gs.mjs"},
            "./editor": {"types": "./audio-gs-editor.d.ts", "default": "./audio-gs-editor.mjs"},
            "./worklet": "./audio-gs-worklet.js",
            "./wasm": "./audio-gs.wasm",
        },
        "bin": {"audio-gs-decode": "./decode.mjs"},
        "files": [name for name in FILES if name not in ("index.html", "package.json")],
        "engines": {"node": ">=18"},
    }
    return json.dumps(about, indent=2) + "\n"
