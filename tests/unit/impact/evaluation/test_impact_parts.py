"""Walk-forward parts: how sessions are cut, and what the embargo drops."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.impact.evaluation.parts import Span, assign_parts, part_spans
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_HOUR, NS_PER_SECOND

DAY = 24 * NS_PER_HOUR
EMBARGO_S = 600.0


def days(count: int, hours: int = 8) -> list[Span]:
    return [Span(i * DAY, i * DAY + hours * NS_PER_HOUR) for i in range(count)]


def rows_at(start_ns: list[int], end_ns: list[int]) -> Rows:
    rows = random_rows(np.random.default_rng(0), len(start_ns))
    return replace(rows, start_ns=np.array(start_ns), end_ns=np.array(end_ns), quantity=np.arange(len(start_ns)) * 1.0)


@pytest.mark.parametrize(
    ("sessions", "sizes"),
    [(13, [3, 2, 2, 2, 2, 2]), (12, [2] * 6), (6, [1] * 6), (7, [2, 1, 1, 1, 1, 1]), (20, [4, 4, 3, 3, 3, 3])],
)
def test_whole_days_are_dealt_in_order(sessions: int, sizes: list[int]) -> None:
    parts = part_spans(days(sessions), 6)
    assert [len(p) for p in parts] == sizes
    assert [piece for part in parts for piece in part] == days(sessions)


def test_three_days_are_cut_in_halves() -> None:
    half = 4 * NS_PER_HOUR
    expected = [[Span(d * DAY + h * half, d * DAY + (h + 1) * half)] for d in range(3) for h in range(2)]
    assert part_spans(days(3), 6) == expected


def test_five_days_are_cut_in_halves_and_dealt() -> None:
    assert [len(p) for p in part_spans(days(5), 6)] == [2, 2, 2, 2, 1, 1]


def test_one_continuous_day_has_six_parts() -> None:
    expected = [[Span(i * 4 * NS_PER_HOUR, (i + 1) * 4 * NS_PER_HOUR)] for i in range(6)]
    assert part_spans([Span(0, DAY)], 6) == expected


@given(
    lengths=st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=30),
    parts=st.integers(1, 8),
)
def test_pieces_cover_the_sessions_once_and_in_order(lengths: list[tuple[int, int]], parts: int) -> None:
    sessions, now = [], 0
    for length, gap in lengths:
        sessions.append(Span(now, now + length))
        now += length + gap
    dealt = part_spans(sessions, parts)
    assert len(dealt) == parts
    pieces = [piece for part in dealt for piece in part]
    assert all(a.end_ns <= b.start_ns for a, b in pairwise(pieces))
    assert sum(p.end_ns - p.start_ns for p in pieces) == sum(length for length, _ in lengths)
    assert all(any(s.start_ns <= p.start_ns and p.end_ns <= s.end_ns for s in sessions) for p in pieces)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_embargo_drops_what_may_end_beyond_its_piece() -> None:
    edge = 4 * NS_PER_HOUR  # between the halves of the first day
    last = edge - 600 * NS_PER_SECOND
    start = [last - NS_PER_SECOND] * 3
    rows = assign_parts(rows_at(start, [last - 1, last, last + 1]), days(3), 6, EMBARGO_S)
    assert rows.quantity.tolist() == [0.0, 1.0]
    assert rows.part.tolist() == [1, 1]


def test_embargo_holds_at_the_end_of_the_day_too() -> None:
    close = 8 * NS_PER_HOUR
    starts = [close - 700 * NS_PER_SECOND, close - 500 * NS_PER_SECOND]
    rows = assign_parts(rows_at(starts, [s + NS_PER_SECOND for s in starts]), days(6), 6, EMBARGO_S)
    assert rows.quantity.tolist() == [0.0]


def test_an_edge_belongs_to_the_later_piece_and_the_night_to_none() -> None:
    edge = 4 * NS_PER_HOUR
    starts = [edge - 7_200 * NS_PER_SECOND, edge, 10 * NS_PER_HOUR, DAY, -NS_PER_SECOND]
    rows = assign_parts(rows_at(starts, [s + NS_PER_SECOND for s in starts]), days(3), 6, EMBARGO_S)
    assert rows.quantity.tolist() == [0.0, 1.0, 3.0]
    assert rows.part.tolist() == [1, 2, 3]


def test_an_order_over_several_pieces_of_one_part_is_dropped() -> None:
    # two days form part 1 of 12; an order cannot be worked over night
    rows = assign_parts(rows_at([0, 0], [NS_PER_SECOND, DAY + NS_PER_SECOND]), days(12), 6, EMBARGO_S)
    assert rows.quantity.tolist() == [0.0]
