"""Finds the bad value in a PoseTrack 2017 file that could not be read in bulk."""

from __future__ import annotations

from ptfast.io._place import LARGEST_WHOLE, Place, sequence_name
from ptfast.skeletons import POSETRACK_15


def check_annolist(document: Place) -> None:
    """Raises ValueError at the first value that `read_posetrack17` does not accept."""
    names: dict[str, str] = {}
    numbers: dict[float, str] = {}
    for frame in document["annolist"].items():
        images = list(frame["image"].items())
        if len(images) != 1:
            frame["image"].fail("one image")
        _distinct(images[0]["name"], images[0]["name"].text(), names, frame)
        number = frame.get("imgnum")
        if number is not None:
            _whole(number)
            _distinct(number, number.single(), numbers, frame)
        _optional_flag(frame, "is_labeled")
        if "ignore_regions" in frame.value:
            for region in frame["ignore_regions"].items():
                for point in region["point"].items():
                    point["x"].single()
                    point["y"].single()
        _check_people(frame)
    sequence_name(document, "")


def _distinct(place: Place, value: object, seen: dict, frame: Place) -> None:
    if value in seen:
        place.fail("a distinct one for each frame", f"{value!r}, which {seen[value]} has too")
    seen[value] = frame.name


def _check_people(frame: Place) -> None:
    people = frame.get("annorect")
    seen: set[float] = set()
    for person in [] if people is None else people.items():
        track = person.get("track_id")
        if track is not None:
            number = _whole(track)
            if number < -1:
                track.fail("a track id, or -1 for none", str(number))
            if number in seen:
                track.fail(f"each track id once in {frame.name}", f"{number} twice")
            seen |= {number} if number >= 0 else set()
        _optional_single(person, "score")
        if any(person.get(key) is not None for key in ("x1", "y1", "x2", "y2")):
            for key in ("x1", "y1", "x2", "y2"):
                person[key].single()
        _check_points(person)


def _check_points(person: Place) -> None:
    parts = person.get("annopoints")
    entries = [] if parts is None else list(parts.items())
    if len(entries) > 1:
        person["annopoints"].fail("at most one list of points")
    points = entries[0].get("point") if entries else None
    seen: dict[float, str] = {}
    for point in [] if points is None else points.items():
        joint = point["id"].single()
        if joint not in range(len(POSETRACK_15)):
            point["id"].fail(f"a joint number from 0 to {len(POSETRACK_15) - 1}", str(joint))
        if joint in seen:
            point["id"].fail("each joint once", f"{joint}, which {seen[joint]} has too")
        seen[joint] = point.name
        point["x"].single()
        point["y"].single()
        _optional_flag(point, "is_visible")
        _optional_single(point, "score")


def _optional_single(place: Place, key: str) -> None:
    value = place.get(key)
    if value is not None:
        value.single()


def _optional_flag(place: Place, key: str) -> None:
    value = place.get(key)
    if value is not None and value.single() not in (0, 1):
        value.fail("a list of 0 or 1", str(value.value[0]))


def _whole(place: Place) -> int:
    """The whole number of a list that holds one."""
    number = place.single()
    if number % 1 or abs(number) >= LARGEST_WHOLE:
        place.fail("a list of one whole number", str(number))
    return int(number)
