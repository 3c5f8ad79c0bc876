"""Damage that files meet in the wild: flipped bytes, lost tails, swapped fields, absurd numbers, lost runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_FIELD = re.compile(rb"[^,;\t\n\r:{}\[\]]+")
_WINDOW = 4096  # fields and numbers are looked for this close to a random place
_HUGE = (
    b"9" * 19,
    b"9" * 40,
    b"-1",
    b"0",
    b"1e308",
    b"NaN",
    b"inf",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"",
)
_WORDS = (b"\x00", b"\xff", b"\x7f", b"\x80")


class Mutant(NamedTuple):
    """Damaged content.

    Attributes:
        kind: name of the damage.
        start, end: the bytes of the clean content that are no longer what they were, half open.
    """

    kind: str
    content: bytes
    start: int
    end: int


Mutation = Callable[[bytes, np.random.Generator], Mutant]


def flip_byte(content: bytes, rng: np.random.Generator) -> Mutant:
    """One to three bits of one byte."""
    at = int(rng.integers(len(content)))
    bits = int(np.bitwise_or.reduce(1 << rng.integers(0, 8, int(rng.integers(1, 4)))))
    return Mutant("byte flip", content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :], at, at + 1)


def replace_byte(content: bytes, rng: np.random.Generator) -> Mutant:
    """One byte by another."""
    at = int(rng.integers(len(content)))
    return Mutant("byte replaced", content[:at] + rng.bytes(1) + content[at + 1 :], at, at + 1)


def truncate(content: bytes, rng: np.random.Generator) -> Mutant:
    """Everything after a whole per cent of the length is lost."""
    at = len(content) * int(rng.integers(100)) // 100
    return Mutant("truncated", content[:at], at, len(content))


def huge_number(content: bytes, rng: np.random.Generator) -> Mutant:
    """A number becomes absurd: text by text, or the two, four or eight bytes at a place."""
    found = _near(content, rng, _NUMBER)
    if found is not None and rng.random() < 0.8:
        start, end = found
        new = _HUGE[int(rng.integers(len(_HUGE)))]
    else:
        width = int(rng.choice([2, 4, 8]))
        start = int(rng.integers(max(len(content) - width, 1)))
        end = min(start + width, len(content))
        new = _WORDS[int(rng.integers(len(_WORDS)))] * (end - start)
    return Mutant("huge number", content[:start] + new + content[end:], start, end)


def swap_fields(content: bytes, rng: np.random.Generator) -> Mutant:
    """Two neighbouring fields of a text change places; in other content two runs of bytes."""
    first = _near(content, rng, _FIELD)
    second = None
    if first is not None:
        match = _FIELD.search(content, first[1], first[1] + _WINDOW)
        second = match.span() if match else None
    if first is None or second is None:
        width = int(rng.choice([1, 2, 4, 8]))
        start = int(rng.integers(max(len(content) - 2 * width, 1)))
        first, second = (start, start + width), (start + width, start + 2 * width)
    (a, b), (c, d) = first, second
    return Mutant("fields swapped", content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:], a, d)


def delete_run(content: bytes, rng: np.random.Generator) -> Mutant:
    """A run of up to 64 bytes is lost."""
    at = int(rng.integers(len(content)))
    end = min(at + int(rng.integers(1, 65)), len(content))
    return Mutant("run lost", content[:at] + content[end:], at, end)


def double_run(content: bytes, rng: np.random.Generator) -> Mutant:
    """A run of up to 64 bytes comes twice."""
    at = int(rng.integers(len(content)))
    end = min(at + int(rng.integers(1, 65)), len(content))
    return Mutant("run doubled", content[:end] + content[at:end] + content[end:], at, end)


def empty(content: bytes, rng: np.random.Generator) -> Mutant:
    """Nothing is left."""
    return Mutant("empty", b"", 0, len(content))


# byte damage is the commonest and finds most; `empty` has a single outcome
MUTATIONS: tuple[Mutation, ...] = (
    flip_byte,
    flip_byte,
    replace_byte,
    truncate,
    truncate,
    huge_number,
    huge_number,
    swap_fields,
    swap_fields,
    delete_run,
    double_run,
)


def mutate(content: bytes, rng: np.random.Generator) -> Mutant:
    """One random mutation; content without a byte can only stay empty."""
    if not content or rng.random() < 0.005:
        return empty(content, rng)
    return MUTATIONS[int(rng.integers(len(MUTATIONS)))](content, rng)


def _near(content: bytes, rng: np.random.Generator, pattern: re.Pattern[bytes]) -> tuple[int, int] | None:
    at = int(rng.integers(len(content)))
    match = pattern.search(content, at, at + _WINDOW) or pattern.search(content, max(at - _WINDOW, 0), at)
    return match.span() if match else None
