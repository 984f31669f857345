"""Published checkpoints in a folder of this user's, each fetched once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from ptfast.pipeline.weights.download import download
from ptfast.pipeline.weights.zoo import ZOO, Published


def place_of(published: Published) -> Path:
    """Where a checkpoint is, or will be once it is fetched."""
    return cache_folder() / "weights" / published.file


def cache_folder() -> Path:
    """PTFAST_CACHE, or ptfast in XDG_CACHE_HOME, or else in ~/.cache."""
    if own := os.environ.get("PTFAST_CACHE"):
        return Path(own).expanduser()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "ptfast"  # as the XDG specification has it


def fetch(published: Published) -> Path:
    """The file of a checkpoint, which is fetched if it is not there.

    An interrupted download goes on when it is asked for again. Of two processes that ask, one waits for the other.
    Says on stderr what is fetched from where under which licence, and shows a progress bar.

    Raises:
        ConnectionError: It cannot be fetched. The message says from where and what to do instead.
        FileNotFoundError: It is not there, and a browser alone can fetch it.
        ValueError: The file is another one than its authors published, by the hash in its name.
    """
    place = place_of(published)
    if not place.is_file():
        if published.address is None:
            page = f"{published.origin.page} ({published.origin.licence})"
            raise FileNotFoundError(f"{published.name}: get {published.path} with a browser from {page}, as {place}")
        place.parent.mkdir(parents=True, exist_ok=True)
        with _own_part(place) as part:
            if not place.is_file():  # another process may have fetched it meanwhile
                _complete(published, part)
                os.replace(part.name, place)
                _say(f"{published.name}: {described(published)}; in {place}")
    if not _is_published(published, sha256_of(place)):
        raise ValueError(f"{place}: {_other_file(published, sha256_of(place))}; remove it to fetch it again")
    return place


def published_file(path: Path) -> Published | None:
    """The checkpoint that a file is, whatever its name, by the digits of its hash that its authors published."""
    found = sha256_of(path)
    return next((each for each in ZOO.values() if each.sha256 and _is_published(each, found)), None)


def described(published: Published) -> str:
    """Size, source and licence of a checkpoint in a line."""
    place = place_of(published)
    size = f"{place.stat().st_size / 2**20:.1f} MiB" if place.is_file() else "of unknown size"
    return f"{size}, from {published.address or published.path}, {published.origin.page}; {published.origin.licence}"


def sha256_of(path: Path) -> str:
    """The SHA-256 hash of a file, which a process takes once as long as the file stays as it is."""
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_published(published: Published, sha256: str) -> bool:
    return published.sha256 is None or sha256.startswith(published.sha256)


def _other_file(published: Published, sha256: str) -> str:
    """What is wrong with a file of that hash."""
    digits = published.sha256 or ""
    return f"expected {published.name}, whose sha256 begins with {digits}, found {sha256[: len(digits)]}"


def _complete(published: Published, part: BinaryIO) -> None:
    """Downloads what is missing; all of it anew, once, where pieces turn out to be of different files."""
    found = _sha256_of_part(part)
    for _ in range(2):
        if part.tell() and _is_published(published, found):
            return
        in_one = _bring(published, part)
        found = _sha256_of_part(part)
        if _is_published(published, found):
            return
        part.truncate(0)
        if in_one:
            break
    raise ValueError(f"{published.name}: {published.address}: {_other_file(published, found)}")


def _bring(published: Published, part: BinaryIO) -> bool:
    """Downloads the rest of a file, with a progress bar; returns True if it came in one piece."""
    with tqdm(desc=published.name, unit="B", unit_scale=True, unit_divisor=1024, delay=0.5) as bar:

        def report(there: int, total: int | None) -> None:
            bar.total = total
            bar.update(there - bar.n)

        try:
            return download(str(published.address), part, report)
        except KeyboardInterrupt as stop:
            there = f"{part.tell():,} bytes of {published.name} are kept"
            raise type(stop)(f"{there}; the rest is fetched when it is asked for again") from None
        except ConnectionError as error:
            if _is_published(published, _sha256_of_part(part)):  # the server has lied about the length
                return True
            otherwise = f"try again, or get it elsewhere and put it at {place_of(published)}"
            raise ConnectionError(f"{published.name}: {published.address}: {error}; {otherwise}") from None


def _sha256_of_part(part: BinaryIO) -> str:
    part.seek(0)
    return hashlib.file_digest(part, "sha256").hexdigest()  # type: ignore[arg-type]


@contextmanager
def _own_part(place: Path) -> Iterator[BinaryIO]:
    """The part of a file that is there, open for appending, which no other process writes meanwhile."""
    path = place.with_name(f"{place.name}.part")
    while True:
        with path.open("a+b") as part:
            _lock(part, path)
            if _is_in_place(part, path):
                try:
                    yield part
                finally:
                    part.flush()
                    if _is_in_place(part, path) and (place.is_file() or not path.stat().st_size):  # of no use
                        path.unlink()
                return


def _lock(part: BinaryIO, path: Path) -> None:
    """Waits until no other process holds the part. File systems without locks leave that to their users."""
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say(f"{path.stem}: another process fetches it, waiting")
        fcntl.flock(part, fcntl.LOCK_EX)
    except OSError:
        pass


def _say(text: str) -> None:
    tqdm.write(text, file=sys.stderr)


def _is_in_place(part: BinaryIO, path: Path) -> bool:
    """Says whether the open part still stands under its name: it has moved if another process has fetched the rest."""
    try:
        return os.path.samestat(os.fstat(part.fileno()), path.stat())
    except FileNotFoundError:
        return False
