"""A server on the loopback that gives a file well and badly, and published checkpoints that are there."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from ptfast.pipeline.weights import Origin, Published

CONTENT = np.random.default_rng(0).bytes(1_000_000)
HALF = len(CONTENT) // 2
DIGITS = sha256(CONTENT).hexdigest()[:8]


class Server(ThreadingHTTPServer):
    """Answers GET /<behaviour>/<file> and keeps the Range of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []

    def handle_error(self, *_: object) -> None:
        """Says nothing of clients that have left."""

    def published(self, behaviour: str, sha256: str = DIGITS) -> Published:
        """A checkpoint that this server gives in some way."""
        origin = Origin("https://page.invalid", "MIT", f"http://127.0.0.1:{self.server_port}/")
        return Published("tiny", "hrnet", "coco_17", (256, 192), sha256, "", origin, f"{behaviour}/tiny-{sha256}.pth")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        """Does what the first part of the path says."""
        self.server.ranges.append(self.headers["Range"])
        BEHAVIOURS[self.path.split("/")[1]](self)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    @property
    def first(self) -> bool:
        """True for the first request that the server has had."""
        return len(self.server.ranges) == 1

    def answer(self, content: bytes, *, code: int = 200, claimed: int | None = None, **headers: str) -> None:
        """Sends content that claims to be so long."""
        self.send_response(code)
        self.send_header("Content-Length", str(len(content) if claimed is None else claimed))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def asked(self, content: bytes = CONTENT, claimed: int = 0) -> None:
        """Sends what the Range asks for."""
        start = int((self.headers["Range"] or "bytes=0-")[6:-1])
        if start >= len(content):
            self.answer(b"", code=416, Content_Range=f"bytes */{len(content)}")
        elif start:
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(content[start:], code=206, claimed=len(content) - start + claimed, Content_Range=span)
        else:
            self.answer(content, claimed=len(content) + claimed)


def broken(handler: Handler) -> None:
    """Breaks off in the middle of the first answer."""
    handler.answer(CONTENT[:HALF], claimed=len(CONTENT)) if handler.first else handler.asked()


def broken_without_ranges(handler: Handler) -> None:
    """Breaks off in the middle of the first answer, and always begins anew."""
    handler.answer(CONTENT[:HALF] if handler.first else CONTENT, claimed=len(CONTENT))


def drips(handler: Handler) -> None:
    """Breaks off after each fifth."""
    start = int((handler.headers["Range"] or "bytes=0-")[6:-1])
    rest, span = CONTENT[start:], f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    code, headers = (206, {"Content_Range": span}) if start else (200, {})
    handler.answer(rest[: len(CONTENT) // 5], code=code, claimed=len(rest), **headers)


def another_range(handler: Handler) -> None:
    """Gives other bytes than those asked for, and says so."""
    handler.answer(CONTENT[10:], code=206, Content_Range="bytes 10-") if handler.headers["Range"] else handler.asked()


def busy(handler: Handler) -> None:
    """Is too busy for the first request."""
    handler.send_error(503) if handler.first else handler.asked()


def moved(handler: Handler) -> None:
    """Leads elsewhere."""
    handler.answer(b"", code=302, Location="/whole/elsewhere")


def slow(handler: Handler) -> None:
    """Gives the file in a second."""
    handler.answer(CONTENT[:HALF], claimed=len(CONTENT))
    time.sleep(1)
    handler.wfile.write(CONTENT[HALF:])


def endless(handler: Handler) -> None:
    """Gives a file without saying how long it is, and never ends."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(CONTENT)


def unsaid(handler: Handler) -> None:
    """Gives the file without saying how long it is."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT)


BEHAVIOURS: dict[str, Callable[[Handler], None]] = {
    "whole": Handler.asked,
    "broken": broken,
    "broken-without-ranges": broken_without_ranges,
    "drips": drips,
    "another-range": another_range,
    "busy": busy,
    "moved": moved,
    "slow": slow,
    "endless": endless,
    "unsaid": unsaid,
    "says-more": lambda handler: handler.asked(claimed=1000),
    "says-less": lambda handler: handler.answer(CONTENT, claimed=HALF),
    "another-file": lambda handler: handler.asked(CONTENT[::-1]),
    "absent": lambda handler: handler.send_error(404),
    "failing": lambda handler: handler.send_error(500),
    "enormous": lambda handler: handler.answer(b"", claimed=1 << 50),
}
