"""Crowds and close-ups of COCO's images (benchmarks/coco_scenes.py): annotations are where the people are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from coco_scenes import Scene, close_up, close_ups, cropped, crowds, document, side_by_side


def person(number: int, box: tuple[float, ...], joints: list[tuple[float, float, int]]) -> dict[str, Any]:
    """An annotation with some joints, the others absent."""
    rows = [*joints, *[(0, 0, 0)] * (17 - len(joints))]
    return {"id": number, "image_id": 0, "category_id": 1, "iscrowd": 0, "segmentation": [[0, 0, 1, 1]]} | {
        "keypoints": [value for row in rows for value in row],
        "num_keypoints": len(joints),
        "bbox": list(box),
        "area": 0.5 * box[2] * box[3],
    }


def scene(number: int, width: int, height: int, box: tuple[int, int, int, int]) -> Scene:
    """A black image with one white person, whose joints are in opposite corners of the box."""
    x, y, w, h = box
    image = np.zeros((height, width, 3), np.uint8)
    image[y : y + h, x : x + w] = 255
    return Scene(number, image, [person(number, box, [(x, y, 2), (x + w - 1, y + h - 1, 1)])])


def white(image: np.ndarray) -> list[int]:
    """Box of the bright pixels: x, y, width, height."""
    rows, columns = np.nonzero(image[..., 0] > 127)
    return [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]


def test_people_of_a_crowd_are_where_they_are_annotated() -> None:
    """A wide image fills its cell's width, a high one its height; both end up half as large."""
    pair = [scene(5, 80, 40, (20, 8, 16, 24)), scene(6, 40, 60, (4, 40, 12, 20))]
    crowd = side_by_side(pair, (2, 2), (80, 60))
    assert crowd.image_id == 5 and crowd.image.shape == (60, 80, 3)
    first, second = crowd.people
    assert first["bbox"] == white(crowd.image[:, :40]) == [10, 4, 8, 12]
    assert second["bbox"] == [42, 20, 6, 10] and white(crowd.image[:, 40:]) == [2, 20, 6, 10]
    assert first["keypoints"][:9] == [10, 4, 2, 17.5, 15.5, 1, 0, 0, 0]
    assert second["keypoints"] == [42, 20, 2, 47.5, 29.5, 1] + [0] * 45
    assert (first["area"], second["area"]) == (48, 30)
    assert [each["num_keypoints"] for each in crowd.people] == [2, 2]
    assert "segmentation" not in first


def test_each_image_is_in_one_crowd() -> None:
    scenes = [scene(number, 20, 20, (4, 4, 8, 8)) for number in range(5)]
    both = crowds(scenes, (2, 1), (40, 20))
    assert [[each["id"] for each in crowd.people] for crowd in both] == [[0, 1], [2, 3], [4]]
    assert [crowd.people[-1]["bbox"] for crowd in both] == [[24, 4, 8, 8], [24, 4, 8, 8], [4, 4, 8, 8]]
    content = document({crowd.image_id: crowd.people for crowd in both})
    assert [image["id"] for image in content["images"]] == [0, 2, 4]
    assert [each["image_id"] for each in content["annotations"]] == [0, 0, 2, 2, 4]


def test_whoever_is_close_up_fills_the_image() -> None:
    """Of 20 x 40 pixels, with a margin of 2 and 4, 24 x 48 are shown four times as large."""
    close = close_up(scene(3, 100, 80, (30, 20, 20, 40)), (30, 20, 20, 40), (1000, 192))
    assert close.image.shape == (192, 96, 3)
    (shown,) = close.people
    assert shown["bbox"] == white(close.image) == [8, 16, 80, 160]
    assert shown["keypoints"][:6] == [8, 16, 2, 84, 172, 1]
    assert shown["area"] == 16 * 400


def test_a_close_up_ends_where_the_image_does_and_has_no_more_than_the_width() -> None:
    close = close_up(scene(3, 60, 80, (0, 20, 50, 25)), (0, 20, 50, 25), (110, 1000))
    assert close.image.shape == (62, 110, 3)  # 55 x 31 pixels of the image, from (0, 17)
    assert close.people[0]["bbox"] == pytest.approx([0, 6, 100, 50])


def test_who_is_cut_off_keeps_what_is_inside() -> None:
    low, high = np.array([10, 10]), np.array([50, 50])
    one = person(1, (40, 20, 20, 10), [(45, 21, 2), (50, 25, 2), (49, 29, 1)])
    kept = cropped(one, low, high)
    assert kept is not None
    assert kept["bbox"] == [40, 20, 10, 10] and kept["area"] == 50 and kept["num_keypoints"] == 2
    assert kept["keypoints"] == [45, 21, 2, 0, 0, 0, 49, 29, 1] + [0] * 42
    assert cropped(person(1, (50, 20, 20, 10), [(55, 21, 2)]), low, high) is None
    assert cropped(person(1, (0, 20, 10, 10), []), low, high) is None


def test_close_ups_are_of_the_largest_person_with_joints() -> None:
    people = [
        person(1, (0, 0, 10, 96), [(1, 1, 2)]),
        person(2, (100, 0, 10, 200), []),
        person(3, (50, 0, 10, 150), [(51, 1, 2)]),
        person(4, (150, 0, 10, 190), [(151, 1, 2)]) | {"iscrowd": 1},
    ]
    image = np.zeros((200, 200, 3), np.uint8)
    (close,) = close_ups([Scene(7, image, people), Scene(8, image, people[1:2]), Scene(9, image, [])], (400, 400))
    assert close.image_id == 7 and [each["id"] for each in close.people] == [3]
    assert not close_ups([Scene(7, image, [person(1, (0, 0, 10, 95), [(1, 1, 2)])])], (400, 400))
