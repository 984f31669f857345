"""Files that appear whole or not at all: drafts of living and dead runs, links, permissions and full disks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ptfast._files import is_utf8, utf8_name, write_atomic

ROOT = Path(__file__).parents[1]
NOT_UTF8 = os.fsdecode(b"caf\xe9")


def run(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)


@contextmanager
def writing(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another run that has written half a draft of a file, and finishes it when told to."""
    code = """if True:
        import sys
        from ptfast._files import write_atomic
        with write_atomic(sys.argv[1]) as draft:
            with draft.open("w") as file:
                file.write("half, ")
                file.flush()
                print("ready", flush=True)
                file.write(sys.stdin.readline())
    """
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
        yield other


@pytest.mark.parametrize("mode", ["x", "w"])
def test_a_file_appears_whole_and_alone(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "new" / "a.json"
    with write_atomic(path) as draft:
        assert draft.name == "a.json" and not draft.exists()
        with draft.open(mode) as file:
            file.write("text")
        assert not path.exists()
    assert path.read_text() == "text" and os.listdir(path.parent) == ["a.json"]


def test_after_an_error_the_old_file_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(KeyError), write_atomic(path) as draft:
        draft.write_text("new")
        raise KeyError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_a_replaced_file_hands_on_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.json"
    path.touch()
    path.chmod(mode)
    with write_atomic(path) as draft:
        draft.write_text("new")
    assert path.stat().st_mode & 0o777 == mode and path.read_text() == "new"


def test_a_new_file_has_the_permissions_that_the_user_wants(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with write_atomic(tmp_path / "a.json") as draft:
            draft.touch()
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


def test_planted_links_are_not_followed(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "out" / "a.json"
    victim.mkdir()
    (victim / "a.json").write_text("precious")
    with write_atomic(path) as draft:
        place, inside = draft.parent, draft.parent.stat()
        draft.touch()
    assert inside.st_mode & 0o777 == 0o700  # nobody else can put a link where the draft will be
    place.symlink_to(victim)
    with write_atomic(path) as draft:
        draft.write_text("new")
    assert path.read_text() == "new" and (victim / "a.json").read_text() == "precious"
    assert place.is_symlink()  # it is not ours to remove


def test_a_file_that_lies_where_a_draft_would_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with write_atomic(path) as draft:
        place = draft.parent
        draft.touch()
    place.write_text("somebody's")
    with write_atomic(path) as draft:
        draft.write_text("new")
    assert path.read_text() == "new" and place.read_text() == "somebody's"


def test_a_killed_runs_draft_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with writing(path) as other:
        other.kill()
    assert not path.exists() and len(os.listdir(tmp_path)) == 1
    with write_atomic(path) as draft:
        draft.write_text("new")
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_living_runs_draft_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with writing(path) as other:
        with write_atomic(path) as draft:
            draft.write_text("between")
        assert path.read_text() == "between"
        other.communicate("whole\n")
    assert other.returncode == 0
    assert path.read_text() == "half, whole\n" and os.listdir(tmp_path) == ["a.json"]


def test_many_writers_of_one_file_give_one_of_their_texts(tmp_path: Path) -> None:
    path, texts = tmp_path / "a.txt", [f"{index}\n" * 2000 for index in range(40)]

    def write(text: str) -> None:
        for _ in range(5):
            with write_atomic(path) as draft:
                draft.write_text(text)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(write, texts))
    assert path.read_text() in texts and os.listdir(tmp_path) == ["a.txt"]


FULL = {
    "text": "draft.write_text('0' * 9999999)",
    "npz": "import numpy; numpy.savez(draft, a=numpy.zeros(9999999), b=numpy.zeros(99))",
    "torch": "import torch; torch.save({'a': torch.zeros(9999999), 'b': torch.zeros(9)}, draft.open('wb'))",
    "parquet": "import pyarrow.parquet; "
    "pyarrow.parquet.write_table(pyarrow.table({'a': list(range(400000))}), draft, compression=None)",
}


@pytest.mark.parametrize("kind", FULL)
def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.npz"
    path.write_text("old")
    code = f"""if True:
        import resource, sys
        from ptfast._files import write_atomic
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
        try:
            with write_atomic(sys.argv[1]) as draft:
                {FULL[kind]}
        except OSError as error:
            print(error.filename, error.strerror)
    """
    done = run(code, path)
    assert done.stdout == f"{path} File too large\n", done.stderr
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.npz"]


def test_errors_name_the_file_and_not_the_draft(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 300}.json"
    with pytest.raises(OSError, match=re.escape(str(path))) as caught, write_atomic(path) as draft:
        draft.write_text("text")
    assert caught.value.filename == str(path) and not os.listdir(tmp_path)


def test_names_as_long_as_they_may_be_are_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 250}.json"
    with write_atomic(path) as draft:
        draft.write_text("text")
    assert path.read_text() == "text"


def test_what_is_no_file_is_refused_before_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    found = {"loop.json": "a link that leads to itself", "pipe.json": "something else", "folder.json": "something else"}
    for name, what in found.items():
        with (
            pytest.raises(ValueError, match=f"{name}: expected a file or nothing to replace, found {what}"),
            write_atomic(tmp_path / name),
        ):
            pass


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "a.json").symlink_to(tmp_path / "there" / "b.json")
    for text in ("first", "second"):
        with write_atomic(tmp_path / "a.json") as draft:
            draft.write_text(text)
        assert (tmp_path / "a.json").is_symlink() and (tmp_path / "there" / "b.json").read_text() == text
    assert os.listdir(tmp_path / "there") == ["b.json"]


@pytest.mark.parametrize("folder", ["films", NOT_UTF8])
@pytest.mark.parametrize("name", ["a.mp4", NOT_UTF8 + ".mp4", os.fsdecode(b"a.\xe9"), "walk:1.mp4"])
def test_every_file_has_a_name_in_utf8(tmp_path: Path, folder: str, name: str) -> None:
    path = tmp_path / folder / name
    path.parent.mkdir()
    with utf8_name(path) as known:
        assert is_utf8(known) and Path(known).is_absolute()
        Path(known).write_text("text")
    assert path.read_text() == "text"
    with utf8_name(path) as known:
        assert Path(known).read_text() == "text" and Path(known).suffix in (path.suffix, "")
