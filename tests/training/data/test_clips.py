"""Clips: cut out of a video, resized, mirrored."""

from __future__ import annotations

import numpy as np

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.training.data.clips import Clip, at_random, cut_clip, dilate, fill_absent, mirror, resize


def video() -> Poses:
    """Three frames: person 7 in the first and the last, person 3 in the first with one joint, then with two."""
    keypoints = np.zeros((5, 15, 2), np.float32)
    visibility = np.zeros((5, 15), np.uint8)
    keypoints[:, 0], keypoints[:, 14] = (10, 20), (30, 60)
    keypoints[4] += 100
    visibility[:, [0, 14]] = 2
    visibility[1, 14] = 0
    return Poses(
        keypoints=keypoints,
        joint_visibility=visibility,
        track_ids=np.array([7, 3, 3, 3, 7]),
        frame_offsets=np.array([0, 2, 3, 5]),
        skeleton=POSETRACK_15,
    )


def test_boxes_are_the_joints_extent_and_a_fifth() -> None:
    clip = cut_clip(np.zeros((3, 8, 8, 3), np.uint8), video(), range(3))
    box = [10 - 2, 20 - 4, 30 + 2, 60 + 4]
    np.testing.assert_array_equal(clip.present, [[False, True, True], [True, False, True]])  # in the order of ids
    np.testing.assert_allclose(clip.tubes[0], [box] * 3)  # where one joint has no extent, the nearest frame's
    np.testing.assert_allclose(clip.tubes[1], [box, box, np.add(box, 100)])
    assert clip.labelled[0].sum(1).tolist() == [0, 2, 2]


def test_people_whose_joints_span_no_area_are_absent() -> None:
    poses = video()
    poses.keypoints[0, 14] = (10, 60)  # straight under each other
    clip = cut_clip(np.zeros((1, 8, 8, 3), np.uint8), poses, [0])
    assert clip.tubes.shape == (0, 1, 4) and clip.keypoints.shape == (0, 1, 15, 2)


def test_dilation() -> None:
    np.testing.assert_allclose(dilate(np.array([[0.0, 0, 10, 20]])), [[-1, -2, 11, 22]], rtol=1e-6)  # a float32 factor


def test_absent_frames_take_the_nearest_box() -> None:
    tubes = np.arange(5, dtype=np.float32)[None, :, None].repeat(4, 2)
    filled = fill_absent(tubes, np.array([[False, True, False, False, True]]))
    assert filled[0, :, 0].tolist() == [1, 1, 1, 4, 4]
    assert fill_absent(tubes, np.zeros((1, 5), bool)).tolist() == tubes.tolist()


def image() -> Clip:
    """An image of 20 x 10 pixels with one bright one, which is also ignored, and joints on it."""
    frames, ignored = np.zeros((1, 10, 20, 3), np.uint8), np.zeros((1, 10, 20), bool)
    frames[0, 3, 4], ignored[0, 3, 4] = 255, True
    keypoints = np.tile(np.array([4, 3], np.float32), (1, 1, 15, 1))
    labelled = np.zeros((1, 1, 15), bool)
    labelled[0, 0, 0] = True  # the right ankle
    return Clip(frames, np.array([[[2, 1, 6, 5]]], np.float32), np.ones((1, 1), bool), keypoints, labelled, ignored)


def test_mirror_moves_pixels_and_coordinates_alike() -> None:
    clip = mirror(image(), POSETRACK_15)
    x, y = clip.keypoints[0, 0, 0].astype(int)
    assert clip.frames[0, y, x].tolist() == [255] * 3
    assert clip.ignored is not None and clip.ignored[0, y, x]
    assert clip.tubes.tolist() == [[[13, 1, 17, 5]]]
    assert np.flatnonzero(clip.labelled).tolist() == [POSETRACK_15.index("left_ankle")]
    twice = mirror(clip, POSETRACK_15)
    for name in ("frames", "tubes", "keypoints", "labelled", "ignored"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(image(), name))


def test_resize_keeps_pixel_centres() -> None:
    clip = resize(image(), 20, 333)
    assert clip.frames.shape == (1, 20, 40, 3)
    # Pixel 4 is from 3.5 to 4.5, twice that is from 7.5 to 9.5 where pixels start at -0.5.
    np.testing.assert_allclose(clip.keypoints[0, 0, 0], [8.5, 6.5])
    np.testing.assert_allclose(clip.tubes[0, 0], [4.5, 2.5, 12.5, 10.5])
    assert clip.ignored is not None
    assert np.argwhere(clip.ignored[0]).tolist() == [[6, 8], [6, 9], [7, 8], [7, 9]]
    rows, columns = np.nonzero(clip.frames[0, ..., 0] == clip.frames.max())
    assert (rows.mean(), columns.mean()) == (6.5, 8.5)


def test_resize_holds_the_longer_side_down() -> None:
    assert resize(image(), 20, 30).frames.shape == (1, 15, 30, 3)
    same = image()
    assert resize(same, 10, 20) is same


def test_chance_depends_on_the_generator_alone() -> None:
    made = [at_random(image(), np.random.default_rng(seed), (10, 20), 333, POSETRACK_15) for seed in range(16)]
    again = [at_random(image(), np.random.default_rng(seed), (10, 20), 333, POSETRACK_15) for seed in range(16)]
    assert all(np.array_equal(a.frames, b.frames) for a, b in zip(made, again, strict=True))
    kinds = {(clip.frames.shape[1], bool(clip.labelled[0, 0, 5])) for clip in made}
    assert kinds == {(10, False), (10, True), (20, False), (20, True)}
