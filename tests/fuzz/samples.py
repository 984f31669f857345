"""One small good file for every reader."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from ptfast import COCO_17, POSETRACK_15, POSETRACK_17, Poses, Skeleton, write_poses
from ptfast.models import Hrnet, HrnetArchitecture, save_weights
from ptfast.pipeline.records import save_records
from ptfast.training.pose.config import CONFIGS

FRAMES, PEOPLE = 3, 2


def write_samples(folder: Path) -> dict[str, Path]:
    """Writes the files to a folder; gives them by the name of what reads them, in `reading.READERS`."""
    return {**_pose_files(folder), **_record_files(folder), **_network_files(folder), **_media(folder)}


def example(skeleton: Skeleton) -> Poses:
    """Two people in three frames, with every optional column."""
    n, k = FRAMES * PEOPLE, len(skeleton)
    random = np.random.default_rng(0)
    keypoints = (20 + 60 * random.random((n, k, 2))).round(1).astype(np.float32)
    polygon = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]])
    return Poses(
        keypoints=keypoints,
        frame_offsets=np.arange(0, n + 1, PEOPLE),
        skeleton=skeleton,
        joint_scores=random.random((n, k)).round(2),
        track_ids=np.tile(np.arange(PEOPLE), FRAMES),
        head_boxes=np.concatenate([keypoints.min(1), keypoints.min(1) + 9], axis=1),
        areas=np.full(n, 900),
        frame_names=tuple(f"images/val/000001_walk/{f:06d}.jpg" for f in range(FRAMES)),
        frame_size=np.full((FRAMES, 2), 96),
        is_labeled=np.ones(FRAMES, bool),
        ignore_regions=((polygon,), (), ()),
        sequence="000001_walk",
    )


def _pose_files(folder: Path) -> dict[str, Path]:
    coco, posetrack = example(COCO_17), example(POSETRACK_17)
    given = {
        "posetrack18": (posetrack, "posetrack18.json"),
        "posetrack17": (example(POSETRACK_15), "posetrack17.json"),
        "coco": (coco, "coco.json"),
        "coco_results": (coco, "results.json"),
        "frames": (coco, "frames.json"),
        "mot": (coco, "mot.txt"),
        "csv": (posetrack, "poses.csv"),
        "parquet": (posetrack, "poses.parquet"),
    }
    for format, (poses, name) in given.items():
        write_poses(poses, folder / name, format=format)
    return {format: folder / name for format, (_, name) in given.items()}


def _record_files(folder: Path) -> dict[str, Path]:
    records = replace(example(COCO_17), frame_ids=np.arange(FRAMES), is_labeled=None, ignore_regions=None)
    save_records(folder / "part.npz", records)
    (folder / "settings.json").write_text(json.dumps({"video": "a.mp4", "threshold": 0.5, "sizes": [1, 2]}))
    (folder / "skeleton.json").write_text(json.dumps(asdict(COCO_17)))
    return {
        "records": folder / "part.npz",
        "settings": folder / "settings.json",
        "skeleton": folder / "skeleton.json",
    }


def _network_files(folder: Path) -> dict[str, Path]:
    """A network with its card, the same as a foreign checkpoint, a Detectron file, and a training config."""
    sizes = {"width": 4, "joints": 17, "stem": 4, "stem_blocks": 1, "modules": (1,), "blocks": 1}
    network = Hrnet(HrnetArchitecture(**sizes, temporal_stages="none"))  # type: ignore[arg-type]
    card = {"skeleton": "coco_17", "data": "", "command": "", "seed": 0, "score": {}, "frames": 1, "size": [64, 48]}
    save_weights(network, folder / "network.safetensors", card)
    published = {name: value.squeeze(2) if value.ndim == 5 else value for name, value in network.state_dict().items()}
    torch.save(published, folder / "hrnet.pth")
    blobs = {"conv1_w": np.zeros((4, 3, 7, 7), np.float32), "res_conv1_bn_s": np.ones(4, np.float32)}
    (folder / "detectron.pkl").write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))
    shutil.copy(CONFIGS / "synthetic_pose_2d.toml", folder / "config.toml")
    return {
        "card": folder / "network.json",
        "weights": folder / "network.safetensors",
        "checkpoint": folder / "hrnet.pth",
        "detectron": folder / "detectron.pkl",
        "config": folder / "config.toml",
    }


def _media(folder: Path) -> dict[str, Path]:
    """Pictures and a video of three frames."""
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for suffix in ("png", "jpg", "bmp", "webp"):
        cv2.imwrite(str(folder / f"picture.{suffix}"), image)
    for suffix, code in (("mp4", "mp4v"), ("avi", "MJPG")):
        writer = cv2.VideoWriter(str(folder / f"video.{suffix}"), cv2.VideoWriter.fourcc(*code), 25.0, (64, 48))
        for _ in range(FRAMES):
            writer.write(image)
        writer.release()
    names = ("picture.png", "picture.jpg", "picture.bmp", "picture.webp", "video.mp4", "video.avi")
    return {name: folder / name for name in names}
