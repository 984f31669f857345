"""Detectron's pickles: what each protocol writes is read, and what no such file holds is refused in one line."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptfast.models.adapters import read_detectron

BLOBS = {
    "single": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big_endian": np.arange(24, dtype=">i2").reshape(2, 3, 4).transpose(0, 2, 1),
    "half": np.array([[1.5]], np.float16),
    "none": np.zeros((0, 3)),
    "one": np.array(7, np.uint8),
}
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
DTYPE = b"cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"


def array(shape: bytes, raw: bytes, dtype: bytes = DTYPE) -> bytes:
    """A pickled array as Python 2 wrote it, with a text for its bytes; the dtype is remembered as number 1."""
    return RECONSTRUCT + b"(I1\n(" + shape + b"t" + dtype + b"p1\nI00\nS" + repr(raw)[1:].encode() + b"\ntb"


def blob(content: bytes, after: bytes = b"") -> bytes:
    return b"(dS'a'\n" + content + b"s" + after + b"."


def read(folder: Path, content: bytes) -> dict[str, np.ndarray]:
    (folder / "x.pkl").write_bytes(content)
    return read_detectron(folder / "x.pkl")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrapped", [dict, OrderedDict])
def test_every_protocol_is_read(tmp_path: Path, protocol: int, wrapped: Callable) -> None:
    rest = {"cfg": "MODEL: {}", "lr": np.float32(0.01), 3: [True, None, (2.5, 1 << 40), "é"]}
    got = read(tmp_path, pickle.dumps({"blobs": wrapped(BLOBS), **rest}, protocol))
    assert list(got) == list(BLOBS)
    for name, expected in BLOBS.items():
        np.testing.assert_array_equal(got[name], expected)
        assert got[name].dtype == expected.dtype.newbyteorder("=") and got[name].flags.writeable


def test_python_2_wrote_bytes_as_text(tmp_path: Path) -> None:
    values = np.array([1.5, -2.0], np.float32)
    got = read(tmp_path, blob(array(b"I2\n", values.tobytes())))
    np.testing.assert_array_equal(got["a"], values)
    binary = values.tobytes()
    text = b"U" + bytes([len(binary)]) + binary
    content = RECONSTRUCT + b"(K\x01K\x02\x85" + DTYPE + b"\x89" + text + b"tb"
    np.testing.assert_array_equal(read(tmp_path, b"\x80\x02}U\x01a" + content + b"s.")["a"], values)


def test_a_dtype_that_changes_under_an_array_changes_nothing(tmp_path: Path) -> None:
    after = b"g1\n(I3\nS'>'\nNNNI1000000000\nI1\nI0\ntb0"
    got = read(tmp_path, blob(array(b"I1\n", np.float32(1).tobytes()), after))
    assert got["a"].tolist() == [1.0]


GROWN = b"cnumpy\ndtype\n(S'V1'\nI0\nI1\ntR(I3\nS'|'\nNNNI1000000\nI1\nI0\ntb"
SUBARRAY = b"cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\n(g1\n(I9\nttNNI36\nI4\nI0\ntb"
LIES = {
    "a dtype that grows": (blob(array(b"I1\n", b"\0", GROWN)), "an array of dtype 'V1'"),
    "objects": (blob(array(b"I1\n", b"\0" * 8, b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR")), "an array of dtype 'O8'"),
    "a subarray": (blob(array(b"I1\n", b"\0" * 4, DTYPE + b"p1\n0" + SUBARRAY)), "a dtype that is not one of numbers"),
    "too few bytes": (blob(array(b"I2\n", b"\0" * 4)), r"shape \(2,\) and dtype float32 in 4 bytes"),
    "sizes that wrap": (blob(array(b"L4611686018427387904L\nI4\n", b"\0" * 0)), "a size that is no number"),
    "a negative size": (blob(array(b"I-1\n", b"\0" * 4)), "a size that is no number"),
    "two states": (blob(array(b"I1\n", b"\0" * 4) + b"(I1\n(I1\ntg1\nI00\nS'abcd'\ntb"), "an array of other parts"),
    "an array without numbers": (blob(RECONSTRUCT), "found one of other things"),
    "a class": (b"c__builtin__\nlist\n.", "__builtin__.list, which is not permitted"),
    "an object": (b"(i__builtin__\nobject\n.", "the instruction b'i', which is not permitted"),
    "a changed function": (b"c_codecs\nencode\n(dS'__code__'\nNsb.", "a changed function"),
    "a called text": (b"S'x'\n(tR.", "a call of str"),
    "a nested key": (b"((I1\ntI2\nd.", "a key of type tuple"),
    "a claim of 4 GB": (b"B\xff\xff\xff\xffabc.", "an end before its time"),
    "a memo of 16 GB": (b"Nr\xff\xff\xff\xff.", "expected a dictionary of arrays, found NoneType"),
    "nothing": (b"", "an end before its time"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LIES)
def test_pickles_that_lie_are_refused(tmp_path: Path, kind: str) -> None:
    content, message = LIES[kind]
    with pytest.raises(ValueError, match=rf"x\.pkl: .*{message}"):
        read(tmp_path, content)


def test_bytes_named_many_times_are_refused(tmp_path: Path) -> None:
    start = b"(lp9\n0S'" + b"a" * 400000 + b"'\np2\n0" + DTYPE + b"p1\n0"
    again = RECONSTRUCT + b"(I1\n(I100000\ntg1\nI00\ng2\ntb0"
    began = time.perf_counter()
    with pytest.raises(ValueError, match="more than the file has bytes for"):
        read(tmp_path, start + again * 4000 + b"g9\n.")
    assert time.perf_counter() - began < 5


FUZZ = """
import sys
from ptfast.models.adapters import read_detectron
for path in sys.argv[1:]:
    try:
        total = sum(float(blob.sum()) for blob in read_detectron(path).values())
    except ValueError as error:
        assert str(error).startswith(f"{path}: ") and "\\n" not in str(error) and len(str(error)) < 600, error
"""


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content with bytes changed, left out, repeated or exchanged for a small number."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(changed)), chance.randint(1, 12)
        match chance.randrange(4):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + length]
            case 2:
                other = chance.randrange(len(changed))
                changed[at:at] = changed[other : other + length]
            case 3:
                changed[at] = (changed[at] + chance.choice([-1, 1])) % 256
        changed = changed or bytearray(b".")
    return bytes(changed)


def test_mutated_pickles_are_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(15)
    seeds = [pickle.dumps({"blobs": BLOBS, "cfg": "A: 1"}, protocol) for protocol in (0, 2, 4, 5)]
    paths = []
    for i in range(800):
        paths.append(tmp_path / f"{i}.pkl")
        paths[-1].write_bytes(mutated(chance.choice(seeds), chance))
    run = subprocess.run([sys.executable, "-c", FUZZ, *paths], capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stderr
