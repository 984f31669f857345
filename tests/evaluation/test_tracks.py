"""IDF1 and HOTA on keypoint similarity: cases worked out by hand, and HOTA written out as plain loops."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from ptfast.evaluation import evaluate_tracks
from ptfast.evaluation.hota import hota_sums
from ptfast.evaluation.identity import Tracks, identity_counts
from ptfast.structures import Poses

Make = Callable[..., Poses]


def hota_by_loops(tracks: Tracks) -> dict[str, np.ndarray]:
    """HOTA, DetA, AssA and LocA at the 19 alphas, frame by frame (Luiten et al. 2020, sections 4 and 5)."""
    offsets = (
        zip(tracks.object_offsets, tracks.object_offsets[1:], strict=False),
        zip(tracks.hypothesis_offsets, tracks.hypothesis_offsets[1:], strict=False),
    )
    frames, start = [], 0
    for (a, b), (c, d) in zip(*offsets, strict=True):
        size = (b - a) * (d - c)
        block = tracks.similarity[start : start + size].reshape(b - a, d - c)
        frames.append((tracks.object_ids[a:b], tracks.hypothesis_ids[c:d], block))
        start += size
    length = {o: sum(o in objects for objects, _, _ in frames) for o in set(tracks.object_ids)}
    other = {h: sum(h in hypotheses for _, hypotheses, _ in frames) for h in set(tracks.hypothesis_ids)}
    potential = dict.fromkeys(((o, h) for o in length for h in other), 0.0)
    for objects, hypotheses, block in frames:
        for (i, j), value in np.ndenumerate(block):
            whole = block[i].sum() + block[:, j].sum() - value
            potential[objects[i], hypotheses[j]] += value / whole if whole > 0 else 0
    fit = {(o, h): value / (length[o] + other[h] - value) for (o, h), value in potential.items()}
    pairs = []
    for objects, hypotheses, block in frames:
        worth = np.array([[fit[o, h] for h in hypotheses] for o in objects]).reshape(block.shape) * block
        pairs += [(objects[i], hypotheses[j], block[i, j]) for i, j in zip(*linear_sum_assignment(-worth), strict=True)]
    found = {name: np.zeros(19) for name in ("hota", "deta", "assa", "loca")}
    for index, alpha in enumerate(np.arange(1, 20) / 20):
        kept = [(o, h, value) for o, h, value in pairs if value >= alpha - 1e-12]
        count = len(kept)
        together = {(o, h): sum((o, h) == (p, q) for p, q, _ in kept) for o, h, _ in kept}
        association = sum(together[o, h] / (length[o] + other[h] - together[o, h]) for o, h, _ in kept)
        found["deta"][index] = count / max(1, len(tracks.object_ids) + len(tracks.hypothesis_ids) - count)
        found["assa"][index] = association / max(1, count)
        found["loca"][index] = sum(value for _, _, value in kept) / count if count else 1
    found["hota"] = np.sqrt(found["deta"] * found["assa"])
    return found


def random_tracks(seed: int) -> Tracks:
    rng = np.random.default_rng(seed)
    frames, people = int(rng.integers(0, 12)), int(rng.integers(1, 6))
    n, m = rng.integers(0, people + 1, (2, frames))
    similarity = rng.random(int((n * m).sum()))
    similarity[rng.random(len(similarity)) < 0.3] = 0
    objects, hypotheses = (
        np.concatenate([np.zeros(0, int), *(rng.permutation(people)[:size] for size in sizes)]) for sizes in (n, m)
    )
    return Tracks(similarity, objects, hypotheses, np.r_[0, np.cumsum(n)], np.r_[0, np.cumsum(m)])


@pytest.mark.parametrize("seed", range(30))
def test_hota_equals_plain_loops(seed: int) -> None:
    tracks = random_tracks(seed)
    measures = hota_sums(tracks).measures()
    for name, expected in hota_by_loops(tracks).items():
        np.testing.assert_allclose(measures[name], expected, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("seed", range(15))
def test_identity_equals_motmetrics(seed: int) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    tracks = random_tracks(seed)
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    start = 0
    for f in range(len(tracks.object_offsets) - 1):
        a, b = tracks.object_offsets[f : f + 2]
        c, d = tracks.hypothesis_offsets[f : f + 2]
        block = tracks.similarity[start : start + (b - a) * (d - c)].reshape(b - a, d - c)
        start += block.size
        ids = tracks.object_ids[a:b], tracks.hypothesis_ids[c:d]
        accumulator.update(*ids, np.where(block >= 0.5, 1 - block, np.nan))
    if not len(tracks.object_ids) or not len(tracks.hypothesis_ids):
        pytest.skip("motmetrics has no identity measures where one side is empty")
    names = ["idtp", "idfp", "idfn"]
    expected = motmetrics.metrics.create().compute(accumulator, metrics=names, return_dataframe=False)
    assert identity_counts(tracks, 0.5).tolist() == [expected[name] for name in names]


@pytest.mark.parametrize("similarity", ["oks", "pckh"])
def test_perfect_tracks(make: Make, similarity: str) -> None:
    truth = make([[(1, 0), (2, 50)]] * 4)
    result = evaluate_tracks(truth, truth, similarity=similarity)  # type: ignore[arg-type]
    figures = (result.idf1, result.id_precision, result.id_recall, result.hota, result.deta, result.assa, result.loca)
    assert figures == pytest.approx((100,) * 7)


def test_a_track_cut_in_two_halves(make: Make) -> None:
    result = evaluate_tracks(make([[(1, 0)]] * 4), make([[(1, 0)]] * 2 + [[(2, 0)]] * 2))
    assert result.identity.tolist() == [2, 2, 2]
    assert result.idf1 == pytest.approx(50)
    assert (result.deta, result.assa) == pytest.approx((100, 50))
    assert result.hota == pytest.approx(100 * np.sqrt(0.5))


def test_pckh_similarity_is_1_minus_the_distance_in_head_sizes(make: Make) -> None:
    truth = make([[(1, 0)]] * 2)
    result = evaluate_tracks(truth, make([[(1, 1.5)]] * 2), similarity="pckh")  # 1.5 of a head size of 6 pixels
    assert result.loca == pytest.approx(100 * (15 * 0.75 + 4 * 1) / 19)
    assert result.hota_by_alpha.tolist() == pytest.approx([100] * 15 + [0] * 4)


def test_oks_similarity_is_that_of_coco(make: Make) -> None:
    truth = make([[(1, 0)]] * 2, areas=np.array([10_000.0] * 2))
    sigmas = [truth.skeleton.sigmas[truth.skeleton.index(joint)] for joint in ("right_wrist", "head_top")]
    expected = np.mean([np.exp(-(20.0**2) / (2 * (2 * sigma) ** 2 * 10_000)) for sigma in sigmas])
    exact = evaluate_tracks(truth, make([[(1, 20)]] * 2), min_similarity=expected - 1e-9)
    assert exact.idf1 == 100
    assert evaluate_tracks(truth, make([[(1, 20)]] * 2), min_similarity=expected + 1e-9).idf1 == 0


def test_a_joint_that_the_pose_lacks_gives_0(make: Make) -> None:
    truth = make([[(1, 0)]] * 2)
    visibility = truth.joint_visibility.copy()
    visibility[:, truth.skeleton.index("head_top")] = 0
    half = replace(truth, joint_visibility=visibility)
    assert evaluate_tracks(truth, half, min_similarity=0.5).idf1 == 100
    assert evaluate_tracks(truth, half, min_similarity=0.51).idf1 == 0
    assert evaluate_tracks(half, truth, min_similarity=1).idf1 == 100


def test_what_takes_no_part(make: Make) -> None:
    far = np.array([[990.0, -9.0], [1010.0, -9.0], [1010.0, 110.0], [990.0, 110.0]])
    frames = [[(1, 0)], [(1, 0)], [(1, 0)]]
    truth = make(frames, is_labeled=np.array([True, True, False]), ignore_regions=((far,), (), ()))
    predictions = make([[(1, 0), (5, 1000)], [(1, 0), (-1, 50)], [(7, 80)]])
    result = evaluate_tracks(truth, predictions)
    assert result.identity.tolist() == [2, 0, 0]


def test_nothing_on_a_side(make: Make) -> None:
    truth, nothing = make([[(1, 0)]] * 3), make([[]] * 3)
    assert evaluate_tracks(truth, nothing).identity.tolist() == [0, 0, 3]
    assert evaluate_tracks(nothing, truth).identity.tolist() == [0, 3, 0]
    assert evaluate_tracks(truth, nothing).hota == 0
    empty = evaluate_tracks(nothing, nothing)
    assert np.isnan(empty.idf1)
    assert json.loads(json.dumps(empty.to_dict(), allow_nan=False))["idf1"] is None


def test_sequences_are_summed(make: Make) -> None:
    a, b = make([[(1, 0)]] * 3), make([[(1, 0)]] * 1)
    result = evaluate_tracks({"a": a, "b": b}, {"a": a, "b": make([[(1, 900)]])})
    assert result.identity.tolist() == [3, 1, 1]
    assert {name: part.idf1 for name, part in result.sequences.items()} == {"a": 100, "b": 0}
    assert result.deta == pytest.approx(100 * 3 / 5)


def test_errors_name_the_argument(make: Make) -> None:
    truth = make([[(1, 0)]])
    with pytest.raises(ValueError, match="similarity must be 'oks' or 'pckh', got 'iou'"):
        evaluate_tracks(truth, truth, similarity="iou")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"min_similarity must be between 0 and 1, got 1\.5"):
        evaluate_tracks(truth, truth, min_similarity=1.5)
