"""KeyTrack's linking with a scorer that knows OKS alone: equal to plain loops, in blocks and frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from ptfast.ops import oks_matrix
from ptfast.reference.entailment import link_ids
from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17, Skeleton
from ptfast.structures import Poses, pose_areas
from ptfast.synthetic import detections, scene
from ptfast.tracking import EntailmentLinker, MatchScorer, OnlineLinker, entailment, link


@dataclass
class OksScorer:
    """The root of OKS with wide sigmas, of as many degrees as there are frames; remembers what it was asked."""

    skeleton: Skeleton | None = None
    asked: list[tuple[int, int, int]] = field(default_factory=list)
    calls: int = 0

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        self.calls += 1
        self.asked += zip(*pairs.T.tolist(), frames_apart.tolist(), strict=True)
        a, b = pairs.T
        oks = oks_matrix(
            earlier.keypoints[a][:, None],
            current.keypoints[b][:, None],
            area=pose_areas(current)[b][:, None],
            sigmas=4 * np.array(earlier.skeleton.sigmas, np.float32),
            a_visible=earlier.joint_visibility[a][:, None],
            b_visible=current.joint_visibility[b][:, None],
        )
        return oks[:, 0, 0] ** (1 / frames_apart).astype(np.float32)


def crowd(seed: int, people: int = 8, frames: int = 40) -> Poses:
    """Jittered and missed people of a synthetic scene, some of them nobody."""
    return detections(scene(seed=seed, frames=frames, people=people))


def at(*frames: list[float], size: tuple[int, int] | None = None, ids: list[int] | None = None) -> Poses:
    """Poses 20 wide and 60 high whose left sides are given, frame after frame."""
    shape = np.stack(np.meshgrid(np.linspace(0, 20, 3), np.linspace(0, 60, 5)), -1).reshape(15, 2)
    keypoints = [np.array([shape + np.array([left, 0]) for left in frame]).reshape(-1, 15, 2) for frame in frames]
    frame_ids = None if ids is None else np.array(ids)
    return Poses.from_frames(keypoints, skeleton=POSETRACK_15, frame_size=size, frame_ids=frame_ids)


class Known:
    """Scores that are given by the left sides of both poses and the frames between them, else 0."""

    def __init__(self, scores: dict[tuple[int, int, int], float]) -> None:
        self.scores = scores

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        lefts = zip(earlier.boxes[pairs[:, 0], 0], current.boxes[pairs[:, 1], 0], frames_apart, strict=True)
        return np.array([self.scores.get((int(a), int(b), int(d)), 0.0) for a, b, d in lefts], np.float32)


def frame_by_frame(linker: EntailmentLinker, poses: Poses) -> np.ndarray:
    return np.concatenate([linker.update(frame).track_ids for frame in poses])


def test_the_stub_is_a_scorer() -> None:
    assert isinstance(OksScorer(), MatchScorer) and not isinstance(lambda a, b: 0, MatchScorer)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("lookback", "neighbours", "least"), [(1, 1, 0.5), (4, 4, 0.5), (3, 2, 0.1), (4, 50, 0.8)])
def test_ids_are_those_of_plain_loops(seed: int, lookback: int, neighbours: int, least: float) -> None:
    poses = crowd(seed, people=3 + 3 * seed, frames=25)

    def score(poses: Poses, i: int, j: int, apart: int) -> float:
        return float(OksScorer().match_scores(poses, poses, np.array([[i, j]]), np.array([apart]))[0])

    settings = {"lookback": lookback, "neighbours": neighbours, "min_match_score": least}
    expected = link_ids(poses, score, **settings)  # type: ignore[arg-type]
    found = EntailmentLinker(OksScorer(), max_speed=None, **settings).link(poses)  # type: ignore[arg-type]
    assert found.track_ids.tolist() == expected.tolist()
    assert len(set(expected.tolist())) < len(expected) / 2


@pytest.mark.parametrize("matcher", ["greedy", "hungarian"])
@pytest.mark.parametrize("shortcuts", [{}, {"max_speed": None}, {"max_speed": 0.1, "sure_margin": 0.4}])
def test_blocks_and_single_frames_give_the_same_ids(
    matcher: str, shortcuts: dict[str, float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    poses = crowd(7, people=12, frames=60)
    settings = {"matcher": matcher, "min_score": 0.3, "min_joint_score": 0.2, **shortcuts}
    whole = EntailmentLinker(OksScorer(), **settings)  # type: ignore[arg-type]
    expected = whole.link(poses).track_ids
    online = EntailmentLinker(OksScorer(), **settings)  # type: ignore[arg-type]
    np.testing.assert_array_equal(frame_by_frame(online, poses), expected)
    assert online.counts == whole.counts
    for pairs in (1, 300, 2000):
        monkeypatch.setattr(entailment, "MAX_PAIRS", pairs)
        np.testing.assert_array_equal(EntailmentLinker(OksScorer(), **settings).link(poses).track_ids, expected)  # type: ignore[arg-type]


def test_a_whole_video_is_scored_in_one_call_and_a_frame_in_one() -> None:
    poses = crowd(1)
    scorer = OksScorer()
    EntailmentLinker(scorer).link(poses)
    assert scorer.calls == 1
    linker, frame = EntailmentLinker(scorer), 5
    frame_by_frame(linker, poses[:frame])
    calls = scorer.calls
    linker.update(poses.frame(frame))
    assert scorer.calls == calls + 1


def test_the_higher_score_wins_and_the_other_pose_takes_its_next_best() -> None:
    poses = at([0, 100], [10, 90])
    scores = {(0, 10, 1): 0.8, (0, 90, 1): 0.9, (100, 90, 1): 0.6, (100, 10, 1): 0.7}
    assert EntailmentLinker(Known(scores)).link(poses).track_ids.tolist() == [0, 1, 1, 0]
    assert EntailmentLinker(Known(scores), min_match_score=0.75).link(poses).track_ids.tolist() == [0, 1, 2, 0]
    tight = {(0, 10, 1): 0.8, (0, 90, 1): 0.9, (100, 90, 1): 0.8, (100, 10, 1): 0.51}
    assert EntailmentLinker(Known(tight)).link(poses).track_ids.tolist() == [0, 1, 1, 0]
    assert EntailmentLinker(Known(tight), matcher="hungarian").link(poses).track_ids.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("matcher", ["greedy", "hungarian"])
def test_an_id_is_compared_at_all_of_its_last_poses(matcher: str) -> None:
    """The person's pose two frames before tells more than the one a frame before, which is somebody else's too."""
    poses = at([0], [10, 60], [30])
    scores = {(0, 10, 1): 0.9, (10, 30, 1): 0.55, (60, 30, 1): 0.6, (0, 30, 2): 0.7}
    assert EntailmentLinker(Known(scores), matcher=matcher).link(poses).track_ids.tolist() == [0, 0, 1, 0]
    assert EntailmentLinker(Known(scores), matcher=matcher, lookback=1).link(poses).track_ids.tolist() == [0, 0, 1, 1]


def test_among_equal_scores_the_recent_and_the_near_count() -> None:
    scores = {(0, 4, 1): 1, (6, 4, 1): 1, (6, 0, 1): 1, (0, 3, 2): 1, (6, 3, 1): 1, (4, 3, 1): 1}
    assert EntailmentLinker(Known(scores)).link(at([0, 6], [4])).track_ids.tolist() == [0, 1, 1]
    assert EntailmentLinker(Known(scores)).link(at([0], [4], [3])).track_ids.tolist() == [0, 0, 0]
    apart = {(50, 1, 1): 1, (0, 1, 2): 1}
    assert EntailmentLinker(Known(apart)).link(at([0], [50], [1])).track_ids.tolist() == [0, 1, 1]


def test_only_the_nearest_poses_of_each_frame_are_asked_about() -> None:
    scorer = OksScorer()
    EntailmentLinker(scorer, neighbours=2, lookback=2, max_speed=None).link(at([0, 10, 500, 40], [12], [13]))
    assert sorted(scorer.asked) == [(0, 4, 1), (0, 5, 2), (1, 4, 1), (1, 5, 2), (4, 5, 1)]


def test_a_gap_of_numbers_is_a_gap_in_time() -> None:
    poses = at([0], [0], [0], [0], ids=[10, 20, 30, 60])
    for link_all in (EntailmentLinker.link, frame_by_frame):
        scorer = OksScorer()
        link_all(EntailmentLinker(scorer, lookback=4), poses)
        assert sorted(apart for _, _, apart in scorer.asked) == [1, 1, 2, 3, 4]
    far = at([0], [0], [0], ids=[1, 2, 10**12])
    assert EntailmentLinker(OksScorer()).link(far).track_ids.tolist() == [0, 0, 1]
    assert frame_by_frame(EntailmentLinker(OksScorer()), far).tolist() == [0, 0, 1]


def test_tracks_end_where_the_frames_size_changes_but_not_at_lost_frames() -> None:
    parts = [at([0], size=(320, 240)), at([], size=(0, 0)), at([0], size=(320, 240)), at([0], size=(640, 480))]
    poses = Poses.concatenate([*parts, parts[0]])
    assert EntailmentLinker(OksScorer()).link(poses).track_ids.tolist() == [0, 0, 1, 2]
    assert frame_by_frame(EntailmentLinker(OksScorer()), poses).tolist() == [0, 0, 1, 2]


def test_shortcuts_spare_the_scorer_pairs_and_are_counted() -> None:
    poses = at([0, 1000], [10, 1010], [150, 1020])
    scorer = OksScorer()
    linker = EntailmentLinker(scorer, lookback=1, max_speed=2.0)
    assert linker.link(poses).track_ids.tolist() == [0, 1, 0, 1, 2, 1]
    assert (linker.counts.pairs, linker.counts.too_fast, linker.counts.scored) == (8, 5, 3)
    assert sorted(scorer.asked) == [(0, 2, 1), (1, 3, 1), (3, 5, 1)]


def test_a_sure_pair_decides_all_of_its_poses_pairs_and_is_counted() -> None:
    """Of three people one stands apart; the others are near each other, so the scorer is asked about them."""
    poses = at([0, 8, 1000], [1, 9, 1001], [2, 10, 1002])
    scorer = OksScorer()
    linker = EntailmentLinker(scorer, max_speed=None, sure_margin=0.5)
    assert linker.link(poses).track_ids.tolist() == [0, 1, 2] * 3
    near = {(i, j, d) for i, j, d in scorer.asked}
    assert {(i, j) for i, j, d in near if d == 1} == {
        (i, j) for i, j in [(0, 3), (0, 4), (1, 3), (1, 4), (3, 6), (3, 7), (4, 6), (4, 7)]
    }
    assert not any(j in (5, 8) for _, j, _ in near)
    assert linker.counts.sure == linker.counts.pairs - linker.counts.scored == 27 - len(near)


@pytest.mark.parametrize("seed", range(4))
def test_sure_pairs_change_no_id_where_the_scorer_agrees(seed: int) -> None:
    poses = crowd(seed, people=6, frames=30)
    all_asked, few_asked = OksScorer(), OksScorer()
    expected = EntailmentLinker(all_asked).link(poses).track_ids
    assert EntailmentLinker(few_asked, sure_margin=0.4).link(poses).track_ids.tolist() == expected.tolist()
    assert len(few_asked.asked) < 0.7 * len(all_asked.asked)


def test_the_margin_is_over_the_best_rival_of_either_pose() -> None:
    poses = at([0], [0, 4])
    oks = oks_matrix(
        poses.keypoints[:1],
        poses.keypoints[1:],
        area=pose_areas(poses)[1:],
        sigmas=2 * np.array(POSETRACK_15.sigmas, np.float32),
    )[0]
    for margin, asked in ((oks[0] - oks[1] - 0.01, 0), (oks[0] - oks[1] + 0.01, 2)):
        for frames in (poses, poses[::-1]):
            scorer = OksScorer()
            EntailmentLinker(scorer, sure_margin=float(margin)).link(frames)
            assert len(scorer.asked) == asked


def test_poses_in_other_joints_are_given_in_the_scorers() -> None:
    poses = crowd(3).to_skeleton(POSETRACK_17)
    expected = EntailmentLinker(OksScorer()).link(crowd(3))
    found = EntailmentLinker(OksScorer(POSETRACK_15)).link(poses)
    assert found.track_ids.tolist() == expected.track_ids.tolist() and found.skeleton == POSETRACK_17
    coco = Poses(np.zeros((1, 17, 2)), np.array([0, 1]), COCO_17)
    EntailmentLinker(OksScorer(POSETRACK_15)).link(coco)
    hand = Skeleton("hand", tuple(f"finger_{number}" for number in range(15)))
    strange = Poses(np.zeros((1, 15, 2)), np.array([0, 1]), hand)
    with pytest.raises(ValueError, match=r"joints of the scorer's skeleton posetrack_15, got hand without right_ankle"):
        EntailmentLinker(OksScorer(POSETRACK_15)).link(strange)


def test_filters_and_max_tracks_are_those_of_link() -> None:
    poses = replace(at([0, 50, 100], [0, 50, 100]), scores=np.float32([0.9, 0.1, 0.9, 0.9, 0.9, 0.9]))
    linker = EntailmentLinker(OksScorer(), min_score=0.5, keep_filtered=True)
    assert linker.link(poses).track_ids.tolist() == [0, -1, 1, 0, 2, 1]
    linker = EntailmentLinker(OksScorer(), min_score=0.5, max_tracks=2)
    assert linker.link(poses).track_ids.tolist() == [0, 1, 0, -1, 1]
    assert frame_by_frame(linker, poses).tolist() == [0, 1, 0, -1, 1]


def test_lost_tracks_and_counting_on() -> None:
    linker = EntailmentLinker(OksScorer(), lookback=3)
    lost = []
    for frame in at([0, 200], [0], [0], [0], [200]):
        linker.update(frame)
        lost.append(linker.lost_tracks())
    assert lost == [[], [1], [1], [], [0]]
    linker.reset(keep_ids=True)
    assert linker.update(at([0])).track_ids.tolist() == [3]


def test_a_frame_at_which_the_scorer_fails_counts_as_not_seen() -> None:
    class Moody(OksScorer):
        fail = False

        def match_scores(self, *arguments: np.ndarray) -> np.ndarray:
            if self.fail:
                raise RuntimeError("not now")
            return super().match_scores(*arguments)  # type: ignore[arg-type]

    scorer = Moody()
    linker = EntailmentLinker(scorer)
    linker.update(at([0]))
    scorer.fail = True
    with pytest.raises(RuntimeError, match="not now"):
        linker.update(at([1]))
    scorer.fail = False
    assert linker.update(at([1])).track_ids.tolist() == [0] and scorer.asked == [(0, 1, 1)]


def test_nobody_and_no_frames() -> None:
    for poses in (at(), at([]), at([], [], [])):
        assert EntailmentLinker(OksScorer()).link(poses).track_ids.tolist() == []
    assert frame_by_frame(EntailmentLinker(OksScorer()), at([], [5], [], [5])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (lambda pairs: np.zeros(len(pairs) + 1), "match_scores must have shape"),
        (lambda pairs: np.full(len(pairs), np.nan), "match_scores must be finite"),
        (lambda pairs: np.full(len(pairs), 1.5), "match_scores must be within 0 and 1, got 1.5 to 1.5"),
    ],
)
def test_scores_that_are_none_are_refused(values: object, message: str) -> None:
    class Wrong:
        def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, apart: np.ndarray) -> np.ndarray:
            return values(pairs)  # type: ignore[operator]

    with pytest.raises(ValueError, match=message):
        EntailmentLinker(Wrong()).link(at([0], [0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lookback": 0}, "lookback"),
        ({"neighbours": 0}, "neighbours"),
        ({"min_match_score": 1.5}, "min_match_score"),
        ({"max_speed": 0}, "max_speed"),
        ({"sure_margin": -1}, "sure_margin"),
        ({"matcher": "best"}, "matcher"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EntailmentLinker(OksScorer(), **settings)  # type: ignore[arg-type]


def test_a_frame_is_one_frame() -> None:
    with pytest.raises(ValueError, match="frame_poses must hold one frame, got 2"):
        EntailmentLinker(OksScorer()).update(at([0], [0]))


@pytest.mark.parametrize("motion", ["velocity", "none"])
def test_a_scorer_is_a_cost_of_link_and_knows_how_many_frames_apart_two_poses_are(motion: str) -> None:
    poses = at([0], [20], [], [50], ids=[5, 6, 7, 9])
    scorer = OksScorer()
    linked = link(poses, cost=scorer, motion=motion)  # type: ignore[arg-type]
    assert linked.track_ids.tolist() == [0, 0, 0] and {apart for _, _, apart in scorer.asked} >= {1, 3}
    online = OnlineLinker(cost=scorer, motion=motion)  # type: ignore[arg-type]
    assert np.concatenate([online.update(frame).track_ids for frame in poses]).tolist() == [0, 0, 0]


def test_ids_by_a_scorer_as_a_cost_are_those_of_its_function() -> None:
    poses = crowd(5)

    def cost(earlier: Poses, current: Poses) -> np.ndarray:
        rows = np.indices((len(earlier.scores), len(current.scores))).reshape(2, -1).T
        scores = OksScorer().match_scores(earlier, current, rows, np.ones(len(rows), np.int64))
        return 1 - scores.reshape(len(earlier.scores), -1)

    settings = {"lookback": 1, "max_cost": 0.7, "motion": "none"}
    expected = link(poses, cost=cost, **settings)  # type: ignore[arg-type]
    assert link(poses, cost=OksScorer(), **settings).track_ids.tolist() == expected.track_ids.tolist()  # type: ignore[arg-type]


def test_torch_poses_stay_torch() -> None:
    poses = crowd(2, frames=6)
    linked = EntailmentLinker(OksScorer()).link(poses.to("cpu"))
    assert linked.track_ids.tolist() == EntailmentLinker(OksScorer()).link(poses).track_ids.tolist()
    assert type(linked.keypoints).__name__ == "Tensor"


def test_a_scorer_that_knows_no_pairs_so_far_apart_is_refused_at_once() -> None:
    @dataclass
    class Near(OksScorer):
        delta: int = 4

    poses = crowd(0, frames=3)
    message = "lookback must be at most the network's delta, 4, got 5"
    for run in (lambda: EntailmentLinker(Near(), lookback=5), lambda: link(poses, cost=Near(), lookback=5)):
        with pytest.raises(ValueError, match=message):
            run()
    assert len(EntailmentLinker(Near(), lookback=4).link(poses).scores) == len(poses.scores)
    assert len(EntailmentLinker(OksScorer(), lookback=2**31 - 1).link(poses).scores) == len(poses.scores)


@pytest.mark.parametrize("scorer", ["keytrack", None, OksScorer])
def test_what_scores_no_pairs_is_refused(scorer: object) -> None:
    with pytest.raises(TypeError, match="scorer must have a method match_scores, got "):
        EntailmentLinker(scorer)  # type: ignore[arg-type]
