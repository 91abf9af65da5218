"""Lay out the pages of the site in build/docs, as they lie in the repository, with all that they link to. Run by
`make docs`, which then has mkdocs build it and stop at a broken link."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from audio_gs.export.wasm.files import build_modules, folder_files

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "docs"
PAGES = ("README.md", "README.zh.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSES/README.md")
FOLDERS = ("docs", "decoder_c", "web")
"""Whose Markdown files are pages."""
NOT_PAGES = {"node_modules", "build", "tests"}
REFERENCE = {
    "audio_gs": ("The package", ("audio_gs.encode", "audio_gs.decode", "audio_gs.info", "audio_gs.verify")),
    "encoder": ("The encoder", ("audio_gs.encoder.options.EncoderOptions", "audio_gs.encoder.encode")),
    "edit": ("Editing", ("audio_gs.edit", "audio_gs.edit.steps", "audio_gs.edit.joining")),
    "api": ("Playback and streams", ("audio_gs.api", "audio_gs.inspect", "audio_gs.gaussians", "audio_gs.errors")),
}
"""Pages of the reference: a title, and what is described there."""
CLIPS = {"speech": "speech-8", "music": "music-12", "effects": "sfx-12"}
"""Streams of tests/vectors that the player offers, by the names that they have there."""
_PLAYER = re.compile(r"<!-- player: (play|edit) -->")
_FRAME = (
    '<iframe src="{up}player/index.html#framed-{shown}" title="Player of clips" loading="lazy" '
    'style="width: 100%; height: {height}rem; border: 0"></iframe>'
)
_HEIGHTS = {"play": 54, "edit": 84}
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = "```"


def main() -> None:
    shutil.rmtree(SITE, ignore_errors=True)
    pages = [ROOT / name for name in PAGES]
    for folder in FOLDERS:
        found = sorted((ROOT / folder).rglob("*.md"))
        pages += [path for path in found if not NOT_PAGES & set(path.relative_to(ROOT).parts)]
    for page in pages:
        _copy(page)
        for target in _LINK.findall(page.read_text(encoding="utf-8")):
            path = (page.parent / target.partition("#")[0]).resolve()
            if not re.match(r"[a-z]+:|#", target) and path.is_file() and path not in pages:
                _copy(path)
    (SITE / "player").mkdir()
    clips = [(f"{name}.gs", (ROOT / "tests/vectors" / f"{of}.bin").read_bytes()) for name, of in CLIPS.items()]
    (SITE / "player" / "index.html").write_bytes(folder_files(build_modules(ROOT / "decoder_c"), clips)["index.html"])
    (SITE / "api").mkdir()
    for name, (title, described) in REFERENCE.items():
        text = "\n".join([f"# {title}", "", *(f"::: {one}" for one in described), ""])
        (SITE / "api" / f"{name}.md").write_text(text, encoding="utf-8")


def _copy(path: Path) -> None:
    target = SITE / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".md":
        text = _as_mkdocs_reads(path.read_text(encoding="utf-8"))
        target.write_text(_with_player(text, path.relative_to(ROOT)), encoding="utf-8")
    else:
        shutil.copyfile(path, target)


def _with_player(text: str, page: Path) -> str:
    """The page that gs-export wasm writes, in a frame, where a comment asks for it."""
    up = "../" * (len(page.parts) - 1)
    return _PLAYER.sub(lambda found: _FRAME.format(up=up, shown=found[1], height=_HEIGHTS[found[1]]), text)


def _as_mkdocs_reads(text: str) -> str:
    """What tests run is marked behind a fence's language, where mkdocs wants nothing; and two pairs of brackets are no
    link."""
    lines, in_code = [], False
    for line in text.splitlines():
        if line.startswith(_FENCE):
            in_code = not in_code
            line = re.sub(r"^(```\w+) run$", r"\1", line)
        elif not in_code and not line.startswith("    "):
            line = re.sub(r"(?<=\w)(\[\w+\])\[(?=\w)", r"\1\\[", line)
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
