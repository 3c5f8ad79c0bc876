"""The HTML page of one forecast: what it will cost, why, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from footprint.app import plots
from footprint.app.explaining import StyleExplanation
from footprint.app.explanation_table import explanation_section
from footprint.app.history import History
from footprint.app.order_in_flight import flight_lines
from footprint.app.report import Section, Table, write_report
from footprint.impact.flight.multi_day import MultiDayForecast
from footprint.impact.record import ForecastRecord
from footprint.units import NS_PER_MINUTE, NS_PER_SECOND

LIMITS = (
    "The distribution includes the market's own move over the horizon. It is a forecast given the plan, learned from "
    "imaginary orders rebuilt from the public tape, not the causal effect of your order: runs are known to have ended "
    "only afterwards.",
    "Permanent cost is half the shift ten minutes after the end (Almgren et al. 2005), temporary cost the rest of the "
    "slippage; a few days of data leave the permanent part uncertain by more than its mean.",
)


def write_forecast_report(
    path: Path,
    records: Sequence[ForecastRecord],
    history: History,
    days: Sequence[MultiDayForecast | None] = (),
    explanations: Sequence[StyleExplanation] = (),
) -> None:
    """Write the page of the records of one order; over several days with the forecast of each record's days.

    Args:
        explanations: one of each record, or none.
    """
    first = records[0]
    moment = datetime.fromtimestamp(first.as_of_ns / NS_PER_SECOND, UTC).isoformat(timespec="milliseconds")
    title = f"{first.side.capitalize()} {first.quantity:,.10g} {first.instrument}"
    sections = forecast_sections(records, history)
    if explanations:
        sections.insert(1, explanation_section(explanations))
    if days:
        sections.insert(1, _days_section(records, days))
    write_report(path, title, sections, f"as of {moment}, model {first.model_id}")


def forecast_sections(records: Sequence[ForecastRecord], history: History) -> list[Section]:
    """Forecast, confidence, tape, features and limits."""
    answered = {r.style: np.array(r.slippage_quantiles_bps) for r in records if r.slippage_quantiles_bps is not None}
    threshold = records[0].thresholds_bps[0]
    figures = [plots.forecast_by_style(answered, threshold)] if answered else []
    in_flight = flight_lines(records)
    return [
        Section(
            "Forecast by execution style",
            ("Costs in basis points of the arrival mid, positive when they hurt.",),
            forecast_table(records),
            figures,
        ),
        *([Section("In flight", in_flight)] if in_flight else []),
        Section("Confidence", _confidence(records)),
        Section("Market until the decision", (), None, [tape_figure(history)]),
        _passive_section(history),
        Section("Features known at the decision", (), _feature_table(records[0])),
        Section("Limits", LIMITS),
    ]


def forecast_table(records: Sequence[ForecastRecord]) -> Table:
    """One row a style."""
    above = f"P(> {records[0].thresholds_bps[0]:g} bps), %"
    headers = ("style", "temporary", "permanent", "slippage", above, "5 %", "50 %", "95 %", "VaR95", "CVaR95",
               "horizon, min", "participation, %", "confidence")  # fmt: skip
    rows = []
    for r in records:
        q = r.slippage_quantiles_bps
        share = r.plan["participation"]
        rows.append(
            (
                r.style,
                r.temporary_cost_bps,
                r.permanent_cost_bps,
                r.slippage_bps,
                None if r.prob_exceed[0] is None else 100.0 * r.prob_exceed[0],
                *((None, None, None) if q is None else (q[4], q[49], q[94])),
                r.var95_bps,
                r.cvar95_bps,
                r.plan["horizon_s"] / 60.0,
                None if share is None else 100.0 * share,
                r.confidence,
            )
        )
    return Table(headers, rows)


def _days_section(records: Sequence[ForecastRecord], days: Sequence[MultiDayForecast | None]) -> Section:
    """One row a part of each style: days against their own open, nights, and the whole against the arrival mid."""
    rows: list[tuple[str, str, float, float, float, float | None, float | None]] = []
    for record, forecast in zip(records, days, strict=True):
        if forecast is None:
            continue
        for d, q in enumerate(forecast.day_quantiles_bps):
            carried = forecast.permanent_carried_bps[d], forecast.temporary_left_bps[d]
            rows.append((record.style, f"day {d + 1}", q[4], q[49], q[94], *carried))
            if d < len(forecast.overnight_quantiles_bps):
                gap = forecast.overnight_quantiles_bps[d]
                rows.append((record.style, f"night {d + 1}", gap[4], gap[49], gap[94], None, None))
        total = forecast.total_quantiles_bps
        rows.append((record.style, "whole order", total[4], total[49], total[94], None, None))
    headers = ("style", "part", "5 %", "50 %", "95 %", "permanent carried", "temporary left")
    text = (
        "Each day's part against that day's opening mid, nights as gaps without own impact, the whole order against "
        "the arrival mid; bps. Later days are forecast with the market of the decision."
    )
    return Section("Over several days", (text,), Table(headers, rows))


def _confidence(records: Sequence[ForecastRecord]) -> list[str]:
    return [f"{r.style}: {r.confidence}" + "".join(f"; {reason}" for reason in r.reasons) for r in records]


def tape_figure(history: History) -> object:
    """Mid and traded volume of the decision's session, by minute."""
    tape = history.last.tape
    title = f"{history.instrument.symbol}, {history.last.session.day}"
    if not len(tape):
        return plots.tape(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), title)
    first = int(tape.time_ns[0] // NS_PER_MINUTE)
    minute = tape.time_ns // NS_PER_MINUTE - first
    volume = np.bincount(minute, weights=tape.quantity)
    starts = (np.arange(len(volume)) + first) * NS_PER_MINUTE
    return plots.tape(starts, tape.mid_at(starts), volume, title)


def _passive_section(history: History) -> Section:
    passive = history.market.passive
    if passive is None:
        return Section("Resting orders", ("The tape has no displayed sizes: queues cannot be followed.",))
    rows = [
        (w, 100.0 * p, a, c, cost)
        for w, p, a, c, cost in zip(
            passive.waits_s, passive.fill_probability, passive.adverse, passive.crossing, passive.cost, strict=True
        )
    ]
    headers = ("wait, s", "filled, %", "adverse selection", "crossing the rest", "cost")
    text = (
        f"{passive.orders} virtual orders at the back of the queue of this session; costs in half-spreads, where "
        "crossing at once costs 1 and a fill without adverse selection -1."
    )
    return Section("Resting orders", (text,), Table(headers, rows))


def _feature_table(record: ForecastRecord) -> Table:
    return Table(("feature", "value"), list(record.features.items()), decimals=4)
