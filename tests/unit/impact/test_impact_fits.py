"""The fits of a forecaster: what they are made of, what their keys depend on, and scores on the part held back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.app.history import History
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.fits import Fit, fits_of, forecaster_of, held_out_scores, last_part, own_model
from footprint.impact.forecaster import Forecaster
from footprint.impact.rows import TARGETS, Rows
from footprint.impact.square_root import SquareRoot
from footprint.impact.tuning import tunable
from footprint.testing.random_rows import random_rows

SMALL = replace(Protocol(), bootstrap_draws=100, slice_min_rows=20)


# a part of the product's own model that has a search space, and another value of one of its fields
PART = next(iter(tunable(own_model("known", "peak"))))
FOUND = {("known", "peak"): {PART: {"min_rows_per_leaf": 77}}}


def min_rows(fit: Fit) -> int:
    return tunable(fit.model)[PART].min_rows_per_leaf


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(np.random.default_rng(3), 900)


def test_every_target_is_fitted_for_every_kind(planted_history: History, baseline: Forecaster) -> None:
    fits = fits_of(planted_history.tapes, FOUND)
    assert [fit.name for fit in fits] == [f"{kind} {t}" for kind in ("known", "in_flight") for t in TARGETS]
    by_name = {fit.name: fit for fit in fits}
    assert min_rows(by_name["known peak"]) == 77
    assert by_name["known shortfall"].model == own_model("known", "shortfall")
    assert by_name["in_flight peak"].model == own_model("in_flight", "peak")
    assert {stage for fit in fits[5:] for stage in fit.rows.stage.tolist()} == {0.25, 0.5, 0.75}
    made = forecaster_of(baseline, fits, [baseline.known[fit.target] for fit in fits])
    assert made.card == replace(baseline.card, model_id=fits[0].model.name)
    assert (set(made.known), set(made.in_flight), made.unseen) == (set(TARGETS), set(TARGETS), {})


def test_two_symbols_bring_models_for_unseen_ones(planted_history: History) -> None:
    (tape,) = planted_history.tapes
    other = replace(
        tape,
        name="OTHER 2024-01",
        arrival=replace(tape.arrival, tape=np.full(len(tape.arrival), "OTHER 2024-01")),
    )
    fits = fits_of([tape, other], FOUND)
    unseen = {fit.target: fit for fit in fits if fit.kind == "unseen"}
    assert set(unseen) == set(TARGETS)
    assert unseen["peak"].model.fold_by == "symbol"
    assert min_rows(unseen["peak"]) == 77


def test_a_key_depends_on_everything_that_the_fit_depends_on(rows: Rows) -> None:
    fit = Fit("known", "peak", SquareRoot(), rows)
    others = [
        replace(fit, target="shortfall"),
        replace(fit, kind="in_flight"),
        replace(fit, model=SquareRoot(half_spread=True)),
        replace(fit, rows=replace(rows, outcomes=rows.outcomes + 1e-9)),
    ]
    assert len({one.key() for one in (fit, *others)}) == 5
    assert replace(fit).key() == fit.key()


def test_scores_are_read_on_the_last_part_by_models_that_have_not_seen_it(rows: Rows) -> None:
    fit = Fit("known", "peak", SquareRoot(half_spread=True), rows)
    scores = {(s.metric, s.against, s.slice): s for s in held_out_scores(fit, SMALL)}
    last = rows.take(rows.part == last_part(rows))
    skill = scores["crps_skill_percent", "square_root_diffusive", ""]
    assert (skill.n, skill.kind, skill.target) == (len(last), "known", "peak")
    assert all(s.low <= s.value <= s.high for s in scores.values())
    sliced = {name for metric, _, name in scores if name}
    assert sliced == {t for t in set(last.tape.tolist()) if np.sum(last.tape == t) >= 20}
    # whatever the last part's outcomes are, they change no forecast of it: only the scores move
    blind = replace(rows, outcomes=np.where((rows.part == last_part(rows))[:, None], 0.0, rows.outcomes))
    assert {s.n for s in held_out_scores(replace(fit, rows=blind), SMALL)} == {s.n for s in scores.values()}
    train = rows.take(rows.part < last_part(rows)).known("peak")
    inside = SquareRoot(half_spread=True).fit(train, "peak").quantiles(last)
    outcome = last.outcome("peak")
    share = 100 * np.average((outcome >= inside[:, 4]) & (outcome <= inside[:, 94]), weights=last.tape_weights())
    assert scores["coverage_90_percent", "", ""].value == pytest.approx(share)


@pytest.mark.parametrize("kept", [np.arange(20), np.arange(0)])
def test_too_few_orders_give_no_score(rows: Rows, kept: np.ndarray) -> None:
    assert held_out_scores(Fit("known", "peak", SquareRoot(), rows.take(kept)), SMALL) == ()
    one_part = rows.take(rows.part == 1)
    assert held_out_scores(Fit("known", "peak", SquareRoot(), one_part), SMALL) == ()
