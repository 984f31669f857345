"""Choice of the rule by which neck and head top of COCO's people are extrapolated (ptfast.structures, to_skeleton).

The pictures of Leeds Sports Pose Extended have a neck and a head top, and no face: faces and shoulders are what
MoveNet Thunder, and MultiPose as a second network, finds in the boxes of the people annotated. Every second picture, by
name, chooses: how far head_bottom and head_top are along the line from the middle of the shoulders to some part of the
face, by the least mean error in head sizes, of which one counts at most. The others measure the share of head joints
within half a head size, PoseTrack's reach.

1. Which part of the face: all people whose shoulders are right, with all of the face.
2. What else, where an ear is absent: the same people, the ear of the lower score taken away.
3. The score: how well it ranks right head joints of everybody before wrong ones.
4. The rule as it stands in the library.

`python benchmarks/tune_head_joints.py` prints the tables and writes benchmarks/results/tune_head_joints.json; it needs
the pictures that PTFAST_DATA (default ../shared/data) holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from people_in_pictures import Pictures, joints_in_boxes, read_lspet
from sklearn.metrics import average_precision_score
from studies import save

from ptfast.pipeline import SinglePose, load_person_poses
from ptfast.pipeline.weights import load_movenet_weights
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses

HEAD = ("head_bottom", "head_top")
SHOULDERS = ("left_shoulder", "right_shoulder")
NOSE, EYES, EARS = [0], [1, 2], [3, 4]  # in COCO_17
FACE = [*NOSE, *EYES, *EARS]
REACH = 0.5  # head sizes
FACTORS = np.arange(0, 2.51, 0.05).round(2)
Line = Callable[["Faces"], np.ndarray]  # to the end of the line, (N, 2)


@dataclass(frozen=True)
class Faces:
    """What a network finds of N people, and their head joints as annotated.

    Attributes:
        network: Its name.
        keypoints: (N, 17, 2).
        scores: (N, 17).
        present: (N, 17) bool.
        head: (N, 2, 2) annotated head_bottom and head_top.
        shoulders: (N, 2, 2) annotated shoulders, NaN where they are not.
        chooses: (N,) bool, people who choose; the others measure.
    """

    network: str
    keypoints: np.ndarray
    scores: np.ndarray
    present: np.ndarray
    head: np.ndarray
    shoulders: np.ndarray
    chooses: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """(N,) distances of the annotated head joints."""
        return np.linalg.norm(self.head[:, 1] - self.head[:, 0], axis=-1)

    @property
    def middle(self) -> np.ndarray:
        """(N, 2) middles of the shoulders found."""
        return self.keypoints[:, [5, 6]].mean(1)

    def right(self) -> np.ndarray:
        """(N,) bool: both shoulders are found within half a head size."""
        away = np.linalg.norm(self.keypoints[:, [5, 6]] - self.shoulders, axis=-1)
        return (away <= REACH * self.sizes[:, None]).all(1)

    def errors(self, ends: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """(F, N, 2) errors of both head joints in head sizes, at shares (F,) of the line to (N, 2)."""
        places = self.middle + factors[:, None, None] * (ends - self.middle)
        return np.linalg.norm(places[:, :, None] - self.head, axis=-1) / self.sizes[:, None]

    def with_an_ear_less(self) -> Faces:
        """Without the ear of the lower score."""
        present = self.present.copy()
        present[np.arange(len(present)), 3 + self.scores[:, EARS].argmin(1)] = False
        return Faces(**vars(self) | {"present": present})


def mean_of(joints: list[int]) -> Line:
    """The mean of those of some joints that are there."""

    def line(faces: Faces) -> np.ndarray:
        weights = faces.present[:, joints, None].astype(float)
        return (weights * faces.keypoints[:, joints]).sum(1) / weights.sum(1)

    return line


def weighted_mean(faces: Faces) -> np.ndarray:
    """The mean of all face joints, weighted by their scores."""
    weights = (faces.present * faces.scores)[:, FACE, None]
    return (weights * faces.keypoints[:, FACE]).sum(1) / weights.sum(1)


LINES: dict[str, Line] = {
    "mean of the face": mean_of(FACE),
    "mean of the face, weighted by score": weighted_mean,
    "nose": mean_of(NOSE),
    "eyes": mean_of(EYES),
    "ears": mean_of(EARS),
    "eyes and ears": mean_of([*EYES, *EARS]),
}


def main() -> None:
    """Prints and writes the tables."""
    pictures = read_lspet()
    everyone = [faces_of(pictures, name) for name in ("movenet-thunder", "movenet-multipose")]
    rows = [row for faces in everyone for row in lines(faces)]
    save("tune_head_joints", "all of the face", rows)
    save("tune_head_joints", "one ear absent", [row for faces in everyone for row in lines(faces.with_an_ear_less())])
    save("tune_head_joints", "score", [row for faces in everyone for row in scores(faces)])
    save("tune_head_joints", "the rule", [row for faces in everyone for row in rule(faces)])


def faces_of(pictures: Pictures, name: str) -> Faces:
    """The people of pictures whose head joints are annotated, as a MoveNet sees them."""
    loaded = load_movenet_weights(name)
    network = load_person_poses(name) if name == "movenet-thunder" else SinglePose(loaded.model, loaded.skeleton)
    keypoints, joint_scores = joints_in_boxes(network, pictures, name)
    bottom, top = pictures.of(*HEAD)
    rows = pictures.annotated[:, [bottom, top]].all(1) & (
        pictures.keypoints[:, bottom] != pictures.keypoints[:, top]
    ).any(1)
    annotated = np.where(pictures.annotated[..., None], pictures.keypoints, np.nan)
    return Faces(
        network=name,
        keypoints=keypoints[rows].astype(np.float64),
        scores=joint_scores[rows],
        present=np.ones(joint_scores[rows].shape, bool),
        head=annotated[rows][:, [bottom, top]],
        shoulders=annotated[rows][:, pictures.of(*SHOULDERS)],
        chooses=(np.arange(len(rows)) % 2 == 0)[rows],
    )


def lines(faces: Faces) -> list[dict[str, Any]]:
    """One row for each line: the factors chosen, and how many head joints they find."""
    right = faces.right()
    table = []
    for name, line in LINES.items():
        errors = faces.errors(line(faces), FACTORS)
        chosen = np.minimum(errors[:, right & faces.chooses], 1).mean(1)  # (F, 2)
        best = chosen.argmin(0)
        measured = np.stack([errors[best[joint], right & ~faces.chooses, joint] for joint in range(2)], 1)
        table.append(
            {"network": faces.network, "line to": name, "people": len(measured)}
            | {f"{joint}, factor": float(FACTORS[best[i]]) for i, joint in enumerate(HEAD)}
            | {f"{joint}, mean error of who chose": round(float(chosen.min(0)[i]), 3) for i, joint in enumerate(HEAD)}
            | {f"{joint}, within half a head, %": percent(measured[:, i] <= REACH) for i, joint in enumerate(HEAD)}
        )
    return table


def percent(hits: np.ndarray) -> float:
    """Share of hits."""
    return round(100 * float(hits.mean()), 1)


def by_rule(faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) errors of the library's head joints in head sizes, NaN where they are absent, and (N, 2) bool."""
    visibility = np.where(faces.present, 2, 0)
    poses = Poses(faces.keypoints, [0, len(faces.keypoints)], COCO_17, joint_visibility=visibility)
    mapped = poses.to_skeleton(POSETRACK_15)
    index = [POSETRACK_15.index(joint) for joint in HEAD]
    errors = np.linalg.norm(mapped.keypoints[:, index] - faces.head, axis=-1) / faces.sizes[:, None]
    return errors, mapped.joint_visibility[:, index] > 0


def scores(faces: Faces) -> list[dict[str, Any]]:
    """Average precision of the rule's head joints among themselves, by kind of score, of the people who choose."""
    used = faces.scores[faces.chooses][:, [*EARS, 5, 6]].astype(np.float64)
    right = by_rule(faces)[0][faces.chooses] <= REACH
    kinds = {"mean": used.mean(1), "lowest": used.min(1), "product": used.prod(1)}
    return [
        {"network": faces.network, "score": name}
        | {
            f"{joint}, AP": round(100 * float(average_precision_score(right[:, i], score)), 1)
            for i, joint in enumerate(HEAD)
        }
        for name, score in kinds.items()
    ]


def rule(faces: Faces) -> list[dict[str, Any]]:
    """Share of head joints that the library's rule finds of the people who measure."""
    table = []
    for title, some in (("all joints", faces), ("one ear absent", faces.with_an_ear_less())):
        errors = by_rule(some)[0]
        for people, rows in (("shoulders right", faces.right()), ("everybody", np.ones(len(errors), bool))):
            measured = errors[rows & ~faces.chooses]
            table.append(
                {"network": faces.network, "joints": title, "of": people, "people": len(measured)}
                | {f"{joint}, within half a head, %": percent(measured[:, i] <= REACH) for i, joint in enumerate(HEAD)}
            )
    return table


if __name__ == "__main__":
    main()
