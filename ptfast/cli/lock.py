"""One run an output: locks that the system frees when a process ends, however it ends."""

from __future__ import annotations

import errno
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNKNOWN = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # errors of file systems without locks
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def only_run(place: Path) -> Iterator[None]:
    """Inside, no other run may write a file or folder, as far as it asks, too.

    The lock is that of a file beside it, `.<name>.lock`, or `.lock` in a folder that is there. It says which process
    holds it, and is removed at the end; one that a killed run has left locks nothing.

    Raises:
        ValueError: Another run holds the lock; the message says which.

    Warns:
        UserWarning: The file system has no locks.
    """
    target = Path(os.path.realpath(place))
    path = target / ".lock" if target.is_dir() else target.with_name(f".{target.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _acquire(path, place)
    try:
        yield
    finally:
        if sys.platform == "win32":  # which removes no file that is open
            os.close(handle)
            _remove(path)
        else:
            _remove(path)  # while it is held: another run's would go otherwise
            os.close(handle)


def _acquire(path: Path, place: Path) -> int:
    """The open file of the lock."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINKS, 0o666)
        try:
            _lock(handle)
        except OSError as error:
            if error.errno not in UNKNOWN:
                holder = os.read(handle, 1000).decode(errors="replace") or "which has just begun"
                os.close(handle)
                raise ValueError(f"{place}: another run writes there, {holder}; let it end, or name another") from None
            warnings.warn(f"{place}: no locks on this file system; let no other run write there", stacklevel=4)
        if _is_in_place(handle, path):
            os.truncate(handle, 0)
            since = time.strftime("%Y-%m-%d %H:%M:%S")
            os.write(handle, f"process {os.getpid()} on {platform.node()} since {since}".encode())
            return handle
        os.close(handle)  # the run that had it has removed it in between


def _is_in_place(handle: int, path: Path) -> bool:
    """Returns True if the open file is the one of that name, not one that was removed."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    with suppress(PermissionError):  # on Windows, another run looks at it
        path.unlink(missing_ok=True)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond the text, which others may then read
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
