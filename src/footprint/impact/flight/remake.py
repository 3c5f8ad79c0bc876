"""A new record of an order in flight from the one that it was worked by until now."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from footprint.errors import UsageError
from footprint.impact.flight.alarm import ADVERSE_SHARE, LEVEL, path_evidence
from footprint.impact.flight.path_law import steps_since
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import Forecaster
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.market.orders import ParentOrder, Progress
from footprint.units import NS_PER_SECOND, side_name

_MOST_EVIDENCE = 1e9  # more says nothing more, and a product must stay finite


def remake(parent: ForecastRecord, forecaster: Forecaster, request: ImpactRequest) -> ForecastRecord:
    """Forecast the rest of an order, and judge the path since its parent record.

    Args:
        parent: made at arrival or in flight.
        request: of the same order, later, in flight; without a path in its progress nothing is judged.

    Raises:
        UsageError: the request is of another order, not later than the parent record, or not in flight.
    """
    progress = _checked(parent, request)
    e_value, alarm = judge_path(parent, request.order, progress)
    record = forecast(forecaster, request)
    digest = hashlib.sha256(f"{parent.id}{record.inputs_hash}".encode()).hexdigest()
    return replace(
        record,
        id=hashlib.sha256(f"{digest}{record.parent_id}".encode()).hexdigest()[:32],
        inputs_hash=digest,
        parent_record_id=parent.id,
        path_e_value=e_value,
        path_alarm=alarm,
    )


def judge_path(parent: ForecastRecord, order: ParentOrder, progress: Progress) -> tuple[float | None, str | None]:
    """Evidence against the chain of records up to now, and the alarm.

    E-values multiply along the chain and an alarm once raised stays, so that the chance of a false one over the whole
    order does not grow with the number of records.

    Returns:
        `path_e_value` and `path_alarm` of the new record; those of the parent where no reading lies after it or it
        gives no path.
    """
    before = parent.path_e_value, parent.path_alarm
    since_s = (parent.as_of_ns - order.arrival_ns) / NS_PER_SECOND
    if parent.path_end_bps is None or not any(t > since_s for t in progress.path_s):
        return before
    evidence = path_evidence(steps_since(parent, order, progress))
    wealth = (before[0] or 1.0) * evidence.e_values
    alarms = (wealth >= 1.0 / LEVEL).nonzero()[0]
    alarm = before[1] or "none"
    if alarm == "none" and len(alarms):
        first = alarms[0]
        adverse = ADVERSE_SHARE * evidence.adverse[first] >= (1.0 - ADVERSE_SHARE) * evidence.favourable[first]
        alarm = "adverse" if adverse else "favourable"
    return min(float(wealth[-1]), _MOST_EVIDENCE), alarm


def _checked(parent: ForecastRecord, request: ImpactRequest) -> Progress:
    order, progress = request.order, request.progress
    if progress is None:
        raise UsageError(f"record {parent.id} can only be remade for an order in flight: no progress is given")
    for what, found, allowed in (
        ("order", order.parent_id, parent.parent_id),
        ("instrument", order.symbol, parent.instrument),
        ("side", side_name(order.side), parent.side),
        ("quantity", order.quantity, parent.quantity),
    ):
        if found != allowed:
            raise UsageError(f"record {parent.id} is of another {what}: found {found!r}, allowed: {allowed!r}")
    if request.market.as_of_ns <= parent.as_of_ns or progress.filled < parent.filled:
        raise UsageError(
            f"record {parent.id} of {parent.as_of_ns} with {parent.filled:g} filled cannot be remade as of "
            f"{request.market.as_of_ns} with {progress.filled:g} filled, allowed: a later instant, no less filled"
        )
    return progress
