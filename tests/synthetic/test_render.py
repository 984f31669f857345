"""Images of synthetic scenes agree with their poses, owners and flow."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.synthetic import Film, render, scene

SETTINGS = {"frames": 30, "people": 5, "size": (256, 192), "pan": 6.0, "shake": 0.3}


@pytest.fixture(scope="module")
def film():
    return render(2, scenery=3, **SETTINGS)


def joints(film, frame):
    """Row, joint, and pixel (x, y) of each joint in the image, and its visibility."""
    poses = film.poses.frame(frame)
    row, joint = np.nonzero(poses.joint_visibility > 0)
    x, y = np.round(poses.keypoints[row, joint]).astype(int).T
    return poses.track_ids[row], poses.joint_visibility[row, joint], x, y


def test_poses_are_the_scenes_apart_from_who_hides_whom(film):
    truth = scene(2, **SETTINGS)
    for name in ("keypoints", "boxes", "head_boxes", "track_ids", "frame_offsets", "frame_size"):
        np.testing.assert_array_equal(getattr(film.poses, name), getattr(truth, name))
    np.testing.assert_array_equal(film.poses.joint_visibility > 0, truth.joint_visibility > 0)


def test_a_visible_joint_is_drawn_on_its_person_and_a_hidden_one_is_not(film):
    on_person = []
    for frame in range(0, len(film), 5):
        owners = film.frame(frame).owners
        ids, visibility, x, y = joints(film, frame)
        seen = visibility == 2
        on_person.append(owners[y, x][seen] == ids[seen])
        assert not np.isin(owners[y, x][seen], np.setdiff1d(owners, [*ids, -1])).any()
        assert ((owners[y, x] == ids) | (owners[y, x] == -1))[seen].all()
        assert (owners[y, x] != ids)[~seen].all()
    assert np.concatenate(on_person).mean() > 0.98
    hidden = (film.poses.joint_visibility == 1).mean()
    assert 0.01 < hidden < 0.5


def test_scenery_hides_joints(film):
    alone = render(2, scenery=0, **SETTINGS).poses
    more = film.poses.joint_visibility < alone.joint_visibility
    assert more.any()
    assert (film.poses.joint_visibility <= alone.joint_visibility).all()
    assert any((film.frame(frame).owners == -2).any() for frame in range(0, len(film), 10))


def test_people_are_within_their_boxes(film):
    for frame in range(0, len(film), 10):
        owners, poses = film.frame(frame).owners, film.poses.frame(frame)
        for track_id, box, visibility in zip(poses.track_ids, poses.boxes, poses.joint_visibility, strict=True):
            y, x = np.nonzero(owners == track_id)
            if (visibility == 0).any() or len(x) == 0:
                continue  # the box is that of the joints in the image
            inside = (x >= box[0] - 2) & (x <= box[2] + 2) & (y >= box[1] - 2) & (y <= box[3] + 2)
            assert inside.mean() > 0.97


def test_owners_are_the_annotated_people_or_nobody(film):
    for frame in range(0, len(film), 10):
        allowed = {-2, -1, *film.poses.frame(frame).track_ids.tolist()}
        assert {*np.unique(film.frame(frame).owners).tolist()} <= allowed


def test_flow_moves_visible_joints_to_where_they_are_next(film):
    errors = []
    for frame in range(0, len(film) - 1, 4):
        rendered, now, then = film.frame(frame, flow=True), film.poses.frame(frame), film.poses.frame(frame + 1)
        _, left, right = np.intersect1d(now.track_ids, then.track_ids, return_indices=True)
        both = (now.joint_visibility[left] == 2) & (then.joint_visibility[right] > 0)
        start, end = now.keypoints[left][both], then.keypoints[right][both]
        x, y = np.round(start).astype(int).T
        errors.append(np.linalg.norm(rendered.flow[y, x] - (end - start), axis=1))
    errors = np.concatenate(errors)
    # The rest are joints behind their own person's other parts, which move another way.
    assert np.median(errors) < 0.1
    assert (errors < 1).mean() > 0.8


def test_flow_of_the_background_brings_the_next_image_back(film):
    now, then = film.frame(3, flow=True), film.frame(4)
    height, width = now.owners.shape
    y, x = np.mgrid[8 : height - 8, 8 : width - 8]
    to = np.round(np.stack([x, y], -1) + now.flow[8:-8, 8:-8]).astype(int)
    still = (now.owners[y, x] == -1) & (then.owners[to[..., 1], to[..., 0]] == -1)
    moved = np.abs(now.image[y, x].astype(int) - then.image[to[..., 1], to[..., 0]])[still]
    stayed = np.abs(now.image[y, x].astype(int) - then.image[y, x])[still]
    assert np.abs(now.flow[8:-8, 8:-8][still]).max() > 1
    assert moved.mean() < 0.6 * stayed.mean()


def led(film, frame):
    """Owners of the pixels whose flow is known, and of the pixels that it leads them to in the next frame."""
    flow, known = film.flow(frame)
    y, x = np.nonzero(known)
    to = np.rint(flow[y, x] + np.stack([x, y], -1)).astype(int)
    return film.owners(frame)[y, x], film.owners(frame + 1)[to[:, 1], to[:, 0]]


def test_the_flow_of_pixels_that_stay_in_sight_is_the_joints_motion(film):
    errors = []
    for frame in range(0, len(film) - 1, 4):
        flow, known = film.flow(frame)
        np.testing.assert_array_equal(flow, film.frame(frame, flow=True).flow)
        now, then = film.poses.frame(frame), film.poses.frame(frame + 1)
        _, here, there = np.intersect1d(now.track_ids, then.track_ids, return_indices=True)
        both = (now.joint_visibility[here] == 2) & (then.joint_visibility[there] == 2)
        start, end = now.keypoints[here][both], then.keypoints[there][both]
        x, y = np.round(start).astype(int).T
        seen = known[y, x]
        assert seen.mean() > 0.8  # joints at an outline may be hidden by what is a pixel away
        errors.append(np.linalg.norm(flow[y, x] - (end - start), axis=1)[seen])
    assert np.median(np.concatenate(errors)) < 0.1


def test_pixels_that_stay_in_sight_are_led_to_their_owner(film):
    for frame in range(0, len(film) - 1, 4):
        now, then = led(film, frame)
        # Who enters or leaves the image is annotated in one of the frames alone.
        assert ((now == then) | (np.minimum(now, then) == -1)).all() and (now == then).mean() > 0.99
        unknown = 1 - len(now) / film.frame(frame).owners.size
        assert 0.001 < unknown < 0.2
    np.testing.assert_array_equal(film.owners(3), film.frame(3).owners)


def test_whose_place_another_one_takes_is_not_led_there():
    film = render(1, frames=24, people=9, size=(96, 64), fps=1.0, scenery=0)  # where one leaves, the next one enters
    for frame in range(len(film) - 1):
        now, then = led(film, frame)
        assert ((now == then) | (np.minimum(now, then) == -1)).all()


def test_the_last_frame_has_no_flow(film):
    assert film.frame(len(film) - 1, flow=True).flow is None
    assert film.frame(0).flow is None
    for one, last in ((film, 29), (render(2, frames=1), 0)):
        with pytest.raises(ValueError, match=rf"frame must not be the last one, as there is no next frame, got {last}"):
            one.flow(last)


@pytest.mark.parametrize("draw", [Film.image, Film.frame, Film.owners, Film.flow])
def test_a_frame_is_an_integer_of_the_film(film, draw):
    for wrong in (1.5, "1", None):
        with pytest.raises(TypeError, match=rf"frame must be an integer, got {wrong!r}"):
            draw(film, wrong)
    for wrong in (-1, 30):
        with pytest.raises(ValueError, match=f"frame must be between 0 and 29, got {wrong}"):
            draw(film, wrong)
    with pytest.raises(ValueError, match="frame must be one of the film, which has none, got 0"):
        draw(render(2, frames=0), 0)


def test_true_is_frame_one_as_in_a_list(film):
    np.testing.assert_array_equal(film.owners(True), film.owners(1))
    np.testing.assert_array_equal(film.image(np.int64(1)), film.image(1))


def test_the_same_seed_gives_the_same_pixels_in_any_order(film):
    again = render(2, scenery=3, **SETTINGS)
    last = again.image(len(again) - 1)
    for frame, image in enumerate(film):
        assert image.shape == (192, 256, 3)
        assert image.dtype == np.uint8
        if frame % 10 == 0:
            np.testing.assert_array_equal(image, again.image(frame))
    np.testing.assert_array_equal(image, last)
    assert (render(3, scenery=3, **SETTINGS).image(0) != film.image(0)).any()


def test_blur_smooths_what_moves():
    sharp, blurred = (render(4, frames=12, blur=blur, pan=20.0).image(6).astype(float) for blur in (1, 4))
    gradient = [np.abs(np.diff(image, axis=1)).mean() for image in (sharp, blurred)]
    assert gradient[1] < 0.95 * gradient[0]
    assert abs(sharp.mean() - blurred.mean()) < 2


def test_shaking_moves_everybody_and_is_seeded():
    still, shaken, again = (scene(1, frames=20, shake=shake).keypoints for shake in (0.0, 0.5, 0.5))
    np.testing.assert_array_equal(shaken, again)
    assert still.shape != shaken.shape or np.abs(still - shaken).max() > 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"blur": 0}, "blur must be at least 1, got 0"),
        ({"scenery": -1}, "scenery must be at least 0, got -1"),
        ({"people": 0}, "people must be at least 1, got 0"),
        ({"pan": 80.0, "frames": 60}, "pan must keep the view within 6 images"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        render(**arguments)


def test_a_frame_beyond_the_end_is_an_error(film):
    with pytest.raises(ValueError, match="frame must be between 0 and 29, got 30"):
        film.image(30)


def test_one_frame_and_none():
    assert len(list(render(frames=1))) == 1
    assert list(render(frames=0)) == []
