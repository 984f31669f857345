"""JSON is decoded into types; what msgspec does not take is read or refused as the standard library does."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest

from ptfast._json import decode, elements, member, members, outline

DEEP = "[" * 100_000 + "]" * 100_000


class Person(msgspec.Struct):
    name: str
    keypoints: tuple[float, ...] = ()
    corner: tuple[float, float] = (0, 0)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, -2, 3.5, 1e-7, true, null, "\\u00e9\\n"], "a": 0.1}',
        '{"id": 18446744073709551615, "x": -9223372036854775808}',
        "[179.99999999999997, 5e-324, 1.7976931348623157e308]",
        '["\\ud800"]',
        "3",
    ],
)
def test_values_are_those_of_the_standard_library(text: str) -> None:
    assert repr(decode(text.encode(), Any, "a.json")) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DEEP, "top level: expected JSON, found "),
        ('{"a": ' + DEEP + "}", "top level: expected JSON, found "),
        ('{"a": }', "line 1 column 7: expected JSON, found a syntax error (Expecting value)"),
        ('{"a": 1', "line 1 column 8: expected JSON, found the end of the file"),
        ("[1]\n2", "line 2 column 1: expected JSON, found a syntax error (Extra data)"),
        ('["\t"]', "line 1 column 3: expected JSON, found a syntax error (Invalid control character at)"),
        ("[01]", "line 1 column 3: expected JSON, found a syntax error"),
    ],
)
def test_what_is_no_json_is_said_with_its_place(text: str, message: str) -> None:
    for read in (lambda content: outline(content, "a.json"), lambda content: decode(content, Any, "a.json")):
        with pytest.raises(ValueError) as error:
            read(text.encode())
        assert str(error.value).startswith(f"a.json: {message}")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_read(number: str) -> None:
    text = f'{{"people": [{{"name": "a", "keypoints": [1, {number}], "other": {number}}}]}}'.encode()
    (person,) = elements(member(outline(text, "a.json"), "people", "a.json"), "a.json", "people")
    assert repr(decode(person, Person, "a.json").keypoints[1]) == repr(float(number.replace("inity", "")))
    assert not math.isfinite(decode(text, dict[str, list[Person]], "a.json")["people"][0].keypoints[1])


@pytest.mark.parametrize("other", ["1", "NaN"])  # with NaN, the standard library parses the file
@pytest.mark.parametrize(
    ("person", "message"),
    [
        ('{"name": 3}', "people[1].name: expected a string, found a whole number"),
        ('{"name": "b", "keypoints": [1, 2, "3"]}', "people[1].keypoints[2]: expected a number, found a string"),
        ('{"name": "b", "keypoints": 0.5}', "people[1].keypoints: expected a list, found a decimal number"),
        ('{"name": "b", "corner": [1]}', "people[1].corner: expected a list of length 2, found "),
        ('{"keypoints": []}', "people[1]: expected the key 'name', found an object without it"),
        ("[]", "people[1]: expected an object, found a list"),
    ],
)
def test_a_value_of_another_type_is_said_with_its_place(person: str, message: str, other: str) -> None:
    parts = outline(f'{{"people": [{{"name": "a"}}, {person}], "other": {other}}}'.encode(), "a.json")
    with pytest.raises(ValueError) as error:
        decode(parts["people"][1], Person, "a.json", "people[1]")
    assert str(error.value).startswith(f"a.json: {message}")


@pytest.mark.parametrize("other", ["1", "NaN"])
def test_lists_objects_and_missing_keys(other: str) -> None:
    parts = outline(f'{{"a": [1, 2], "b": {{"c": [3]}}, "other": {other}}}'.encode(), "a.json")
    assert [decode(entry, int, "a.json") for entry in elements(parts["a"], "a.json", "a")] == [1, 2]
    assert decode(members(parts["b"], "a.json", "b")["c"], list[int], "a.json") == [3]
    assert decode(parts["b"], dict[str, list[int]], "a.json", "b") == {"c": [3]}
    with pytest.raises(ValueError, match=r"^a\.json: b: expected a list, found an object$"):
        elements(parts["b"], "a.json", "b")
    with pytest.raises(ValueError, match=r"^a\.json: a: expected an object, found a list$"):
        members(parts["a"], "a.json", "a")
    with pytest.raises(ValueError, match="top level: expected the key 'd', found an object with the keys a, b, other"):
        member(parts, "d", "a.json")
