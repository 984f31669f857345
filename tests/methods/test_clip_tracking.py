"""Clip tracking from frames to tracks, with a network that knows the truth: what goes where, not how well it sees."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ptfast.evaluation.posetrack import evaluate
from ptfast.methods.clip_tracking import ClipTracking, Config, Merging
from ptfast.models import Hrnet, HrnetArchitecture, estimate_tubes
from ptfast.ops import iou_matrix
from ptfast.pipeline import FrameTracklets, TubePoses, load_detector, pose_networks
from ptfast.pipeline.detectors import Detector, each_image, given_boxes
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import scene

FRAMES = 150  # more than a block and the frames that paths are followed ahead


def numbered(count: int) -> list[np.ndarray | None]:
    """Pictures whose first pixel tells their number."""
    pictures: list[np.ndarray | None] = []
    for number in range(count):
        picture = np.zeros((8, 8, 3), np.uint8)
        picture[0, 0, :2] = divmod(number, 256)
        pictures.append(picture)
    return pictures


@pytest.fixture(scope="module")
def truth() -> Poses:
    return scene(3, frames=FRAMES, people=3)


def network() -> Hrnet:
    """A narrow one with random weights, whose heatmaps have peaks everywhere."""
    torch.manual_seed(0)
    model = Hrnet(HrnetArchitecture(width=8, joints=15, stem=8, stem_blocks=1, modules=(1,), blocks=1)).eval()
    torch.nn.init.normal_(model.final_layer.weight, std=1.0)
    return model


@pytest.fixture
def tracker(truth: Poses, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a tracker that finds in each tube the person whose box it was cut out around."""
    rng_of = np.random.default_rng

    def estimate(_: object, pictures: torch.Tensor, boxes: np.ndarray, index: np.ndarray, **__: object) -> tuple:
        shape = (*index.shape, 15)
        keypoints, scores = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
        numbers = (pictures[:, 0, 0, :2].numpy().astype(int) @ [256, 1])[index]  # (M, T)
        for m, box in enumerate(boxes):
            centre = truth.frame(int(numbers[m, index.shape[1] // 2]))
            person = centre.track_ids[iou_matrix(box[None], centre.boxes)[0].argmax()]
            for t, number in enumerate(numbers[m]):
                frame = truth.frame(int(number))
                row = np.flatnonzero(frame.track_ids == person)
                if len(row):
                    noise = rng_of([int(number), int(person), t]).normal(0, 1.0, (15, 2))
                    keypoints[m, t] = frame.keypoints[row[0]] + noise
                    scores[m, t] = 0.9 * (frame.joint_visibility[row[0]] > 0)
        return keypoints, scores

    monkeypatch.setattr(pose_networks, "estimate_tubes", estimate)
    model = network()

    def make(detector: Detector | None = None, merging: dict[str, Any] | None = None, **settings: Any) -> ClipTracking:
        kept = Merging(**{"min_area": 0.0, **(merging or {})})
        tubes = {name: settings.pop(name) for name in ("flip", "refine", "precision") if name in settings}
        config = Config(merging=kept, **settings)
        return ClipTracking(TubePoses(model, (64, 48), **tubes), detector or given_boxes(truth), config=config)

    return make


def named(tracks: Poses, truth: Poses) -> Poses:
    return replace(tracks, sequence=truth.sequence, frame_names=truth.frame_names)


def score(truth: Poses, tracks: Poses) -> tuple[float, float]:
    """mAP and MOTA."""
    result = evaluate({truth.sequence: truth}, {truth.sequence: named(tracks, truth)})
    return float(result.ap[-1]), float(result.mota[-1])


def same(a: Poses, b: Poses) -> None:
    np.testing.assert_array_equal(a.frame_offsets, b.frame_offsets)
    np.testing.assert_array_equal(a.track_ids, b.track_ids)
    np.testing.assert_allclose(a.keypoints, b.keypoints, atol=1e-3)
    np.testing.assert_array_equal(a.frame_ids, b.frame_ids)


def missing(truth: Poses, frames: Iterable[int]) -> Detector:
    """The truth's boxes but for some frames."""
    empty = np.zeros(len(truth.scores), bool)
    for frame in frames:
        empty[truth.frame_offsets[frame] : truth.frame_offsets[frame + 1]] = True
    return given_boxes(truth.select(~empty))


def test_people_are_followed_through_the_video(tracker: Any, truth: Poses) -> None:
    tracks = tracker().track(numbered(FRAMES))
    precision, accuracy = score(truth, tracks)
    assert precision > 97 and accuracy > 93
    assert len(tracks) == FRAMES and tracks.frame_ids.tolist() == [*range(FRAMES)]


def test_people_are_there_where_the_detector_misses_them(tracker: Any, truth: Poses) -> None:
    gap = range(60, 67)  # under |C| frames: clips about the frames before and after it reach over it
    tracks = tracker(missing(truth, gap)).track(numbered(FRAMES))
    assert score(truth, tracks)[1] > 93
    before, within = tracks.frame(59), tracks.frame(63)
    assert set(within.track_ids) & set(before.track_ids)
    assert len(within.scores) == len(truth.frame(63).scores)


def test_the_stream_is_the_whole_video_at_once(tracker: Any, truth: Poses) -> None:
    """Windows of 16 frames that look 32 ahead give what one window over the whole video gives."""
    pictures = numbered(FRAMES)
    whole = tracker(merging={"block": FRAMES}).track(pictures)
    same(tracker(merging={"block": 16}).track(pictures), whole)


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_batches_change_nothing(tracker: Any, truth: Poses, batch: int) -> None:
    pictures = numbered(40)
    same(tracker(batch=batch).track(pictures), tracker().track(pictures))


def test_linking_what_was_detected_is_the_stream(tracker: Any, truth: Poses) -> None:
    method, pictures = tracker(), numbered(FRAMES)
    hypotheses = list(method.detect(pictures))
    assert [method.count(poses) for poses in hypotheses] == [len(truth.frame(f).scores) for f in range(FRAMES)]
    linked = method.link(replace(FrameTracklets.concatenate(hypotheses), sequence="walk"))
    assert linked.sequence == "walk"
    same(linked, method.track(pictures))


@pytest.mark.parametrize("step", [2, 4, 8])
def test_people_are_looked_for_in_every_step_th_frame(tracker: Any, truth: Poses, step: int) -> None:
    seen: list[int] = []
    boxes = given_boxes(truth)

    def detector(frames: Sequence, keys: Sequence[int]) -> Sequence:
        seen.extend(frames[key].index for key in keys)
        return boxes(frames, keys)

    tracks = tracker(detector, step=step).track(numbered(FRAMES))
    unreached = [FRAMES - 1] if (FRAMES - 1) % step > 4 else []  # by the clip about the last regular one
    assert seen == [*range(0, FRAMES, step), *unreached]
    assert score(truth, tracks)[1] > 80


@pytest.mark.filterwarnings("ignore:.*could not be decoded")
def test_frames_that_cannot_be_decoded_have_nobody(tracker: Any, truth: Poses) -> None:
    pictures = numbered(60)
    pictures[30] = None
    tracks = tracker().track(pictures)
    assert len(tracks) == 60 and len(tracks.frame(30).scores) == 0
    assert len(tracks.frame(29).scores) and len(tracks.frame(31).scores)


def test_clips_do_not_reach_over_a_change_of_size(tracker: Any, truth: Poses) -> None:
    pictures = numbered(40)
    for number in range(20, 40):
        larger = np.zeros((10, 10, 3), np.uint8)
        larger[0, 0] = pictures[number][0, 0]
        pictures[number] = larger
    method = tracker()
    hypotheses = list(method.detect(pictures))
    for key in range(16, 24):
        scores = hypotheses[key].tracklets.joint_scores.max((0, 2))
        there = [(key - 4 + place < 20) == (key < 20) for place in range(9)]
        np.testing.assert_array_equal(scores > 0, there)
    assert len(method.link(hypotheses)) == 40


@pytest.mark.parametrize("count", [1, 2, 5])
def test_short_videos(tracker: Any, truth: Poses, count: int) -> None:
    tracks = tracker(merging={"min_length": 1}).track(numbered(count))
    assert len(tracks) == count
    assert [len(tracks.frame(f).scores) for f in range(count)] == [len(truth.frame(f).scores) for f in range(count)]


def test_videos_without_people(tracker: Any) -> None:
    nobody = each_image(lambda _: (np.zeros((0, 4)), np.zeros(0)))
    tracks = tracker(nobody).track(numbered(FRAMES))
    assert len(tracks) == FRAMES and len(tracks.scores) == 0


def test_short_tracks_and_small_boxes_go(tracker: Any, truth: Poses) -> None:
    first = truth.boxes[0]

    def only_frame_zero(frames: Sequence, keys: Sequence[int]) -> list:
        boxes = given_boxes(truth[:1])
        return [
            boxes([frames[key]], [0])[0] if frames[key].index == 0 else (first[None][:0], first[:0]) for key in keys
        ]

    pictures = numbered(30)
    assert len(tracker(only_frame_zero, {"min_length": 5}).track(pictures).scores)  # a clip reaches four frames further
    assert not len(tracker(only_frame_zero, {"min_length": 6}).track(pictures).scores)
    assert not len(tracker(None, {"min_area": 1e6}).track(pictures).scores)


def test_memory_is_that_of_the_window(tracker: Any, truth: Poses) -> None:
    from ptfast.methods.clip_tracking.polish import MovingMerge

    method = tracker(merging={"block": 8, "lookahead": 8})
    window, held = MovingMerge(9, method.config.merging), []
    for number, record in enumerate(method.detect(numbered(FRAMES))):
        for _ in window.update(record, 3 * number + np.arange(len(record.tracklets))):  # nobody stays for long
            pass
        held.append((len(window.frames), len(window.parts), len(window.lengths)))
    frames, parts, lengths = np.array(held).max(0)
    assert frames <= 8 + 8 + 4 + 1 and parts <= frames + 9 and lengths <= 4 * parts


@pytest.mark.parametrize("size", [(64, 48), (96, 64)])
@pytest.mark.parametrize("settings", [{}, {"flip": False}, {"refine": "taylor"}])
def test_the_network_sees_tubes_as_the_settings_say(size: tuple[int, int], settings: dict[str, Any]) -> None:
    model, rng = network(), np.random.default_rng(0)
    pictures, boxes = rng.integers(0, 256, (3, 72, 96, 3), np.uint8), np.array([[10, 5, 50, 65]], np.float32)
    detector = each_image(lambda _: (boxes, np.ones(1)))
    method = ClipTracking(TubePoses(model, size, precision="float32", **settings), detector, config=Config(frames=3))
    found = FrameTracklets.concatenate(list(method.detect(list(pictures)))).tracklets
    index = np.array([[0, 0, 1], [0, 1, 2], [1, 2, 2]])
    wanted, _ = estimate_tubes(model, pictures, boxes.repeat(3, 0), index, size=size, skeleton=POSETRACK_15, **settings)
    np.testing.assert_allclose(found.keypoints, wanted, atol=1e-3)


@pytest.mark.parametrize(("least", "count"), [(0.5, 2), (0.4, 3), (None, 4)])
def test_boxes_under_the_least_score_get_no_tube(tracker: Any, truth: Poses, least: float | None, count: int) -> None:
    detector = each_image(lambda _: (truth.boxes[:1].repeat(4, 0), np.array([0.4, 0.5, -1.0, 0.6])))
    method = tracker(detector, min_box_score=least)
    assert [method.count(poses) for poses in method.detect(numbered(5))] == [count] * 5


@pytest.mark.parametrize(("least", "low"), [(0.5, 2), (None, 0)])
def test_boxes_without_a_tube_are_counted_in_their_frames(
    tracker: Any, truth: Poses, least: float | None, low: int
) -> None:
    """Two unsure ones and two without an area, one of which is unsure too, in every second frame."""
    person = truth.boxes[0]
    flat = person[[0, 1, 0, 3]]
    boxes, scores = np.stack([person, flat, person, person, flat]), np.array([0.4, 0.1, 0.6, 0.2, 0.9])
    method = tracker(each_image(lambda _: (boxes, scores)), step=2, min_box_score=least)
    for index, record in enumerate(method.detect(numbered(7))):
        here = index % 2 == 0
        assert (record.low_boxes.tolist(), record.empty_boxes.tolist()) == ([low * here], [2 * here])
        assert len(record.tracklets) == (3 - low) * here and (record.tracklets.boxes == person).all()


def test_scores_are_those_of_boxes_and_joints(tracker: Any, truth: Poses) -> None:
    boxes = given_boxes(replace(truth, scores=np.full(len(truth.scores), 0.7)))
    np.testing.assert_allclose(tracker(boxes).track(numbered(20)).scores, 0.7 * 0.9, atol=1e-6)


def test_narrow_sigmas_join_less(tracker: Any) -> None:
    pictures = numbered(20)
    wide, narrow = (set(tracker(sigma_scale=s).track(pictures).track_ids.tolist()) for s in (1.0, 0.01))
    assert len(narrow) > 2 * len(wide)


def test_joints_under_their_thresholds_are_absent(tracker: Any) -> None:
    pictures = numbered(12)
    assert len(tracker(merging={"joint_thresholds": 0.95}).track(pictures).scores) == 0
    seen = tracker(merging={"joint_thresholds": (0.95, *[0.5] * 14)}).track(pictures).joint_visibility > 0
    assert not seen[:, 0].any() and seen[:, 1:].any(0).all()


def test_what_tracklets_depend_on_is_told(tracker: Any) -> None:
    """An interrupted run goes on only with the same."""
    usual = tracker(precision="float32").depends_on()
    nanodet = tracker(load_detector("nanodet-g"), precision="float32").depends_on()
    assert usual["detector"] is None and nanodet != usual
    assert json.loads(json.dumps(usual)) == usual
    for name, value in (
        ("frames", 7), ("step", 2), ("flip", False), ("refine", "taylor"), ("min_box_score", None),
        ("precision", "bfloat16"),
    ):  # fmt: skip
        assert tracker(**{"precision": "float32", name: value}).depends_on() != usual, name
    others = {"merging": {"radius": 0.2}, "min_similarity": 0.5, "sigma_scale": 2.0, "batch": 3}
    assert tracker(**others, precision="float32").depends_on() == usual


def test_tracklets_of_other_clips_are_refused(tracker: Any) -> None:
    records = list(tracker(frames=9).detect(numbered(3)))
    with pytest.raises(ValueError, match="records must hold tracklets of 5 frames, got 9"):
        tracker(frames=5).link(records)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="frames must be odd, got 8"):
        Config(frames=8)
    with pytest.raises(ValueError, match="step must be between 1 and 8, got 9"):
        Config(step=9)
    with pytest.raises(ValueError, match=r"merging\.min_length must be 1 where frames is 1"):
        Config(frames=1)
    with pytest.raises(ValueError, match=r"refine must be one of .*, got 'x'"):
        TubePoses(network(), (64, 48), refine="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="skeleton must be the network's, posetrack_15, got coco_17"):
        ClipTracking(TubePoses(network(), (64, 48)), each_image(lambda _: ([], [])), skeleton=COCO_17)
    with pytest.raises(ValueError, match=r"merge must be one of .*, got 'spacial'"):
        Merging(merge="spacial")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="min_length must be at most 4, one more than lookahead, got 5"):
        Merging(lookahead=3)


def test_boxes_of_a_file_must_cover_the_video(tracker: Any, truth: Poses) -> None:
    with pytest.raises(ValueError, match="poses must have boxes for every frame of the video, got 10 frames"):
        tracker(given_boxes(truth[:10])).track(numbered(20))


def test_boxes_of_the_callers_function_are_checked(tracker: Any) -> None:
    for boxes, scores, message in (
        (np.zeros((1, 5)), np.zeros(1), r"boxes must have shape \(N, 4\), got \(1, 5\)"),
        (np.zeros((1, 4)), np.zeros(2), r"scores must have shape \(N,\) with N = 1, got \(2,\)"),
        (np.full((1, 4), np.nan), np.ones(1), "boxes and scores must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            tracker(each_image(lambda _, boxes=boxes, scores=scores: (boxes, scores))).track(numbered(3))


def test_a_video_without_frames_is_an_error(tracker: Any) -> None:
    with pytest.raises(ValueError, match="expected at least one frame, found none"):
        tracker().track([])
