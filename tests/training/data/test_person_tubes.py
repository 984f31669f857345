"""Tubes of crops for pose networks."""

from __future__ import annotations

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
from torch.utils.data import Dataset

from ptfast.ops import box_to_crop, crop_tubes, heatmap_to_image
from ptfast.training.data.clips import Clip
from ptfast.training.data.person_tubes import PersonClips, PersonTubes
from ptfast.training.data.regions import Augmentation, crop_matrix, cut_tube, moved, regions
from ptfast.training.data.synthetic_clips import SyntheticClips

UPRIGHT = Augmentation(0.0, 0.0, 0.0)
SIZE = (32, 24)


class Listed(Dataset):
    """Clips of a list again and again."""

    def __init__(self, clips: list[Clip]) -> None:
        self.clips = clips

    def __getitem__(self, index: int) -> Clip:
        return self.clips[index % len(self.clips)]


def crowd(present: list[bool]) -> Clip:
    """Three frames with people side by side, some of whom are in the middle frame; joints of person g are at 10 g."""
    count = len(present)
    there = np.ones((count, 3), bool)
    there[:, 1] = present
    tubes = np.array([[10 * g, 0, 10 * g + 6, 8] for g in range(count)], np.float32)
    keypoints = np.zeros((count, 3, 15, 2), np.float32)
    keypoints[..., 0] = 10 * np.arange(count)[:, None, None]
    labelled = np.broadcast_to(there[..., None], (count, 3, 15)).copy()
    return Clip(np.zeros((3, 20, 60, 3), np.uint8), np.repeat(tubes[:, None], 3, 1), there, keypoints, labelled)


def same(a: PersonTubes, b: PersonTubes) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def test_an_upright_crop_is_that_of_crop_tubes() -> None:
    y, x = np.mgrid[:60, :80].astype(np.float32)
    smooth = np.stack([2 * x + y, 255 - 3 * y, 100 + 40 * np.sin(x / 9)], -1).clip(0, 255).astype(np.uint8)
    frames = np.stack([smooth, smooth[::-1]])
    box = box_to_crop(np.array([[20.3, 5.1, 50.2, 44.7]], np.float32), aspect=SIZE[1] / SIZE[0])
    found = cut_tube(frames, crop_matrix(box[0], 0.0, SIZE), SIZE)
    wanted = crop_tubes(
        frames, np.repeat(box[:, None], 2, 1), np.array([[0, 1]]), size=SIZE, mean=(0, 0, 0), std=(1 / 255,) * 3
    )
    assert found.shape == (2, *SIZE, 3) and found.dtype == np.uint8
    # OpenCV rounds places to 1/32 pixel and values to whole ones; at the image's edges black lies next to 255.
    inside = cut_tube(np.ones_like(frames), crop_matrix(box[0], 0.0, SIZE), SIZE) == 1
    difference = np.abs(found - wanted[0].transpose(1, 2, 3, 0))[inside]
    assert inside.mean() > 0.7 and difference.max() <= 1


@pytest.mark.parametrize("angle", [0.0, 30.0, -75.0])
def test_joints_move_with_the_image(angle: float) -> None:
    spot = np.array([41.0, 33.0])
    image = np.zeros((80, 90, 3), np.uint8)
    cv2.circle(image, (41, 33), 3, (255, 255, 255), -1)
    matrix = crop_matrix(np.array([20, 10, 68, 74], np.float32), angle, (64, 48))
    crop = cut_tube(image[None], matrix, (64, 48))[0, ..., 0].astype(np.float64)
    rows, columns = np.mgrid[:64, :48]
    centre = np.array([(columns * crop).sum(), (rows * crop).sum()]) / crop.sum()
    np.testing.assert_allclose(moved(spot, matrix), centre, atol=0.1)


def test_a_positive_angle_is_clockwise() -> None:
    matrix = crop_matrix(np.array([0, 0, 24, 32], np.float32), 90.0, SIZE)
    np.testing.assert_allclose(moved(np.array([12.0, 6.0]), matrix), [22, 16], atol=1e-5)  # what was above is right


def test_joints_are_where_heatmaps_are_decoded_to() -> None:
    points = np.random.default_rng(0).uniform(0, 60, (1, 15, 2)).astype(np.float32)
    box = box_to_crop(np.array([[10, 5, 31, 50]], np.float32), aspect=24 / 32)
    places = moved(points, crop_matrix(box[0], 0.0, SIZE)) / 4
    np.testing.assert_allclose(heatmap_to_image(places, box, heatmap_size=(8, 6)), points, atol=1e-4)


def test_regions_without_augmentation_are_those_of_box_to_crop() -> None:
    boxes = np.array([[3, 4, 50, 40], [1, 2, 8, 70]], np.float32)
    found, angles = regions(boxes, SIZE, UPRIGHT, np.random.default_rng(0))
    np.testing.assert_allclose(found, box_to_crop(boxes, aspect=24 / 32), rtol=1e-6)
    assert not angles.any()


def test_regions_vary_as_much_as_they_are_told_to() -> None:
    boxes = np.tile(np.array([[0, 0, 60, 100]], np.float32), (4000, 1))
    rng = np.random.default_rng(0)
    plain = box_to_crop(boxes, aspect=24 / 32)
    extent = plain[0, 2:] - plain[0, :2]
    found, angles = regions(boxes, SIZE, Augmentation(0.0, 0.35, 45.0), rng)
    np.testing.assert_allclose((found[:, 2] - found[:, 0]) / (found[:, 3] - found[:, 1]), 0.75, rtol=1e-5)
    sizes = (found[:, 2] - found[:, 0]) / extent[0]
    assert sizes.min() + 1e-6 >= 0.65 and sizes.max() - 1e-6 <= 1.35 and 0.2 < sizes.std() < 0.35
    np.testing.assert_allclose(found[:, :2] + found[:, 2:], plain[:, :2] + plain[:, 2:], atol=1e-4)
    assert np.abs(angles).max() <= 90 and 0.37 < (angles == 0).mean() < 0.43 and np.sign(angles).mean() ** 2 < 0.01
    shifted, _ = regions(boxes, SIZE, Augmentation(0.05, 0.0, 0.0), rng)
    shift = ((shifted - plain)[:, :2] + (shifted - plain)[:, 2:]) / 2
    assert (shift.std(0) / (60, 100) > 0.02).all() and (shift.std(0) / (60, 100) < 0.05).all()
    assert (np.abs(shift).max(0) <= 0.1 * np.array([60, 100]) + 1e-3).all()


def test_tubes_depend_on_number_and_seed_alone(clips: Dataset) -> None:
    def make(seed: int) -> PersonClips:
        return PersonClips(clips, SIZE, people=2, augmentation=Augmentation(), seed=seed)

    first = make(5)
    forward = [first[index] for index in (0, 2, 3)]
    assert all(same(a, make(5)[index]) for a, index in zip(forward[::-1], (3, 2, 0), strict=True))
    assert not same(forward[0], forward[1])  # of the same clip, but augmented otherwise
    assert not same(forward[0], make(6)[0])


def test_a_worker_makes_the_same() -> None:
    data = PersonClips(SyntheticClips(3, size=48), SIZE, people=2, augmentation=Augmentation(), complete=True)
    first = data[1]
    assert same(pickle.loads(pickle.dumps(data))[1], first)


def test_shapes_and_what_is_known(clips: Dataset) -> None:
    how = {"people": 3, "augmentation": Augmentation()}
    all_known, annotated = (PersonClips(clips, SIZE, complete=c, **how)[0] for c in (True, False))  # type: ignore[arg-type]
    assert all_known.crops.shape == (3, 3, *SIZE, 3) and all_known.crops.dtype == np.uint8
    assert all_known.keypoints.shape == (3, 3, 15, 2) and all_known.keypoints.dtype == np.float32
    assert all_known.known.all() and np.array_equal(annotated.known, annotated.labelled)
    assert np.array_equal(all_known.labelled, annotated.labelled)


def test_those_in_the_middle_frame_are_taken_and_each_once_before_any_twice() -> None:
    clip = crowd([True, False, True, True])
    clip.labelled[:, 0] = False
    for person in range(4):
        clip.labelled[person, 0, person] = True  # names the person
    counts = np.zeros(4, int)
    for index in range(12):
        found = PersonClips(Listed([clip]), SIZE, people=5, augmentation=UPRIGHT)[index]
        names = found.labelled[:, 0].argmax(1)
        assert sorted(np.bincount(names, minlength=4)) == [0, 1, 2, 2]
        counts += np.bincount(names, minlength=4)
    assert counts[1] == 0 and (counts[[0, 2, 3]] > 12).all()


def test_a_clip_with_nobody_in_the_middle_is_passed_over() -> None:
    empty, full = crowd([False, False]), crowd([True, False])
    data = PersonClips(Listed([empty, full]), SIZE, people=1, augmentation=UPRIGHT)
    assert data[0].labelled[:, 1].all()
    nobody = replace(empty, tubes=empty.tubes[:0], present=empty.present[:0])
    with pytest.raises(ValueError, match="clips must show somebody in their middle frame, but 1000 from 4 on do not"):
        PersonClips(Listed([empty, nobody]), SIZE, people=1, augmentation=UPRIGHT)[4]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"jitter": 0.3}, r"jitter must be between 0 and 0\.2, got 0\.3"),
        ({"scaling": 1.0}, r"scaling must be between 0 and 0\.9, got 1\.0"),
        ({"rotation": -1.0}, r"rotation must be between 0 and 90, got -1\.0"),
    ],
)
def test_numbers_out_of_range(entries: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augmentation(**entries)
