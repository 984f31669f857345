"""Mutations of a file's bytes: what transfers, editors and other programs do to files, and what attackers do."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import numpy as np

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
NUMBERS = (
    b"0", b"-1", b"-0.0", b"1e400", b"-1e39", b"1e-320", b"NaN", b"Infinity", b"null", b"true", b'"7"', b"[]", b"{}",
    b"", b"9223372036854775807", b"-9223372036854775808", b"18446744073709551616", b"10000000000", b"1000001", b"0.5",
    b"007",
)  # fmt: skip
BRACKETS = (b"[", b"]", b"{", b"}", b",", b":", b'"', b"\n", b"\x00", b"\xff", b"\xef\xbb\xbf")


def mutate(content: bytes, random: np.random.Generator) -> bytes:
    """Applies one to three mutations to a file's content; half of the archives are mutated inside, and packed again."""
    if zipfile.is_zipfile(io.BytesIO(content)) and random.random() < 0.5:
        return mutate_member(content, random)
    kinds = TEXT_MUTATIONS if content.isascii() else MUTATIONS
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        content = kinds[random.integers(len(kinds))](content, random)
    return content


def mutate_member(content: bytes, random: np.random.Generator) -> bytes:
    """Mutates one member of a zip archive, whose checksum is right again."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        chosen = int(random.integers(len(old.namelist())))
        for index, name in enumerate(old.namelist()):
            member = old.read(name)
            new.writestr(
                name, MUTATIONS[random.integers(len(MUTATIONS))](member, random) if index == chosen else member
            )
    return packed.getvalue()


def flip_bit(content: bytes, random: np.random.Generator) -> bytes:
    """Flips one bit."""
    if not content:
        return content
    changed = bytearray(content)
    changed[random.integers(len(changed))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def replace_byte(content: bytes, random: np.random.Generator) -> bytes:
    """Replaces one byte."""
    if not content:
        return content
    changed = bytearray(content)
    changed[random.integers(len(changed))] = random.integers(256)
    return bytes(changed)


def cut_end(content: bytes, random: np.random.Generator) -> bytes:
    """Cuts the file short."""
    return content[: random.integers(len(content) + 1)]


def delete_piece(content: bytes, random: np.random.Generator) -> bytes:
    """Deletes up to 64 bytes."""
    start = int(random.integers(len(content) + 1))
    return content[:start] + content[start + int(random.integers(1, 65)) :]


def repeat_piece(content: bytes, random: np.random.Generator) -> bytes:
    """Repeats a piece, a few times or 100,000: rows that come twice, and deep nesting."""
    start = int(random.integers(len(content) + 1))
    piece = content[start : start + int(random.choice([1, 8, 200]))]
    times = 100_000 if len(piece) == 1 and random.random() < 0.3 else int(random.integers(2, 5))
    return content[:start] + piece * times + content[start:]


def swap_pieces(content: bytes, random: np.random.Generator) -> bytes:
    """Swaps the parts before and after a place."""
    start = int(random.integers(len(content) + 1))
    return content[start:] + content[:start]


def replace_number(content: bytes, random: np.random.Generator) -> bytes:
    """Replaces a number of a text by one at the limits of its types, or by something else."""
    found = list(NUMBER.finditer(content))
    if not found:
        return content
    start, stop = found[random.integers(len(found))].span()
    return content[:start] + NUMBERS[random.integers(len(NUMBERS))] + content[stop:]


def replace_word(content: bytes, random: np.random.Generator) -> bytes:
    """Replaces a four- or eight-byte word, as lengths and offsets of binary files are."""
    width = int(random.choice([4, 8]))
    if len(content) < width:
        return content
    start = int(random.integers(len(content) - width + 1))
    value = int(random.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**16]))
    order = "little" if random.random() < 0.5 else "big"
    return content[:start] + value.to_bytes(width, order) + content[start + width :]  # type: ignore[arg-type]


def insert_bracket(content: bytes, random: np.random.Generator) -> bytes:
    """Inserts a character that means something in some format, once or 5,000 times."""
    start = int(random.integers(len(content) + 1))
    piece = BRACKETS[random.integers(len(BRACKETS))]
    return content[:start] + piece * (5_000 if random.random() < 0.1 else 1) + content[start:]


MUTATIONS: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    flip_bit, replace_byte, cut_end, delete_piece, repeat_piece, swap_pieces, replace_number, replace_word,
    insert_bracket,
)  # fmt: skip
TEXT_MUTATIONS = (*MUTATIONS, *(replace_number,) * 9)  # half of the mutants are still JSON, CSV or TOML
