"""`footprint forecast` as a service: data and an order in, one record per execution style out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from footprint import __version__
from footprint.app.explaining import explain_styles
from footprint.app.files import check_writable
from footprint.app.history import History, read_history
from footprint.app.models import load_model
from footprint.app.multi_day_forecasting import (
    DaysAhead,
    GapWatch,
    as_dict,
    forecast_order_days,
    print_days,
)
from footprint.app.order_in_flight import bps_text, flight_lines, read_order_in_flight
from footprint.app.progress import ProgressDisplay
from footprint.data import formats
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict
from footprint.errors import UsageError
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.flight.remake import remake
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import BASELINE_ID, Forecaster, fit_baseline
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.styles import style_plan
from footprint.market.orders import ParentOrder, Plan, Progress, Style
from footprint.units import NS_PER_SECOND, side_name

# what an audit may void without a word in the confidence: it does not bear on a forecast
_IRRELEVANT = (Analysis.LATENCY, Analysis.LAW)


def run(
    data: str,
    symbol: str,
    side: int,
    quantity: float,
    *,
    model: Path | None,
    at_ns: int | None,
    horizon_s: float,
    threshold_bps: float,
    fills: Path | None,
    as_json: bool,
    report: Path | None,
    progress: ProgressDisplay,
    ahead: DaysAhead | None = None,
    explain: bool = False,
) -> list[ForecastRecord]:
    """Forecast and print; see `footprint forecast --help` for the arguments.

    Args:
        ahead: for an order over several days; the records are then of one day's part.
        explain: say what each column of the model adds to the mean cost of each style.

    Raises:
        UsageError, ModelError, DataRefused: with the exit status of the command line.
    """
    if report is not None:
        check_writable(report)
    if ahead is not None and fills is not None:
        raise UsageError("--days with --progress, allowed: one of them; give what is left as a new order")
    part = quantity if ahead is None else quantity / ahead.days
    flying = read_order_in_flight(fills) if fills is not None else None
    forecaster = load_model(model) if model is not None else None
    gaps = GapWatch(at_ns)
    history = history_of([data], symbol, at_ns, progress, with_rows=forecaster is None, watch=gaps.watch)
    name = history.instrument.symbol
    order = flying.order(name, side, quantity) if flying else _order(history, side, part)
    if forecaster is None:
        with progress.step("parametric baseline"):
            fitted_on = datetime.fromtimestamp(history.market.as_of_ns / NS_PER_SECOND, UTC).date().isoformat()
            forecaster = fit_baseline(history.tapes, fitted_on, __version__, Protocol().seed)
    state = flying.progress(history, order) if flying else None
    parent = flying.parent if flying else None
    requests = style_requests(history, order, horizon_s, (threshold_bps,), state)
    records = [_forecast(forecaster, request, parent) for request in requests]
    explanations = explain_styles(forecaster, requests, records) if explain else []
    days = [] if ahead is None else forecast_order_days(records, history, side, ahead, gaps.gaps_bps)
    if report is not None:
        from footprint.app.forecast_report import write_forecast_report

        write_forecast_report(report, records, history, days, explanations)
    if as_json:
        answer: dict[str, object] = {"forecasts": [r.as_dict() for r in records]}
        if ahead is not None:
            answer["multi_day"] = [as_dict(r, d) for r, d in zip(records, days, strict=True)]
        if explain:
            answer["explanations"] = [e.as_dict() for e in explanations]
        print(json.dumps(answer, allow_nan=False))
    else:
        print_records(records)
        if ahead is not None:
            print_days(records, days)
        if explain:
            from footprint.app.explanation_table import print_explanations

            print_explanations(explanations)
    return records


def history_of(
    paths: Sequence[str | Path],
    symbol: str,
    at_ns: int | None,
    progress: ProgressDisplay,
    with_rows: bool = True,
    watch: Callable[[Iterator[Session]], Iterator[Session]] = lambda sessions: sessions,
) -> History:
    """Audit the files, then read the symbol's past up to `at_ns`; `watch` sees its sessions pass."""
    with progress.step("audit"):
        verdicts = formats.audit(paths)
    sessions = watch(iter(formats.sessions(paths, symbol, verdicts)))
    cautions = _cautions([v for v in verdicts if v.symbol == symbol.upper()])
    return read_history(progress.track(sessions, f"reading {symbol}"), at_ns, Protocol(), cautions, with_rows)


def _cautions(verdicts: Sequence[FileVerdict]) -> tuple[str, ...]:
    """What the audit found void in this symbol's files, as one line."""
    voids = {a for v in verdicts for a in v.voids} - set(_IRRELEVANT)
    if not voids:
        return ()
    return ("the audit limits this data, void: " + ", ".join(a.value for a in Analysis if a in voids),)


def forecast_styles(
    forecaster: Forecaster,
    history: History,
    order: ParentOrder,
    horizon_s: float,
    thresholds_bps: tuple[float, ...],
    progress: Progress | None = None,
    parent: ForecastRecord | None = None,
) -> list[ForecastRecord]:
    """One record per style, in the order aggressive, balanced, passive; in flight they remake `parent`."""
    requests = style_requests(history, order, horizon_s, thresholds_bps, progress)
    return [_forecast(forecaster, request, parent) for request in requests]


def style_requests(
    history: History,
    order: ParentOrder,
    horizon_s: float,
    thresholds_bps: tuple[float, ...],
    progress: Progress | None = None,
) -> list[ImpactRequest]:
    """What is asked for each style, in the order aggressive, balanced, passive."""
    remaining = order.quantity - (progress.filled if progress else 0.0)
    return [
        ImpactRequest(order, _plan(style, history, remaining, horizon_s), history.market, progress, thresholds_bps)
        for style in Style
    ]


def _forecast(forecaster: Forecaster, request: ImpactRequest, parent: ForecastRecord | None) -> ForecastRecord:
    return remake(parent, forecaster, request) if parent else forecast(forecaster, request)


def _plan(style: Style, history: History, quantity: float, horizon_s: float) -> Plan:
    """The style's plan at the market's current pace; a closed market or unknown pace gives nan, answered N/A."""
    market = history.market
    volume_per_s = market.feature("volume_per_s_30m")
    if not volume_per_s > 0:
        volume_per_s = market.feature("day_volume_previous") / market.day_s
    child = market.feature("typical_trade")
    if not (market.is_open and volume_per_s > 0 and child > 0):
        return Plan(style, horizon_s, math.nan, math.nan, math.nan)
    return style_plan(style, quantity, horizon_s, volume_per_s, child, history.instrument.venue)


def _order(history: History, side: int, quantity: float) -> ParentOrder:
    symbol, arrival_ns = history.instrument.symbol, history.market.as_of_ns
    return ParentOrder(f"{symbol}-{side_name(side)}-{quantity:g}-{arrival_ns}", symbol, side, quantity, arrival_ns)


def print_records(records: Sequence[ForecastRecord]) -> None:
    """One row per style, then model, confidence and reasons."""
    from rich.table import Table

    from footprint.app.console import stdout_console

    console, first = stdout_console(), records[0]
    moment = datetime.fromtimestamp(first.as_of_ns / NS_PER_SECOND, UTC).isoformat(timespec="milliseconds")
    threshold = first.thresholds_bps[0]
    done = f", {first.filled:g} filled" if first.filled else ""
    title = f"{first.instrument} {first.side} {first.quantity:g}{done}, as of {moment}; bps, positive is a cost"
    table = Table(
        "style", "temporary", "permanent", "total slippage", f"P(> {threshold:g} bps)", "5 %", "50 %", "95 %",
        "VaR95", "CVaR95", "horizon", "participation", "confidence", title=title,
    )  # fmt: skip
    for column in table.columns[1:-1]:
        column.justify = "right"
    for r in records:
        q = r.slippage_quantiles_bps
        table.add_row(
            r.style,
            bps_text(r.temporary_cost_bps),
            bps_text(r.permanent_cost_bps),
            bps_text(r.slippage_bps),
            "N/A" if r.prob_exceed[0] is None else f"{r.prob_exceed[0]:.1%}",
            *(("N/A",) * 3 if q is None else (bps_text(q[4]), bps_text(q[49]), bps_text(q[94]))),
            bps_text(r.var95_bps),
            bps_text(r.cvar95_bps),
            f"{r.plan['horizon_s'] / 60:.1f} min",
            "N/A" if r.plan["participation"] is None else f"{r.plan['participation']:.1%}",
            r.confidence,
        )
    console.print(table)
    if first.model_id == BASELINE_ID:
        console.print("no --model given: parametric baseline (square root + half-spread), calibrated on this tape only")
    else:
        console.print(f"model {first.model_id} {first.model_version}, calibrated on {first.calibrated_on}")
    console.print(
        "the distribution includes the market's own move over the horizon; permanent is half the 10-min shift"
    )
    for line in flight_lines(records):
        console.print(line)
    for r in records:
        for reason in r.reasons:
            console.print(f"{r.style}: {reason}")
