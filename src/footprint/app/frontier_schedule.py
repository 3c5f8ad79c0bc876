"""`footprint frontier --schedule`: what a schedule of one's own costs beside the even one."""

from __future__ import annotations

import csv
import json
import math
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from footprint.app.cli.options import parse_duration, parse_time
from footprint.app.files import check_writable
from footprint.app.forecasting import history_of
from footprint.app.frontier import baseline_of, order_of
from footprint.app.history import History
from footprint.app.models import load_model
from footprint.app.order_in_flight import bps_text
from footprint.app.progress import ProgressDisplay
from footprint.app.report import Section, Table, write_report
from footprint.errors import UsageError
from footprint.impact.frontier import plan_at
from footprint.impact.request import ImpactRequest
from footprint.impact.rows import concatenate
from footprint.impact.what_if import SHORTEST_SLICE_S, Schedule, ScheduleCost, cost_schedule, fit_kernels
from footprint.units import NS_PER_SECOND

_COLUMNS = ("time", "quantity")
_TIMES = "seconds since the decision, a duration (15m), or ISO 8601 with a zone"
_CLOCK_DIGITS = 18  # a number as long as this is nanoseconds UTC


def run(
    paths: list[str],
    symbol: str,
    side: int,
    quantity: float | None,
    schedule_file: Path,
    aggression: float,
    *,
    model: Path | None,
    at_ns: int | None,
    threshold_bps: float,
    as_json: bool,
    report: Path | None,
    progress: ProgressDisplay,
) -> ScheduleCost:
    """Cost the schedule and print; see `footprint frontier --help` for the arguments.

    Raises:
        UsageError: a bad row, named; or rows that do not add up to `quantity` when it is given.
        ModelError, DataRefused: with the exit status of the command line.
    """
    if report is not None:
        check_writable(report)
    rows = _rows(schedule_file)
    forecaster = load_model(model) if model is not None else None
    history = history_of(paths, symbol, at_ns, progress)
    schedule = read_schedule(schedule_file, rows, history.market.as_of_ns)
    if quantity is not None and not math.isclose(quantity, schedule.quantity, rel_tol=1e-9):
        raise UsageError(
            f"--schedule {schedule_file}: its rows add up to {schedule.quantity:g}, --quantity is {quantity:g}"
        )
    forecaster = forecaster or baseline_of(history, progress)
    with progress.step("transient impact"):
        kernels = fit_kernels(concatenate([t.arrival for t in history.tapes]))
    market, order = history.market, order_of(history, side, schedule.quantity)
    plan = plan_at(market, schedule.quantity, schedule.horizon_s, aggression, history.instrument.venue)
    cost = cost_schedule(forecaster, ImpactRequest(order, plan, market, None, (threshold_bps,)), schedule, kernels)
    if report is not None:
        _write(report, cost, history)
    if as_json:
        print(json.dumps({"schedule": as_dict(cost)}, allow_nan=False))
    else:
        _print(cost)
    return cost


def read_schedule(path: Path, rows: list[dict[str, str]], as_of_ns: int) -> Schedule:
    """The schedule of a file's rows: each quantity is worked evenly from the row before, the first from the decision.

    Raises:
        UsageError: with row and field.
    """
    times, quantities = [0.0], []
    for number, row in enumerate(rows, 1):
        end_s = _seconds(path, number, row["time"], as_of_ns)
        if not end_s >= times[-1] + SHORTEST_SLICE_S:
            raise _bad(
                path, number, "time", row["time"], f"later than {times[-1]:g} s by {SHORTEST_SLICE_S:g} s or more"
            )
        try:
            quantity = float(row["quantity"])
        except (TypeError, ValueError):
            quantity = math.nan
        if not 0.0 <= quantity < math.inf:
            raise _bad(path, number, "quantity", row["quantity"], "a number >= 0, 0 for a pause")
        times.append(end_s)
        quantities.append(quantity)
    if not any(quantities):
        raise UsageError(f"--schedule {path}: nothing is traded")
    return Schedule(tuple(times), tuple(quantities))


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--schedule {path}: cannot be read ({error})") from None
    reader = csv.DictReader(StringIO(text), skipinitialspace=True)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        found = ", ".join(reader.fieldnames or ()) or "nothing"
        raise UsageError(f"--schedule {path}: columns {found}, allowed: {', '.join(_COLUMNS)}")
    return list(reader)


def _seconds(path: Path, number: int, text: str, as_of_ns: int) -> float:
    """Since the decision."""
    text = (text or "").strip()
    if len(text) < _CLOCK_DIGITS:
        try:
            return float(text)
        except ValueError:
            pass
    for parse in (parse_duration, lambda t: (parse_time(t) - as_of_ns) / NS_PER_SECOND):
        try:
            return parse(text)
        except ValueError:
            continue
    raise _bad(path, number, "time", text, _TIMES)


def _bad(path: Path, number: int, field: str, found: object, allowed: str) -> UsageError:
    return UsageError(f"--schedule {path}, row {number}, field {field}: found {found!r}, allowed: {allowed}")


def as_dict(cost: ScheduleCost) -> dict[str, Any]:
    """For JSON; `even` is the whole record of the even plan."""
    kernels = [
        {"name": k.name, "cost_bps": k.cost_bps, "even_cost_bps": k.even_cost_bps, "shape_bps": k.shape_bps,
         "lasting_bps": k.lasting_bps, "even_lasting_bps": k.even_lasting_bps}
        for k in cost.kernels
    ]  # fmt: skip
    return {
        "times_s": list(cost.schedule.times_s),
        "quantities": list(cost.schedule.quantities),
        "slippage_bps": cost.slippage_bps,
        "temporary_cost_bps": cost.temporary_cost_bps,
        "permanent_cost_bps": cost.permanent_cost_bps,
        "slippage_quantiles_bps": None if cost.quantiles_bps is None else list(cost.quantiles_bps),
        "sd_bps": cost.sd_bps,
        "market_sd_bps": cost.market_sd_bps,
        "var95_bps": cost.var95_bps,
        "cvar95_bps": cost.cvar95_bps,
        "thresholds_bps": list(cost.even.thresholds_bps),
        "prob_exceed": list(cost.prob_exceed),
        "transient_models": kernels,
        "confidence": cost.even.confidence,
        "reasons": list(cost.reasons),
        "even": cost.even.as_dict(),
    }


def _table(cost: ScheduleCost) -> Table:
    """The schedule and the even plan."""
    even, ends = cost.even, (4, 94)
    q, p = cost.quantiles_bps, even.slippage_quantiles_bps
    headers = ("", "mean", "permanent", "temporary", "sd of market", "5 %", "95 %", "VaR95", "CVaR95",
               f"P(> {even.thresholds_bps[0]:g} bps), %")  # fmt: skip
    return Table(headers, [
        ("schedule", cost.slippage_bps, cost.permanent_cost_bps, cost.temporary_cost_bps, cost.market_sd_bps,
         *((None, None) if q is None else (q[i] for i in ends)), cost.var95_bps, cost.cvar95_bps,
         _percent(cost.prob_exceed[0])),
        ("even", even.slippage_bps, even.permanent_cost_bps, even.temporary_cost_bps, even.uncertainty_market_bps,
         *((None, None) if p is None else (p[i] for i in ends)), even.var95_bps, even.cvar95_bps,
         _percent(even.prob_exceed[0])),
    ])  # fmt: skip


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _lines(cost: ScheduleCost) -> list[str]:
    told = [
        f"{k.name}: {k.cost_bps:.2f} bps, even {k.even_cost_bps:.2f}, the shape {k.shape_bps:+.2f}"
        + (" (used)" if i == 0 else "")
        for i, k in enumerate(cost.kernels)
    ]
    level = "the level is the even plan's forecast, transient impact fitted on the same history adds the shape"
    return [level, *told, *cost.reasons]


def _title(cost: ScheduleCost) -> str:
    even, minutes = cost.even, cost.schedule.horizon_s / 60.0
    return f"{even.side.capitalize()} {even.quantity:,.10g} {even.instrument} by schedule over {minutes:.1f} min"


def _moment(cost: ScheduleCost) -> str:
    return datetime.fromtimestamp(cost.even.as_of_ns / NS_PER_SECOND, UTC).isoformat(timespec="milliseconds")


def _print(cost: ScheduleCost) -> None:
    from rich.table import Table as RichTable

    from footprint.app.console import stdout_console

    console, table = stdout_console(), _table(cost)
    rich = RichTable(*table.headers, title=f"{_title(cost)}, as of {_moment(cost)}; bps, positive is a cost")
    for column in rich.columns[1:]:
        column.justify = "right"
    for row in table.rows:
        rich.add_row(str(row[0]), *(bps_text(v) for v in row[1:]))  # type: ignore[arg-type]
    console.print(rich)
    for line in _lines(cost):
        console.print(line)


def _write(path: Path, cost: ScheduleCost, history: History) -> None:
    from footprint.app.forecast_report import LIMITS, tape_figure
    from footprint.app.frontier_plots import schedule_figure

    sections = [
        Section("Cost of the schedule", _lines(cost), _table(cost), [schedule_figure(cost)]),
        Section("Market until the decision", (), None, [tape_figure(history)]),
        Section("Limits", LIMITS),
    ]
    write_report(path, _title(cost), sections, f"as of {_moment(cost)}, model {cost.even.model_id}")
