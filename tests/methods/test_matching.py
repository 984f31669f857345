"""Linking by the LSTM matcher that comes with ptfast: ids, streams, and that it tells people apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ptfast.evaluation import posetrack
from ptfast.methods.detect_and_track.matching import SHIPPED, MatcherAssociation, load_matcher
from ptfast.models.matcher import TrackMatcher
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene
from ptfast.tracking import TrackLinker, link, link_tracks
from ptfast.training.data.tracks import synthetic_tracks
from ptfast.training.matcher import matcher_figures


@pytest.fixture(scope="module")
def matcher() -> TrackMatcher:
    return load_matcher()


def people(*frames: list[float]) -> Poses:
    """People of one build who stand at these places along x, frame by frame."""
    body = np.random.default_rng(0).uniform(0, 60, (15, 2))
    flat = [x for frame in frames for x in frame]
    keypoints = np.array([body + np.array([x, 100]) for x in flat]).reshape(-1, 15, 2)
    offsets = np.concatenate([[0], np.cumsum([len(frame) for frame in frames])])
    return Poses(keypoints, offsets, POSETRACK_15, frame_size=np.tile([640, 360], (len(frames), 1)))


def test_the_shipped_matcher_tells_people_apart(matcher: TrackMatcher) -> None:
    figures = matcher_figures(matcher, synthetic_tracks(6, 8_000_100, frames=32))
    assert figures["no"] < 90  # which is what chance, or always no, gets
    assert figures["right"] > 99


def test_it_beats_iou_where_people_move_far_between_frames(matcher: TrackMatcher) -> None:
    truth = {str(seed): scene(seed, frames=40, people=6, fps=8, pan=4) for seed in range(8_000_200, 8_000_203)}
    found = {name: detections(poses, 1, jitter=0.1, miss=0.02) for name, poses in truth.items()}
    options = {"min_score": 0.4, "min_joint_score": None, "max_cost": None, "lookback": 1}
    iou = {name: link(poses, cost="iou", motion="none", **options) for name, poses in found.items()}
    lstm = {name: link_tracks(poses, MatcherAssociation(matcher), **options) for name, poses in found.items()}
    scores = [posetrack.evaluate(truth, tracked).mota[-1] for tracked in (iou, lstm)]
    assert scores[1] > scores[0] + 0.5


def test_a_stream_gives_the_ids_of_the_whole_video(matcher: TrackMatcher) -> None:
    poses = detections(scene(8_000_003, frames=20), 3, miss=0.2)
    for lookback in (1, 3):
        options = {"lookback": lookback, "min_score": 0.5, "keep_filtered": True, "max_cost": 0.9}
        whole = link_tracks(poses, MatcherAssociation(matcher), **options)
        linker = TrackLinker(MatcherAssociation(matcher), **options)
        for _ in range(2):
            ids = np.concatenate([linker.update(poses.frame(f)).track_ids for f in range(len(poses))])
            np.testing.assert_array_equal(ids, whole.track_ids)
            linker.reset()
        assert (ids[poses.scores < 0.5] == -1).all()


@pytest.mark.parametrize("method", ["hungarian", "greedy"])
def test_ids_of_people_who_stand_apart(matcher: TrackMatcher, method: str) -> None:
    poses = people([0, 200, 400], [401, 1], [2, 402, 202])
    linked = link_tracks(poses, MatcherAssociation(matcher), matcher=method)
    # Nobody is remembered beyond a frame; all that can be matched is; the others get the next ids in row order.
    assert linked.track_ids.tolist() == [0, 1, 2, 2, 0, 0, 2, 3]
    linked = link_tracks(poses, MatcherAssociation(matcher), matcher=method, lookback=2)
    assert linked.track_ids.tolist() == [0, 1, 2, 2, 0, 0, 2, 1]


def test_every_possible_pair_is_made_without_max_cost(matcher: TrackMatcher) -> None:
    poses = people([0], [500])
    assert link_tracks(poses, MatcherAssociation(matcher)).track_ids.tolist() == [0, 0]
    assert link_tracks(poses, MatcherAssociation(matcher), max_cost=0.9).track_ids.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("max_cost", "expected"),
    [(0.0, [2, 4, 6, 6, 6, 6]), (None, [2, 2, 2, 2, 2, 2])],
    ids=["every pose is a new track", "two tracks go on"],
)
def test_a_stream_keeps_the_states_of_the_last_frames_alone(
    matcher: TrackMatcher, max_cost: float | None, expected: list[int]
) -> None:
    linker = TrackLinker(MatcherAssociation(matcher), lookback=3, max_cost=max_cost)
    poses = people(*[[0, 300]] * len(expected))
    sizes = []
    for f in range(len(poses)):
        linker.update(poses.frame(f))
        sizes.append(len(linker._tracks.states))
    assert sizes == expected


def test_frames_of_nobody_and_videos_of_no_frame(matcher: TrackMatcher) -> None:
    assert link_tracks(people([], [5], [], []), MatcherAssociation(matcher)).track_ids.tolist() == [0]
    assert len(link_tracks(people(), MatcherAssociation(matcher))) == 0


def test_tensors_give_tensors_and_other_skeletons_keep_theirs(matcher: TrackMatcher) -> None:
    from ptfast.skeletons import COCO_17

    poses = people([0, 200], [201, 1]).to_skeleton(COCO_17)
    linked = link_tracks(poses.to("cpu"), MatcherAssociation(matcher))
    assert isinstance(linked.track_ids, torch.Tensor) and linked.skeleton == COCO_17
    assert linked.track_ids.tolist() == [0, 1, 1, 0]


def test_features_follow_the_rows_that_a_threshold_leaves() -> None:
    torch.manual_seed(0)
    matcher = TrackMatcher(hidden=4, appearance=2).eval()
    looks = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    poses = people([0, 100, 200], [0, 100, 200])
    poses = replace(poses, scores=[0.1, 0.9, 0.9, 0.9, 0.1, 0.9], features={"appearance": looks})
    kept = np.array([1, 2, 3, 5])
    seen = []
    observe = matcher.observe
    matcher.observe = lambda poses, features: seen.append(features) or observe(poses, features)  # type: ignore
    link_tracks(poses, MatcherAssociation(matcher), min_score=0.5)
    np.testing.assert_array_equal(np.concatenate(seen), looks[kept])
    with pytest.raises(ValueError, match=r"poses must have features\['appearance'\], got features \[\]"):
        link_tracks(people([0]), MatcherAssociation(matcher))


def test_the_shipped_weights_are_small_and_have_a_card() -> None:
    assert SHIPPED.stat().st_size < 300_000
    card = json.loads(SHIPPED.with_suffix(".json").read_text())
    assert {"skeleton", "architecture", "data", "command", "seed", "validation"} <= card.keys()


def test_wrong_files_and_arguments_are_errors(matcher: TrackMatcher, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(SHIPPED.read_bytes())
    with pytest.raises(FileNotFoundError):
        load_matcher(path)
    path.with_suffix(".json").write_text('{"skeleton": "posetrack_15"}')
    with pytest.raises(ValueError, match="expected an architecture and one of the skeletons"):
        load_matcher(path)
    path.with_suffix(".json").write_text('{"skeleton": "coco_17", "architecture": {"hidden": 64}}')
    with pytest.raises(ValueError, match=r"lstm\.weight_ih_l0: expected shape \(256, 116\), found shape \(256, 1"):
        load_matcher(path)
    with pytest.raises(ValueError, match="lookback must be between 1"):
        TrackLinker(MatcherAssociation(matcher), lookback=0)
    with pytest.raises(ValueError, match="frame_poses must hold one frame, got 2"):
        TrackLinker(MatcherAssociation(matcher)).update(people([0], [0]))


@pytest.mark.parametrize(
    "card",
    [
        "[" * 100_000, '{"skeleton": ["coco_17"], "architecture": {}}',
        '{"skeleton": "posetrack_15", "architecture": 3}',
        '{"skeleton": "posetrack_15", "architecture": {"hidden": 1e9}}',
        '{"skeleton": "posetrack_15", "architecture": {"hidden": 1000000000000000000000}}',
        '{"skeleton": "posetrack_15", "architecture": {"layers": 3}}',
    ],
    ids=range(6),
)  # fmt: skip
def test_cards_of_no_matcher_are_named(tmp_path: Path, card: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(SHIPPED.read_bytes())
    path.with_suffix(".json").write_text(card)
    with pytest.raises(ValueError, match=r"^/.*a\.json: "):
        load_matcher(path)


def test_a_card_of_a_larger_matcher_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(SHIPPED.read_bytes())
    path.with_suffix(".json").write_text('{"skeleton": "posetrack_15", "architecture": {"hidden": 1000000}}')
    with pytest.raises(ValueError, match=r"a\.safetensors: lstm\.weight_ih_l0: expected shape \(4000000, 104\)"):
        load_matcher(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"a\.safetensors: expected safetensors, found "):
        load_matcher(path)
