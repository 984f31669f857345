"""Live sources for tests: pictures that a server on the loopback sends, and videos that come through a pipe."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


def picture(number: int) -> np.ndarray:
    """(48, 64, 3) of a grey that tells its number, from 0 to 24."""
    return np.full((48, 64, 3), 10 * number, np.uint8)


def number_of(image: np.ndarray) -> int:
    """The number of a picture that was compressed in between."""
    return round(float(image.mean()) / 10)


def y4m(numbers: range) -> bytes:
    """A raw video of pictures."""
    head = b"YUV4MPEG2 W64 H48 F25:1 C420jpeg XCOLORRANGE=FULL\n"
    grey = bytes([128]) * (64 * 48 // 2)
    return head + b"".join(b"FRAME\n" + bytes([10 * number]) * (64 * 48) + grey for number in numbers)


class Camera:
    """Serves pictures as MJPEG.

    Args:
        runs: Numbers of pictures of each connection; afterwards, connections are refused with 404.
        wait: Seconds between two pictures.
        hold: Seconds for which a connection stays open after its last picture.
    """

    def __init__(self, runs: list[range], wait: float = 0.01, hold: float = 0.0) -> None:
        self.runs, self.wait, self.hold = list(runs), wait, hold

    @contextmanager
    def served(self) -> Iterator[str]:
        """Inside, the address."""
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not camera.runs:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                for number in camera.runs.pop(0):
                    jpeg = cv2.imencode(".jpg", picture(number % 25))[1].tobytes()
                    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                    try:
                        self.wfile.write(head + jpeg + b"\r\n")
                    except OSError:  # nobody listens any more
                        return
                    time.sleep(camera.wait)
                time.sleep(camera.hold)

            def log_message(self, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/street/1.mjpg"
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def piped(content: bytes) -> Iterator[int]:
    """Inside, the number of a pipe out of which something comes."""
    reading, writing = os.pipe()

    def feed() -> None:
        with os.fdopen(writing, "wb") as file, suppress(BrokenPipeError):
            file.write(content)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    try:
        yield reading
    finally:
        os.close(reading)
        thread.join(10)
