"""Videos that paths, folders and patterns name."""

from __future__ import annotations

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
