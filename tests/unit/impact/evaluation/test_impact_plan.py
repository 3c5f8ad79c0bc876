"""Which jobs make the board, who is in them, the learning curves, and figures over seeds."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from footprint.errors import UsageError
from footprint.impact.evaluation import learning_curve, plan
from footprint.impact.evaluation.line_up import PRODUCT, REFERENCES, LineUp, Selection
from footprint.impact.evaluation.planted_set import planted_set
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.result import Result
from footprint.impact.evaluation.seeds import over_seeds
from footprint.impact.evaluation.splits import walk_forward
from footprint.impact.linear import Linear
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows

PROTOCOL = Protocol()


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(np.random.default_rng(0), 2_000)


def test_the_board_has_every_split_target_and_information_set(rows: Rows) -> None:
    board = {(j.task.split, j.information, j.target) for j in plan.arrival_jobs(rows, PROTOCOL)}
    assert {t for s, i, t in board if (s, i) == ("walk_forward", "A")} == set(plan.ARRIVAL_TARGETS)
    assert {t for s, i, t in board if (s, i) == ("walk_forward", "A0")} == {"peak", "shortfall"}
    assert {s for s, _, _ in board} == {
        "walk_forward", "strict_calendar", "unseen_symbol", "unseen_market", "random_split"
    }  # fmt: skip
    assert {t for s, _, t in board if s == "random_split"} == {"peak"}


def test_every_job_scores_the_product_and_the_references_once(rows: Rows) -> None:
    for job in (*plan.arrival_jobs(rows, PROTOCOL), *plan.other_mid_jobs(rows, PROTOCOL)):
        names = Counter(job.line_up.names())
        assert max(names.values()) == 1
        if job.task.split == "random_split":
            assert PRODUCT not in names
            assert "square_root_diffusive" in names
        else:
            assert {PRODUCT, *REFERENCES} <= set(names)


def test_only_a_model_keeps_the_references_and_the_product_its_members() -> None:
    full = Selection().line_up("peak")
    one = Selection(frozenset({"boosted_quantiles"})).line_up("peak")
    assert not one.members
    assert {"boosted_quantiles", *REFERENCES} <= set(one.names())
    assert PRODUCT not in one.names()
    product = Selection(frozenset({PRODUCT})).line_up("peak")
    assert product.members == full.members
    assert PRODUCT in product.names()


def test_guests_are_challengers_of_peak_and_shortfall() -> None:
    wanted = Selection(guests=(Linear(),))
    assert wanted.line_up("peak").challengers[-1] == Linear()
    assert Linear() not in wanted.line_up("shift_600").challengers
    assert Linear() not in wanted.line_up("peak", in_flight=True).challengers
    assert not wanted.without_challengers("peak").challengers


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    Selection(frozenset({"linear", PRODUCT})).check()
    with pytest.raises(UsageError, match=r"no model is called cubic, allowed: .*linear.*stack"):
        Selection(frozenset({"cubic"})).check()


def test_planted_jobs_know_the_truth(rows: Rows) -> None:
    orders, truth = planted_set(0, replace(PROTOCOL, rows_per_cell=5))
    jobs = plan.planted_jobs(orders, truth, PROTOCOL, 2)
    assert {j.seed for j in jobs} == {2}
    assert {j.task.split for j in jobs} == {plan.PLANTED}
    assert all(j.line_up.oracles == (truth,) for j in jobs)


def test_one_job_alone_for_a_task(rows: Rows) -> None:
    task = next(iter(walk_forward(rows, PROTOCOL)))
    job = plan.arrival_job(task, "peak")
    assert isinstance(job.line_up, LineUp)
    assert PRODUCT in job.line_up.names()


def test_learning_over_parts_keeps_the_test_and_the_freshest_data(rows: Rows) -> None:
    tasks = list(learning_curve.over_parts(rows, PROTOCOL))
    assert [t.split for t in tasks] == [f"learning_parts {k}" for k in range(1, 6)]
    for count, task in enumerate(tasks, start=1):
        assert np.array_equal(task.test, np.flatnonzero(rows.part == 6))
        assert set(rows.part[task.train]) == set(range(6 - count, 6))


def test_learning_over_symbols_never_trains_on_what_it_tests(rows: Rows) -> None:
    tasks = list(learning_curve.over_symbols(rows, PROTOCOL))
    assert [t.split for t in tasks] == [f"learning_symbols {k}" for k in (1, 2, 3)] * 2
    for task in tasks:
        assert len(set(rows.symbol[task.train])) == int(task.split.split()[1])
        assert not set(rows.symbol[task.train]) & set(rows.symbol[task.test])
        assert rows.part[task.train].max() < rows.part[task.test].min()
    smaller, larger = tasks[:2]
    assert set(smaller.train) < set(larger.train)  # nested
    assert np.array_equal(smaller.test, larger.test)


def figure(value: float, seed: int, **changes: object) -> Result:
    one = Result("pool", "walk_forward", "peak", "stack", "crps_skill_vs_best_parametric_percent", value, 0, 0, 9, 5)
    return replace(one, seed=seed, **changes)


def test_over_seeds_gives_mean_and_range_of_pooled_figures() -> None:
    figures = [figure(1.0, 0, reference="istar"), figure(4.0, 1, reference="linear"), figure(2.5, 2)]
    (over,) = over_seeds([*figures, figure(9.0, 0, target="shortfall"), figure(9.0, 1, data="us")])
    assert (over.value, over.low, over.high, over.n, over.seed) == (2.5, 1.0, 4.0, 3, None)
    assert over.slice == "mean of 3 seeds, smallest, largest"
    assert list(over_seeds([figure(1.0, 0), figure(1.0, 0, slice="a"), figure(1.0, 1, slice="a")])) == []
