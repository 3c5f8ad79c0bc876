"""`footprint forecast` as a service: data and an order in, one record per execution style out."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from footprint import __version__
from footprint.app.cli.options import parse_time
from footprint.app.files import check_writable
from footprint.app.history import History, read_history
from footprint.app.progress import ProgressDisplay
from footprint.data import formats
from footprint.data.verdict import Analysis, FileVerdict
from footprint.errors import UsageError
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import BASELINE_ID, Forecaster, fit_baseline
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.store import load
from footprint.impact.styles import style_plan
from footprint.market.orders import ParentOrder, Plan, Progress, Style
from footprint.units import NS_PER_SECOND, side_name

# what an audit may void without a word in the confidence: it does not bear on a forecast
_IRRELEVANT = (Analysis.LATENCY, Analysis.LAW)


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of the order in flight."""

    time_ns: int
    price: float
    quantity: float


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
) -> list[ForecastRecord]:
    """Forecast and print; see `footprint forecast --help` for the arguments.

    Raises:
        UsageError, ModelError, DataRefused: with the exit status of the command line.
    """
    if report is not None:
        check_writable(report)
    forecaster = load(model) if model is not None else None
    history = history_of([data], symbol, at_ns, progress, with_rows=forecaster is None)
    done = read_fills(fills) if fills is not None else []
    order = _order(history, side, quantity, done)
    if forecaster is None:
        with progress.step("parametric baseline"):
            fitted_on = datetime.fromtimestamp(history.market.as_of_ns / NS_PER_SECOND, UTC).date().isoformat()
            forecaster = fit_baseline(history.tapes, fitted_on, __version__, Protocol().seed)
    records = forecast_styles(forecaster, history, order, horizon_s, (threshold_bps,), _progress(history, order, done))
    if report is not None:
        from footprint.app.forecast_report import write_forecast_report

        write_forecast_report(report, records, history)
    if as_json:
        print(json.dumps({"forecasts": [r.as_dict() for r in records]}, allow_nan=False))
    else:
        print_records(records)
    return records


def history_of(
    paths: Sequence[str | Path], symbol: str, at_ns: int | None, progress: ProgressDisplay, with_rows: bool = True
) -> History:
    """Audit the files, then read the symbol's past up to `at_ns`."""
    with progress.step("audit"):
        verdicts = formats.audit(paths)
    sessions = formats.sessions(paths, symbol, verdicts)
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
) -> list[ForecastRecord]:
    """One record per style, in the order aggressive, balanced, passive."""
    remaining = order.quantity - (progress.filled if progress else 0.0)
    requests = [
        ImpactRequest(order, _plan(style, history, remaining, horizon_s), history.market, progress, thresholds_bps)
        for style in Style
    ]
    return [forecast(forecaster, request) for request in requests]


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


def _order(history: History, side: int, quantity: float, done: Sequence[Fill]) -> ParentOrder:
    filled = sum(f.quantity for f in done)
    if filled >= quantity:
        raise UsageError(f"--progress: {filled:g} is filled, --quantity {quantity:g} must be more: nothing is left")
    arrival_ns = done[0].time_ns if done else history.market.as_of_ns
    symbol = history.instrument.symbol
    name = f"{symbol}-{side_name(side)}-{quantity:g}-{arrival_ns}"
    return ParentOrder(name, symbol, side, quantity, arrival_ns)


def _progress(history: History, order: ParentOrder, done: Sequence[Fill]) -> Progress | None:
    if not done:
        return None
    as_of_ns = history.market.as_of_ns
    if done[-1].time_ns > as_of_ns:
        raise UsageError(f"--progress: the last fill at {done[-1].time_ns} lies after the decision at {as_of_ns}")
    arrival_mid = history.mid_at(order.arrival_ns)
    if math.isnan(arrival_mid):
        raise UsageError(f"--progress: the first fill at {order.arrival_ns} lies before the session of the decision")
    filled = sum(f.quantity for f in done)
    return Progress(
        filled=filled,
        average_price=sum(f.price * f.quantity for f in done) / filled,
        arrival_mid=arrival_mid,
        mid=history.market.mid,
        elapsed_s=(as_of_ns - order.arrival_ns) / NS_PER_SECOND,
    )


def read_fills(path: Path) -> list[Fill]:
    """Fills in time order, from CSV with the columns time, price, quantity or from JSON {"fills": [{...}]}.

    Raises:
        UsageError: naming file, row, field, the value found and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--progress {path}: cannot be read ({error})") from None
    rows: list[dict[str, object]]
    if text.lstrip().startswith("{"):
        try:
            rows = json.loads(text)["fills"]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f'--progress {path}: {error!r}, allowed: {{"fills": [{{time, price, quantity}}]}}'
            ) from None
    else:
        rows = [dict(row) for row in csv.DictReader(StringIO(text))]
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"--progress {path}: holds no fill, allowed: rows of time, price, quantity")
    return sorted((_fill(path, i, row) for i, row in enumerate(rows, 1)), key=lambda f: f.time_ns)


def _fill(path: Path, number: int, row: object) -> Fill:
    def number_of(field: str) -> float:
        found = row.get(field) if isinstance(row, dict) else None
        try:
            value = float(found)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            value = math.nan
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"--progress {path}, row {number}, field {field}: found {found!r}, allowed: a number > 0")
        return value

    time = row.get("time") if isinstance(row, dict) else None
    try:
        time_ns = parse_time(str(time))
    except ValueError as error:
        raise UsageError(f"--progress {path}, row {number}, field time: {error}") from None
    return Fill(time_ns, number_of("price"), number_of("quantity"))


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
            _bps(r.temporary_cost_bps),
            _bps(r.permanent_cost_bps),
            _bps(r.slippage_bps),
            "N/A" if r.prob_exceed[0] is None else f"{r.prob_exceed[0]:.1%}",
            *(("N/A",) * 3 if q is None else (_bps(q[4]), _bps(q[49]), _bps(q[94]))),
            _bps(r.var95_bps),
            _bps(r.cvar95_bps),
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
    for r in records:
        for reason in r.reasons:
            console.print(f"{r.style}: {reason}")


def _bps(value: float | None) -> str:
    return "N/A" if value is None else f"{value:.2f}"
