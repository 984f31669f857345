"""Videos that paths, folders and patterns name."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from ptfast.io import find_videos


def test_find_videos_names_each_video_once_in_natural_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("clips/10.mp4", "clips/9.avi", "clips/._9.avi", "clips/notes.txt", "walk/1.jpg", "walk/2.mp4",
                 "deep/er/a.MOV", "a[1].mp4", "odd.xyz"):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()

    def found(*patterns: str | Path) -> list[str]:
        return [path.as_posix() for path in find_videos(patterns)]

    assert found() == []
    assert found("clips") == ["clips/9.avi", "clips/10.mp4"]
    assert found("walk", Path("odd.xyz")) == ["walk", "odd.xyz"]
    assert found("clips/*.mp4", "clips", tmp_path / "clips" / "9.avi") == ["clips/10.mp4", "clips/9.avi"]
    assert found("clips/*") == ["clips/9.avi", "clips/10.mp4"]
    assert found("*") == ["a[1].mp4", "clips/9.avi", "clips/10.mp4", "walk"]
    assert found("a[1].mp4", "deep/**/*") == ["a[1].mp4", "deep/er/a.MOV"]
    with pytest.raises(FileNotFoundError, match=r"nowhere\.mp4: no such file or folder"):
        find_videos(["nowhere.mp4"])
    with pytest.raises(FileNotFoundError, match=r"clips/\*\.txt: expected a pattern of videos, found none among 1 mat"):
        find_videos(["clips/*.txt"])
    with pytest.raises(ValueError, match="deep: expected a folder of images or of videos, found neither in it"):
        find_videos(["deep"])


def test_patterns_find_what_glob_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "x/b.mp4", "x/y/c.mp4", "x/y/z/d.mp4", ".hidden/e.mp4", "x/.hidden/f.mp4", "y/g.mp4"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "x" / "y")
    for pattern in (
        "**",
        "**/*.mp4",
        "x/**",
        "x/**/*.mp4",
        "**/y/*.mp4",
        "**/y/**/*.mp4",
        "*/**/c.mp4",
        f"{tmp_path}/**",
    ):
        matches = [Path(match).resolve() for match in glob.glob(pattern, recursive=True)]
        wanted = {path for match in matches for path in ([match] if match.is_file() else match.glob("*.mp4"))}
        assert {path.resolve() for path in find_videos([pattern])} == wanted, pattern


def test_links_to_folders_above_end(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "1.mp4").touch()
    for name in ("up", "again", "b/top"):
        (tmp_path / "a" / name).symlink_to(tmp_path)
    assert [path.name for path in find_videos([f"{tmp_path}/**/*.mp4"])] == ["1.mp4"]


def test_pipes_and_links_that_lead_to_themselves_are_no_videos(tmp_path: Path) -> None:
    (tmp_path / "1.mp4").touch()
    os.mkfifo(tmp_path / "2.mp4")
    (tmp_path / "3.mp4").symlink_to(tmp_path / "3.mp4")
    assert [path.name for path in find_videos([tmp_path, f"{tmp_path}/*.mp4"])] == ["1.mp4"]
    with pytest.raises(FileNotFoundError, match=r"3\.mp4: no such file or folder"):
        find_videos([tmp_path / "3.mp4"])
