"""The test set keeps its promises: how many people, how many of them hidden, cameras that move, seeds held out."""

from __future__ import annotations

import inspect
import runpy
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import load_test_set, render
from ptfast.synthetic.splits import TEST_SEEDS, VALIDATION_SEEDS, mostly_hidden, read_test_set

RULE = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/make_test_set.py"))
VIDEOS = read_test_set()["videos"]
ARGUMENTS = [video["arguments"] for video in VIDEOS]


@pytest.fixture(scope="module")
def films():
    return load_test_set()


def total(key: str) -> int:
    return sum(video[key] for video in VIDEOS)


def test_every_argument_of_every_video_is_named_and_in_its_range():
    assert len(VIDEOS) == 20
    for chosen in ARGUMENTS:
        assert set(chosen) == set(inspect.signature(render).parameters)
        fixed = (chosen["frames"], chosen["size"], chosen["fps"], chosen["blur"], chosen["skeleton"])
        assert fixed == (64, [256, 256], 25, 2, "posetrack_15")
        assert 3 <= chosen["pan"] <= 8
        assert 0.1 <= chosen["shake"] <= 0.4
        assert 2 <= chosen["scenery"] <= 4


def test_three_to_eight_people_each_number_twice_or_more():
    count = Counter(chosen["people"] for chosen in ARGUMENTS)
    assert sorted(count) == [3, 4, 5, 6, 7, 8]
    assert min(count.values()) >= 2
    assert all(video["identities"] >= video["arguments"]["people"] for video in VIDEOS)


def test_a_quarter_of_the_people_is_mostly_hidden():
    assert total("mostly_hidden") / total("person_frames") >= 0.25
    written = read_test_set()
    assert written["person_frames"] == total("person_frames")
    assert written["mostly_hidden_share"] == round(total("mostly_hidden") / total("person_frames"), 4)


def test_seeds_are_held_out_and_distinct():
    seeds = [chosen["seed"] for chosen in ARGUMENTS]
    assert min(seeds) >= TEST_SEEDS > VALIDATION_SEEDS
    assert len(set(seeds)) == 20


@pytest.mark.parametrize("number", [0, 1])
def test_the_rule_gives_the_video(number):
    assert RULE["entry"](number) == VIDEOS[number]


def test_the_rule_writes_the_file():
    assert RULE["text"](VIDEOS) == (files("ptfast.synthetic") / "benchmark_v1.json").read_text()
    assert [{**RULE["setting"](number), "seed": chosen["seed"]} for number, chosen in enumerate(ARGUMENTS)] == ARGUMENTS


def test_what_is_written_of_the_videos_is_counted_in_them(films):
    assert [len(film) for film in films] == [64] * 20
    assert [len(film.poses.boxes) for film in films] == [video["person_frames"] for video in VIDEOS]
    assert [int(mostly_hidden(film.poses).sum()) for film in films] == [video["mostly_hidden"] for video in VIDEOS]
    assert [len(np.unique(film.poses.track_ids)) for film in films] == [video["identities"] for video in VIDEOS]


def test_every_camera_moves(films):
    for film in films:
        rendered = [film.frame(frame, flow=True) for frame in (5, 30, 55)]
        assert rendered[0].image.shape == (256, 256, 3)
        steps = [one.flow[one.owners == -1] for one in rendered]
        assert max(np.linalg.norm(step, axis=-1).mean() for step in steps) > 0.5


def test_mostly_hidden_counts_labelled_joints_alone():
    visibility = np.array([[0, 0, 0, 0, 0, 0, 0, 1, 2, 2], [1, 1, 1, *[2] * 7], [1, 1, 1, 1, *[2] * 6], [0] * 9 + [2]])
    rows = np.pad(visibility, ((0, 0), (0, 5))).astype(np.uint8)
    poses = Poses(np.zeros((4, 15, 2), np.float32), np.array([0, 4]), POSETRACK_15, joint_visibility=rows)
    assert mostly_hidden(poses).tolist() == [True, False, True, False]
    assert mostly_hidden(poses, 0.2).tolist() == [True, True, True, False]


def test_an_unknown_test_set_is_named():
    with pytest.raises(ValueError, match="name must be one of benchmark_v1, got 'benchmark_v0'"):
        load_test_set("benchmark_v0")


def test_the_name_is_the_function_and_loads_no_opencv():
    code = (
        "import sys; from ptfast.synthetic import load_test_set; print(callable(load_test_set), 'cv2' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "False"]
