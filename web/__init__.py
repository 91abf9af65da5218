"""What runs in a browser: the scripts, styles and pages that the bench's page and the WebAssembly page are made of."""

from __future__ import annotations

import importlib.resources


def read(name: str) -> str:
    """The text of a file of this folder, by its path in it."""
    return importlib.resources.files(__package__).joinpath(name).read_text("utf-8")
