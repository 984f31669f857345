"""COCO's evaluation: equal to pycocotools in all that it gives, writes and prints."""

from __future__ import annotations

import copy
import inspect
import re
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin import patched
from ptfast.dropin import pycocotools as ours
from ptfast.dropin._pycocotools import matching

from .coco_data import Change, Data, people, run


def assert_same(got: Any, expected: Any, where: str = "") -> None:
    """Equal values, types and dtypes, bit for bit; NaN equals NaN."""
    if isinstance(expected, dict):
        assert list(got) == list(expected), where
        for key in expected:
            assert_same(got[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, np.ndarray):
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype), where
        np.testing.assert_array_equal(got, expected, where)
    elif isinstance(expected, list | tuple):
        assert type(got) is type(expected) and len(got) == len(expected), where
        for i, (one, other) in enumerate(zip(got, expected, strict=True)):
            assert_same(one, other, f"{where}[{i}]")
    elif hasattr(expected, "recThrs"):
        assert_same(vars(got), vars(expected), where)
    else:
        assert type(got) is type(expected) and (got == expected or (got != got and expected != expected)), where


def assert_equal_evaluations(
    data: tuple[Data, Data], kind: str, capsys: pytest.CaptureFixture, change: Change = lambda params: None
) -> Any:
    """Evaluates with both, compares everything, and gives ours."""
    evaluator = peer("pycocotools.cocoeval").COCOeval
    theirs, printed = copy.deepcopy(data), []
    evaluations = []
    for which, given in ((ours.COCOeval, data), (evaluator, theirs)):
        capsys.readouterr()
        evaluations.append(run(which, given, kind, change))
        printed.append(re.sub(r"t=[\d.]+s", "", capsys.readouterr().out))
    got, expected = evaluations
    assert printed[0] == printed[1]
    for each in evaluations:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", each.eval.pop("date"))
    for name in ("ious", "evalImgs", "eval", "stats", "params", "_paramsEval"):
        assert_same(getattr(got, name), getattr(expected, name), name)
    for mine, other in zip(data, theirs, strict=True):
        assert_same(mine.dataset, other.dataset, "annotations")
    return got


def matches(evaluation: Any) -> int:
    return sum(int((entry["dtMatches"] != 0).sum()) for entry in evaluation.evalImgs if entry)


@pytest.fixture(params=[0, 10**9], ids=["side by side", "in turn"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test with either way of matching, whatever the number of images."""
    monkeypatch.setattr(matching, "_SIDE_BY_SIDE", request.param)


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_equal_to_pycocotools(
    kind: str, whole: bool, seed: int, either_way: None, capsys: pytest.CaptureFixture
) -> None:
    data = people(seed, categories=1 + seed, images=8, whole=whole)
    assert matches(assert_equal_evaluations(data, kind, capsys)) > 100


def set_few(params: Any) -> None:
    params.maxDets = [7, 1, 3]
    params.imgIds = [6, 2, 2, 3]
    params.catIds = [3, 1]


def set_shares(params: Any) -> None:
    params.iouThrs = np.array([1.0, 0.3])
    params.recThrs = np.array([0.0, 0.5, 1.0, 0.2])  # after the first that is not reached all are 0
    params.areaRng = [[0, 1e10], [500, 2000], (2000, 1e10), [500, 2000]][: len(params.areaRng)]
    params.kpt_oks_sigmas = np.linspace(0.02, 0.2, 17)


def set_no_categories(params: Any) -> None:
    params.useCats = 0
    params.catIds = [3, 1]


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
@pytest.mark.parametrize("change", [set_few, set_shares, set_no_categories])
def test_settings(kind: str, change: Change, capsys: pytest.CaptureFixture) -> None:
    assert_equal_evaluations(people(3, categories=3, images=6), kind, capsys, change)


def test_deprecated_choice_of_boxes(capsys: pytest.CaptureFixture) -> None:
    assert_equal_evaluations(people(3), "segm", capsys, lambda params: setattr(params, "useSegm", 0))


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
@pytest.mark.parametrize(
    "sizes",
    [{"images": 0}, {"most": 0}, {"found": 0}, {"most": 0, "found": 0}, {"categories": 0}, {"images": 1, "most": 1}],
)
def test_little_data(kind: str, sizes: dict[str, int], capsys: pytest.CaptureFixture) -> None:
    assert_equal_evaluations(people(4, **sizes), kind, capsys)


def test_no_detection_counts(capsys: pytest.CaptureFixture) -> None:
    assert_equal_evaluations(people(4), "keypoints", capsys, lambda params: setattr(params, "maxDets", [0]))


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
@pytest.mark.parametrize("seed", [5, 6, 7])
def test_nan_matches_as_in_pycocotools(kind: str, seed: int, either_way: None, capsys: pytest.CaptureFixture) -> None:
    truth, found = people(seed, most=8, found=12)
    rng = np.random.default_rng(seed)
    for detection in found.dataset["annotations"]:
        if rng.random() < 0.3:
            detection["keypoints"][3 * int(rng.integers(17))] = np.nan
            detection["bbox"][int(rng.integers(4))] = np.nan
    with np.errstate(invalid="ignore"):
        evaluation = assert_equal_evaluations((truth, found), kind, capsys)
    if kind == "keypoints":
        assert any(np.isnan(each).any() for each in evaluation.ious.values() if len(each))


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_ids_from_zero_as_in_pycocotools(kind: str, capsys: pytest.CaptureFixture) -> None:
    assert_equal_evaluations(people(8, first_id=0), kind, capsys)


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_numpy_arrays_in_annotations(kind: str, capsys: pytest.CaptureFixture) -> None:
    data = people(9)
    for side in data:
        for annotation in side.dataset["annotations"]:
            annotation["keypoints"] = np.array(annotation["keypoints"], np.float32)
            annotation["bbox"] = np.array(annotation["bbox"])
    assert_equal_evaluations(data, kind, capsys)


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_text_for_ids_is_an_error_of_matches_alone(kind: str, capsys: pytest.CaptureFixture) -> None:
    for far in (True, False):
        data = people(18, images=4)
        for which, side in enumerate(data):
            for annotation in side.dataset["annotations"]:
                annotation["id"] = f"a{annotation['id']}"
                if far and which:
                    annotation["keypoints"] = [1e5] * 51
                    annotation["bbox"][0] = 1e5
        if far:
            assert matches(assert_equal_evaluations(data, kind, capsys)) == 0
            continue
        for evaluator in (ours.COCOeval, peer("pycocotools.cocoeval").COCOeval):
            with pytest.raises(ValueError, match="could not convert string to float: 'a"):
                run(evaluator, data, kind)


def test_other_skeletons(capsys: pytest.CaptureFixture) -> None:
    data = people(10)
    for side in data:
        for annotation in side.dataset["annotations"]:
            annotation["keypoints"] = annotation["keypoints"][:9]
            annotation["num_keypoints"] = int(np.count_nonzero(annotation["keypoints"][2::3]))
    change = lambda params: setattr(params, "kpt_oks_sigmas", np.array([0.05, 0.1, 0.2]))  # noqa: E731
    assert_equal_evaluations(data, "keypoints", capsys, change)
    with pytest.raises(ValueError, match="broadcast"):
        run(ours.COCOeval, people(10), "keypoints", change)
    truth, found = people(10)
    found.dataset["annotations"][3]["keypoints"].append(0)
    with pytest.raises(ValueError, match="keypoints must have one length throughout, got 51 and 52"):
        run(ours.COCOeval, (truth, found), "keypoints")


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
@pytest.mark.parametrize("alone", [False, True])
def test_one_image_at_a_time(kind: str, alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """computeOks, computeIoU and evaluateImg by themselves, with pycocotools to fall back on and without."""
    evaluator = peer("pycocotools.cocoeval").COCOeval
    monkeypatch.setattr("ptfast.dropin._pycocotools.evaluator.original", lambda *name: None if alone else evaluator)
    got, expected = (run(each, people(11, found=20, most=9), kind) for each in (ours.COCOeval, evaluator))
    method = "computeOks" if kind == "keypoints" else "computeIoU"
    for image in range(1, 9):
        assert_same(getattr(got, method)(image, 1), getattr(expected, method)(image, 1), str(image))
        for limit, area in ((20, [0, 1e10]), (3, [500, 2000])):
            assert_same(got.evaluateImg(image, 1, area, limit), expected.evaluateImg(image, 1, area, limit), str(image))


@pytest.mark.parametrize("method", ["computeOks", "evaluateImg"])
def test_overridden_methods_are_called(method: str) -> None:
    calls = []

    class Mine(ours.COCOeval):
        pass

    def counted(self: Any, *arguments: Any) -> Any:
        calls.append(arguments)
        return getattr(ours.COCOeval, method)(self, *arguments)

    setattr(Mine, method, counted)
    mine, plain = (run(each, people(12, images=6), "keypoints") for each in (Mine, ours.COCOeval))
    assert len(calls) == (6 if method == "computeOks" else 18)
    for name in ("ious", "evalImgs", "stats"):
        assert_same(getattr(mine, name), getattr(plain, name), name)


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_accumulating_what_the_user_changed(kind: str) -> None:
    """From evalImgs that were looked at, merged from parts as in distributed evaluation, and with other Params."""
    evaluator = peer("pycocotools.cocoeval").COCOeval
    results = []
    for each in (ours.COCOeval, evaluator):
        parts = []
        for images in ([1, 3, 5], [2, 4, 6]):
            part = each(*people(13, images=6, categories=2), kind)
            part.params.imgIds = images
            part.evaluate()
            parts.append(np.asarray(part.evalImgs).reshape(2, len(part.params.areaRng), 3))
        merged = each(*people(13, images=6, categories=2), kind)
        merged.evalImgs = list(np.concatenate(parts, 2).flatten())
        merged.params.imgIds = [1, 3, 5, 2, 4, 6]
        merged._paramsEval = copy.deepcopy(merged.params)
        merged.accumulate()
        merged.summarize()
        whole = run(each, people(13, images=6, categories=2), kind)
        some = copy.deepcopy(whole.params)
        some.imgIds, some.catIds, some.maxDets, some.areaRng = [2, 6, 9], [1], [9, *some.maxDets], some.areaRng[:1]
        whole.accumulate(some)
        results.append((merged.stats, merged.eval["scores"], whole.eval["precision"], whole.eval["scores"]))
        some = copy.deepcopy(whole.params)
        some.catIds = [9, 1]  # the first was not evaluated: what comes after moves up
        whole.accumulate(some)
        assert whole.eval["recall"][:, 0].max() > 0 and (whole.eval["recall"][:, 1] == -1).all()
        results[-1] += (whole.eval["recall"], whole.eval["precision"])
    assert_same(results[0], results[1])
    one = run(ours.COCOeval, people(13), kind)
    first = one.stats
    for entry in one.evalImgs:
        if entry:
            entry["dtIgnore"] |= True
    one.accumulate()
    one.summarize()
    assert first[0] > 0 and one.stats[0] == 0


def test_objects_of_pycocotools(capsys: pytest.CaptureFixture) -> None:
    """COCO and loadRes, which makes boxes and areas of keypoints."""
    truth, found = people(14)
    coco = peer("pycocotools.coco").COCO()
    coco.dataset = {"images": [{"id": i} for i in truth.images], "categories": [{"id": 1}], **truth.dataset}
    coco.createIndex()
    names = ("image_id", "category_id", "score", "keypoints")
    results = coco.loadRes([{name: each[name] for name in names} for each in found.dataset["annotations"]])
    assert matches(assert_equal_evaluations((coco, results), "keypoints", capsys)) > 100


@pytest.mark.parametrize("package", ["ptfast.dropin.pycocotools", "pycocotools.coco"])
def test_repeated_ids_stand_for_the_last_of_them(package: str, capsys: pytest.CaptureFixture) -> None:
    """Whatever its category: those wanted are found before annotations are looked up by id."""
    sides = []
    for side in people(19, categories=3, images=6):
        coco = peer(package).COCO()
        coco.dataset = {"images": [{"id": i} for i in side.images], "categories": [{"id": i} for i in side.categories]}
        coco.dataset |= {"annotations": [each | {"id": each["id"] // 2 + 1} for each in side.dataset["annotations"]]}
        coco.createIndex()
        sides.append(coco)
    change = lambda params: setattr(params, "catIds", [3, 1])  # noqa: E731
    assert_equal_evaluations((sides[0], sides[1]), "bbox", capsys, change)


def test_data_sets_are_asked_as_by_pycocotools() -> None:
    """For images and categories in lists, whatever a data set does with these."""
    data, asked = people(20, categories=3), []

    def getAnnIds(imgIds: Any = (), catIds: Any = ()) -> list[int]:
        assert isinstance(imgIds, list) and isinstance(catIds, list)
        asked.append((np.asarray(imgIds).tolist(), np.asarray(catIds).tolist(), 3 in catIds, np.int64(2) in catIds))
        return type(data[0]).getAnnIds(data[0], imgIds, catIds)

    data[0].getAnnIds = getAnnIds  # type: ignore[method-assign]
    evaluation = ours.COCOeval(*data, "bbox")
    evaluation.params.catIds, evaluation.params.imgIds = [3, 1, 3], [2, 4]
    evaluation.evaluate()
    assert asked == [([2, 4], [1, 3], True, False)]


def test_masks(capsys: pytest.CaptureFixture) -> None:
    assert matches(assert_equal_evaluations(people(15, images=4, categories=2), "segm", capsys)) > 50


def test_parameters_and_signatures() -> None:
    module = peer("pycocotools.cocoeval")
    for kind in ("segm", "bbox", "keypoints"):
        got, expected = (vars(each.Params(kind)) for each in (ours, module))
        assert got.keys() == expected.keys()
        assert_same({name: got[name] for name in expected}, expected)
    for name, method in vars(module.COCOeval).items():
        if callable(method):
            parameters = inspect.signature(getattr(ours.COCOeval, name)).parameters
            expected = inspect.signature(method).parameters
            assert [(p, parameters[p].default) for p in expected] == [(p, expected[p].default) for p in expected]
    empty, theirs = ours.COCOeval(iouType="bbox"), module.COCOeval(iouType="bbox")
    for name in vars(theirs):
        assert type(getattr(empty, name)).__name__ == type(getattr(theirs, name)).__name__, name


def test_many_pairs_are_taken_in_parts(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("evaluator._PAIRS", "candidates._PAIRS", "similarity._AT_ONCE"):
        monkeypatch.setattr(f"ptfast.dropin._pycocotools.{name}", 10)
    assert_equal_evaluations(people(16, categories=2), "keypoints", capsys)


def test_under_patched() -> None:
    """A program's own import of COCOeval becomes ours, which still finds pycocotools' for single images."""
    module = peer("pycocotools.cocoeval")
    with patched("pycocotools"):
        assert module.COCOeval is ours.COCOeval
        evaluation = run(module.COCOeval, people(17), "bbox")
        assert len(evaluation.computeIoU(1, 1)) == len(evaluation.ious[1, 1])
    assert module.COCOeval is not ours.COCOeval
