"""`footprint frontier` as a service: one order, many plans; which of them are efficient and which to choose."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from footprint import __version__
from footprint.app.files import check_writable
from footprint.app.forecasting import history_of
from footprint.app.history import History
from footprint.app.models import load_model
from footprint.app.order_in_flight import bps_text
from footprint.app.progress import ProgressDisplay
from footprint.errors import UsageError
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import PARAMETRIC, parametric
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.forecaster import BASELINE_ID, Forecaster, fit_baseline
from footprint.impact.frontier import RISKS, Frontier, FrontierPoint, frontier, horizons_to_close, pace, plan_grid
from footprint.impact.interface import FittedImpact
from footprint.impact.rows import TARGETS, concatenate
from footprint.impact.styles import MIN_HORIZON_S, horizon_at
from footprint.market.orders import ParentOrder
from footprint.units import NS_PER_SECOND, side_name


@dataclass(frozen=True, slots=True)
class Grid:
    """What to vary.

    Attributes:
        horizons_s: of the plans; None for one minute to the rest of the day.
        participations: shares of all volume from which horizons follow; instead of them, or beside them.
        aggressions: shares that cross the spread.
        aversions: lambdas of mean + lambda * risk.
        risk: "sd", "var95" or "cvar95".
    """

    horizons_s: tuple[float, ...] | None
    participations: tuple[float, ...]
    aggressions: tuple[float, ...]
    aversions: tuple[float, ...]
    risk: str

    def __post_init__(self) -> None:
        """Refuse what no plan can have, before any data are read."""
        if self.risk not in RISKS:
            raise UsageError(f"--risk {self.risk!r} is unknown, allowed: {', '.join(RISKS)}")
        if not all(MIN_HORIZON_S <= h < math.inf for h in self.horizons_s or ()):
            raise UsageError(f"--horizons: allowed: from {MIN_HORIZON_S:g} s on")
        if not all(0.0 < share < 1.0 for share in self.participations):
            raise UsageError("--participations: allowed: between 0 and 1, without them")

    def horizons(self, history: History, quantity: float) -> tuple[float, ...]:
        """Seconds, increasing, each once.

        Raises:
            UsageError: participations where the market's pace is unknown.
        """
        volume_per_s, _ = pace(history.market)
        if self.participations and not volume_per_s > 0:
            raise UsageError("--participations: the market is closed or its pace unknown, allowed here: --horizons")
        found = [horizon_at(share, quantity, volume_per_s) for share in self.participations]
        if self.horizons_s is not None:
            found += self.horizons_s
        return tuple(sorted(set(found))) or horizons_to_close(history.market)


def run(
    paths: Sequence[str],
    symbol: str,
    side: int,
    quantity: float,
    grid: Grid,
    *,
    model: Path | None,
    law: str | None,
    at_ns: int | None,
    threshold_bps: float,
    as_json: bool,
    report: Path | None,
    progress: ProgressDisplay,
) -> Frontier:
    """Forecast the grid and print; see `footprint frontier --help` for the arguments.

    Raises:
        UsageError, ModelError, DataRefused: with the exit status of the command line.
    """
    if report is not None:
        check_writable(report)
    if law is not None:
        check_law(law)
    forecaster = load_model(model) if model is not None else None
    history = history_of(paths, symbol, at_ns, progress, with_rows=forecaster is None)
    if forecaster is None:
        forecaster = baseline_of(history, progress)
    if law is not None:
        with progress.step(law):
            forecaster = with_law(forecaster, history, law)
    order = order_of(history, side, quantity)
    horizons_s = grid.horizons(history, quantity)
    plans = plan_grid(history.market, quantity, horizons_s, grid.aggressions, history.instrument.venue)
    with progress.step(f"{len(plans)} plans"):
        front = frontier(forecaster, order, history.market, plans, grid.risk, grid.aversions, (threshold_bps,))
    if report is not None:
        from footprint.app.frontier_report import write_frontier_report

        write_frontier_report(report, front, history)
    if as_json:
        print(json.dumps(as_dict(front, order), allow_nan=False))
    else:
        print_frontier(front, order)
    return front


def baseline_of(history: History, progress: ProgressDisplay) -> Forecaster:
    """The parametric baseline on everything before the decision."""
    with progress.step("parametric baseline"):
        fitted_on = datetime.fromtimestamp(history.market.as_of_ns / NS_PER_SECOND, UTC).date().isoformat()
        return fit_baseline(history.tapes, fitted_on, __version__, Protocol().seed)


def check_law(law: str) -> None:
    """Raise for a name that is no parametric law.

    Raises:
        UsageError: with the names that are allowed.
    """
    names = {name.removesuffix("_spread") for name in PARAMETRIC}
    if law not in names:
        raise UsageError(f"--law {law!r} is unknown, allowed: {', '.join(sorted(names))}")


def with_law(baseline: Forecaster, history: History, law: str) -> Forecaster:
    """The baseline with another published law inside the training range, calibrated in the same way on the same tape.

    A square root knows no price of speed; a propagator, Almgren's or Obizhaeva and Wang's law does.

    Raises:
        ModelError: too few orders, with the count it needs.
    """
    rows = concatenate([t.arrival for t in history.tapes])
    chosen = {t: next(m for m in parametric(t) if m.name in (law, f"{law}_spread")) for t in TARGETS}
    fitted: dict[str, FittedImpact] = {t: CrossConformal(m).fit(rows, t) for t, m in chosen.items()}
    return replace(baseline, card=replace(baseline.card, model_id=law), known=fitted)


def order_of(history: History, side: int, quantity: float) -> ParentOrder:
    """The order at the decision, named after what it is."""
    symbol, arrival_ns = history.instrument.symbol, history.market.as_of_ns
    return ParentOrder(f"{symbol}-{side_name(side)}-{quantity:g}-{arrival_ns}", symbol, side, quantity, arrival_ns)


def as_dict(front: Frontier, order: ParentOrder) -> dict[str, Any]:
    """The frontier for JSON: points in grid order, choices by aversion with the number of their point."""
    first = front.points[0].record
    return {
        "frontier": {
            "order": {"id": order.parent_id, "instrument": order.symbol, "side": side_name(order.side),
                      "quantity": order.quantity, "as_of_ns": first.as_of_ns},
            "model_id": first.model_id,
            "model_version": first.model_version,
            "calibrated_on": first.calibrated_on,
            "risk": front.risk,
            "includes_market_move": first.includes_market_move,
            "thresholds_bps": list(first.thresholds_bps),
            "points": [_point(p) for p in front.points],
            "choices": [{"aversion": c.aversion, "point": c.point, "objective_bps": c.objective_bps}
                        for c in front.choices],
        }
    }  # fmt: skip


def _point(point: FrontierPoint) -> dict[str, Any]:
    r = point.record
    q = r.slippage_quantiles_bps
    return {
        "record_id": r.id,
        "plan": r.plan,
        "slippage_bps": r.slippage_bps,
        "temporary_cost_bps": r.temporary_cost_bps,
        "permanent_cost_bps": r.permanent_cost_bps,
        "sd_bps": point.sd_bps,
        "slippage_5_bps": None if q is None else q[4],
        "slippage_50_bps": None if q is None else q[49],
        "slippage_95_bps": None if q is None else q[94],
        "var95_bps": r.var95_bps,
        "cvar95_bps": r.cvar95_bps,
        "prob_exceed": list(r.prob_exceed),
        "uncertainty_model_bps": r.uncertainty_model_bps,
        "efficient": point.efficient,
        "outside_training_range": point.outside,
        "confidence": r.confidence,
        "reasons": list(r.reasons),
    }


def print_frontier(front: Frontier, order: ParentOrder) -> None:
    """One row a plan, then the choice of each aversion, then the reasons, each once."""
    from rich.table import Table

    from footprint.app.console import stdout_console

    console, first = stdout_console(), front.points[0].record
    moment = datetime.fromtimestamp(first.as_of_ns / NS_PER_SECOND, UTC).isoformat(timespec="milliseconds")
    title = f"{order.symbol} {side_name(order.side)} {order.quantity:g}, as of {moment}; bps, positive is a cost"
    table = Table(
        "horizon", "participation", "crossing", "mean", "± model", "permanent", "temporary", "sd", "5 %",
        "95 % (VaR)", "CVaR95", f"P(> {first.thresholds_bps[0]:g} bps)", "efficient", "chosen by λ", title=title,
    )  # fmt: skip
    for column in table.columns[:12]:
        column.justify = "right"
    for i, p in enumerate(front.points):
        r, q = p.record, p.record.slippage_quantiles_bps
        share, above = r.plan["participation"], r.prob_exceed[0]
        table.add_row(
            f"{r.plan['horizon_s'] / 60.0:.1f} min" + ("*" if p.outside else ""),
            "N/A" if share is None else f"{share:.1%}",
            f"{r.plan['aggression']:.0%}",
            bps_text(r.slippage_bps),
            bps_text(r.uncertainty_model_bps),
            bps_text(r.permanent_cost_bps),
            bps_text(r.temporary_cost_bps),
            bps_text(p.sd_bps),
            *(("N/A", "N/A") if q is None else (bps_text(q[4]), bps_text(q[94]))),
            bps_text(r.cvar95_bps),
            "N/A" if above is None else f"{above:.1%}",
            "yes" if p.efficient else "",
            ", ".join(f"{c.aversion:g}" for c in front.choices if c.point == i),
        )
    console.print(table)
    console.print(
        f"efficient: no other plan is as cheap in the mean and as safe in {front.risk}; λ: least mean + λ risk"
    )
    console.print(
        "means are learned from past orders that were worked so: what a change of horizon would cause is less sure"
    )
    if any(p.outside for p in front.points):
        console.print("* beyond the training range: the square root answers, its band widened with the distance")
    told = f"model {first.model_id} {first.model_version}, calibrated on {first.calibrated_on}"
    console.print("no --model given: parametric baseline on this tape only" if first.model_id == BASELINE_ID else told)
    for reason, names in reasons_of(front.points).items():
        console.print(f"{'all plans' if len(names) == len(front.points) else f'{len(names)} plans'}: {reason}")


def reasons_of(points: Sequence[FrontierPoint]) -> dict[str, list[str]]:
    """Each reason once, with the ids of the records that gave it."""
    found: dict[str, list[str]] = {}
    for point in points:
        for reason in point.record.reasons:
            found.setdefault(reason, []).append(point.record.id)
    return found
