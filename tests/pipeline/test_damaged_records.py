"""Parts of an interrupted run whose headers lie."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ptfast import COCO_17, Poses
from ptfast.pipeline.records import load_records, save_records


@pytest.mark.parametrize("rows", [10**12, 10**18])
def test_a_header_that_claims_more_rows_than_memory_holds(rows: int, tmp_path: Path) -> None:
    poses = Poses(
        np.ones((1, 17, 2)), [0, 1], COCO_17, frame_names=("a",), frame_ids=[0], frame_size=[[4, 3]]
    )  # fmt: skip
    save_records(tmp_path / "good.npz", poses)
    with zipfile.ZipFile(tmp_path / "good.npz") as good, zipfile.ZipFile(tmp_path / "bad.npz", "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name == "keypoints.npy":
                head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 17, 2), }}".ljust(117) + "\n"
                content = content[:8] + len(head).to_bytes(2, "little") + head.encode() + content[128:]
            bad.writestr(name, content)
    with pytest.raises(ValueError, match=r"bad\.npz: expected a part of an interrupted run, found "):
        load_records(tmp_path / "bad.npz", COCO_17)
