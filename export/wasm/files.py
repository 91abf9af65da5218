"""The files of the folder: module, scripts for browsers and node, and the page that holds all of it."""

from __future__ import annotations

import base64
import hashlib
import json
import string
from collections.abc import Sequence
from importlib.metadata import version

from audio_gs import web
from audio_gs.codec.decoder_source import find_decoder_source

FILES = (
    "audio-gs.wasm",
    "audio-gs.mjs",
    "audio-gs.d.ts",
    "audio-gs-worklet.js",
    "decode.mjs",
    "index.html",
    "package.json",
    "README.md",
    "LICENSE",
)
_PAGE_SCRIPTS = (
    "decoder/decoder.js",
    "decoder/player.js",
    "decoder/wav.js",
    "components/dom.js",
    "components/spectrogram.js",
    "player/view.js",
    "player/gaussians.js",
    "player/main.js",
)


def folder_files(module: bytes, clips: Sequence[tuple[str, bytes]] = ()) -> dict[str, bytes]:
    """Contents by name, of a compiled module; `clips` are names and streams that the page offers."""
    decoder = web.read("decoder/decoder.js")
    scripts = ("decoder/player.js", "decoder/wav.js", "decoder/module.mjs")
    worklet = decoder + web.read("decoder/worklet.js")
    texts = {
        "audio-gs.mjs": decoder + "".join(map(web.read, scripts)),
        "audio-gs.d.ts": web.read("decoder/audio-gs.d.ts"),
        "audio-gs-worklet.js": worklet,
        "decode.mjs": web.read("node/decode.mjs"),
        "index.html": _page(module, worklet, clips),
        "package.json": _package(),
        "README.md": web.read("README.md"),
        "LICENSE": find_decoder_source().joinpath("LICENSE").read_text("utf-8"),
    }
    return {name: module if name == "audio-gs.wasm" else texts[name].encode("utf-8") for name in FILES}


def _page(module: bytes, worklet: str, clips: Sequence[tuple[str, bytes]]) -> str:
    script = "(() => {\n'use strict';\n" + "\n".join(map(web.read, _PAGE_SCRIPTS)) + "\n})();"
    data = {
        "module": base64.b64encode(module).decode("ascii"),
        "worklet": base64.b64encode(worklet.encode("utf-8")).decode("ascii"),
        "clips": [{"name": name, "stream": base64.b64encode(stream).decode("ascii")} for name, stream in clips],
    }
    return string.Template(web.read("player/page.html")).substitute(
        style=web.read("player/style.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
        # Text that cannot end the element it stands in.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def _package() -> str:
    about = {
        "name": "audio-gs",
        "version": version("audio-gs"),
        "description": "Decoder of Audio-GS clips: sound as 2D Gaussians",
        "type": "module",
        "license": "MIT",
        "exports": {
            ".": {"types": "./audio-gs.d.ts", "default": "./audio-gs.mjs"},
            "./worklet": "./audio-gs-worklet.js",
            "./wasm": "./audio-gs.wasm",
        },
        "bin": {"audio-gs-decode": "./decode.mjs"},
        "files": [name for name in FILES if name not in ("index.html", "package.json")],
        "engines": {"node": ">=18"},
    }
    return json.dumps(about, indent=2) + "\n"
