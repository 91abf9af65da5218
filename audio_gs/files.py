"""Files that are written whole or not at all, one by one or as a set in a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from .errors import OutputError


def refuse_overwriting(path: Path, force: bool) -> None:
    """Raises OutputError where a folder has a file's name, or a file is there already and not to be replaced."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give a file name")
    if path.is_file() and not force:
        raise OutputError(f"{path} exists; -f overwrites it")


@contextlib.contextmanager
def file_to_be(target: str | os.PathLike[str], force: bool) -> Iterator[Path]:
    """A file to fill, which takes the target's name when the block ends without an error, and is gone otherwise.

    A symbolic link stays one, and what is no regular file (a pipe, a device) is written to as it is. Raises OutputError
    for a file in the way, unless `force`, and where none can be made.
    """
    path = Path(os.path.realpath(target))
    special = path.exists() and not stat.S_ISREG(path.stat().st_mode) and not path.is_dir()
    if not special:
        refuse_overwriting(path, force)
    with contextlib.ExitStack() as undo:
        try:
            temporary = file_on_the_way(undo) if special else _reserve(path, ".part", undo)
            yield temporary
            if special:
                with temporary.open("rb") as content, path.open("wb") as file:
                    shutil.copyfileobj(content, file)
                return
            _take_mode(temporary, path)
            refuse_overwriting(path, force)
            temporary.replace(path)
        except OSError as error:
            raise OutputError(f"cannot write {os.fspath(target)}: {error.strerror or error}") from None


def file_on_the_way(undo: contextlib.ExitStack) -> Path:
    """An empty file for what goes elsewhere when it is whole; it goes with the stack."""
    descriptor, name = tempfile.mkstemp(prefix="audio-gs.")
    os.close(descriptor)
    undo.callback(_remove, Path(name))
    return Path(name)


def write_file(target: str | os.PathLike[str], content: bytes, force: bool) -> None:
    """Write one file whole or not at all, as `file_to_be` does; never leaves a part of it under the target's name."""
    with file_to_be(target, force) as path:
        path.write_bytes(content)


def check_files(folder: Path, names: Iterable[str], force: bool) -> None:
    """Find every reason not to write files of these names, before any work is done for them.

    Names are relative to the folder, with slashes. The folder need not exist, but what it lies in must. Raises
    OutputError for a file in the way, unless `force`, and for what is in the way whatever one wants.
    """
    try:
        _check_files(folder, names, force)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from None


def _check_files(folder: Path, names: Iterable[str], force: bool) -> None:
    if not folder.is_dir():
        if _is_there(folder):
            raise OutputError(f"{folder} is a file; give a folder")
        if not folder.absolute().parent.is_dir():
            raise OutputError(f"cannot write {folder}: the folder {folder.parent} does not exist")
    for name in names:
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise ValueError(f"{name!r} does not lie in a folder")
        for depth in range(1, len(parts)):
            inner = folder.joinpath(*parts[:depth])
            if _is_there(inner) and not inner.is_dir():
                raise OutputError(f"{inner} is a file, and has to be a folder")
        path = folder / name
        if path.is_dir():
            raise OutputError(f"{path} is a folder, and has to be a file")
        if _is_there(path) and not force:
            raise OutputError(f"{path} exists; -f overwrites it")
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} is neither a file nor a folder")


def write_files(folder: Path, files: Mapping[str, bytes], force: bool) -> None:
    """Write files into a folder, each whole, and all of them or none.

    `files` holds contents by names as `check_files` takes them; folders are made where they are missing. Raises
    OutputError, with everything as it was, where a file is in the way or cannot be written.
    """
    check_files(folder, files, force)
    with contextlib.ExitStack() as undo:
        temporaries: dict[Path, Path] = {}
        backups: list[Path] = []
        target = folder
        try:
            for name, content in files.items():
                target = folder / name
                _make_folders(target.parent, undo)
                temporaries[target] = _write_temporary(target, content, undo)
            check_files(folder, files, force)
            for target, temporary in temporaries.items():
                backup = _reserve(target, ".old", undo) if target.exists() else None
                undo.callback(_put_back, target, temporary, backup)
                if backup:
                    backups.append(backup)
                    target.replace(backup)
                temporary.replace(target)
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from None
        undo.pop_all()
    for backup in backups:
        _remove(backup)


def _put_back(target: Path, temporary: Path, backup: Path | None) -> None:
    """Undo the replacement of a target, however far it came: a signal may end the work between any two steps."""
    with contextlib.suppress(OSError):
        replaced = not temporary.exists()
        if backup and (replaced or not target.exists()):
            backup.replace(target)
        elif replaced:
            target.unlink()


def _is_there(path: Path) -> bool:
    """Also a link to nothing is there."""
    return os.path.lexists(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _remove_folder(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.rmdir()


def _make_folders(folder: Path, undo: contextlib.ExitStack) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for inner in reversed(missing):
        undo.callback(_remove_folder, inner)
        inner.mkdir()


def _write_temporary(target: Path, content: bytes, undo: contextlib.ExitStack) -> Path:
    """The content in a file beside the target, with the mode that the target has or will have."""
    path = _reserve(target, ".part", undo)
    path.write_bytes(content)
    _take_mode(path, target)
    return path


def _take_mode(path: Path, target: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(target.stat().st_mode if target.exists() else 0o666 & ~umask)


def _reserve(target: Path, suffix: str, undo: contextlib.ExitStack) -> Path:
    """An empty file beside the target, under a name that is nobody else's."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:64]}.", suffix=suffix)
    os.close(descriptor)
    undo.callback(_remove, Path(name))
    return Path(name)
