from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from footprint.app.history import History
from footprint.impact.confidence import DEAD_S, STALE_S
from footprint.impact.distribution import mean
from footprint.impact.extrapolation import extrapolated
from footprint.impact.forecast import forecast, request_rows
from footprint.impact.forecaster import Forecaster
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.resting import passive_term, widened
from footprint.impact.styles import horizon_at, style_plan
from footprint.impact.uncertainty import market_variance, variance
from footprint.market.orders import ParentOrder, Plan, Progress, Style
from footprint.units import BPS


def request_for(
    history: History, style: Style = Style.AGGRESSIVE, children: float = 5.0, side: int = 1
) -> ImpactRequest:
    """An order inside the training range."""
    market = history.market
    quantity = children * market.feature("typical_trade")
    plan = style_plan(style, quantity, 120.0, market.feature("volume_per_s_30m"), quantity / children)
    order = ParentOrder("test", history.instrument.symbol, side, quantity, market.as_of_ns)
    return ImpactRequest(order, replace(plan, horizon_s=120.0), market)


@pytest.fixture(params=["baseline", "mixture"])
def forecaster(request: pytest.FixtureRequest) -> Forecaster:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("side", [1, -1])
def test_the_parts_add_up_and_the_quantiles_rise(
    forecaster: Forecaster, planted_history: History, style: Style, side: int
) -> None:
    record = forecast(forecaster, request_for(planted_history, style, side=side))
    assert record.temporary_cost_bps + record.permanent_cost_bps == pytest.approx(record.slippage_bps, abs=1e-9)
    for quantiles in (record.slippage_quantiles_bps, record.temporary_quantiles_bps, record.permanent_quantiles_bps):
        assert len(quantiles) == 99
        assert np.all(np.diff(quantiles) >= 0)
    assert record.var95_bps == record.slippage_quantiles_bps[94]
    assert record.cvar95_bps > record.var95_bps
    assert 0.0 < record.prob_exceed[0] < 1.0
    assert record.side == ("buy" if side > 0 else "sell")


def test_same_inputs_give_the_same_bytes(forecaster: Forecaster, planted_history: History) -> None:
    request = request_for(planted_history)
    first, second = forecast(forecaster, request), forecast(forecaster, request)
    assert first.to_json() == second.to_json()
    assert ForecastRecord.from_json(first.to_json()) == first


def test_other_inputs_give_another_hash(baseline: Forecaster, planted_history: History) -> None:
    request = request_for(planted_history)
    other = replace(request, thresholds_bps=(20.0,))
    assert forecast(baseline, request).inputs_hash != forecast(baseline, other).inputs_hash


def test_a_market_without_quotes_is_not_answered(forecaster: Forecaster, planted_history: History) -> None:
    features = planted_history.market.features.copy()
    for name in ("spread_bps", "spread_5m_bps"):
        features[planted_history.market.feature_names.index(name)] = np.nan
    market = replace(planted_history.market, features=features, mid=float("nan"))
    record = forecast(forecaster, replace(request_for(planted_history), market=market))
    assert record.slippage_bps is None
    assert record.slippage_quantiles_bps is None
    assert record.prob_exceed == (None,)
    assert record.confidence == "none"
    assert any("two-sided quote" in reason for reason in record.reasons)
    assert json.loads(record.to_json())["slippage_bps"] is None


def test_resting_styles_need_displayed_sizes(forecaster: Forecaster, planted_history: History) -> None:
    market = replace(planted_history.market, passive=None)
    for style, answered in ((Style.AGGRESSIVE, True), (Style.BALANCED, False), (Style.PASSIVE, False)):
        record = forecast(forecaster, replace(request_for(planted_history, style), market=market))
        assert (record.slippage_bps is not None) == answered


def test_reasons_lower_the_grade(mixture: Forecaster, planted_history: History) -> None:
    request = request_for(planted_history)
    assert forecast(mixture, request).confidence != "low"
    stale = replace(request, market=replace(request.market, quote_age_s=STALE_S + 1))
    assert forecast(mixture, stale).confidence == "low"
    huge = replace(request, order=replace(request.order, quantity=1e8))
    record = forecast(mixture, huge)
    assert record.confidence == "low"
    assert any("outside the training range" in reason for reason in record.reasons)


def test_beyond_the_training_range_the_cost_follows_the_square_root(
    mixture: Forecaster, planted_history: History
) -> None:
    def median_cost(quantity: float) -> float:
        request = request_for(planted_history)
        record = forecast(mixture, replace(request, order=replace(request.order, quantity=quantity)))
        return record.slippage_bps

    # each quadrupling doubles the law's part: differences double too
    small, middle, large = (median_cost(q) for q in (1e6, 4e6, 16e6))
    assert (large - middle) / (middle - small) == pytest.approx(2.0, rel=1e-6)


def test_an_unknown_symbol_is_said_to_be_unknown(mixture: Forecaster, planted_history: History) -> None:
    request = request_for(planted_history)
    record = forecast(mixture, replace(request, order=replace(request.order, symbol="OTHER")))
    assert any("not among" in reason for reason in record.reasons)


def flying(history: History, filled: float, move_bps: float, cost_bps: float) -> ImpactRequest:
    request = request_for(history)
    mid = history.market.mid
    arrival = mid / (1 + move_bps / BPS)
    quantity = request.order.quantity
    progress = Progress(filled * quantity, arrival * (1 + cost_bps / BPS), arrival, mid, 60.0)
    return replace(request, progress=progress)


def test_what_is_done_enters_exactly(baseline: Forecaster, planted_history: History) -> None:
    """J = f c + (1 - f)(m + J'): one more bp on the fills costs f bps, quantile by quantile."""
    one, other = (forecast(baseline, flying(planted_history, 0.5, 4.0, cost)) for cost in (3.0, 4.0))
    difference = np.subtract(other.slippage_quantiles_bps, one.slippage_quantiles_bps)
    assert difference == pytest.approx(np.full(99, 0.5), abs=1e-6)
    assert one.temporary_cost_bps + one.permanent_cost_bps == pytest.approx(one.slippage_bps, abs=1e-9)


def test_the_band_narrows_as_the_order_fills(baseline: Forecaster, planted_history: History) -> None:
    def width(record: ForecastRecord) -> float:
        return record.slippage_quantiles_bps[94] - record.slippage_quantiles_bps[4]

    widths = [width(forecast(baseline, flying(planted_history, f, 2.0, 2.0))) for f in (0.25, 0.5, 0.9)]
    assert widths == sorted(widths, reverse=True)


def test_passive_term_has_the_sign_of_the_saving(planted_history: History) -> None:
    passive = replace(planted_history.market.passive, cost=np.full(5, -0.5), cost_sd=np.full(5, 1.0))
    shift, sd = passive_term(passive, 60.0, 4.0, resting=1.0, half_spread_bps=2.0)
    assert shift == pytest.approx(-3.0)  # from +1 half-spread to -0.5
    assert sd == pytest.approx(1.0)  # 2 bps / sqrt(4)
    assert passive_term(passive, 60.0, 4.0, 0.5, 2.0)[0] == pytest.approx(-1.5)


def test_widening_adds_variances() -> None:
    quantiles = np.linspace(-3.0, 3.0, 99)
    assert widened(quantiles, 4.0).std() == pytest.approx(np.hypot(quantiles.std(), 4.0))
    assert widened(quantiles, 4.0)[49] == quantiles[49]


def test_plans_are_ordered_and_participation_counts_the_own_volume() -> None:
    plans = [style_plan(style, 1_000.0, 600.0, 10.0, 100.0) for style in Style]
    assert [p.style for p in plans] == [Style.AGGRESSIVE, Style.BALANCED, Style.PASSIVE]
    assert plans[0].horizon_s < plans[1].horizon_s < plans[2].horizon_s
    assert plans[1].participation == pytest.approx(1_000 / (1_000 + 6_000))
    assert plans[0].children == 10
    assert horizon_at(plans[2].participation, 1_000.0, 10.0) == pytest.approx(plans[2].horizon_s)


def test_a_plan_of_unknown_pace_still_makes_a_record(baseline: Forecaster, planted_history: History) -> None:
    nowhere = Plan(Style.AGGRESSIVE, 60.0, float("nan"), float("nan"), float("nan"))
    features = np.full_like(planted_history.market.features, np.nan)
    market = replace(planted_history.market, features=features)
    record = forecast(baseline, replace(request_for(planted_history), plan=nowhere, market=market))
    assert record.confidence == "none"
    assert json.loads(record.to_json())["plan"]["participation"] is None


def test_a_closed_or_dead_market_is_not_answered(mixture: Forecaster, planted_history: History) -> None:
    request = request_for(planted_history)
    for change, words in (({"is_open": False}, "closed"), ({"quote_age_s": DEAD_S + 1}, "no price for")):
        record = forecast(mixture, replace(request, market=replace(request.market, **change)))
        assert record.slippage_bps is None
        assert any(words in reason for reason in record.reasons)


def test_a_market_that_never_had_a_price_is_not_said_to_be_late(mixture: Forecaster, planted_history: History) -> None:
    request = request_for(planted_history)
    never = replace(request.market, mid=float("nan"), quote_age_s=1e9)
    reasons = forecast(mixture, replace(request, market=never)).reasons
    assert any("no two-sided quote" in reason for reason in reasons)
    assert not any("no price for" in reason for reason in reasons)


def test_another_symbol_is_answered_by_the_square_root_when_only_one_was_trained(
    mixture: Forecaster, planted_history: History
) -> None:
    assert mixture.unseen == {}  # one symbol
    assert mixture.models("OTHER", in_flight=False) is mixture.outside
    assert mixture.models(planted_history.instrument.symbol, in_flight=False) is mixture.known


def test_at_arrival_what_goes_back_is_read_from_the_means(baseline: Forecaster, planted_history: History) -> None:
    record = forecast(baseline, request_for(planted_history))
    assert record.temporary_to_decay_bps == pytest.approx(record.path_end_bps - 2.0 * record.permanent_cost_bps)


def test_extrapolating_widens_around_the_mean_and_never_inside_the_range() -> None:
    quantiles = np.linspace(-3.0, 9.0, 99) ** 3 / 20.0
    assert extrapolated(quantiles, 0.0) == pytest.approx(quantiles)
    near, far = extrapolated(quantiles, 1.0), extrapolated(quantiles, 5.0)
    assert quantiles.std() < near.std() < far.std()
    for widened_ones in (near, far):
        assert mean(widened_ones) == pytest.approx(mean(quantiles))
        assert np.all(np.diff(widened_ones) >= 0)


def test_beyond_the_training_range_the_band_widens_with_the_distance(
    baseline: Forecaster, planted_history: History
) -> None:
    """Against the impact itself the noise stays, so that only the widening can keep the relative width from falling."""

    def beyond(quantity: float) -> ForecastRecord:
        request = request_for(planted_history)
        return forecast(baseline, replace(request, order=replace(request.order, quantity=quantity)))

    def width(record: ForecastRecord) -> float:
        return record.slippage_quantiles_bps[94] - record.slippage_quantiles_bps[4]

    inside, far, further = (beyond(q) for q in (3e3, 1e6, 1e8))
    assert width(inside) < width(far) < width(further)
    assert any("band widened" in reason for reason in further.reasons)


def test_without_a_square_root_beyond_the_range_there_is_no_answer(
    baseline: Forecaster, planted_history: History
) -> None:
    request = request_for(planted_history)
    huge = replace(request, order=replace(request.order, quantity=1e8))
    record = forecast(replace(baseline, outside={}), huge)
    assert record.slippage_bps is None
    assert any("no square root" in reason for reason in record.reasons)


def test_the_regime_of_the_market_goes_into_the_record(baseline: Forecaster, planted_history: History) -> None:
    request = request_for(planted_history)
    market = replace(request.market, regime="calm", regime_probabilities=(("calm", 0.8), ("busy", 0.2)))
    record = forecast(baseline, replace(request, market=market))
    assert (record.regime, record.regime_probabilities) == ("calm", {"calm": 0.8, "busy": 0.2})
    assert record.inputs_hash != forecast(baseline, request).inputs_hash
    assert forecast(baseline, request).regime_probabilities is None


def test_uncertainty_has_three_parts_when_the_model_knows_its_own(
    baseline: Forecaster, planted_history: History
) -> None:
    class Unsure:
        """A fitted model with an uncertainty of its own."""

        def quantiles(self, rows):
            return baseline.known["shortfall"].quantiles(rows)

        def model_sd_bps(self, rows):
            return np.full(len(rows), 0.5)

    request = request_for(planted_history)
    silent = forecast(baseline, request)
    assert (silent.uncertainty_model_bps, silent.uncertainty_execution_bps) == (None, None)
    assert silent.uncertainty_market_bps > 0.0
    assert any("its own uncertainty" in reason for reason in silent.reasons)
    told = forecast(replace(baseline, known={**baseline.known, "shortfall": Unsure()}), request)
    parts = (told.uncertainty_model_bps, told.uncertainty_market_bps, told.uncertainty_execution_bps)
    assert np.sum(np.square(parts)) == pytest.approx(variance(np.array(told.slippage_quantiles_bps)))
    assert not any("its own uncertainty" in reason for reason in told.reasons)
    # half done, half as much is left to be uncertain about; beyond the range the law's exponent is uncertain too
    half = forecast(baseline, flying(planted_history, 0.5, 4.0, 3.0))
    rest = market_variance(request_rows(flying(planted_history, 0.5, 4.0, 3.0)), "shortfall")
    assert half.uncertainty_market_bps == pytest.approx(0.5 * np.sqrt(rest[0]))
    huge = forecast(baseline, replace(request, order=replace(request.order, quantity=1e8)))
    assert huge.uncertainty_model_bps > 0.0


def test_the_market_state_is_named_with_its_probability(mixture: Forecaster, planted_history: History) -> None:
    assert mixture.regimes is not None
    record = forecast(mixture, request_for(planted_history))
    assert record.regime in mixture.regimes.names
    assert sum(record.regime_probabilities.values()) == pytest.approx(1.0)
    assert record.regime == max(record.regime_probabilities, key=record.regime_probabilities.get)
