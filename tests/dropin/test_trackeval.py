"""HOTA and Identity beside TrackEval's, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin.trackeval import HOTA, Identity


def sequence(frames: int, objects: int, hypotheses: int, seed: int = 0) -> dict[str, Any]:
    """What TrackEval's data sets give for one sequence; who belongs together is mostly near."""
    random = np.random.default_rng(seed)
    ids = [[random.permutation(n)[: random.binomial(n, 0.8)] for _ in range(frames)] for n in (objects, hypotheses)]
    scores = []
    for a, b in zip(*ids, strict=True):
        block = random.uniform(0, 0.6, (len(a), len(b)))
        block[random.random(block.shape) < 0.3] = 0
        near = (a[:, None] == b) & (random.random(block.shape) < 0.8)
        block[near] = random.uniform(0.5, 1, near.sum())
        scores.append(block)
    return {
        "num_timesteps": frames, "gt_ids": ids[0], "tracker_ids": ids[1], "similarity_scores": scores,
        "num_gt_ids": objects, "num_tracker_ids": hypotheses,
        "num_gt_dets": sum(map(len, ids[0])), "num_tracker_dets": sum(map(len, ids[1])),
    }  # fmt: skip


SEQUENCES = {
    n: sequence(*shape, seed=n)
    for n, shape in enumerate([(0, 3, 3), (3, 0, 2), (3, 2, 0), (1, 1, 1), (30, 4, 5), (30, 9, 8)])
}


@pytest.mark.parametrize("metric", [HOTA, Identity])
def test_equals_the_original(metric: type, capsys: pytest.CaptureFixture) -> None:
    original = getattr(peer("trackeval.metrics"), metric.__name__)()
    ours, theirs = ({n: each.eval_sequence(data) for n, data in SEQUENCES.items()} for each in (metric(), original))
    pairs = [(ours[n], theirs[n]) for n in SEQUENCES]
    pairs.append((metric().combine_sequences(ours), original.combine_sequences(theirs)))
    for found, expected in pairs:
        assert found.keys() == expected.keys()
        for name in expected:
            assert np.shape(found[name]) == np.shape(expected[name])
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-12, err_msg=name)
    assert set(metric.fields) == set(original.fields)


def swapped() -> dict[str, Any]:
    """One object in four frames, whom one hypothesis follows for three of them and another in the last."""
    one = np.zeros(1, int)
    return {
        "gt_ids": [one] * 4, "tracker_ids": [one] * 3 + [one + 1], "similarity_scores": [np.full((1, 1), 0.7)] * 4,
        "num_gt_ids": 1, "num_tracker_ids": 2, "num_gt_dets": 4, "num_tracker_dets": 4,
    }  # fmt: skip


def test_known_hota() -> None:
    found = HOTA().eval_sequence(swapped())
    near = HOTA.array_labels <= 0.7 + 1e-9
    np.testing.assert_array_equal(found["HOTA_TP"], np.where(near, 4, 0))
    expected = {"DetA": 1, "AssA": (3 * 3 / 4 + 1 / 4) / 4, "AssRe": (3 * 3 / 4 + 1 / 4) / 4, "AssPr": 1}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], np.where(near, value, 0))
    np.testing.assert_allclose(found["LocA"], np.where(near, 0.7, 1))
    np.testing.assert_allclose(found["OWTA"], found["HOTA"])
    assert found["HOTALocA(0)"] == pytest.approx(0.7 * np.sqrt(expected["AssA"]))


def test_known_identity() -> None:
    assert Identity().eval_sequence(swapped())["IDF1"] == pytest.approx(3 / 4)
    assert Identity({"THRESHOLD": 0.8}).eval_sequence(swapped())["IDF1"] == 0


def test_two_equal_sequences_together_are_as_good_as_one() -> None:
    for metric in (HOTA(), Identity()):
        one = metric.eval_sequence(swapped())
        both = metric.combine_sequences({"a": one, "b": one})
        for name in metric.float_fields:
            assert both[name] == pytest.approx(one[name])
