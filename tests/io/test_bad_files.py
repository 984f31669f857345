"""A bad file is one ValueError with the file, the place in it, what was expected and what was found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_15, POSETRACK_17, Poses, read_poses, write_poses

NAN, INFINITY = float("nan"), float("inf")
NAMES = "posetrack_17, posetrack_15, coco_17, box_center"
FORMS = (
    "annolist (PoseTrack 2017), images, annotations and categories (PoseTrack 2018, COCO), frames or a list"
)  # fmt: skip


def written(format: str, folder: Path) -> Any:
    """A good file of two frames with two people each, as parsed JSON."""
    skeleton = {"posetrack17": POSETRACK_15, "posetrack18": POSETRACK_17}.get(format, COCO_17)
    k = len(skeleton)
    polygon = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]])
    poses = Poses(
        keypoints=np.arange(4 * k * 2).reshape(4, k, 2) + 1,
        frame_offsets=np.array([0, 2, 4]),
        skeleton=skeleton,
        track_ids=np.array([0, 1, 0, 1]),
        head_boxes=np.tile([1, 2, 3, 4], (4, 1)),
        areas=np.full(4, 50),
        frame_names=("a/000000.jpg", "a/000001.jpg"),
        is_labeled=np.array([True, False]),
        frame_size=np.array([[64, 48], [64, 48]]),
        ignore_regions=((polygon,), ()),
        sequence="walk",
    )
    path = folder / "good.json"
    write_poses(poses, path, format=format)
    return json.loads(path.read_text())


def put(*path_and_value: Any) -> Callable[[Any], None]:
    """An edit that sets document[path...] = value."""
    *path, key, value = path_and_value

    def edit(document: Any) -> None:
        for step in path:
            document = document[step]
        document[key] = value

    return edit


def drop(*path: Any) -> Callable[[Any], None]:
    """An edit that deletes document[path...]."""
    *parents, key = path

    def edit(document: Any) -> None:
        for step in parents:
            document = document[step]
        del document[key]

    return edit


def both_frames(form: str) -> Callable[[Any], None]:
    """An edit that gives the second frame the first one's name or id."""
    return {
        "images": lambda document: document["images"][1].update(id=document["images"][0]["id"]),
        "name": lambda document: document["annolist"][1].update(image=document["annolist"][0]["image"]),
        "imgnum": lambda document: document["annolist"][1].update(imgnum=[1]),
    }[form]


def as_ground_truth(flag: float) -> Callable[[Any], None]:
    """An edit that takes the last annotation's scores and gives a joint that flag."""

    def edit(document: Any) -> None:
        del document["annotations"][3]["scores"]
        document["annotations"][3]["keypoints"][5] = flag

    return edit


POSETRACK18 = [
    (drop("images"), "top level", "the key 'images'", "an object with the keys annotations, categories, sequence"),
    (drop("annotations"), "top level", "the key 'annotations'", "an object with the keys images, categories, sequence"),
    (put("images", {}), "images", "a list", "an object"),
    (put("images", 1, "x"), "images[1]", "an object", "a string"),
    (drop("images", 1, "id"), "images[1]", "the key 'id'", "an object"),
    (put("images", 1, "id", "7"), "images[1].id", "a whole number", "a string"),
    (put("images", 1, "id", 2**63), "images[1].id", "a whole number of 64 bits", "9223372036854775808"),
    (both_frames("images"), "images[1].id", "a distinct id for each image", "10000000000, which images[0] has too"),
    (put("images", 1, "file_name", 3), "images[1].file_name", "a string", "a whole number"),
    (put("images", 0, "width", 6.5), "images[0].width", "a whole number or a list", "a decimal number"),
    (
        put("images", 0, "is_labeled", "yes"),
        "images[0].is_labeled",
        "true or false or a whole number or a list",
        "a string",
    ),
    (put("images", 0, "is_labeled", -5), "images[0].is_labeled", "true or false", "-5"),
    (put("images", 0, "vid_id", {}), "images[0].vid_id", "a whole number or a string or null", "an object"),
    (put("images", 0, "vid_id", []), "images[0].vid_id", "a whole number or a string or null", "a list"),
    (put("images", 1, "ignore_regions_x", {}), "images[1].ignore_regions_x", "a list", "an object"),
    (put("images", 1, "ignore_regions_y", ""), "images[1].ignore_regions_y", "a list", "a string"),
    (
        put("images", 0, "ignore_regions_x", []),
        "images[0].ignore_regions_y",
        "0 polygons, as many as in ignore_regions_x",
        "1",
    ),
    (put("images", 0, "ignore_regions_y", 0, [1.0, 2.0]), "images[0].ignore_regions_y[0]", "3 numbers", "2"),
    (put("images", 0, "ignore_regions_x", 0, 1, NAN), "images[0].ignore_regions_x[0][1]", "a finite number", "NaN"),
    (put("annotations", 1, []), "annotations[1]", "an object", "a list"),
    (drop("annotations", 2, "keypoints"), "annotations[2]", "the key 'keypoints'", "an object"),
    (put("annotations", 2, "keypoints", [1.0] * 48), "annotations[2].keypoints", "51 numbers", "48"),
    (put("annotations", 2, "keypoints", "abc"), "annotations[2].keypoints", "a list", "a string"),
    (put("annotations", 2, "keypoints", None), "annotations[2].keypoints", "a list", "null"),
    (put("annotations", 2, "keypoints", 4, INFINITY), "annotations[2].keypoints[4]", "a finite number", "inf"),
    (put("annotations", 2, "keypoints", 5, NAN), "annotations[2].keypoints", "joint flags 0, 1 or 2", "nan"),
    (put("annotations", 2, "scores", 4, -INFINITY), "annotations[2].scores[4]", "a finite number", "-inf"),
    (put("annotations", 2, "bbox", 1, NAN), "annotations[2].bbox[1]", "a finite number", "NaN"),
    (put("annotations", 2, "score", NAN), "annotations[2].score", "a finite number", "NaN"),
    (put("annotations", 2, "area", NAN), "annotations[2].area", "a finite number", "NaN"),
    (put("annotations", 2, "keypoints", 4, 1e39), "annotations[2].keypoints[4]", "a finite number", "1e+39"),
    (put("annotations", 2, "keypoints", 4, "12"), "annotations[2].keypoints[4]", "a number", "a string"),
    (put("annotations", 2, "keypoints", 4, None), "annotations[2].keypoints[4]", "a number", "null"),
    (put("annotations", 2, "keypoints", 4, True), "annotations[2].keypoints[4]", "a number", "true or false"),
    (put("annotations", 2, "keypoints", 4, [1]), "annotations[2].keypoints[4]", "a number", "a list"),
    (put("annotations", 3, "image_id", 5), "annotations[3].image_id", "the id of one of the images", "5"),
    (put("annotations", 3, "image_id", 1.0), "annotations[3].image_id", "a whole number", "a decimal number"),
    (
        put("annotations", 3, "track_id", 0),
        "annotations[3].track_id",
        "each track id once in image 10000000001",
        "0 twice",
    ),
    (put("annotations", 3, "track_id", 1.5), "annotations[3].track_id", "a whole number or a list", "a decimal number"),
    (put("annotations", 3, "track_id", -5), "annotations[3].track_id", "a track id, or -1 for none", "-5"),
    (as_ground_truth(1.5), "annotations[3].keypoints", "joint flags 0, 1 or 2", "1.5"),
    (as_ground_truth(-5), "annotations[3].keypoints", "joint flags 0, 1 or 2", "-5"),
    (put("annotations", 3, "scores", [1.0]), "annotations[3].scores", "17 numbers", "1"),
    (put("annotations", 3, "scores", 2, "1"), "annotations[3].scores[2]", "a number", "a string"),
    (put("annotations", 3, "score", None), "annotations[3].score", "a number or a list", "null"),
    (put("annotations", 3, "bbox", [1.0, 2.0, 3.0]), "annotations[3].bbox", "4 numbers", "3"),
    (
        put("annotations", 3, "bbox_head", {"x": 1}),
        "annotations[3].bbox_head",
        "a list",
        "an object",
    ),
    (put("annotations", 3, "area", "big"), "annotations[3].area", "a number or a list", "a string"),
    (put("annotations", 3, "iscrowd", 2), "annotations[3].iscrowd", "true or false", "2"),
    (
        put("annotations", 3, "iscrowd", "no"),
        "annotations[3].iscrowd",
        "true or false or a whole number or a list",
        "a string",
    ),
    (put("annotations", 3, "visibility", [3] * 17), "annotations[3].visibility", "joint flags 0, 1 or 2", "3"),
    (put("categories", []), "categories", "one category with keypoints", "0"),
    (drop("categories", 0, "keypoints"), "categories", "one category with keypoints", "0"),
    (put("categories", 0, "keypoints", ["a", "a"]), "categories[0].keypoints", "distinct joint names", "a, a"),
    (put("categories", 0, "keypoints", 0, 5), "categories[0].keypoints[0]", "a string", "a whole number"),
    (
        put("categories", 0, "keypoints", ["a", "b"]),
        "categories[0].skeleton[0]",
        "two joint numbers from 1 to 2",
        "16, 14",
    ),
    (put("sequence", 5), "sequence", "a string", "a whole number"),
]

COCO = [
    (drop("categories"), "top level", "the key 'categories'", "an object with the keys images, annotations, sequence"),
    (put("annotations", 0, "keypoints", 2, 3), "annotations[0].keypoints", "joint flags 0, 1 or 2", "3"),
    (put("annotations", 0, "keypoints", 2, 0.5), "annotations[0].keypoints", "joint flags 0, 1 or 2", "0.5"),
    (put("annotations", 0, "keypoints", 2, NAN), "annotations[0].keypoints", "joint flags 0, 1 or 2", "nan"),
    (put("annotations", 1, "track_id", 0), "annotations[1].track_id", "each track id once in image 1", "0 twice"),
]

PERSON = ("annolist", 1, "annorect", 0)
POINTS = (*PERSON, "annopoints", 0, "point")
POINT = "annolist[1].annorect[0].annopoints[0].point[3]"
POSETRACK17 = [
    (put("annolist", {"a": 1}), "annolist", "a list", "an object"),
    (put("annolist", 1, None), "annolist[1]", "an object", "null"),
    (drop("annolist", 1, "image"), "annolist[1]", "the key 'image'", "an object"),
    (put("annolist", 1, "image", []), "annolist[1].image", "a list of length 1", "something else"),
    (put("annolist", 1, "image", 0, "name", 3), "annolist[1].image[0].name", "a string", "a whole number"),
    (
        both_frames("name"),
        "annolist[1].image[0].name",
        "a distinct one for each frame",
        "'a/000000.jpg', which annolist[0] has too",
    ),
    (both_frames("imgnum"), "annolist[1].imgnum", "a distinct one for each frame", "1, which annolist[0] has too"),
    (put("annolist", 1, "imgnum", [1.5]), "annolist[1].imgnum", "a list of one whole number", "1.5"),
    (put("annolist", 1, "is_labeled", [-5]), "annolist[1].is_labeled", "a list of 0 or 1", "-5"),
    (put("annolist", 1, "is_labeled", 1), "annolist[1].is_labeled", "a list", "a whole number"),
    (put("annolist", 1, "annorect", {}), "annolist[1].annorect", "a list", "an object"),
    (put(*PERSON, 3), "annolist[1].annorect[0]", "an object", "a whole number"),
    (put(*PERSON, "track_id", [1]), "annolist[1].annorect[1].track_id", "each track id once in annolist[1]", "1 twice"),
    (put(*PERSON, "track_id", [-5]), "annolist[1].annorect[0].track_id", "a track id, or -1 for none", "-5"),
    (put(*PERSON, "track_id", [1e30]), "annolist[1].annorect[0].track_id", "a list of one whole number", "1e+30"),
    (put(*PERSON, "track_id", [0.5]), "annolist[1].annorect[0].track_id", "a list of one whole number", "0.5"),
    (put(*PERSON, "score", ["x"]), "annolist[1].annorect[0].score[0]", "a number", "a string"),
    (drop(*PERSON, "y1"), "annolist[1].annorect[0]", "the key 'y1'", "an object"),
    (
        put(*PERSON, "annopoints", [{}, {}]),
        "annolist[1].annorect[0].annopoints",
        "at most one list of points",
        "2",
    ),
    (
        put(*PERSON, "annopoints", {"point": []}),
        "annolist[1].annorect[0].annopoints",
        "a list",
        "an object",
    ),
    (put(*POINTS, 3, "x"), POINT, "an object", "a string"),
    (drop(*POINTS, 3, "x"), POINT, "the key 'x'", "an object"),
    (put(*POINTS, 3, "x", 5.0), POINT + ".x", "a list", "a decimal number"),
    (put(*POINTS, 3, "x", [1.0, 2.0]), POINT + ".x", "a list of length 1", "something else"),
    (put(*POINTS, 3, "x", [INFINITY]), POINT + ".x[0]", "a finite number", "inf"),
    (put(*POINTS, 3, "score", [INFINITY]), POINT + ".score[0]", "a finite number", "inf"),
    (put(*POINTS, 3, "is_visible", [NAN]), POINT + ".is_visible[0]", "a finite number", "NaN"),
    (put(*POINTS, 3, "y", ["7"]), POINT + ".y[0]", "a number", "a string"),
    (put(*POINTS, 3, "id", [15]), POINT + ".id", "a joint number from 0 to 14", "15"),
    (put(*POINTS, 3, "id", [2]), POINT + ".id", "each joint once", "2, which annolist[1].annorect[0]"),
    (put(*POINTS, 3, "score", [None]), POINT + ".score[0]", "a number", "null"),
    (put(*POINTS, 3, "id", [1e30]), POINT + ".id", "a joint number from 0 to 14", "1e+30"),
    (put(*POINTS, 3, "is_visible", [1.5]), POINT + ".is_visible", "a list of 0 or 1", "1.5"),
    (put(*POINTS, 3, "is_visible", "1"), POINT + ".is_visible", "a list", "a string"),
    (
        drop("annolist", 0, "ignore_regions", 0, "point"),
        "annolist[0].ignore_regions[0]",
        "the key 'point'",
        "an object without it",
    ),
    (
        put("annolist", 0, "ignore_regions", 0, "point", 1, "y", []),
        "annolist[0].ignore_regions[0].point[1].y",
        "a list of length 1",
        "something else",
    ),
]

FRAME = "frames['a/000001.jpg']"
FRAMES = [
    (put("frames", 3), "frames", "an object", "a whole number"),
    (put("skeleton", "dog"), "skeleton", f"one of {NAMES} or an object with the joints", "'dog'"),
    (put("skeleton", {"name": "a"}), "skeleton", "the key 'joints'", "an object without it"),
    (put("frames", "a/000001.jpg", None), FRAME, "a list", "null"),
    (put("frames", "a/000001.jpg", 1, 5), FRAME + "[1]", "an object", "a whole number"),
    (drop("frames", "a/000001.jpg", 1, "keypoints"), FRAME + "[1]", "the key 'keypoints'", "an object"),
    (put("frames", "a/000001.jpg", 1, "keypoints", [1.0] * 17), FRAME + "[1].keypoints", "51 numbers", "17"),
    (put("frames", "a/000001.jpg", 1, "keypoints", 0, INFINITY), FRAME + "[1].keypoints[0]", "a finite number", "inf"),
    (put("frames", "a/000001.jpg", 1, "box", 3, NAN), FRAME + "[1].box[3]", "a finite number", "NaN"),
    (
        put("frames", "a/000001.jpg", 1, "track_id", 0),
        FRAME + "[1].track_id",
        "each track id once in frame 'a/000001.jpg'",
        "0 twice",
    ),
    (put("frames", "a/000001.jpg", 1, "track_id", -5), FRAME + "[1].track_id", "a track id, or -1 for none", "-5"),
    (put("frames", "a/000001.jpg", 1, "box", [1.0]), FRAME + "[1].box", "4 numbers", "1"),
    (put("frames", "a/000001.jpg", 1, "score", "high"), FRAME + "[1].score", "a number or a list", "a string"),
]

COCO_RESULTS = [
    (put(1, "x"), "[1]", "an object", "a string"),
    (drop(1, "image_id"), "[1]", "the key 'image_id'", "an object"),
    (drop(1, "keypoints"), "[1]", "the key 'keypoints'", "an object"),
    (put(1, "image_id", "1"), "[1].image_id", "a whole number", "a string"),
    (put(1, "keypoints", [0.0] * 50), "[1].keypoints", "51 numbers", "50"),
    (put(1, "track_id", 0), "[1].track_id", "each track id once in image 1", "0 twice"),
    (put(1, "track_id", -5), "[1].track_id", "a track id, or -1 for none", "-5"),
    (put(1, "bbox", None), "[1].bbox", "a list", "null"),
    (put(1, "keypoints", 7, INFINITY), "[1].keypoints[7]", "a finite number", "inf"),
    (put(1, "keypoints", 8, -INFINITY), "[1].keypoints[8]", "a finite number", "-inf"),
    (put(1, "bbox", 0, NAN), "[1].bbox[0]", "a finite number", "NaN"),
]

EDITS = [
    pytest.param(format, edit, place, expected, found, id=f"{format}-{number}")
    for format, cases in {
        "posetrack18": POSETRACK18, "coco": COCO, "posetrack17": POSETRACK17, "frames": FRAMES,
        "coco_results": COCO_RESULTS,
    }.items()
    for number, (edit, place, expected, found) in enumerate(cases)
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("format", "edit", "place", "expected", "found"), EDITS)
def test_the_bad_value_of_a_json_file_is_named(
    format: str, edit: Callable[[Any], None], place: str, expected: str, found: str, tmp_path: Path
) -> None:
    document = written(format, tmp_path)
    edit(document)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError) as error:
        read_poses(path)
    assert str(error.value).startswith(f"{path}: {place}: expected {expected}, found {found}")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"", "line 1: expected poses, found an empty file"),
        ("a.json", b" \n", "line 1: expected poses, found an empty file"),
        ("a.json", b'{"annolist": [{"image"', "line 1 column 23: expected JSON, found the end of the file"),
        ("a.json", b'{"images":\n [1 2]}', "line 2 column 5: expected JSON, found a syntax error (Expecting "),
        ("a.json", b'{"a": "\xff"}', "byte 7: expected UTF-8 text, found 0xff"),
        ("a.json", b"[" * 100_000, "top level: expected JSON, found "),
        ("a.json", b"1" * 5_000, "top level: expected JSON, found "),
        ("a.json", b"3", f"top level: expected {FORMS}, found 3"),
        ("a.json", b"{}", f"top level: expected {FORMS}, found an empty object"),
        ("a.json", b'{"a": 1}', f"top level: expected {FORMS}, found an object with the keys a"),
        ("a.json", b'{"f": [], "f": []}', "'f': expected each name once, found it twice"),
        ("a.json", b'{"f": [{"keypoints": [1, 2]}]}', "['f'][0].keypoints: expected 51 or 45 numbers"),
        ("a.txt", b"", "line 1: expected poses, found an empty file"),
        ("a.txt", b"1,2,3\n", "line 1: expected at least 7 values between commas, found 3"),
        ("a.txt", b"1,1,0,0,5,5,1,-1,-1,-1\n1,2,0,0,5", "line 2: expected 10 values between commas, found 5"),
        ("a.txt", b"1,1,0,0,5,5,1\n\n1,2,0,x,5,5,1\n", "line 3, top: expected a number, found 'x'"),
        ("a.txt", b"1,1,0,0,5,nan,1\n", "line 1, height: expected a finite number, found 'nan'"),
        ("a.txt", b"1.5,1,0,0,5,5,1\n", "line 1, frame: expected a whole number, found '1.5'"),
        ("a.txt", b"0,1,0,0,5,5,1\n", "line 1, frame: expected a frame number from 1 to 10000000, found '0'"),
        ("a.txt", b"1e11,1,0,0,5,5,1\n", "line 1, frame: expected a frame number from 1 to 10000000, found '1e11'"),
        ("a.txt", b"1,-5,0,0,5,5,1\n", "line 1, id: expected a track id, or -1 for none, found '-5'"),
        ("a.txt", b"1_0,1,0,0,5,5,1\n", "line 1, frame: expected a number, found '1_0'"),
        ("a.txt", b"1,1,0,0,5,5,1\n1,1,9,9,5,5,1\n", "line 2: expected each id once in frame 1, found 1 twice"),
        ("a.csv", b"", "line 1: expected poses, found an empty file"),
        ("a.csv", b'frame,"x\n', "top level: expected a CSV table, found "),
    ],
)  # fmt: skip
def test_a_file_that_is_broken_as_a_whole(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_poses(path)
    assert str(error.value).startswith(f"{path}: {message}")


JUNK = (None, True, "x", "", [], {}, [[]], [None], {"a": 1}, NAN, float("inf"), -1, 0, 2, 1e39, 10**400, [1, 2], 0.5)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to every value of a document."""
    keys = document.keys() if isinstance(document, dict) else range(len(document) if isinstance(document, list) else 0)
    for key in keys:
        yield (*path, key)
        yield from places(document[key], (*path, key))


@pytest.mark.parametrize("format", ["posetrack18", "posetrack17", "coco", "frames", "coco_results"])
def test_whatever_is_wrong_is_found_and_named(format: str, tmp_path: Path) -> None:
    """Any value replaced by any junk, or left out: the file reads, or the error names the file and a place in it."""
    good = written(format, tmp_path)
    everywhere = list(places(good))
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        document = deepcopy(good)
        *parents, key = everywhere[rng.integers(len(everywhere))]
        edit = drop(*parents, key) if rng.random() < 0.2 else put(*parents, key, JUNK[rng.integers(len(JUNK))])
        edit(document)
        path = tmp_path / "bad.json"
        path.write_text(json.dumps(document))
        try:
            read_poses(path, format=format)
        except ValueError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ")
            assert "expected" in str(error)
            assert "expected a readable file" not in str(error)
    assert refused > 100
