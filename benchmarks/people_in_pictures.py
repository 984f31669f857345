"""Pictures of single people in known boxes (Leeds Sports Pose Extended), and their joints by a pose network."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ptfast.io import Frame
from ptfast.pipeline.person_poses import PersonPoses

DATA = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Pictures:
    """N pictures of one person each.

    Attributes:
        paths: The files.
        joints: Names of the K annotated joints.
        keypoints: (N, K, 2) float64 pixels.
        annotated: (N, K) bool.
    """

    paths: Sequence[Path]
    joints: tuple[str, ...]
    keypoints: np.ndarray
    annotated: np.ndarray

    def of(self, *names: str) -> np.ndarray:
        """Indices of joints."""
        return np.array([self.joints.index(name) for name in names])

    def boxes(self) -> np.ndarray:
        """(N, 4) float32 extents of the annotated joints, xyxy."""
        low = np.where(self.annotated[..., None], self.keypoints, np.inf).min(1)
        high = np.where(self.annotated[..., None], self.keypoints, -np.inf).max(1)
        return np.concatenate([low, high], 1).astype(np.float32)


def needed(path: Path) -> Path:
    """The path, if it is there.

    Raises:
        SystemExit: It is not.
    """
    if not path.exists():
        raise SystemExit(f"needs {path}; set PTFAST_DATA to the folder of the data")
    return path


def read_lspet(folder: Path = DATA / "lspet") -> Pictures:
    """Reads joints.json.

    Raises:
        SystemExit: It is not there.
    """
    if not (folder / "joints.json").exists():
        raise SystemExit(f"needs the pictures and joints.json in {folder}; set PTFAST_DATA")
    document = json.loads((folder / "joints.json").read_text())
    names = sorted(document["images"])
    rows = np.array([document["images"][name] for name in names])
    return Pictures(
        [folder / "images" / name for name in names], tuple(document["joints"]), rows[..., :2], rows[..., 2] > 0
    )


def read_image(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB."""
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def joints_in_boxes(network: PersonPoses, pictures: Pictures, title: str = "poses") -> tuple[np.ndarray, np.ndarray]:
    """(N, K, 2) pixels and (N, K) scores of the joints that a network finds in the boxes of the people annotated."""
    found = [
        network([Frame(read_image(path), path.name, 0)], box[None], np.zeros((1, 1), np.int64))
        for path, box in zip(tqdm(pictures.paths, title, unit="picture"), pictures.boxes(), strict=True)
    ]
    keypoints, scores = (np.concatenate(column)[:, 0] for column in zip(*found, strict=True))
    return keypoints, scores
