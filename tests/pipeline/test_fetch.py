"""Published checkpoints fetched from a server on the loopback that does all that servers do, and kept in a cache."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ptfast.pipeline.weights import ZOO, Published, cache, cache_folder, download, fetch, place_of


def load_server() -> ModuleType:
    spec = util.spec_from_file_location("zoo_server", Path(__file__).with_name("zoo_server.py"))
    assert spec and spec.loader
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


zoo_server = load_server()
CONTENT, HALF, DIGITS = zoo_server.CONTENT, zoo_server.HALF, zoo_server.DIGITS


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server, and an empty cache."""
    monkeypatch.setenv("PTFAST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "WAIT", 0.0)
    with zoo_server.Server() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def part_of(published: Published) -> Path:
    """The part of a file that is there, made by an earlier run."""
    path = place_of(published).with_name(f"{published.file}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def assert_alone(published: Published) -> None:
    """The file is whole, and nothing lies beside it."""
    assert place_of(published).read_bytes() == CONTENT
    assert [path.name for path in place_of(published).parent.iterdir()] == [published.file]


@pytest.mark.parametrize(
    ("behaviour", "ranges"),
    [
        ("whole", [None]),
        ("unsaid", [None]),
        ("busy", [None, None]),
        ("moved", [None, None]),
        ("broken", [None, f"bytes={HALF}-"]),
        ("broken-without-ranges", [None, f"bytes={HALF}-"]),
        ("drips", [None, *(f"bytes={fifth}-" for fifth in range(200_000, 1_000_000, 200_000))]),
    ],
)
def test_the_whole_file_comes(
    server: Any, behaviour: str, ranges: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    published = server.published(behaviour)
    assert fetch(published) == place_of(published)
    assert_alone(published)
    assert server.ranges == ranges
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tiny: ")]
    assert lines[-1] == (
        f"tiny: 1.0 MiB, from {published.address}, https://page.invalid; MIT; in {place_of(published)}"
    )
    fetch(published)
    assert server.ranges == ranges and capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("behaviour", "ranges"),
    [
        ("whole", [f"bytes={HALF}-"]),
        ("broken-without-ranges", [f"bytes={HALF}-", f"bytes={HALF}-"]),
        ("another-range", [f"bytes={HALF}-", None]),
    ],
)
def test_an_earlier_part_is_gone_on_with(server: Any, behaviour: str, ranges: list[str]) -> None:
    published = server.published(behaviour)
    part_of(published).write_bytes(CONTENT[:HALF])
    fetch(published)
    assert_alone(published)
    assert server.ranges == ranges


@pytest.mark.parametrize("length", [10, HALF, len(CONTENT), len(CONTENT) + 10])
def test_a_part_of_another_file_gives_way(server: Any, length: int) -> None:
    published = server.published("whole")
    part_of(published).write_bytes(bytes(length))
    fetch(published)
    assert_alone(published)


def test_a_part_that_is_whole_needs_no_server(server: Any) -> None:
    published = server.published("failing")
    part_of(published).write_bytes(CONTENT)
    fetch(published)
    assert_alone(published)
    assert server.ranges == []


def test_a_length_that_is_too_large_does_no_harm(server: Any) -> None:
    published = server.published("says-more")
    fetch(published)
    assert_alone(published)


@pytest.mark.parametrize(
    ("behaviour", "requests", "message"),
    [
        ("absent", 1, "the server says 404 Not Found; "),
        ("failing", 4, "the server says 500 Internal Server Error, 4 times; "),
        ("enormous", 1, "the server has 1,125,899,906,842,624 bytes, more than any checkpoint; "),
    ],
)
def test_what_does_not_come_is_named(server: Any, behaviour: str, requests: int, message: str) -> None:
    published = server.published(behaviour)
    with pytest.raises(ConnectionError) as caught:
        fetch(published)
    otherwise = f"try again, or get it elsewhere and put it at {place_of(published)}"
    assert str(caught.value) == f"tiny: {published.address}: {message}{otherwise}"
    assert len(server.ranges) == requests
    assert list(place_of(published).parent.iterdir()) == []


def test_a_file_without_end_fills_no_disk(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MOST_BYTES", 3_000_000)
    with pytest.raises(ConnectionError, match="the server gives more than 3,000,000 bytes"):
        fetch(server.published("endless"))


@pytest.mark.parametrize(("behaviour", "requests"), [("another-file", 1), ("says-less", 1)])
def test_another_file_is_refused(server: Any, behaviour: str, requests: int) -> None:
    published = server.published(behaviour)
    with pytest.raises(ValueError, match=f"expected tiny, whose sha256 begins with {DIGITS}, found ") as caught:
        fetch(published)
    assert str(caught.value).startswith(f"tiny: {published.address}: ")
    assert len(server.ranges) == requests
    assert list(place_of(published).parent.iterdir()) == []


def test_no_network_is_one_line(server: Any) -> None:
    published = server.published("whole")
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError) as caught:
        fetch(published)
    assert str(caught.value).startswith(f"tiny: {published.address}: no connection: ")
    assert str(caught.value).endswith(f"put it at {place_of(published)}")


def test_a_server_that_leads_out_of_https_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Answer:
        url = "http://elsewhere.invalid/file"

        def close(self) -> None:
            """Closes nothing."""

    monkeypatch.setattr(download, "urlopen", lambda *_, **__: Answer())
    with (tmp_path / "part").open("a+b") as part, pytest.raises(ConnectionError, match="which is not encrypted"):
        download.download("https://server.invalid/file", part, lambda there, total: None)


def test_an_interruption_leaves_a_part(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    published = server.published("whole")
    receive = download._chunk

    def interrupted(answer: Any) -> bytes:
        if len(chunks) == 2:
            raise KeyboardInterrupt
        chunks.append(receive(answer))
        return chunks[-1]

    chunks: list[bytes] = []
    monkeypatch.setattr(download, "_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"[\d,]+ bytes of tiny are kept; the rest is fetched when"):
        fetch(published)
    assert part_of(published).read_bytes() == b"".join(chunks)
    monkeypatch.setattr(download, "_chunk", receive)
    fetch(published)
    assert_alone(published)
    assert server.ranges == [None, f"bytes={len(b''.join(chunks))}-"]


def test_two_that_ask_at_once_fetch_once(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Two threads, whose locks exclude each other as those of two processes do, since each opens the part itself."""
    published = server.published("slow")
    with ThreadPoolExecutor(2) as pool:
        found = [each.result() for each in [pool.submit(fetch, published) for _ in range(2)]]
    assert found == [place_of(published)] * 2
    assert_alone(published)
    assert server.ranges == [None]
    assert capsys.readouterr().err.count(f"{published.file}: another process fetches it, waiting") == 1


def test_a_file_put_there_by_hand_is_checked(server: Any) -> None:
    published = server.published("whole")
    place = place_of(published)
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match=r"expected tiny, whose sha256 begins with .*; remove it to fetch it again"):
        fetch(published)
    place.write_bytes(CONTENT)
    assert fetch(published) == place and server.ranges == []


def test_files_that_a_browser_alone_gets_are_named(server: Any) -> None:
    published = ZOO["hrnet-w32-official"]
    page = r"https://drive\.google\.com/drive/folders/\w+"
    expected = rf"hrnet-w32-official: get pose_coco/pose_hrnet_w32_256x192\.pth with a browser from {page} .*, as "
    with pytest.raises(FileNotFoundError, match=expected) as caught:
        fetch(published)
    assert str(caught.value).endswith(str(place_of(published)))
    place_of(published).parent.mkdir(parents=True)
    place_of(published).write_bytes(b"anything: its hash is not known")
    assert fetch(published) == place_of(published)


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PTFAST_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "ptfast"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which its specification has passed over
    assert cache_folder() == tmp_path / "home" / ".cache" / "ptfast"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "ptfast"
    monkeypatch.setenv("PTFAST_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.setenv("PTFAST_CACHE", "")
    assert cache_folder() == tmp_path / "ptfast"


def test_a_file_that_changes_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"one", b"another"):
        path.write_bytes(content)
        os.utime(path, ns=(0, len(content)))
        assert cache.sha256_of(path) == sha256(content).hexdigest()
