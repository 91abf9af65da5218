"""A release in a folder: sdist, wheel, and the decoder as a library for four build systems, all of one version. Run by
`make dist`. Each is tried in a clean place, and the folder gets all of them or none."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DECODER = ROOT / "decoder_c"
LIBRARY = ("LICENSE", "README.md", "include/**/*", "src/**/*")
"""Patterns of what every archive holds."""
ARCHIVES = {
    "arduino": (*LIBRARY, "library.properties", "examples/PlayClip/*"),
    "platformio": (*LIBRARY, "library.json", "examples/PlayClip/*", "examples/platformio/*"),
    "esp-idf": (
        *(*LIBRARY, "idf_component.yml", "CMakeLists.txt", "cmake/*"),
        *("examples/PlayClip/*", "examples/esp-idf/**/*"),
    ),
    "zephyr": (*LIBRARY, "zephyr/*", "cmake/*", "examples/PlayClip/*", "examples/zephyr/**/*"),
}
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Of every file in an archive, so that the same files make the same archive."""
_STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")


def main() -> None:
    target = Path(sys.argv[1]).resolve()
    version = one_version()
    with tempfile.TemporaryDirectory(prefix="audio-gs-dist.") as name:
        work = Path(name)
        made = work / "made"
        say("building sdist and wheel")
        run([sys.executable, "-I", "-m", "build", "--outdir", made, ROOT])
        [wheel] = made.glob(f"audio_gs-{version}-*.whl")
        [sdist] = made.glob(f"audio_gs-{version}.tar.gz")
        say(f"trying {wheel.name}, which was built from {sdist.name}")
        try_wheel(wheel, work / "clean")
        for system, patterns in ARCHIVES.items():
            archive = made / f"audio_gs-{version}-{system}.zip"
            write_archive(archive, patterns)
            say(f"trying {archive.name}")
            try_archive(archive, work / system)
        target.mkdir(exist_ok=True)
        for path in sorted(made.iterdir()):
            shutil.copyfile(path, target / path.name)
            say(f"{target / path.name}: {path.stat().st_size} bytes")


def one_version() -> str:
    """The version, which all manifests must have."""
    version = (DECODER / "cmake" / "version.txt").read_text().strip()
    stated = {
        "library.json": json.loads((DECODER / "library.json").read_text())["version"],
        "library.properties": _stated("library.properties", r"^version=(.*)$"),
        "idf_component.yml": _stated("idf_component.yml", r'^version: "(.*)"$'),
        "../CITATION.cff": _stated("../CITATION.cff", r"^version: (.*)$"),
    }
    for name, other in stated.items():
        if other != version:
            sys.exit(f"decoder_c/{name} has version {other}, cmake/version.txt {version}; make them one")
    return version


def _stated(name: str, pattern: str) -> str:
    found = re.search(pattern, (DECODER / name).read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "none"


def write_archive(archive: Path, patterns: Iterable[str]) -> None:
    """The files of decoder_c/ that fit the patterns, below audio_gs/."""
    files = sorted({path for pattern in patterns for path in DECODER.glob(pattern) if path.is_file()})
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for path in files:
            info = zipfile.ZipInfo(f"audio_gs/{path.relative_to(DECODER).as_posix()}", _LONG_AGO)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            content.writestr(info, path.read_bytes())


def try_archive(archive: Path, folder: Path) -> None:
    """Compile what it holds as a build system would, and play the clip of its example."""
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    library = folder / "audio_gs"
    sources = sorted((library / "src").glob("*.c"))
    clips = library / "examples" / "PlayClip"
    (folder / "play.c").write_text(
        '#include "audio_gs_clips.h"\n'
        "static GS_CLIPS_DECODER_STORAGE(memory);\n"
        "int main(void)\n{\n"
        "    gs_decoder *decoder;\n    int16_t pcm[256];\n    int32_t n;\n    uint32_t played = 0;\n"
        "    n = gs_open_memory(&memory, sizeof memory, gs_clips[0].data, gs_clips[0].bytes, &decoder);\n"
        "    while (n >= 0 && (n = gs_read(decoder, pcm, 256)) > 0)\n        played += (uint32_t)n;\n"
        "    return n < 0 || played != gs_clips[0].samples;\n}\n"
    )
    includes = ("-I", library / "include", "-I", clips)
    program = folder / "play"
    run(["cc", *_STRICT, *includes, folder / "play.c", clips / "audio_gs_clips.c", *sources, "-o", program])
    run([program])


def try_wheel(wheel: Path, folder: Path) -> None:
    """Install it with what it needs alone, and go from a recording to a stream, to samples and to a project."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    run([programs / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel])
    clip, stream, pcm = folder / "clip.wav", folder / "clip.gs", folder / "clip.decoded.wav"
    first = "import soundfile, sys; s, r = soundfile.read(sys.argv[1]); soundfile.write(sys.argv[2], s[r : 2 * r], r)"
    run([programs / "python", "-I", "-c", first, ROOT / "demo" / "speech.flac", clip])
    run([programs / "gs-encode", clip, "-o", stream, "--bitrate", "6", "--preset", "speech", "-q"])
    run([programs / "gs-decode", stream, "-o", pcm, "-q"])
    run([programs / "gs-verify", stream, "-q"])
    run([programs / "gs-export", "firmware", stream, "--target", "esp-idf", "-o", folder / "project", "-q"])


def run(command: Iterable[object]) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.args[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
