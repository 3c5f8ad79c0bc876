"""The sampler of the hierarchical law: contract, recovery, borrowing of strength."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.impact.planted_hierarchy import CENTRE, SYMBOL_SD, TARGET, planted_hierarchy

from footprint.errors import UsageError
from footprint.impact.evaluation.scoring import covered
from footprint.impact.hierarchical import symbol_statistics
from footprint.testing import check_impact_model
from footprint.testing.check_recovery import check_recovery

pytest.importorskip("numpyro")

from footprint.adapters.numpyro_hierarchical import Hierarchical, sample

MODEL = Hierarchical(draws=100, warmup=100)


def test_contract() -> None:
    check_impact_model(MODEL, scale_free=True)


def inside_intervals(model: Hierarchical, plants: int) -> np.ndarray:
    """Whether the 90 % intervals of twelve symbols hold their three planted parameters, shape (plants, 12, 3)."""
    inside = []
    for seed in range(plants):
        rng = np.random.default_rng(seed)
        hierarchy = planted_hierarchy(rng, 3, 4)
        fitted = model.fit(hierarchy.rows([150] * 12, rng), TARGET)
        low, high = np.quantile(fitted.draws[:12], [0.05, 0.95], axis=1)
        inside.append((low <= hierarchy.truth) & (hierarchy.truth <= high))
    return np.array(inside)


def test_posterior_holds_the_planted_laws() -> None:
    assert inside_intervals(MODEL, 3).mean() == pytest.approx(0.90, abs=0.08)  # errors are shared within a plant


@pytest.mark.nightly
def test_posterior_holds_the_planted_laws_in_full() -> None:
    assert inside_intervals(Hierarchical(), 40).mean(axis=(0, 1)) == pytest.approx(np.full(3, 0.90), abs=0.04)


def test_thin_symbol_borrows_from_its_market() -> None:
    """With 12 rows the error of the pooled prefactor must be below that of the symbol alone."""
    pooled, alone = [], []
    for seed in range(4):
        rng = np.random.default_rng(100 + seed)
        hierarchy = planted_hierarchy(rng, 2, 6)
        rows = hierarchy.rows([12, *[200] * 11], rng)
        statistics = symbol_statistics(rows, TARGET)
        draws = sample(statistics, MODEL.prior, MODEL.draws, MODEL.warmup, seed)
        pooled.append(draws.symbol[:, 0, 0].mean() - hierarchy.truth[0, 0])
        alone.append(statistics.centre[0, 0] - hierarchy.truth[0, 0])
        assert draws.symbol[:, 0, 0].std() > 1.5 * draws.symbol[:, 1, 0].std()
    assert np.mean(np.square(pooled)) < 0.7 * np.mean(np.square(alone))
    assert np.sqrt(np.mean(np.square(pooled))) < 1.6 * SYMBOL_SD[0]


def test_bands_cover_for_known_thin_and_unseen_symbols() -> None:
    """Fresh rows of symbols with many rows, with few, of a known market alone, and of a new market."""
    groups: dict[str, list[float]] = {"known": [], "thin": [], "unseen": [], "elsewhere": []}
    for seed in range(4):
        rng = np.random.default_rng(200 + seed)
        hierarchy = planted_hierarchy(rng, 4, 5)
        train = [100, 100, 100, 8, 0] * 3 + [0] * 5
        fitted = MODEL.fit(hierarchy.rows(train, rng), TARGET)
        fresh = hierarchy.rows([150] * 20, rng)
        inside = covered(fitted.quantiles(fresh), fresh.outcome(TARGET), 0.90)
        name = np.tile(["known"] * 3 + ["thin", "unseen"], 3).tolist() + ["elsewhere"] * 5
        kind = np.repeat(name, 150)
        for k, shares in groups.items():
            shares.append(float(inside[kind == k].mean()))
    coverage = {k: np.mean(shares) for k, shares in groups.items()}
    assert coverage["known"] == pytest.approx(0.90, abs=0.02)
    for k in ("thin", "unseen", "elsewhere"):
        assert coverage[k] == pytest.approx(0.90, abs=0.045), k


@pytest.mark.nightly
def test_more_symbols_than_places_find_the_centre() -> None:
    rng = np.random.default_rng(1)
    hierarchy = planted_hierarchy(rng, 5, 6)
    draws = sample(symbol_statistics(hierarchy.rows([60] * 30, rng), TARGET), MODEL.prior, MODEL.draws, MODEL.warmup, 0)
    assert draws.symbol.shape == (MODEL.draws, 30, 3)
    assert draws.market.shape == (MODEL.draws, 5, 3)
    assert np.all(np.abs(draws.centre.mean(axis=0) - CENTRE) < 3.0 * draws.centre.std(axis=0))
    assert np.all(draws.symbol_sd.mean(axis=0) < 2.0 * SYMBOL_SD)


def test_seed_decides_the_draws() -> None:
    rng = np.random.default_rng(2)
    rows = planted_hierarchy(rng, 2, 3).rows([60] * 6, rng)
    first, again, other = (replace(MODEL, seed=s).fit(rows, TARGET).draws for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    # another seed, the same posterior: symbols agree within the error of 100 correlated draws
    assert np.abs(first[:6].mean(axis=1) - other[:6].mean(axis=1)).max() < 0.5 * first[:6].std(axis=1).max()


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    rows = planted_hierarchy(rng, 1, 2).rows([50] * 2, rng)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(UsageError, match=r"footprint\[bayes\]"):
        Hierarchical().fit(rows, TARGET)


@pytest.mark.nightly
def test_recovers_data_drawn_from_itself_in_full() -> None:
    check_recovery(MODEL, draws=200)
