"""Drawings: what is in them, and files that appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ptfast.io import open_video
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene
from ptfast.viz import (
    blank_image,
    canvas_size,
    contact_sheet,
    draw_poses,
    id_color,
    render_video,
    trails_at,
    write_video,
)

cv2 = pytest.importorskip("cv2")

SIZE = (160, 90)


@pytest.fixture(scope="module")
def poses() -> Poses:
    return scene(0, frames=12, people=3, size=SIZE)


def black(count: int, width: int = SIZE[0], height: int = SIZE[1]) -> list[np.ndarray]:
    return [np.zeros((height, width, 3), np.uint8) for _ in range(count)]


def decoded(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = video.read()
        if not there:
            video.release()
            return frames
        frames.append(frame[..., ::-1])


def has_color(image: np.ndarray, color: tuple[int, int, int]) -> bool:
    return bool((image == color).all(-1).any())


def standing(visibility: int = 2, track_id: int = 3) -> Poses:
    keypoints = np.linspace([[20, 10]], [[60, 80]], len(POSETRACK_15)).reshape(1, -1, 2)
    return Poses(
        keypoints,
        np.array([0, 1]),
        POSETRACK_15,
        joint_visibility=np.full((1, len(POSETRACK_15)), visibility, np.uint8),
        track_ids=np.array([track_id]),
    )


def test_opencv_loads_only_with_the_first_drawing():
    code = "import sys, ptfast.viz; assert 'cv2' not in sys.modules; ptfast.viz.draw_poses; assert 'cv2' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_colours_of_neighbouring_ids_differ_and_no_id_is_grey():
    colors = np.array([id_color(track_id) for track_id in range(12)])
    distance = np.linalg.norm(colors[:, None].astype(float) - colors, axis=-1)
    assert distance[~np.eye(12, dtype=bool)].min() > 35
    assert np.ptp(id_color(-1)) < 20


def test_a_pose_is_drawn_in_its_colour_and_the_image_stays():
    image = black(1)[0]
    drawn = draw_poses(image, standing())
    assert not image.any()
    assert has_color(drawn, id_color(3))
    assert not has_color(drawn, id_color(4))


def test_hidden_joints_are_fainter_than_seen_ones():
    seen, hidden = (draw_poses(black(1)[0], standing(visibility), labels=False) for visibility in (2, 1))
    assert 0 < hidden.max() < 0.6 * seen.max()


def test_absent_joints_are_not_drawn():
    assert not draw_poses(black(1)[0], standing(0)).any()


def test_labels_can_be_left_out():
    assert (draw_poses(black(1)[0], standing()) != draw_poses(black(1)[0], standing(), labels=False)).any()


def test_scale_moves_the_drawing_with_the_image():
    drawn = draw_poses(black(1, 320, 180)[0], standing(), labels=False, scale=2)
    rows, columns = np.nonzero(drawn.any(-1))
    np.testing.assert_allclose([columns.min(), rows.min(), columns.max(), rows.max()], [40, 20, 120, 160], atol=5)


@pytest.mark.parametrize("far", [-1e7, 1e7])
def test_joints_far_outside_are_harmless(far):
    pose = standing()
    pose.keypoints[0, 0] = far
    assert draw_poses(black(1)[0], pose).any()


def test_trails_end_in_the_middle_of_a_frames_people(poses):
    trails = dict(trails_at(poses, 5, 3))
    assert list(trails) == poses.frame(5).track_ids.tolist() and len(trails) > 1
    for row, points in zip(range(*poses.frame_offsets[5:7]), trails.values(), strict=True):
        middle = poses.keypoints[row][poses.joint_visibility[row] > 0].mean(0)
        np.testing.assert_allclose(points[-1], middle, rtol=1e-5)
        assert len(points) == 4
    assert trails_at(standing(track_id=-1), 0, 3) == []
    with pytest.raises(ValueError, match="frame must be between 0 and 11, got 12"):
        trails_at(poses, 12, 3)


def test_a_blank_image_of_the_poses_size_holds_all_joints(poses):
    assert canvas_size(poses) == SIZE and blank_image(SIZE).shape == (90, 160, 3)
    assert canvas_size(standing()) == (61, 81)


def test_draw_poses_names_bad_arguments(poses):
    with pytest.raises(ValueError, match=r"image must have shape \(H, W, 3\), got \(90, 160\)"):
        draw_poses(black(1)[0][..., 0], poses.frame(0))
    with pytest.raises(TypeError, match="image must have dtype uint8, got float64"):
        draw_poses(black(1)[0].astype(float), poses.frame(0))
    with pytest.raises(ValueError, match="poses must be of one frame, got 12"):
        draw_poses(black(1)[0], poses)


def test_a_video_has_every_frame_and_shows_the_people(poses, tmp_path):
    path = tmp_path / "tracks.mp4"
    render_video(poses, path, progress=False)
    frames = decoded(path)
    assert (len(frames), frames[0].shape) == (12, (90, 160, 3))
    assert os.listdir(tmp_path) == ["tracks.mp4"]
    for index in (0, 11):
        wanted = draw_poses(np.full((90, 160, 3), (17, 20, 26), np.uint8), poses.frame(index))
        assert np.abs(frames[index].astype(int) - wanted).mean() < 6
        assert (frames[index].max(-1) > 120).any()


def test_a_video_is_drawn_on_images_and_on_another_video(poses, tmp_path):
    green = [np.full((90, 160, 3), (0, 160, 0), np.uint8)] * 12
    render_video(poses, tmp_path / "first.mp4", frames=iter(green), progress=False)
    render_video(poses, tmp_path / "second.mp4", frames=tmp_path / "first.mp4", progress=False)
    frames = decoded(tmp_path / "second.mp4")
    assert len(frames) == 12
    np.testing.assert_allclose(np.median(frames[5], axis=(0, 1)), [0, 160, 0], atol=12)


def test_odd_sizes_lose_a_pixel(poses, tmp_path):
    render_video(poses, tmp_path / "odd.mp4", frames=black(12, 161, 91), progress=False)
    assert decoded(tmp_path / "odd.mp4")[0].shape == (90, 160, 3)


def test_poses_without_ids_and_without_a_size_are_drawn_too(poses, tmp_path):
    found = detections(poses)
    bare = Poses(found.keypoints, found.frame_offsets, found.skeleton, joint_visibility=found.joint_visibility)
    render_video(bare, tmp_path / "bare.mp4", progress=False)
    contact_sheet(bare, tmp_path / "bare.png", progress=False)
    assert len(decoded(tmp_path / "bare.mp4")) == 12


@pytest.mark.parametrize(("draw", "name"), [(render_video, "a.mp4"), (contact_sheet, "a.png")])
def test_a_failure_leaves_the_old_file_and_nothing_else(poses, tmp_path, draw, name):
    (tmp_path / name).write_text("old")
    with pytest.raises(ValueError, match="frames must have an image for each of 12 frames, got none for frame 5"):
        draw(poses, tmp_path / name, frames=black(5), progress=False)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "old"


@pytest.mark.parametrize(("draw", "suffix"), [(render_video, ".mp4"), (contact_sheet, ".png")])
def test_bad_targets_are_named(poses, tmp_path, draw, suffix):
    with pytest.raises(ValueError, match=rf"path must end in \{suffix}, got 'a.gif'"):
        draw(poses, tmp_path / "a.gif")
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        draw(poses, tmp_path / "nowhere" / f"a{suffix}")
    with pytest.raises(ValueError, match="poses must have at least one frame, got 0"):
        draw(poses[:0], tmp_path / f"a{suffix}")


def test_an_unwritable_folder_is_named(poses, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)  # root may write to every folder
    with pytest.raises(PermissionError, match="folder is not writable"):
        contact_sheet(poses, tmp_path / "a.png")


def test_images_of_two_sizes_are_named_where_no_poses_could_follow(tmp_path):
    with pytest.raises(ValueError, match=r"frames must be of one size, got \(160, 90\) and, at 6, \(80, 60\)"):
        write_video(black(6) + black(6, 80, 60), tmp_path / "a.mp4")


@pytest.mark.parametrize(("width", "height"), [(80, 90), (320, 90), (320, 360), (40, 200)])
def test_images_of_another_size_are_fitted_into_the_first_with_their_poses(tmp_path, width, height):
    joints = standing().keypoints
    keypoints = np.concatenate([joints, joints * (width / 160, height / 90)])
    poses = Poses(keypoints, np.arange(3), POSETRACK_15, track_ids=np.array([3, 3]))
    images = [*black(1), np.full((height, width, 3), (0, 90, 0), np.uint8)]
    render_video(poses, tmp_path / "a.mp4", frames=images, trail=0, labels=False, progress=False)
    frame = decoded(tmp_path / "a.mp4")[1].astype(int)
    factor = min(160 / width, 90 / height)
    inside = round(width * factor), round(height * factor)
    margin = np.array([(160 - inside[0]) // 2, (90 - inside[1]) // 2])
    expected = np.full((90, 160, 3), (17, 20, 26))
    expected[margin[1] : margin[1] + inside[1], margin[0] : margin[0] + inside[0]] = 0, 90, 0
    points = keypoints[1] * factor + margin
    rows, columns = np.nonzero(np.abs(frame - expected).max(-1) > 60)
    found = [columns.min(), rows.min(), columns.max(), rows.max()]
    np.testing.assert_allclose(found, [*points.min(0), *points.max(0)], atol=4)
    assert np.abs(frame - expected).mean(-1)[:, : round(points[:, 0].min()) - 6].max(initial=0) < 30


def test_lost_frames_show_the_last_picture_before_them(poses, tmp_path):
    nobody = poses.select(np.zeros(len(poses.keypoints), bool))[:5]
    red, blue = (np.full((90, 160, 3), color, np.uint8) for color in [(180, 0, 0), (0, 0, 180)])
    images = [SimpleNamespace(image=image) for image in (None, red, None, blue, None)]
    render_video(nobody, tmp_path / "a.mp4", frames=images, progress=False)
    shown = [np.median(frame, axis=(0, 1)) for frame in decoded(tmp_path / "a.mp4")]
    np.testing.assert_allclose(shown, [(17, 20, 26), *[(180, 0, 0)] * 2, *[(0, 0, 180)] * 2], atol=12)
    contact_sheet(nobody, tmp_path / "a.png", frames=[red, None, red, blue, None], count=2, progress=False)
    sheet = cv2.imread(str(tmp_path / "a.png"))[..., ::-1]
    assert has_color(sheet, (180, 0, 0)) and has_color(sheet, (0, 0, 180))


@pytest.mark.parametrize("kind", ["video", "folder"])
def test_poses_are_drawn_on_what_open_video_gives(poses, tmp_path, kind):
    green = [np.full((90, 160, 3), (0, 160, 0), np.uint8)] * 12
    if kind == "folder":
        source = tmp_path / "frames"
        source.mkdir()
        for index, image in enumerate(green):
            assert cv2.imwrite(str(source / f"{index}.jpg"), image[..., ::-1])
        (source / "7.jpg").write_bytes(b"lost")
    else:
        source = tmp_path / "in.mp4"
        write_video(green, source)
    with open_video(source) as video, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        render_video(poses, tmp_path / "out.mp4", frames=video, progress=False)
    frames = decoded(tmp_path / "out.mp4")
    assert (len(frames), len(caught)) == (12, int(kind == "folder"))
    np.testing.assert_allclose(np.median(frames[7], axis=(0, 1)), [0, 160, 0], atol=12)


def test_a_folder_is_no_video_file(poses, tmp_path):
    with pytest.raises(ValueError, match=r"expected a video file, found a folder; ptfast\.io\.open_video reads"):
        render_video(poses, tmp_path / "a.mp4", frames=tmp_path, progress=False)


@pytest.mark.parametrize("content", [None, b"no video"])
def test_a_video_that_cannot_be_read_is_named(poses, tmp_path, content):
    if content is not None:
        (tmp_path / "in.avi").write_bytes(content)
    with pytest.raises((FileNotFoundError, ValueError), match=r"in\.avi"):
        render_video(poses, tmp_path / "a.mp4", frames=tmp_path / "in.avi", progress=False)


def test_a_contact_sheet_has_the_colours_of_its_ids(poses, tmp_path):
    path = tmp_path / "sheet.png"
    contact_sheet(poses, path, columns=3, count=6, width=900, progress=False)
    sheet = cv2.imread(str(path))[..., ::-1]
    assert sheet.shape[1] == 900
    assert all(has_color(sheet, id_color(int(one))) for one in np.unique(poses.track_ids))
    assert not has_color(sheet, id_color(int(poses.track_ids.max()) + 1))
    assert os.listdir(tmp_path) == ["sheet.png"]


def test_a_contact_sheet_shows_the_images_of_its_frames(poses, tmp_path):
    images = [np.full((90, 160, 3), (20 * index, 7, 99), np.uint8) for index in range(12)]
    nobody = poses.select(np.zeros(len(poses.keypoints), bool))
    contact_sheet(nobody, tmp_path / "sheet.png", frames=iter(images), count=3, progress=False)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1]
    assert [has_color(sheet, (20 * index, 7, 99)) for index in (0, 5, 6, 11)] == [True, False, True, True]


def test_a_contact_sheet_of_few_frames_shows_all_of_them(poses, tmp_path):
    contact_sheet(poses[:2], tmp_path / "sheet.png", count=12, progress=False)
    assert cv2.imread(str(tmp_path / "sheet.png")).shape[1] == 1280


@pytest.mark.parametrize("name", ["columns", "count"])
def test_a_contact_sheet_needs_positive_numbers(poses, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        contact_sheet(poses, tmp_path / "sheet.png", **{name: 0})
