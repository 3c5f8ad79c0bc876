from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.app.history import History
from footprint.errors import ModelError, UsageError
from footprint.impact.flight.path_law import PathForecast, steps_since
from footprint.impact.flight.relaxation import Relaxation
from footprint.impact.flight.remake import judge_path, remake
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import Forecaster
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.styles import style_plan
from footprint.market.orders import ParentOrder, Progress, Style
from footprint.units import BPS, NS_PER_SECOND

ELAPSED_S = 60
RELAXATION = Relaxation(0.4, 0.02)


@pytest.fixture
def forecaster(baseline: Forecaster) -> Forecaster:
    return replace(baseline, relaxation=RELAXATION)


@pytest.fixture
def arrival(planted_history: History) -> ImpactRequest:
    """An order inside the training range."""
    market = planted_history.market
    quantity = 6.0 * market.feature("typical_trade")
    plan = style_plan(Style.AGGRESSIVE, quantity, 180.0, market.feature("volume_per_s_30m"), quantity / 6.0)
    order = ParentOrder("flying", planted_history.instrument.symbol, 1, quantity, market.as_of_ns)
    return ImpactRequest(order, replace(plan, horizon_s=180.0), market)


def later(arrival: ImpactRequest, drift_bps: float = 0.0, filled: float = 0.5, **more: object) -> ImpactRequest:
    """The same order a minute later, the mid gone up evenly by `drift_bps`."""
    mid, seconds = arrival.market.mid, np.arange(5.0, ELAPSED_S, 5.0)
    done = filled * arrival.order.quantity
    progress = Progress(
        filled=done,
        average_price=mid * (1.0 + 0.6 * drift_bps / BPS),
        arrival_mid=mid,
        mid=mid * (1.0 + drift_bps / BPS),
        elapsed_s=float(ELAPSED_S),
        path_s=tuple(seconds.tolist()),
        path_mids=tuple((mid * (1.0 + drift_bps / BPS * seconds / ELAPSED_S)).tolist()),
        path_filled=tuple((done * seconds / ELAPSED_S).tolist()),
    )
    now = replace(arrival.market, as_of_ns=arrival.market.as_of_ns + ELAPSED_S * NS_PER_SECOND, mid=progress.mid)
    return replace(arrival, market=now, progress=replace(progress, **more))


def test_a_remade_record_names_its_parent_and_keeps_the_sum(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    parent = forecast(forecaster, arrival)
    record = remake(parent, forecaster, later(arrival, others_flow=-0.25))
    assert parent.parent_record_id is None
    assert record.parent_record_id == parent.id
    assert record.id != parent.id
    assert record.temporary_cost_bps + record.permanent_cost_bps == pytest.approx(record.slippage_bps, abs=1e-9)
    assert record.others_flow == -0.25
    assert record.elapsed_s == ELAPSED_S
    assert record.path_alarm == "none"
    assert ForecastRecord.from_json(record.to_json()) == record
    assert remake(parent, forecaster, later(arrival, others_flow=-0.25)).to_json() == record.to_json()


def test_the_rest_and_the_part_done_make_the_whole(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    """J = f c + (1 - f)(m + J'), level by level and for the mean."""
    record = remake(forecast(forecaster, arrival), forecaster, later(arrival, 4.0))
    f, cost, move = 0.5, record.cost_so_far_bps, record.move_so_far_bps
    whole = f * cost + (1.0 - f) * (move + np.array(record.remaining_quantiles_bps))
    assert record.slippage_quantiles_bps == pytest.approx(whole)
    assert record.slippage_bps == pytest.approx(f * cost + (1.0 - f) * (move + record.remaining_cost_bps))
    assert move == pytest.approx(4.0)


def test_at_arrival_the_rest_is_the_whole(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    record = forecast(forecaster, arrival)
    assert record.remaining_quantiles_bps == record.slippage_quantiles_bps
    assert record.permanent_paid_bps == 0.0
    assert record.path_alarm is None


def test_what_is_paid_grows_with_what_is_done(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    parent = forecast(forecaster, arrival)
    early, late = (remake(parent, forecaster, later(arrival, filled=f)) for f in (0.2, 0.8))
    assert 0.0 < early.permanent_paid_bps < late.permanent_paid_bps
    assert late.temporary_to_decay_bps > 0.0
    # the planted relaxation: (1 + t/T)^-beta of the impact is left after t
    share = late.permanent_paid_bps / (late.permanent_paid_bps + late.temporary_to_decay_bps)
    assert share == pytest.approx((1.0 + 600.0 / ELAPSED_S) ** -0.4)


def test_a_pause_lets_the_temporary_part_decay(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    parent = forecast(forecaster, arrival)
    working, paused = (remake(parent, forecaster, later(arrival, idle_s=idle)) for idle in (0.0, 40.0))
    total = working.permanent_paid_bps + working.temporary_to_decay_bps
    left = paused.permanent_paid_bps + paused.temporary_to_decay_bps
    assert left == pytest.approx(total * (1.0 + 40.0 / 20.0) ** -0.4)


def test_without_a_relaxation_the_split_is_null_with_a_reason(baseline: Forecaster, arrival: ImpactRequest) -> None:
    without = replace(baseline, relaxation=None)
    record = remake(forecast(without, arrival), without, later(arrival))
    assert record.permanent_paid_bps is None
    assert record.temporary_to_decay_bps is None
    assert any("no fitted relaxation" in reason for reason in record.reasons)
    assert record.remaining_cost_bps is not None


def test_an_alarm_stays_and_evidence_multiplies(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    parent = forecast(forecaster, arrival)
    wild = remake(parent, forecaster, later(arrival, 40.0 * parent.path_end_sd_bps))
    assert wild.path_alarm == "adverse"
    falling = remake(parent, forecaster, later(arrival, -40.0 * parent.path_end_sd_bps))
    assert falling.path_alarm == "favourable"
    calm = later(arrival)
    alone, _ = judge_path(parent, calm.order, calm.progress)
    chained, alarm = judge_path(replace(parent, path_e_value=3.0, path_alarm="adverse"), calm.order, calm.progress)
    assert chained == pytest.approx(3.0 * alone)
    assert alarm == "adverse"


def test_readings_before_the_parent_record_are_not_judged_again(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    parent = remake(forecast(forecaster, arrival), forecaster, later(arrival, 5.0))
    request = later(arrival, 5.0)
    assert judge_path(parent, request.order, request.progress) == (parent.path_e_value, parent.path_alarm)
    on = replace(request.progress, path_s=(50.0, 70.0), path_mids=(100.0, 100.1), path_filled=(1.0, 2.0))
    assert len(steps_since(parent, request.order, on)) == 1


def test_the_expected_path_is_reached_at_the_end_and_starts_where_the_record_does() -> None:
    path = PathForecast(8.0, 20.0, 0.25)
    assert path.expected_bps(np.array([0.1, 0.25, 1.0])) == pytest.approx([0.0, 0.0, 8.0])
    assert path.steps(path.expected_bps(np.array([0.5, 1.0])), np.array([0.5, 1.0])) == pytest.approx([0.0, 0.0])
    # of a fresh order half is done when 71 % of the impact is there
    assert PathForecast(8.0, 20.0).expected_bps(np.array([0.5]))[0] == pytest.approx(8.0 * np.sqrt(0.5))


def test_a_record_without_numbers_gives_no_path(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    silent = forecast(forecaster, replace(arrival, market=replace(arrival.market, is_open=False)))
    with pytest.raises(ModelError, match="closed"):
        PathForecast.of(silent)
    assert remake(silent, forecaster, later(arrival)).path_alarm is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"side": -1}, "side"),
        ({"quantity": 1e6}, "quantity"),
        ({"parent_id": "other"}, "order"),
        ({"symbol": "OTHER"}, "instrument"),
    ],
)
def test_another_order_is_refused(
    forecaster: Forecaster, arrival: ImpactRequest, change: dict[str, object], words: str
) -> None:
    request = later(arrival)
    with pytest.raises(UsageError, match=words):
        remake(forecast(forecaster, arrival), forecaster, replace(request, order=replace(request.order, **change)))


def test_only_later_instants_with_progress_can_be_remade(forecaster: Forecaster, arrival: ImpactRequest) -> None:
    parent = forecast(forecaster, arrival)
    with pytest.raises(UsageError, match="no progress"):
        remake(parent, forecaster, arrival)
    with pytest.raises(UsageError, match="later instant"):
        remake(parent, forecaster, replace(later(arrival), market=arrival.market))


def test_in_flight_beyond_the_range_the_rest_is_a_new_order_with_a_wider_band(
    baseline: Forecaster, arrival: ImpactRequest
) -> None:
    def rest(factor: float) -> ForecastRecord:
        order = replace(arrival.order, quantity=factor * arrival.order.quantity)
        return forecast(baseline, later(replace(arrival, order=order), filled=0.5))

    assert not any("outside" in reason for reason in rest(1.0).reasons)
    far, further = rest(1e5), rest(4e5)
    for record in (far, further):
        assert record.confidence == "low"
        assert any("forecast as a new order" in reason for reason in record.reasons)
        assert any("outside the training range" in reason for reason in record.reasons)
    # against the mid now the square root doubles when the rest is four times as large
    assert further.remaining_cost_bps / far.remaining_cost_bps == pytest.approx(2.0, rel=0.01)
    assert further.path_end_sd_bps > far.path_end_sd_bps
