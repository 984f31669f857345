"""COCO's data sets: equal to pycocotools in what is read, found, completed and printed."""

from __future__ import annotations

import copy
import inspect
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin import patched
from ptfast.dropin import pycocotools as ours
from ptfast.dropin._pycocotools import coco as data_sets
from ptfast.dropin._pycocotools import loading

from .coco_data import Annotation, people
from .test_pycocotools import assert_same

NAMES = ("dataset", "anns", "cats", "imgs", "imgToAnns", "catToImgs")
TRIANGLE = [10, 10, 40, 10, 40, 60]


def data_set() -> dict[str, Any]:
    truth, _ = people(20, categories=3, images=6)
    for annotation in truth.dataset["annotations"]:
        annotation["segmentation"] = [TRIANGLE]
    names = {1: ("person", "animal"), 2: ("dog", "animal"), 3: ("son", "other")}
    return {
        "info": {"year": 2026, "version": "1"},
        "images": [{"id": i, "height": 600, "width": 600} for i in truth.images],
        "categories": [{"id": i, "name": name, "supercategory": kind} for i, (name, kind) in names.items()],
        **truth.dataset,
    }


@pytest.fixture
def both(tmp_path: Path) -> tuple[Any, Any]:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(data_set()))
    theirs = peer("pycocotools.coco").COCO
    return ours.COCO(str(path)), theirs(str(path))


def outcome(call: Callable[[], Any], capsys: pytest.CaptureFixture) -> tuple[Any, str, str]:
    """What a call gives, what it raises, what it prints but for the seconds."""
    capsys.readouterr()
    result, error = None, ""
    try:
        result = call()
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    return result, error, re.sub(r"t=[\d.]+s", "", capsys.readouterr().out)


def assert_same_data(got: Any, expected: Any) -> None:
    for name in NAMES:
        one, other = getattr(got, name), getattr(expected, name)
        assert type(one) is type(other), name
        assert_same(one, other, name)


def assert_same_results(
    both: tuple[Any, Any], results: Any, capsys: pytest.CaptureFixture, error: str = ""
) -> list[Annotation]:
    """Loads results with both, compares everything, and gives the annotations."""
    outcomes = [outcome(lambda each=each: each.loadRes(copy.deepcopy(results)), capsys) for each in both]
    assert outcomes[0][1:] == outcomes[1][1:]
    if error:
        assert error in outcomes[0][1]
        return []
    assert outcomes[0][1] == ""
    assert_same_data(outcomes[0][0], outcomes[1][0])
    return outcomes[0][0].dataset["annotations"]


@pytest.mark.parametrize("nothing", [None, float("nan")])  # orjson does not take NaN
def test_reading(tmp_path: Path, nothing: float | None, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(data_set() | {"note": "é \ud83d\ude00", "nothing": nothing}))
    for file in (str(path), path):
        got, expected = (outcome(partial(each, file), capsys) for each in (ours.COCO, peer_class()))
        assert got[1:] == expected[1:] and got[1] == "" and "index created!" in got[2]
        assert_same_data(got[0], expected[0])


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("[]", "AssertionError: annotation file format <class 'list'> not supported"),
        ('{"images": [', "JSONDecodeError"),
        ("", "JSONDecodeError"),
        ('{"annotations": [{"id": 1}]}', "KeyError: 'image_id'"),
        (None, "FileNotFoundError"),
    ],
)
def test_bad_files(tmp_path: Path, content: str | None, error: str, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "annotations.json"
    if content is not None:
        path.write_text(content)
    got, expected = (outcome(lambda each=each: each(str(path)), capsys) for each in (ours.COCO, peer_class()))
    assert got[1:] == expected[1:] and error in got[1]


def peer_class() -> Any:
    return peer("pycocotools.coco").COCO


@pytest.mark.parametrize("content", [{}, {"images": [{"id": 3}]}, {"annotations": [], "categories": []}])
def test_indices_of_little(content: dict[str, Any], capsys: pytest.CaptureFixture) -> None:
    got, expected = ours.COCO(), peer_class()()
    assert_same_data(got, expected)
    printed = []
    for each in (got, expected):
        each.dataset = copy.deepcopy(content)
        printed.append(outcome(each.createIndex, capsys))
    assert printed[0] == printed[1]
    assert_same_data(got, expected)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        *(("getAnnIds", each) for each in (
            {}, {"imgIds": 2}, {"imgIds": [3, 1, 99]}, {"catIds": 2}, {"catIds": [3, 1]}, {"areaRng": [500, 5000]},
            {"catIds": (1, 2), "imgIds": 1}, {"iscrowd": True}, {"iscrowd": 0}, {"imgIds": "2"}, {"imgIds": [2, 2]},
            {"imgIds": np.array([2, 4]), "catIds": np.array([1])}, {"imgIds": [], "catIds": {2}}, {"catIds": [[1]]},
        )),
        *(("getCatIds", each) for each in (
            {}, {"catNms": ["dog"]}, {"catNms": "person"}, {"supNms": "animal"}, {"catIds": 2}, {"catNms": "cat"},
            {"supNms": ["animal"], "catIds": [1, 3]},
        )),
        *(("getImgIds", each) for each in (
            {}, {"imgIds": [4, 2]}, {"imgIds": 77}, {"catIds": 1}, {"catIds": [1, 2, 3]}, {"catIds": [9, 1]},
            {"imgIds": [1, 2, 3], "catIds": [2]},
        )),
        *((method, {"ids": ids}) for method in ("loadAnns", "loadCats", "loadImgs")
          for ids in ([], [3, 1], 2, (1,), np.array([1, 2]), 2.5, np.int64(2), [99], None)),
        *((method, {}) for method in ("loadAnns", "loadCats", "loadImgs", "info")),
    ],
)  # fmt: skip
def test_questions(both: Any, method: str, arguments: dict[str, Any], capsys: pytest.CaptureFixture) -> None:
    got, expected = (outcome(lambda each=each: getattr(each, method)(**arguments), capsys) for each in both)
    assert got[1:] == expected[1:]
    assert_same(got[0], expected[0])
    assert_same_data(*both)


def test_areas_lie_between_those_asked_for() -> None:
    """Of 100, 200 and 300 the ends of a range are not in it."""
    for coco in (ours.COCO(), peer_class()()):
        coco.dataset = {
            "annotations": [
                {"id": i, "image_id": 1, "category_id": 1, "area": 100 * i, "iscrowd": 0} for i in (1, 2, 3)
            ]
        }
        coco.createIndex()
        assert coco.getAnnIds(areaRng=[100, 300]) == [2]


def poses(change: Callable[[list[float]], Any] = list, count: int = 12) -> list[Annotation]:
    rng = np.random.default_rng(0)
    return [
        {"image_id": int(rng.integers(1, 7)), "category_id": 1, "score": 0.5}
        | {"keypoints": change(rng.uniform(0, 100, 51).tolist())}
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    "change",
    [
        list,
        lambda values: list(map(int, values)),
        lambda values: [int(v) if i % 3 == 2 else v for i, v in enumerate(values)],
        lambda values: [None if i % 3 == 2 else v for i, v in enumerate(values)],
        lambda values: [int(v) if i % 3 == 0 else v for i, v in enumerate(values)],
        lambda values: [int(v) if v < 50 else v for v in values],
        lambda values: values[: 9 + 3 * int(values[0] % 3)],
        lambda values: values[:50],
        lambda values: [float("nan") if v < 3 else -0.0 if v < 20 else v for v in values],
        np.array,
        lambda values: np.array(values, np.float32),
        tuple,
        lambda values: [np.float32(v) for v in values],
        lambda values: [2**70 + int(v) for v in values],
    ],
)
def test_results_of_keypoints(both: Any, change: Any, capsys: pytest.CaptureFixture) -> None:
    annotations = assert_same_results(both, poses(change), capsys)
    assert [annotation["id"] for annotation in annotations] == list(range(1, 13))
    assert list(annotations[0])[-3:] == ["area", "id", "bbox"]


def test_results_of_several_kinds_of_keypoints(both: Any, capsys: pytest.CaptureFixture) -> None:
    mixed = [
        poses()[i] | {"keypoints": poses(kind)[i]["keypoints"]} for i, kind in enumerate([list, tuple, np.array] * 4)
    ]
    assert_same_results(both, mixed, capsys)


def boxes(**changes: Any) -> list[Annotation]:
    return [
        {"image_id": 1 + i % 6, "category_id": 1 + i % 3, "bbox": [i, 2.5, 30, 40 + i], "score": 0.5} | changes
        for i in range(9)
    ]


@pytest.mark.parametrize(
    "results",
    [
        boxes(),
        boxes(segmentation=[TRIANGLE]),
        boxes(bbox=(1, 2, 3, 4)),
        boxes(keypoints=[1, 2, 1], bbox=[1, 2, 3, 4]),
        boxes(keypoints=[1, 2, 1, 5, 9, 1], bbox=[], id=7),
        [{"image_id": 2 + i, "caption": "people"} for i in range(2)],
    ],
)
def test_other_results(both: Any, results: Any, capsys: pytest.CaptureFixture) -> None:
    assert_same_results(both, results, capsys)


def test_results_of_masks(both: Any, capsys: pytest.CaptureFixture) -> None:
    run_lengths = peer("pycocotools.mask").frPyObjects([TRIANGLE], 600, 600)[0]
    results = [{"image_id": 1, "category_id": 1, "segmentation": run_lengths, "score": 0.5} for _ in range(3)]
    assert_same_results(both, [*results, results[0] | {"bbox": [1, 2, 3, 4]}], capsys)


def test_results_of_an_array(both: Any, capsys: pytest.CaptureFixture) -> None:
    array = np.array([[1 + i % 6, 2, 3, 30, 40, 0.5, 1 + i % 3] for i in range(9)])
    assert_same_results(both, array, capsys)
    assert_same_results(both, array[:, :6], capsys, error="AssertionError")
    assert_same_results(both, array[0], capsys, error="IndexError")


def test_results_of_a_file(both: Any, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(poses()))
    annotations = assert_same_results(both, str(path), capsys)
    assert_same(both[0].loadRes(path).dataset["annotations"], annotations)
    path.write_text("{}")
    assert_same_results(both, str(path), capsys, error="AssertionError: results in not an array of objects")
    assert_same_results(both, str(tmp_path / "absent.json"), capsys, error="FileNotFoundError")


@pytest.mark.parametrize(
    ("results", "error"),
    [
        ([], "IndexError: list index out of range"),
        (({"image_id": 1},), "AssertionError: results in not an array of objects"),
        ([{"image_id": 99, "caption": ""}], "AssertionError: Results do not correspond to current coco set"),
        ([{"caption": ""}], "KeyError: 'image_id'"),
        ([{"image_id": 1, "keypoints": []}], "ValueError: zero-size array"),
        ([{"image_id": 2, "category_id": 1, "score": 1}], "KeyError: 'id'"),
        (boxes(bbox=np.array([1.0, 2, 3, 4])), "ValueError: operands could not be broadcast"),
    ],
)
def test_bad_results(both: Any, results: Any, error: str, capsys: pytest.CaptureFixture) -> None:
    assert_same_results(both, results, capsys, error)


def test_results_are_the_callers_own(both: Any) -> None:
    """Ids, areas and boxes are written into the list that was given, which the data set holds."""
    results = poses()
    assert both[0].loadRes(results).dataset["annotations"] is results
    assert results[0]["id"] == 1 and len(results[0]["bbox"]) == 4


def test_masks_are_pycocotools(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    got, expected = both
    annotation = got.dataset["annotations"][0]
    assert got.annToRLE(annotation) == expected.annToRLE(annotation)
    np.testing.assert_array_equal(got.annToMask(annotation), expected.annToMask(annotation))
    assert got.annToMask(annotation).sum() > 100
    with patched("pycocotools"):
        assert got.annToRLE(annotation) == expected.annToRLE(annotation)
    assert got.showAnns([]) == expected.showAnns([]) == 0
    assert got.download() == expected.download() == -1


def test_without_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_sets, "original", lambda *name: None)
    monkeypatch.setattr(loading, "original", lambda *name: None)
    coco = ours.COCO()
    coco.dataset = data_set()
    coco.createIndex()
    with pytest.raises(ImportError, match=r"COCO\.annToMask needs pycocotools, which is not installed: pip install"):
        coco.annToMask(coco.dataset["annotations"][0])
    with pytest.raises(ImportError, match="results of masks need pycocotools"):
        coco.loadRes([{"image_id": 1, "segmentation": {}}])


def test_signatures_and_names() -> None:
    theirs = peer_class()
    for name, method in vars(theirs).items():
        if callable(method):
            got, expected = (inspect.signature(getattr(each, name)).parameters for each in (ours.COCO, theirs))
            defaults = [p.default if p.default != [] else () for p in expected.values()]
            assert [(p.name, p.default) for p in got.values()] == list(zip(expected, defaults, strict=True)), name


def test_under_patched(tmp_path: Path) -> None:
    """A program's own import becomes ours, evaluates as before, and gets the original back."""
    module, evaluation = peer("pycocotools.coco"), peer("pycocotools.cocoeval")
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(data_set()))

    def stats() -> np.ndarray:
        truth = module.COCO(str(path))
        evaluator = evaluation.COCOeval(truth, truth.loadRes(boxes()), "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
        return evaluator.stats

    before = module.COCO(), evaluation.COCOeval(iouType="bbox"), evaluation.Params()
    with patched("pycocotools"):
        assert module.COCO is ours.COCO
        classes = module.COCO, evaluation.COCOeval, evaluation.Params
        assert all(map(isinstance, before, classes)) and not isinstance(before[0], evaluation.COCOeval)
        got = stats()
    assert module.COCO is not ours.COCO
    np.testing.assert_array_equal(got, stats())
