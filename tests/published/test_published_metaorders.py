"""`metaorders-1` against what is published of synthetic metaorders (Maitrier, Loeper, Bouchaud, arXiv 2503.18199)."""

from pathlib import Path

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.child_tape import build_child_tape
from footprint.data.children import ChildTape
from footprint.data.readers.lean import LeanReader
from footprint.impact.laws.binned_law import fit_binned_law
from footprint.impact.laws.law import LawFit
from footprint.impact.laws.tape_law import law_sample


def exponent(days: list[ChildTape], traders: int, seed: int = 0) -> LawFit:
    rng = np.random.default_rng(seed)
    sample = law_sample(days, traders, rng)
    return fit_binned_law(sample.participation, sample.impact, sample.cluster, rng).law


def naive_prices(trades: int, seed: int) -> ChildTape:
    """Independent signs, lognormal sizes, every trade moves the mid for good by the same kappa * size, plus noise."""
    rng = np.random.default_rng(seed)
    sign = rng.choice(np.array([-1, 1], np.int8), trades)
    quantity = rng.lognormal(0.0, 1.0, trades)
    steps = 1e-5 * sign * quantity + 2e-5 * rng.standard_normal(trades)
    mid = 100.0 * np.exp(np.concatenate(([0.0], np.cumsum(steps))))
    time_ns = (np.arange(trades) + 1) * 1_000_000_000
    return ChildTape(
        time_ns=time_ns,
        sign=sign,
        quantity=quantity,
        price=mid[:-1],
        mid_before=mid[:-1],
        known_mid=mid[:-1],
        event_index=np.arange(trades),
        segment=np.zeros(trades, np.int64),
        parent_id=np.full(trades, -1),
        mid_time_ns=time_ns,
        mid=mid[1:],
    )


def test_naive_linear_prices_do_not_give_the_square_root() -> None:
    law = exponent([naive_prices(200_000, seed) for seed in (0, 1)], traders=5)
    assert law.exponent == pytest.approx(1.0, abs=0.06)
    assert law.exists


def test_exponent_falls_with_the_number_of_traders_on_a_large_tick_stock(shared_data: Path) -> None:
    """An independent study of these files found .78(.04), .63(.02), .44(.03) for N = 5, 20, 80."""
    files = sorted((shared_data / "lean" / "equity" / "usa" / "tick" / "bac").glob("*.zip"))
    days = [build_child_tape(s, views(s.events)) for s in LeanReader().sessions(files)]
    found = [exponent(days, n) for n in (5, 20, 80)]
    for law, expected in zip(found, (0.78, 0.63, 0.44), strict=True):
        assert law.exponent == pytest.approx(expected, abs=0.1)
    assert found[0].exponent > found[1].exponent > found[2].exponent
