"""Compiled parser of the two csv files of a LOBSTER zip.

It reads plain numbers, exactly, and nothing else. A file that holds anything more (a sign before a size, a blank, a
missing cell, a number that is too long) is for `data.table.read_table`, which names the first bad cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numba import njit

from footprint.data.files.lines import whole_lines
from footprint.data.files.table import MAX_NUMBER

_COMMA, _NEWLINE, _RETURN, _MINUS, _DOT, _ZERO, _FOUR, _FIVE, _NINE = (ord(c) for c in ",\n\r-.0459")
_MAX_DIGITS = 15  # at most MAX_NUMBER
_MAX_SECOND_DIGITS = 6  # nearly twelve days; longer ones would not be exact as a float of the general parser
_FRACTION_DIGITS = 9
assert 10**_MAX_DIGITS <= MAX_NUMBER


def parse_numbers(
    chunks: Iterable[bytes], total_bytes: int, columns: int, source: Path, *, time_first: bool, signed: tuple[int, ...]
) -> np.ndarray | None:
    """A csv of whole numbers without a header.

    Args:
        chunks: the content in pieces of any length.
        total_bytes: its length, as far as it is known; memory is set aside by it.
        source: what a refusal names.
        time_first: the first column is seconds with a fraction, read as nanoseconds.
        signed: columns that may be negative.

    Returns:
        int64 of shape (rows, columns), None when some cell is for the general parser.

    Raises:
        DataRefused: a line without end.
    """
    may_be_negative = np.zeros(columns, np.bool_)
    may_be_negative[list(signed)] = True
    numbers = np.empty((0, columns), np.int64)
    rows = done_bytes = 0
    for lines in whole_lines(chunks, source):
        done_bytes += len(lines)
        wanted = rows + lines.count(b"\n")
        if wanted > len(numbers):
            # untouched memory costs nothing: room for the rest at the length that the rows have had
            numbers = _grown(numbers, rows, wanted + int(1.1 * wanted * max(total_bytes - done_bytes, 0) / done_bytes))
        rows = _parse(np.frombuffer(lines, np.uint8), time_first, may_be_negative, numbers, rows)
        if rows < 0:
            return None
    return numbers[:rows] if rows else None


def _grown(numbers: np.ndarray, rows: int, capacity: int) -> np.ndarray:
    larger = np.empty((capacity, numbers.shape[1]), np.int64)
    larger[:rows] = numbers[:rows]
    return larger


@njit(cache=True)
def _parse(text, time_first, may_be_negative, numbers, row):  # type: ignore[no-untyped-def]
    """Rows held afterwards, -1 when something is not of the subset. A line end stands behind every digit."""
    columns = numbers.shape[1]
    at = 0
    while at < len(text):
        for column in range(columns):
            negative = text[at] == _MINUS and may_be_negative[column]
            at += negative
            start, value = at, 0
            while _ZERO <= text[at] <= _NINE:
                value = value * 10 + (text[at] - _ZERO)
                at += 1
            if at == start or at - start > _MAX_DIGITS:
                return -1
            if time_first and column == 0:
                at, value = _nanoseconds(text, at, at - start, value)
                if at < 0:
                    return -1
            numbers[row, column] = -value if negative else value
            if text[at] == _RETURN and column == columns - 1:
                at += 1
            if text[at] != (_COMMA if column < columns - 1 else _NEWLINE):
                return -1
            at += 1
        row += 1
    return row


@njit(cache=True)
def _nanoseconds(text, at, digits, seconds):  # type: ignore[no-untyped-def]
    """Go on behind the whole seconds; the place behind the time and its nanoseconds."""
    if digits > _MAX_SECOND_DIGITS:
        return -1, 0
    start, value = at + 1, seconds
    if text[at] == _DOT:
        at += 1
        while _ZERO <= text[at] <= _NINE and at - start < _FRACTION_DIGITS:
            value = value * 10 + (text[at] - _ZERO)
            at += 1
        if at == start:
            return -1, 0
    for _ in range(max(at - start, 0), _FRACTION_DIGITS):
        value *= 10
    if not _ZERO <= text[at] <= _NINE:
        return at, value
    # finer than a nanosecond: what a float's text looks like; close to a half the float decides
    if text[at] == _FOUR or text[at] == _FIVE:
        return -1, 0
    value += text[at] > _FIVE
    while _ZERO <= text[at] <= _NINE:
        at += 1
    return at, value
