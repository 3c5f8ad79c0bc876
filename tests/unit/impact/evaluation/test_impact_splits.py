"""What trains and what is tested in every split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.splits import (
    Task,
    random_split,
    strict_calendar,
    unseen_market,
    unseen_symbol,
    walk_forward,
)
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_DAY, NS_PER_SECOND

PROTOCOL = Protocol()
SPLITS = (walk_forward, strict_calendar, unseen_symbol, unseen_market, random_split)


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Every tenth order is worked into the next day, when others are tested."""
    rows = random_rows(np.random.default_rng(0), 2_000)
    return replace(rows, end_ns=rows.end_ns + np.where(np.arange(2_000) % 10 == 0, NS_PER_DAY, 0))


@pytest.mark.parametrize("split", SPLITS, ids=lambda s: s.__name__)
def test_indexes_are_sorted_disjoint_and_not_empty(split: Callable, rows: Rows) -> None:
    tasks: list[Task] = list(split(rows, PROTOCOL))
    assert len(tasks) > (0 if split is random_split else 1)
    for task in tasks:
        assert task.split == split.__name__
        assert not np.intersect1d(task.train, task.test).size
        for index in (task.train, task.test):
            assert np.all(np.diff(index) > 0)
        assert len(task.test) > 0
    assert len({t.fold for t in tasks}) == len(tasks)


@pytest.mark.parametrize("split", [walk_forward, strict_calendar, unseen_symbol, random_split])
def test_no_row_is_tested_twice(split: Callable, rows: Rows) -> None:
    tested = np.concatenate([t.test for t in split(rows, PROTOCOL)])
    assert len(np.unique(tested)) == len(tested)


def test_walk_forward_trains_on_every_earlier_part_and_on_nothing_else(rows: Rows) -> None:
    tasks = list(walk_forward(rows, PROTOCOL))
    assert [t.fold for t in tasks] == ["part 3", "part 4", "part 5", "part 6"]
    for part, task in zip(range(3, 7), tasks, strict=True):
        assert set(rows.part[task.test]) == {part}
        assert set(rows.part[task.train]) == set(range(1, part))
        assert len(task.train) + len(task.test) == np.count_nonzero(rows.part <= part)
        for tape in np.unique(rows.tape):
            train, test = (rows.take(i[rows.tape[i] == tape]) for i in (task.train, task.test))
            assert train.start_ns.max() < test.start_ns.min()


def test_walk_forward_can_carry_another_name(rows: Rows) -> None:
    assert {t.split for t in walk_forward(rows, PROTOCOL, "in_flight")} == {"in_flight"}


def test_strict_calendar_knows_every_training_outcome_before_the_first_test(rows: Rows) -> None:
    tasks = list(strict_calendar(rows, PROTOCOL))
    known_ns = rows.end_ns + 600 * NS_PER_SECOND
    for task in tasks:
        assert known_ns[task.train].max() < rows.start_ns[task.test].min()
        left = np.setdiff1d(np.arange(len(rows)), task.train)
        assert np.all(known_ns[left] >= rows.start_ns[task.test].min())  # and nothing that was known is left out
    tested = np.concatenate([t.test for t in tasks])
    assert np.array_equal(np.sort(tested), np.flatnonzero(rows.part >= 3))


def test_strict_calendar_fits_again_when_a_quarter_more_is_known(rows: Rows) -> None:
    tasks = list(strict_calendar(rows, PROTOCOL))
    # the second pair of tapes begins with all of the first: its days add little
    assert [t.fold.partition(" part ")[2] for t in tasks] == ["3", "4", "5-6", "3-6"]
    known_ns = rows.end_ns + 600 * NS_PER_SECOND
    for task in tasks:
        last = rows.start_ns[task.test][rows.part[task.test] == rows.part[task.test].max()].min()
        assert np.count_nonzero(known_ns < last) < 1.25 * len(task.train)


def test_strict_calendar_groups_are_in_calendar_order(rows: Rows) -> None:
    first = [rows.start_ns[t.test].min() for t in strict_calendar(rows, PROTOCOL)]
    assert all(a < b for a, b in pairwise(first))


def test_unseen_symbol_and_its_days_are_never_trained_on(rows: Rows) -> None:
    tasks = list(unseen_symbol(rows, PROTOCOL))
    assert [t.fold for t in tasks] == ["AAA", "BBB", "CCC", "DDD"]
    for task in tasks:
        assert {name.split(" ")[0] for name in rows.tape[task.test]} == {task.fold}
        assert task.fold not in {name.split(" ")[0] for name in rows.tape[task.train]}
        assert set(rows.part[task.train]) == {1, 2, 3}
        assert set(rows.part[task.test]) == {4, 5, 6}
        assert task.fold_by == "symbol"


def test_two_tapes_of_one_symbol_are_held_out_together(rows: Rows) -> None:
    names = rows.tape.copy()
    names[names == "BBB 2024-01"] = "AAA 2024-09"
    renamed = Rows(**{f: getattr(rows, f) for f in Rows.__dataclass_fields__} | {"tape": names})
    (task,) = (t for t in unseen_symbol(renamed, PROTOCOL) if t.fold == "AAA")
    assert set(names[task.test]) == {"AAA 2024-01", "AAA 2024-09"}
    assert not any(name.startswith("AAA") for name in names[task.train])


def test_unseen_market_is_never_trained_on(rows: Rows) -> None:
    tasks = list(unseen_market(rows, PROTOCOL))
    assert [t.fold for t in tasks] == ["coin", "us"]
    for task in tasks:
        assert set(rows.market[task.test]) == {task.fold}
        assert task.fold not in set(rows.market[task.train])
        assert set(rows.part[task.train]) == {1, 2, 3}
        assert set(rows.part[task.test]) == {4, 5, 6}
        assert task.fold_by == "symbol"


def test_a_single_market_cannot_be_unseen(rows: Rows) -> None:
    assert list(unseen_market(rows.take(rows.market == "us"), PROTOCOL)) == []


def test_random_split_is_the_wrong_one(rows: Rows) -> None:
    """Half of the tested parts, repeatable, and orders of the same day on both sides."""
    (task,), (again,) = (list(random_split(rows, PROTOCOL)) for _ in range(2))
    assert np.array_equal(task.test, again.test)
    assert rows.part[task.test].min() == 3
    assert len(task.test) == pytest.approx(np.count_nonzero(rows.part >= 3) / 2, rel=0.1)
    assert set(rows.part[task.train]) >= set(rows.part[task.test])
