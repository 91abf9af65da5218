"""Folders of this machine or of a store, by URL: what lies in them, and files that appear whole or not at all."""

from __future__ import annotations

import dataclasses
import posixpath
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from audio_gs.errors import AudioGsError
from audio_gs.files import write_file


class PlaceError(AudioGsError):
    """A URL that nothing here can read or write."""


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder: a path, or a URL such as s3://bucket/sounds."""

    url: str

    def check(self) -> None:
        """Raises PlaceError for a URL that cannot be."""
        self._open()

    def names(self, suffixes: tuple[str, ...]) -> list[str]:
        """The files with these suffixes below it, sorted, relative and with slashes; none below what begins with a dot.

        Raises PlaceError where there is no such folder.
        """
        system, root = self._open()
        if not system.isdir(root):
            what = "is a file; give the folder of the clips" if system.exists(root) else "is not there"
            raise PlaceError(f"{self.url} {what}")
        names = [posixpath.relpath(path, root) for path in system.find(root)]
        return sorted(
            name
            for name in names
            if name.lower().endswith(suffixes) and not any(part.startswith(".") for part in name.split("/"))
        )

    def read(self, name: str) -> bytes:
        """Raises OSError."""
        system, root = self._open()
        content: bytes = system.cat_file(posixpath.join(root, name))
        return content

    def size(self, name: str) -> int | None:
        """In bytes; None where there is no such file."""
        system, root = self._open()
        try:
            return int(system.info(posixpath.join(root, name))["size"])
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Replaces a file. Raises OSError, or OutputError."""
        system, root = self._open()
        path = posixpath.join(root, name)
        system.makedirs(posixpath.dirname(path), exist_ok=True)
        if isinstance(system, LocalFileSystem):
            write_file(path, content, force=True)
        else:
            # A store shows an object when all of it is there.
            system.pipe_file(path, content)

    def _open(self) -> tuple[Any, str]:
        try:
            system, root = fsspec.core.url_to_fs(self.url)
        except ValueError as error:
            raise PlaceError(f"{self.url}: {error}") from None
        except ImportError as error:
            raise PlaceError(f"{self.url}: {error}; install the package for it") from None
        return system, str(root).rstrip("/")
