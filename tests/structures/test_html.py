"""Poses in a notebook."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np

from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses

SVG = "{http://www.w3.org/2000/svg}"


def poses(**columns: object) -> Poses:
    keypoints = np.random.default_rng(0).uniform(0, 100, (3, 15, 2))
    return Poses(keypoints, [0, 0, 2, 3], POSETRACK_15, track_ids=[4, 5, 4], scores=[0.25, 0.5, 1], **columns)


def parsed(shown: Poses) -> ElementTree.Element:
    return ElementTree.fromstring(shown._repr_html_())


def facts(shown: Poses) -> dict[str, str]:
    return {row[0].text: row[1].text for row in parsed(shown).iter("tr")}


def test_the_table_counts_frames_poses_and_tracks() -> None:
    assert facts(poses(sequence="street")) == {
        "sequence": "street",
        "frames": "3",
        "poses": "3",
        "tracks": "2",
        "skeleton": "posetrack_15, 15 joints",
        "scores": "0.25 to 1",
    }


def test_nobody_is_a_table_without_a_drawing() -> None:
    empty = poses().select(np.zeros(3, bool))
    assert facts(empty)["scores"] == "none" and facts(empty)["poses"] == "0"
    assert parsed(empty).find(f"{SVG}svg") is None


def test_the_first_frame_with_people_is_drawn_a_colour_for_each() -> None:
    image = parsed(poses()).find(f"{SVG}svg")
    assert image is not None and image.find(f"{SVG}title").text == "frame 1"
    people = image.findall(f"{SVG}path")
    assert len(people) == 2 and people[0].get("stroke") != people[1].get("stroke")
    assert [person.get("d").count("M") for person in people] == [len(POSETRACK_15.edges)] * 2


def test_the_drawing_has_the_frames_size_or_holds_all_joints() -> None:
    sized = parsed(poses(frame_size=[[640, 360]] * 3)).find(f"{SVG}svg")
    assert sized.get("viewBox") == "0 0 640 360"
    left, top, width, height = map(float, parsed(poses()).find(f"{SVG}svg").get("viewBox").split())
    points = poses().keypoints[:2]
    assert left < points[..., 0].min() and points[..., 0].max() < left + width
    assert top < points[..., 1].min() and points[..., 1].max() < top + height


def test_absent_joints_are_left_out_and_lone_ones_are_dots() -> None:
    visibility = np.zeros((3, 15), np.uint8)
    visibility[0, 3] = 2
    keypoints = poses().keypoints.copy()
    keypoints[1] = np.nan
    people = parsed(replace(poses(), keypoints=keypoints, joint_visibility=visibility)).findall(f".//{SVG}path")
    x, y = keypoints[0, 3]
    assert [person.get("d") for person in people] == [f"M{x:.1f} {y:.1f}L{x:.1f} {y:.1f}", ""]


def test_what_names_hold_is_escaped() -> None:
    odd = Skeleton('"><b>', ("a", "b"), ((0, 1),), (), (0.1, 0.1))
    shown = Poses(np.ones((1, 2, 2)), [0, 1], odd, frame_names=("</title><script>",), sequence="<i>&")
    assert facts(shown)["sequence"] == "<i>&" and facts(shown)["skeleton"] == '"><b>, 2 joints'
    assert parsed(shown).find(f"{SVG}svg/{SVG}title").text == "</title><script>"
    assert {element.tag.removeprefix(SVG) for element in parsed(shown).iter()} == {
        "div", "table", "tr", "th", "td", "svg", "title", "path"
    }  # fmt: skip


def test_tensors_show_the_same() -> None:
    assert poses().to("cpu")._repr_html_() == poses()._repr_html_()
