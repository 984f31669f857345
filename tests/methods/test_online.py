"""Online from frames to tracks, with a small untrained network and with functions of the caller's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.io import open_video
from ptfast.methods import Online, base
from ptfast.methods.online import Config
from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.pipeline import MultiPose, MultiPoseSettings, TopDown, each_image, load_person_poses
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses

Images = Sequence[np.ndarray | None]


def method(**settings: object) -> Online:
    """A narrow network with random weights."""
    torch.manual_seed(0)
    model = MoveNet(MoveNetArchitecture(width=0.125))
    torch.nn.init.constant_(model.heads["box_scale"].out.bias, 10)
    config = Config(**{"min_score": 0.0, "min_joint_score": None, **settings})  # type: ignore[arg-type]
    return Online(MultiPose(model, settings=MultiPoseSettings(long_side=96)), COCO_17, config)


def spot(images: Images) -> Poses:
    """One person in each image, all joints at its brightest pixel, with its brightness for a score."""
    values = [image.sum(-1) for image in images if image is not None]
    places = [np.unravel_index(value.argmax(), value.shape)[::-1] for value in values]
    joints = [np.array(place) + np.arange(34).reshape(1, 17, 2) for place in places]
    return Poses.from_frames(joints, scores=[np.array([value.max() / 765]) for value in values], skeleton=COCO_17)


def lit(*levels: int) -> list[np.ndarray]:
    """Images with one pixel of each level, which moves to the right."""
    images = [np.zeros((48, 64, 3), np.uint8) for _ in levels]
    for step, (image, level) in enumerate(zip(images, levels, strict=True)):
        image[10, 5 + step] = level
    return images


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Eleven smooth pictures of 64 x 72 pixels, each a little further."""
    rng = np.random.default_rng(0)
    base = cv2.resize(rng.integers(0, 256, (8, 9, 3), np.uint8), (72, 64))
    return [np.ascontiguousarray(np.roll(base, i, 1)) for i in range(11)]


def same(a: Poses, b: Poses, tolerance: float = 0) -> None:
    np.testing.assert_array_equal(a.frame_offsets, b.frame_offsets)
    np.testing.assert_array_equal(a.track_ids, b.track_ids)
    np.testing.assert_allclose(a.keypoints, b.keypoints, atol=tolerance)
    np.testing.assert_allclose(a.boxes, b.boxes, atol=tolerance)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-5)


@pytest.mark.parametrize("thresholds", [False, True])
def test_link_and_stream_and_track_are_one(pictures: list[np.ndarray], thresholds: bool) -> None:
    everyone = Poses.concatenate(list(method().detect(pictures)))
    middle = {"min_score": np.median(everyone.scores), "min_joint_score": np.median(everyone.joint_scores)}
    middle["min_new_score"] = np.quantile(everyone.scores, 0.9)
    online = method(**middle if thresholds else {})
    whole = online.track(pictures)
    assert len(whole) == len(pictures) and 0 < len({*whole.track_ids.tolist()}) < len(whole.scores)
    same(whole, Poses.concatenate(list(online.stream(pictures))))
    assert (len(whole.scores) < len(everyone.scores)) == thresholds
    begun = method(**middle | {"min_new_score": None}).track(pictures)
    assert not thresholds or len(whole.scores) < len(begun.scores)
    records = list(online.detect(pictures))
    same(whole, online.link(records))
    same(whole, online.link(Poses.concatenate(records)))


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_batches_change_nothing(pictures: list[np.ndarray], batch: int) -> None:
    same(method(batch=batch).track(pictures), method(batch=5).track(pictures), 1e-2)


def crowded(images: Images) -> Poses:
    """One person in each image, at the number of images in the batch, on which a network's last bits depend, too."""
    joints = np.full((1, 17, 2), float(len(images)))
    return Poses.from_frames([joints + place for place in range(len(images))], skeleton=COCO_17)


@pytest.mark.parametrize("known", range(1, 12))
@pytest.mark.parametrize("own", [False, True])
def test_detect_goes_on_after_known_frames_to_the_bit(pictures: list[np.ndarray], known: int, own: bool) -> None:
    online = Online(crowded) if own else method()
    frames = [*pictures[:6], np.repeat(pictures[6], 2, 0), *pictures[7:]]
    records = list(online.detect(frames))
    again = online.frames_to_reread(np.array([record.frame_size[0] for record in records[:known]]))  # type: ignore[index]
    rest = list(online.detect(frames[known - again :], records[known - again : known]))
    assert len(rest) == 11 - known
    for record, expected in zip(rest, records[known:], strict=True):
        np.testing.assert_array_equal(record.keypoints, expected.keypoints)
        np.testing.assert_array_equal(record.scores, expected.scores)


def test_records_name_and_number_their_frames(pictures: list[np.ndarray], tmp_path: Path) -> None:
    for index, picture in enumerate(pictures[:3]):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture[..., ::-1])
    records = list(method().detect(open_video(tmp_path)))
    assert [record.frame_names for record in records] == [("0.png",), ("1.png",), ("2.png",)]
    poses = method().track(tmp_path)
    assert poses.frame_ids.tolist() == [0, 1, 2] and poses.frame_size.tolist() == [[72, 64]] * 3  # type: ignore[union-attr]
    assert poses.sequence == tmp_path.name


def test_lost_frames_have_nobody_and_ids_go_on() -> None:
    frames = [*lit(255, 255), None, *lit(255, 255)]
    with pytest.warns(UserWarning):
        poses = Online(spot).track(frames)  # type: ignore[arg-type]
    assert np.diff(poses.frame_offsets).tolist() == [1, 1, 0, 1, 1] and poses.track_ids.tolist() == [0] * 4


def test_a_function_is_given_decoded_images_of_one_size_in_batches() -> None:
    seen: list[list[tuple[int, ...]]] = []

    def watched(images: Images) -> Poses:
        seen.append([image.shape for image in images])  # type: ignore[union-attr]
        return spot(images)

    frames = [*lit(255, 255, 255), None, lit(255)[0], np.zeros((30, 40, 3), np.uint8)]
    with pytest.warns(UserWarning):
        Online(watched, config=Config(batch=2)).track(frames)  # type: ignore[arg-type]
    assert seen == [[(48, 64, 3)] * 2, [(48, 64, 3)], [(48, 64, 3)], [(30, 40, 3)]]


def test_people_and_joints_under_the_thresholds_are_not_linked_but_recorded() -> None:
    online, frames = Online(spot, config=Config(min_score=0.5)), lit(255, 100, 255)
    records = list(online.detect(frames))
    assert [len(record.scores) for record in records] == [1, 1, 1]
    assert [online.count(record) for record in records] == [1, 0, 1]
    assert np.diff(online.link(records).frame_offsets).tolist() == [1, 0, 1]
    assert Online(spot, config=Config(min_score=None)).count(records[1]) == 1


def test_another_number_of_frames_or_another_skeleton_is_named() -> None:
    with pytest.raises(ValueError, match="estimate must give 3 frames of skeleton coco_17, got 2 of coco_17"):
        Online(lambda images: spot(images[1:])).track(lit(255, 255, 255))
    with pytest.raises(ValueError, match="estimate must give 3 frames of skeleton posetrack_15, got 3 of coco_17"):
        Online(spot, POSETRACK_15).track(lit(255, 255, 255))


def test_settings_are_those_of_the_estimator_and_of_linking() -> None:
    online = Online.load(long_side=320, max_people=7, batch=2)
    assert isinstance(online.estimate, MultiPose) and online.skeleton == COCO_17
    assert online.estimate.settings == MultiPoseSettings(long_side=320, max_people=7)
    depends = online.depends_on()
    assert depends["long_side"] == 320 and depends["batch"] == 2 and "min_score" not in depends
    assert Online(spot).depends_on() == {"batch": 4}
    top_down = TopDown(each_image(lambda _: ([], [])), load_person_poses())
    assert Online(top_down).depends_on() == top_down.depends_on() | {"batch": 4}


@pytest.mark.parametrize("name", ["long_side", "max_people", "precision", "min_center_score"])
def test_settings_of_a_network_that_is_not_there_are_refused(name: str) -> None:
    value = {"long_side": 320, "max_people": 7, "precision": "auto", "min_center_score": 0.1}[name]
    with pytest.raises(ValueError, match=f"{name} is for MultiPose, which is not among the networks, got {value!r}"):
        Online.load(detector="nanodet-g", **{name: value})  # type: ignore[arg-type]


def test_a_wrong_setting_is_named() -> None:
    for name, value in (("batch", 0), ("long_side", 0), ("min_score", float("nan")), ("min_new_score", float("nan"))):
        with pytest.raises(ValueError, match=f"{name} must be"):
            Config(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"batch must be an integer, got 2\.5"):
        Config(batch=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected at least one frame, found none"):
        Online(spot).track([])


def test_a_path_is_decoded_ahead_and_images_are_not(
    pictures: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture)
    asked: list[object] = []

    def opened(source: object, **reading: int) -> object:
        asked.append(reading)
        return open_video(source, **reading)  # type: ignore[arg-type]

    monkeypatch.setattr(base, "open_video", opened)
    one, other = method().track(tmp_path), method().track([picture[..., ::-1].copy() for picture in pictures])
    assert asked == [{"ahead": base.AHEAD}, {"ahead": 0}]
    same(one, other)
