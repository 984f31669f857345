"""A file over HTTP, which goes on where it broke off."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TIMEOUT = 20.0  # seconds in which a server must say something
TRIES = 4  # in a row that bring nothing new
WAIT = 0.5  # seconds before the second of these; each further one waits twice as long
CHUNK = 1 << 18
MOST_BYTES = 4 << 30  # no checkpoint is as large, and a server that never ends fills no disk

Report = Callable[[int, int | None], None]
"""Takes the bytes that are there, and how many there will be if the server has said that."""


class BrokenOff(Exception):
    """A connection failed in a way that the next one may not."""


def download(address: str, part: BinaryIO, report: Report) -> bool:
    """Brings the rest of a file, which starts over where the server cannot go on in its middle.

    Args:
        address: Of the file. From an https address nothing leads to a plain one. Proxies are the environment's.
        part: What is there already, open for appending. It keeps what came before an error.
        report: Called as bytes come.

    Returns:
        True if all bytes are of one answer, False if it has pieces that may be of different files.

    Raises:
        ConnectionError: The server cannot be reached, or does not give the file.
        OSError: The file cannot be written.
    """
    furthest, failures, pieces = part.seek(0, 2), 0, int(part.tell() > 0)
    while True:
        try:
            with _answer(address, part.tell()) as answer:
                pieces = pieces + 1 if _goes_on(answer, part) else 1
                _receive(answer, part, report)
                return pieces == 1
        except BrokenOff as error:
            failures = 0 if part.tell() > furthest else failures + 1
            furthest = max(furthest, part.tell())
            if failures == TRIES:
                raise ConnectionError(f"{error}, {TRIES} times") from None
            time.sleep(WAIT * 2**failures)


def _answer(address: str, start: int) -> HTTPResponse:
    """The server's answer to a request for the bytes from `start` on."""
    headers = {"User-Agent": "ptfast", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        answer: HTTPResponse = urlopen(Request(address, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code == 416 and start:  # there are no such bytes: the part is whole, or of another file
            return _answer(address, 0)
        kind = BrokenOff if error.code >= 500 or error.code in (408, 429) else ConnectionError
        raise kind(f"the server says {error.code} {error.reason}") from None
    except URLError as error:
        kind = BrokenOff if start else ConnectionError  # a network that was never there does not come in seconds
        raise kind(f"no connection: {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise BrokenOff(f"the connection broke off: {error!r}") from None
    if address.startswith("https:") and not answer.url.startswith("https:"):
        answer.close()
        raise ConnectionError(f"the server leads to {answer.url}, which is not encrypted")
    return answer


def _goes_on(answer: HTTPResponse, part: BinaryIO) -> bool:
    """Says whether an answer begins where the part ends; if not, the part is emptied."""
    start = part.tell()
    if answer.status == 206 and (answer.headers["Content-Range"] or "").startswith(f"bytes {start}-"):
        return True
    part.truncate(0)
    part.seek(0)
    if answer.status == 206:
        raise BrokenOff("the server gives other bytes than those asked for")
    return False


def _receive(answer: HTTPResponse, part: BinaryIO, report: Report) -> None:
    """Appends an answer to the part."""
    total = None if answer.length is None else part.tell() + answer.length
    if (total or 0) > MOST_BYTES:
        raise ConnectionError(f"the server has {total:,} bytes, more than any checkpoint")
    report(part.tell(), total)
    while chunk := _chunk(answer):
        part.write(chunk)
        report(part.tell(), total)
        if part.tell() > MOST_BYTES:
            raise ConnectionError(f"the server gives more than {MOST_BYTES:,} bytes, more than any checkpoint has")
    if total is not None and part.tell() < total:
        raise BrokenOff(f"the connection broke off after {part.tell():,} of {total:,} bytes")


def _chunk(answer: HTTPResponse) -> bytes:
    try:
        return answer.read(CHUNK)
    except (OSError, HTTPException) as error:
        raise BrokenOff(f"the connection broke off: {error!r}") from None
