"""The pooled law: recovers planted effects by symbol, shrinks thin symbols, answers for unseen ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad

from footprint.errors import ModelError
from footprint.impact.evaluation.scoring import crps_bps
from footprint.impact.pooled_law import REFERENCE_S, FittedPooledLaw, PooledLaw, _Problem, _state_scale
from footprint.impact.rows import Rows
from footprint.impact.square_root import SquareRoot
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_SECOND

PREFACTOR = {"AAA": 0.4, "BBB": 1.2, "CCC": 0.7, "DDD": 0.7}
NOISE = {"AAA": 0.2, "BBB": 0.45, "CCC": 0.3, "DDD": 0.3}
SLOPE = -0.2


def spread_out(rows: Rows) -> Rows:
    """The same orders with windows that do not overlap, so that each tells something of its own."""
    start_ns = np.arange(len(rows)) * 10_000 * NS_PER_SECOND
    return replace(rows, start_ns=start_ns, end_ns=start_ns + (rows.horizon_s * NS_PER_SECOND).astype(np.int64))


@pytest.fixture(scope="module")
def rows() -> Rows:
    """4,000 orders of four symbols with a prefactor and a noise of their own, noise growing like T^(1/2 - 0.2)."""
    rng = np.random.default_rng(3)
    rows = spread_out(random_rows(rng, 4_000))
    law = rows.volatility_day_bps * np.sqrt(rows.participation)
    symbol = rows.symbol.tolist()
    own_noise = np.array([NOISE[s] for s in symbol]) * (rows.horizon_s / REFERENCE_S) ** SLOPE
    noise = rows.scale_bps("peak") * own_noise * rng.standard_normal(len(rows))
    peak = np.array([PREFACTOR[s] for s in symbol]) * law + 0.5 * rows.spread_bps + noise
    return replace(rows, outcomes=np.tile(peak[:, None], rows.outcomes.shape[1]))


@pytest.fixture(scope="module")
def fitted(rows: Rows) -> FittedPooledLaw:
    return PooledLaw().fit(rows, "peak")


def test_contract() -> None:
    check_impact_model(PooledLaw(), scale_free=True)
    check_impact_model(PooledLaw(state_names=("drift",)))


def test_gradient_is_that_of_the_loss(rows: Rows) -> None:
    model, few = PooledLaw(state_names=("drift",)), rows.take(np.arange(0, 4_000, 20))
    _, symbol = np.unique(few.symbol, return_inverse=True)
    problem = _Problem.of(model, few, "peak", symbol, _state_scale(few, model.state_names))
    at = problem.start() + 0.1 * np.random.default_rng(0).standard_normal(len(problem.start()))
    size = np.linalg.norm(problem.loss(at)[1])
    assert check_grad(lambda p: problem.loss(p)[0], lambda p: problem.loss(p)[1], at) < 1e-5 * size


def test_recovers_what_was_planted(fitted: FittedPooledLaw) -> None:
    effects = fitted.effects
    own = dict(zip(fitted.symbols, effects.by_symbol.T, strict=True))
    assert effects.time_slope == pytest.approx(SLOPE, abs=0.02)
    assert effects.exponent == pytest.approx(0.0, abs=0.03)
    for symbol in PREFACTOR:
        assert effects.law + own[symbol][0] == pytest.approx(PREFACTOR[symbol], rel=0.2)
        assert own[symbol][2] - own["AAA"][2] == pytest.approx(np.log(NOISE[symbol] / NOISE["AAA"]), abs=0.12)


def test_beats_the_blind_law(rows: Rows, fitted: FittedPooledLaw) -> None:
    test = rows.take(np.arange(0, 4_000, 2))
    own, blind = (
        crps_bps(m.quantiles(test), test.outcome("peak")).mean()
        for m in (fitted, SquareRoot(half_spread=True).fit(rows, "peak"))
    )
    assert own < 0.97 * blind


def test_a_thin_symbol_borrows_strength(rows: Rows, fitted: FittedPooledLaw) -> None:
    """With forty orders the symbol's prefactor lies between the pool's and its own."""
    thin = rows.symbol == "BBB"
    keep = ~thin
    keep[np.flatnonzero(thin)[:40]] = True
    shrunk = PooledLaw().fit(rows.take(keep), "peak")

    def departure(model: FittedPooledLaw) -> float:
        return float(model.effects.by_symbol[0, model.symbols.index("BBB")])

    assert 0.0 < departure(shrunk) < departure(fitted)
    position = shrunk.symbols.index("BBB")
    assert fitted.effect_sd[0, fitted.symbols.index("BBB")] < shrunk.effect_sd[0, position] < PooledLaw().law_sd


def test_an_unseen_symbol_is_the_pool_and_less_sure(rows: Rows, fitted: FittedPooledLaw) -> None:
    known = rows.take(rows.symbol == "AAA").take(np.arange(10))
    unseen = replace(known, tape=np.full(10, "ZZZ 2024-01"))
    law = (unseen.volatility_day_bps * np.sqrt(unseen.participation)) * np.exp(
        fitted.effects.exponent * np.log(unseen.participation / 1e-3)
    )
    pool = fitted.effects.law * law + fitted.effects.spread * 0.5 * unseen.spread_bps
    np.testing.assert_allclose(fitted.mean_bps(unseen), pool, rtol=1e-9)
    assert (fitted.model_sd_bps(unseen) > fitted.model_sd_bps(known)).all()


def test_overlapping_orders_are_shrunk_harder(rows: Rows, fitted: FittedPooledLaw) -> None:
    """The same outcomes, all in one hour: a few independent windows instead of thousands."""
    crowded = replace(rows, start_ns=np.zeros(len(rows), np.int64), end_ns=np.full(len(rows), 3_600 * NS_PER_SECOND))
    shrunk = PooledLaw().fit(crowded, "peak")
    size, free = (np.abs(m.effects.by_symbol[2]).max() for m in (shrunk, fitted))
    assert size < 0.2 * free  # the noise of each symbol


def test_a_missing_column_is_named(rows: Rows) -> None:
    with pytest.raises(ModelError, match="absent"):
        PooledLaw(state_names=("absent",)).fit(rows, "peak")
    fitted = PooledLaw(state_names=("drift",)).fit(rows, "peak")
    without = replace(rows, x=rows.x[:, :1], x_names=rows.x_names[:1])
    with pytest.raises(ModelError, match="drift"):
        fitted.quantiles(without)
