"""Parts of an interrupted run whose headers lie."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptfast import COCO_17, Poses
from ptfast.pipeline.records import load_records, save_records


def damaged(folder: Path, member: str, change: Callable[[bytes], bytes], name: str | None = None) -> Path:
    """A part of one pose, in which a member's bytes are others, under another name if one is given."""
    poses = Poses(np.ones((1, 17, 2)), [0, 1], COCO_17, frame_names=("a",), frame_ids=[0], frame_size=[[4, 3]])
    save_records(folder / "good.npz", poses)
    with zipfile.ZipFile(folder / "good.npz") as good, zipfile.ZipFile(folder / "bad.npz", "w") as bad:
        for old in good.namelist():
            content = good.read(old)
            bad.writestr(name or old if old == member else old, change(content) if old == member else content)
    return folder / "bad.npz"


@pytest.mark.parametrize("rows", [10**12, 10**18])
def test_a_header_that_claims_more_rows_than_memory_holds(rows: int, tmp_path: Path) -> None:
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 17, 2), }}".ljust(117) + "\n"

    def claim(content: bytes) -> bytes:
        return content[:8] + len(head).to_bytes(2, "little") + head.encode() + content[128:]

    path = damaged(tmp_path, "keypoints.npy", claim)
    with pytest.raises(ValueError, match=r"bad\.npz: expected a part of an interrupted run, found "):
        load_records(path, COCO_17)


def test_a_header_that_is_no_python(tmp_path: Path) -> None:
    path = damaged(tmp_path, "boxes.npy", lambda content: content.replace(b"}", b"(", 1))
    with pytest.raises(ValueError, match=r"bad\.npz: expected a part of an interrupted run, found "):
        load_records(path, COCO_17)


def test_a_member_that_is_no_array(tmp_path: Path) -> None:
    path = damaged(tmp_path, "frame_names.npy", lambda content: b"text" + content, "frame_names")
    with pytest.raises(ValueError, match=r"bad\.npz: .* found frame_names, which is no array"):
        load_records(path, COCO_17)


def test_a_number_that_is_not_finite(tmp_path: Path) -> None:
    path = damaged(tmp_path, "scores.npy", lambda content: content[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(ValueError, match=r"bad\.npz: .* found a number in scores that is not finite"):
        load_records(path, COCO_17)


def test_a_track_id_that_is_none(tmp_path: Path) -> None:
    path = damaged(tmp_path, "track_ids.npy", lambda content: content[:-8] + np.int64(-2).tobytes())
    with pytest.raises(ValueError, match=r"bad\.npz: .* found a track id below -1"):
        load_records(path, COCO_17)


def test_a_message_stays_short(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:
        load_records(damaged(tmp_path, "skeleton.npy", bytes, "x" * 5000), COCO_17)
    assert len(str(caught.value)) < len(str(tmp_path)) + 400
