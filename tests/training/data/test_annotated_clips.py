"""Clips of PoseTrack folders and COCO files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfast.io import write_poses
from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses
from ptfast.training.data.annotated_clips import AnnotatedClips

FRAMES = 6


def poses_of(frames: int = FRAMES, labelled: list[bool] | None = None) -> Poses:
    """Two people who walk 4 pixels a frame to the right, in frames of 64 x 48 pixels; the second until frame 2."""
    keypoints, ids, offsets = [], [], [0]
    for frame in range(frames):
        for person in range(2 if frame < 3 else 1):
            if labelled is None or labelled[frame]:
                corner = np.array([5 + 4 * frame + 20 * person, 10.0])
                keypoints.append(corner + np.linspace(0, 1, 15)[:, None] * [10, 20])
                ids.append(person)
        offsets.append(len(ids))
    return Poses(
        keypoints=np.array(keypoints, np.float32),
        track_ids=np.array(ids),
        frame_offsets=np.array(offsets),
        skeleton=POSETRACK_15,
        frame_names=tuple(f"images/train/000001_mpii/{frame:06d}.png" for frame in range(frames)),
        frame_size=np.tile([64, 48], (frames, 1)),
        is_labeled=None if labelled is None else np.array(labelled),
        sequence="000001_mpii",
    )


def write(folder: Path, poses: Poses, format: str = "posetrack18") -> Path:
    """The dataset's folder: annotations/train, and images whose grey is 10 times their number."""
    target = folder / "annotations" / "train" / "000001_mpii.json"
    target.parent.mkdir(parents=True)
    write_poses(poses, target, format=format)
    assert poses.frame_names is not None
    for frame, name in enumerate(poses.frame_names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((48, 64, 3), 10 * frame, np.uint8))
    return folder


@pytest.mark.parametrize("format", ["posetrack17", "posetrack18"])
@pytest.mark.parametrize("place", ["", "annotations/train", "annotations/train/000001_mpii.json"])
def test_clips_of_adjacent_frames(tmp_path: Path, format: str, place: str) -> None:
    clips = AnnotatedClips(write(tmp_path, poses_of(), format) / place, 3, short_sides=(48,))
    seen = []
    for index in range(FRAMES):
        clip = clips[index]
        greys = clip.frames[:, 0, 0, 0] // 10
        centre = int(greys[1])
        seen.append(centre)
        assert greys.tolist() == [max(centre - 1, 0), centre, min(centre + 1, FRAMES - 1)]  # the ends stand twice
        assert len(clip.tubes) == (2 if centre < 4 else 1)
        assert clip.ignored is None
        assert clip.labelled[clip.present].sum(-1).min() == 15
    assert sorted(seen) == list(range(FRAMES))  # each once in a round


def test_a_clip_depends_on_its_number_alone(tmp_path: Path) -> None:
    write(tmp_path, poses_of())
    clips = AnnotatedClips(tmp_path, 3, short_sides=(24, 48))
    again, other = AnnotatedClips(tmp_path, 3, short_sides=(24, 48)), AnnotatedClips(tmp_path, 3, seed=1)
    made = [clips[index] for index in range(18)]
    for index in reversed(range(18)):
        np.testing.assert_array_equal(made[index].keypoints, again[index].keypoints)
    assert {clip.frames.shape[1] for clip in made} == {24, 48}
    orders = [[int(data[index].frames[1, 0, 0, 0]) for index in range(6)] for data in (clips, other)]
    assert orders[0] != orders[1]
    rounds = [[int(clip.frames[1, 0, 0, 0]) for clip in made[6 * turn : 6 * turn + 6]] for turn in range(3)]
    assert rounds[0] != rounds[1] and sorted(rounds[0]) == sorted(rounds[1])


def test_coordinates_go_with_the_images(tmp_path: Path) -> None:
    clips = AnnotatedClips(write(tmp_path, poses_of()), 1, short_sides=(48,))
    nose, widths = POSETRACK_15.index("nose"), []
    for index in range(12):
        clip = clips[index]
        x = 5 + 4 * int(clip.frames[0, 0, 0, 0] // 10) + 10 * nose / 14
        found = clip.keypoints[0, 0, nose, 0]
        widths.append(min(abs(found - x), abs(found - (63 - x))))
    assert max(widths) < 1e-3


def test_unlabelled_neighbours_have_boxes_but_no_joints(tmp_path: Path) -> None:
    # Every fourth frame is labelled, as in parts of PoseTrack 2018; the second person is gone in frame 4.
    labelled = [frame % 4 == 0 for frame in range(FRAMES)]
    clips = AnnotatedClips(write(tmp_path, poses_of(labelled=labelled)), 3, short_sides=(48,))
    assert sorted(frame for _, frame in clips.centres) == [0, 4]
    clip = clips.sequences[0].clip(4, 3)
    assert clip.tubes.shape == (1, 3, 4)
    assert clip.present.tolist() == [[True] * 3]
    assert clip.labelled.any(-1).tolist() == [[False, True, False]]
    centre = clip.tubes[0, 1]
    np.testing.assert_allclose(clip.tubes[0, 0], centre - [4, 0, 4, 0], atol=1e-3)  # between frames 0 and 4
    np.testing.assert_allclose(clip.tubes[0, 2], centre)  # nothing is known after frame 4
    first = clips.sequences[0].clip(0, 3)
    assert len(first.tubes) == 2
    np.testing.assert_allclose(first.tubes[0, 2, 0] - first.tubes[0, 1, 0], 4, atol=1e-3)


def coco(folder: Path) -> Path:
    """A COCO file: a person, one without keypoints, and a crowd in one image; another without anybody."""
    joints = np.zeros((17, 3))
    joints[5], joints[16] = (10, 10, 2), (20, 40, 1)

    def annotation(number: int, keypoints: np.ndarray, box: list[int], crowd: int) -> dict:
        labelled = int((keypoints[:, 2] > 0).sum())
        more = {"num_keypoints": labelled, "iscrowd": crowd, "area": 10.0, "category_id": 1}
        return {"id": number, "image_id": 1, "keypoints": keypoints.ravel().tolist(), "bbox": box} | more

    people = [
        annotation(1, joints, [8, 8, 15, 35], 0),
        annotation(2, 0 * joints, [30, 5, 10, 10], 0),
        annotation(3, 0 * joints, [50, 30, 10, 10], 1),
    ]
    category = {"id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": []}
    images = [{"id": i, "file_name": f"{i:012d}.png", "width": 64, "height": 48} for i in (1, 2)]
    path = folder / "person_keypoints.json"
    path.write_text(json.dumps({"images": images, "annotations": people, "categories": [category]}))
    (folder / "images").mkdir()
    for image in images:
        cv2.imwrite(str(folder / "images" / str(image["file_name"])), np.zeros((48, 64, 3), np.uint8))
    return path


def test_coco_images_are_clips_of_one_frame_again_and_again(tmp_path: Path) -> None:
    clips = AnnotatedClips(coco(tmp_path), 3, images=tmp_path / "images", short_sides=(48,))
    assert len(clips.centres) == 1  # nobody is in the other image
    clip = clips.sequences[0].clip(0, 3)
    assert clip.frames.shape == (3, 48, 64, 3)
    assert clip.present.tolist() == [[True] * 3] and clip.labelled.sum() == 3 * 2
    np.testing.assert_allclose(clip.tubes[0], [[9, 7, 21, 43]] * 3, rtol=1e-6)
    assert clip.labelled[0, 0, [POSETRACK_15.index("left_shoulder"), POSETRACK_15.index("right_ankle")]].all()
    assert clip.ignored is not None
    assert clip.ignored[:, 10, 35].all() and clip.ignored[:, 35, 55].all()  # without keypoints, and a crowd
    assert not clip.ignored[:, 20, 15].any()
    whole = clips[0]  # a mirrored or unmirrored one
    assert whole.ignored is not None and whole.ignored.sum() == clip.ignored.sum()


def test_ignore_regions_are_polygons(tmp_path: Path) -> None:
    triangle = np.array([[0.0, 0], [20, 0], [0, 20]])
    poses = replace(poses_of(), ignore_regions=((triangle,),) + ((),) * (FRAMES - 1))
    clips = AnnotatedClips(write(tmp_path, poses), 1, short_sides=(48,))
    mask = clips.sequences[0].clip(0, 1).ignored
    assert mask is not None and mask[0, 5, 5] and not mask[0, 18, 18]
    assert clips.sequences[0].clip(1, 1).ignored is None


def test_other_joint_sets(tmp_path: Path) -> None:
    clips = AnnotatedClips(write(tmp_path, poses_of()), 1, skeleton=POSETRACK_17, short_sides=(48,))
    assert clips[0].keypoints.shape[2] == 17
    assert not clips[0].labelled[..., [3, 4]].any()  # ears


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    write(tmp_path, poses_of())
    for frame in range(1, FRAMES):
        (tmp_path / f"images/train/000001_mpii/{frame:06d}.png").unlink()
    clips = AnnotatedClips(tmp_path, 1)
    with pytest.raises(FileNotFoundError, match=r"00000\d\.png: expected an image that the annotations name"):
        [clips[index] for index in range(FRAMES)]
    with pytest.raises(
        FileNotFoundError, match=r"000001_mpii\.json: expected the image .*000000\.png, but there is no"
    ):
        AnnotatedClips(tmp_path, 1, images=tmp_path / "elsewhere")


def test_a_broken_image_and_one_of_another_size_are_named(tmp_path: Path) -> None:
    write(tmp_path, poses_of())
    place = tmp_path / "images/train/000001_mpii"
    (place / "000001.png").write_bytes(b"no image")
    cv2.imwrite(str(place / "000004.png"), np.zeros((10, 10, 3), np.uint8))
    sequence = AnnotatedClips(tmp_path, 3).sequences[0]
    with pytest.raises(ValueError, match=r"000001\.png: expected an image, found what cannot be decoded"):
        sequence.clip(0, 3)
    with pytest.raises(ValueError, match=r"000004\.png: expected an image of shape \(48, 64, 3\).*found \(10, 10, 3\)"):
        sequence.clip(3, 3)


def test_no_annotations_and_nobody(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"expected a JSON file, or a folder .* annotations/train; there is none"
    ):
        AnnotatedClips(tmp_path, 3)
    poses = poses_of()
    write(tmp_path, replace(poses, joint_visibility=np.zeros_like(poses.joint_visibility)))
    with pytest.raises(ValueError, match="expected labelled people in at least one frame, found none"):
        AnnotatedClips(tmp_path, 3)
