"""Files that appear whole or not at all, and names that are not UTF-8."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # no room on the disk, in the quota, in one file
_SLOTS = 32  # runs that write one file at the same time and are told apart
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextmanager
def write_atomic(path: str | Path) -> Iterator[Path]:
    """Gives the path of a draft to write to, which takes the place of `path` at the end of the block.

    After an error in the block the draft is removed and `path` is as it was. The draft has the name of `path` and lies
    beside it in a hidden folder of this run's own, where nobody else can put a link in its place. What a run that was
    killed has left there is removed when the same file is written again. Missing folders are made. A symbolic link
    stays, and what it points to is replaced. A file that is replaced hands on its permissions. Several files that
    belong together enter a `contextlib.ExitStack`, which replaces them when all are written.

    Raises:
        ValueError: `path` is a folder, a device, a link that leads to itself, or anything else but a file.
        OSError: It cannot be written; the error of a full disk has the name of `path`.

    Example:
        >>> with write_atomic("tracks.json") as draft:
        ...     draft.write_text(text)
    """
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():
        found = "a link that leads to itself" if target.is_symlink() else "something else"
        raise ValueError(f"{path}: expected a file or nothing to replace, found {found}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _errors_named(path, target.parent), _own_folder(target) as folder:
        draft = folder / target.name
        yield draft
        if target.exists():
            draft.chmod(target.stat().st_mode & 0o777)
        os.replace(draft, target)


@contextmanager
def utf8_name(path: Path) -> Iterator[str]:
    """Gives an absolute name of a file, or of one to be made, to libraries that take text in UTF-8.

    A name that is not UTF-8 kills OpenCV; it gets a link, which goes at the end of the block. An absolute name is
    never an address, as walk:1.mp4 is to FFmpeg.

    Raises:
        ValueError: The folder of temporary files has no name in UTF-8 either.
    """
    path = path.absolute()
    if is_utf8(path):
        yield str(path)
        return
    with TemporaryDirectory(prefix="ptfast-") as folder:
        if not is_utf8(folder):
            raise ValueError(f"{path}: expected a name in UTF-8, or a folder of temporary files that has one")
        link = Path(folder, f"file{path.suffix if is_utf8(path.suffix) else ''}")
        link.symlink_to(path)
        yield str(link)


def is_utf8(name: str | Path) -> bool:
    """Says whether a name is text: Python keeps other bytes of names as lone surrogates."""
    try:
        str(name).encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _errors_named(path: str | Path, folder: Path) -> Iterator[None]:
    """Names the file in errors about the draft or its folder, and in those that a full disk is behind."""
    try:
        yield
    except Exception as error:
        full = _full_disk(error)
        if full is not None:
            raise OSError(full.errno, os.strerror(full.errno or 0), str(path)) from error
        if isinstance(error, OSError) and _is_draft(error.filename, folder):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _full_disk(error: BaseException | None) -> OSError | None:
    """The system's error of a full disk that an error comes of: zipfile and torch raise others while they close."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return error
        error = error.__cause__ or error.__context__
    return None


def _is_draft(name: object, folder: Path) -> bool:
    return isinstance(name, str | Path) and Path(name).is_relative_to(folder) and ".ptfast-" in str(name)


@contextmanager
def _own_folder(target: Path) -> Iterator[Path]:
    """A new folder beside the target that is this run's and this user's alone; it goes at the end of the block.

    The name says the target, so that dead runs' folders are found without a search. A lock says that its run lives.
    """
    key = sha256(os.fsencode(target.name)).hexdigest()[:16]
    slots = (target.with_name(f".ptfast-{key}-{slot}") for slot in range(_SLOTS))
    claimed = next(filter(None, map(_claimed, slots)), None)
    folder, lock = claimed or (Path(mkdtemp("", ".ptfast-", target.parent)), -1)
    for other in takewhile(os.path.lexists, slots):
        _remove_dead(other)
    try:
        yield folder
    finally:
        _remove(folder)
        if lock >= 0:
            os.close(lock)


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # after an error there is a draft in it
        shutil.rmtree(folder, ignore_errors=True)


def _claimed(folder: Path) -> tuple[Path, int] | None:
    """The folder, made and locked, or None where another run or something else has the name."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        return _locked(folder)
    _remove_dead(folder)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        return _locked(folder)
    return None


def _locked(folder: Path) -> tuple[Path, int] | None:
    """The new folder and a lock that holds as long as this run lives, or None where another run has removed it."""
    try:
        lock = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return None
    with suppress(OSError):  # on a file system without locks no draft is ever taken for a dead run's
        fcntl.flock(lock, fcntl.LOCK_EX)
    if _is_at(lock, folder):
        return folder, lock
    os.close(lock)
    return None


def _remove_dead(folder: Path) -> None:
    """Removes what a run of this user's left behind, if it lives no more."""
    try:
        lock = os.open(folder, _FOLDER)
    except OSError:  # absent, or a link that somebody put there
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(lock, folder) and os.fstat(lock).st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # it lives
        pass
    finally:
        os.close(lock)


def _is_at(lock: int, folder: Path) -> bool:
    """Says whether the open folder still stands under its name."""
    try:
        return os.path.samestat(os.fstat(lock), os.lstat(folder))
    except FileNotFoundError:
        return False
