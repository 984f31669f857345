"""COCO's evaluation without pycocotools: known values, errors, and what differs from it."""

from __future__ import annotations

import gc
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from ptfast.dropin import pycocotools as ours

from .coco_data import Data, evaluate, one_person, people, run


def test_known_values(capsys: pytest.CaptureFixture) -> None:
    evaluation = evaluate([one_person()], [one_person()])
    np.testing.assert_allclose(evaluation.stats, [1, 1, 1, 1, -1, 1, 1, 1, 1, -1], rtol=1e-12)
    assert evaluation.ious == {(1, 1): np.ones((1, 1))}
    lines = capsys.readouterr().out.splitlines()
    assert " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets= 20 ] = 1.000" in lines
    assert " Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets= 20 ] = -1.000" in lines
    # half of an equal box: IoU 0.5 is enough for a threshold of 0.5, and for none above
    half = one_person(bbox=[0.0, 0.0, 50.0, 25.0], area=1250.0)
    np.testing.assert_allclose(evaluate([one_person()], [half], "bbox").stats[:3], [0.1, 1, 0], atol=1e-12)
    # a false detection before the right one halves precision
    wrong = one_person(id=2, score=0.9, keypoints=np.full(51, 1e4).tolist())
    np.testing.assert_allclose(evaluate([one_person()], [one_person(), wrong]).stats[0], 0.5, atol=1e-12)


def test_oks_of_one_joint() -> None:
    """exp(-d^2 / (2 (2 sigma)^2 area)), and the distance from the grown box where no joint is labelled."""
    near = one_person(keypoints=[3.0, 4.0, 1.0] * 17)
    one = one_person(keypoints=[0.0, 0.0, 2.0] + [0.0] * 48, num_keypoints=1)
    expected = np.exp(-25 / (2 * (2 * 0.026) ** 2 * 2500))
    np.testing.assert_allclose(evaluate([one], [near]).ious[1, 1], [[expected]], rtol=1e-14)
    none = one_person(keypoints=[0.0] * 51, num_keypoints=0)
    far = one_person(keypoints=[103.0, -54.0, 1.0] * 17)  # 3 and 4 beyond a box from -50 to 100
    sigmas = ours.Params("keypoints").kpt_oks_sigmas
    expected = np.exp(-25 / (2 * (2 * sigmas) ** 2 * 2500)).mean()
    evaluation = evaluate([none], [far, near | {"id": 2, "score": 0.1}])
    np.testing.assert_allclose(evaluation.ious[1, 1], [[expected], [1.0]], rtol=1e-14)
    assert evaluation.stats[0] == -1  # who has no labelled joint is ignored


def test_ends_belong_to_both_area_ranges() -> None:
    """32 x 32 is small and medium: as an annotation, and as a false detection."""
    square = one_person(bbox=[0.0, 0.0, 32.0, 32.0], area=1024.0)
    small, medium, large = evaluate([square], [square], "bbox").stats[3:6]
    assert (small, medium, large) == (pytest.approx(1), pytest.approx(1), -1)
    wrong = one_person(id=2, score=0.9, bbox=[200.0, 0.0, 32.0, 32.0], area=1024.0)
    assert evaluate([square], [square, wrong], "bbox").stats[3:5].tolist() == pytest.approx([0.5, 0.5])


def test_crowds_take_many_and_count_for_nothing() -> None:
    crowd = one_person(iscrowd=1, bbox=[0.0, 0.0, 500.0, 500.0])
    found = [one_person(id=i, bbox=[10.0 * i, 0.0, 50.0, 50.0]) for i in range(1, 4)]
    person = one_person(id=2, bbox=[1000.0, 0.0, 50.0, 50.0])
    evaluation = evaluate([crowd, person], [*found, one_person(id=4, bbox=[1000.0, 0.0, 50.0, 50.0])], "bbox")
    entry = evaluation.evalImgs[0]
    assert (entry["gtIds"], entry["gtIgnore"].tolist()) == ([2, 1], [0, 1])
    assert entry["dtMatches"][0].tolist() == [1, 1, 1, 2] and entry["dtIgnore"][0].tolist() == [True] * 3 + [False]
    assert evaluation.stats[0] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_ids_from_zero_can_count(kind: str) -> None:
    """pycocotools takes a match with id 0 for none."""
    truth, found = [one_person(id=0)], [one_person(id=0), one_person(id=1, score=0.1)]
    as_ever = evaluate(truth, found, kind)
    assert as_ever.stats[0] == 0 and as_ever.evalImgs[0]["gtMatches"][0].tolist() == [1]
    counting = partial(ours.COCOeval, zero_ids=True)
    evaluation = run(counting, (Data(truth, 1, 1), Data(found, 1, 1)), kind)
    assert evaluation.stats[0] == pytest.approx(1, abs=1e-12)
    assert evaluation.evalImgs[0]["dtMatches"][0].tolist() == [-1, 0]
    shifted, plain = run(counting, people(8, first_id=0), kind), run(ours.COCOeval, people(8), kind)
    np.testing.assert_array_equal(shifted.stats, plain.stats)


def test_text_for_ids_is_an_error_of_matches() -> None:
    assert evaluate([one_person(id="a")], [one_person(id="b", bbox=[90.0, 0.0, 9.0, 9.0])], "bbox").stats[0] == 0
    for truth, found in (("a", 1), (1, "a"), ("a", "a")):
        with pytest.raises(ValueError, match="could not convert string to float: 'a'"):
            evaluate([one_person(id=truth)], [one_person(id=found)])


def test_more_lenient_than_pycocotools() -> None:
    tuples = one_person(bbox=(0.0, 0.0, 50.0, 50.0))
    assert evaluate([tuples], [tuples], "bbox").stats[0] == pytest.approx(1, abs=1e-12)
    boxless = one_person()
    del boxless["bbox"]
    assert evaluate([boxless], [boxless]).stats[0] == pytest.approx(1, abs=1e-12)


# What pycocotools 2.0.11 gives for people(20, categories=2, images=20).
GOLDEN = {
    "keypoints": [
        0.06841756830440297, 0.0947010025071242, 0.06720835126990961, 0.13727778756493886, 0.024048693867744737,
        0.44333333333333336, 0.4888888888888889, 0.45185185185185184, 0.4674285714285714, 0.33333333333333337,
    ],
    "bbox": [
        0.10049138837244827, 0.12794336537811232, 0.10709653452576337, 0.3876237623762376, 0.1622770384763157,
        0.10168387806522583, 0.16779891304347824, 0.40896739130434784, 0.40896739130434784, 0.52, 0.3925, 0.25,
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_recorded_figures(kind: str) -> None:
    stats = run(ours.COCOeval, people(20, categories=2, images=20), kind).stats
    np.testing.assert_allclose(stats, GOLDEN[kind], rtol=0, atol=1e-12)


def test_masks_need_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfast.dropin._pycocotools.evaluator.original", lambda *name: None)
    monkeypatch.setattr(Data, "annToRLE", lambda self, annotation: None)
    with pytest.raises(ImportError, match="pip install pycocotools"):
        evaluate([one_person()], [one_person()], "segm")


def test_misuse(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(Exception, match="iouType not supported"):
        ours.COCOeval(iouType="boxes")
    evaluation = ours.COCOeval(iouType="bbox")
    with pytest.raises(Exception, match="Please run accumulate"):
        evaluation.summarize()
    with pytest.raises(AttributeError):
        evaluation.accumulate()
    assert "Please run evaluate() first" in capsys.readouterr().out


def test_printing_an_evaluator_prints_the_summary(capsys: pytest.CaptureFixture) -> None:
    evaluation = evaluate([one_person()], [one_person()])
    summary = capsys.readouterr().out.split("DONE")[-1].split("\n", 1)[1]
    assert str(evaluation) == "" and capsys.readouterr().out == summary


def test_the_collector_runs_again_after_an_error() -> None:
    assert gc.isenabled()
    bad = one_person()
    del bad["num_keypoints"]
    with pytest.raises(KeyError, match="num_keypoints"):
        evaluate([bad], [one_person()])
    assert gc.isenabled()


def test_loads_no_heavy_package() -> None:
    heavy = "{'torch', 'cv2', 'numba', 'scipy', 'pycocotools'}"
    script = f"import sys, ptfast.dropin.pycocotools; print(*({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
