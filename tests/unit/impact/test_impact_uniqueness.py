"""Overlapping windows share the path; copies add nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.impact.rows import Rows, concatenate
from footprint.impact.uniqueness import uniqueness
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_SECOND


def windows(*spans_s: tuple[float, float], tape: str = "AAA 2024-01") -> Rows:
    rows = random_rows(np.random.default_rng(0), len(spans_s))
    start_s, end_s = np.array(spans_s, dtype=np.float64).T
    return replace(
        rows,
        tape=np.full(len(rows), tape),
        start_ns=(start_s * NS_PER_SECOND).astype(np.int64),
        end_ns=(end_s * NS_PER_SECOND).astype(np.int64),
    )


def test_windows_apart_are_unique_and_shared_time_is_divided() -> None:
    found = uniqueness(windows((0, 10), (20, 30), (40, 50), (45, 55)), "peak")
    np.testing.assert_allclose(found, [1.0, 1.0, 0.75, 0.75])


def test_the_relaxation_belongs_to_the_window() -> None:
    apart = windows((0, 10), (20, 30))
    assert uniqueness(apart, "peak").tolist() == [1.0, 1.0]
    # 10 to 310 s and 20 to 330 s with five minutes after the end
    np.testing.assert_allclose(uniqueness(apart, "shift_300"), [(20 + 290 / 2) / 310, (20 + 290 / 2) / 310])


def test_tapes_do_not_share() -> None:
    rows = concatenate([windows((0, 10)), windows((0, 10), tape="BBB 2024-01")])
    assert uniqueness(rows, "peak").tolist() == [1.0, 1.0]


def test_an_instant_counts_as_a_second() -> None:
    assert uniqueness(windows((5, 5)), "peak").tolist() == [1.0]


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 100)), min_size=1, max_size=20), st.integers(2, 5))
def test_copies_add_no_independent_window(spans: list[tuple[int, int]], copies: int) -> None:
    rows = windows(*((a, a + d) for a, d in spans))
    many = concatenate([rows] * copies)
    assert uniqueness(many, "peak").sum() == pytest.approx(uniqueness(rows, "peak").sum())
    assert (uniqueness(rows, "peak") <= 1.0 + 1e-12).all()
