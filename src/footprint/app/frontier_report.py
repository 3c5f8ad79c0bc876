"""The HTML page of a frontier."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from footprint.app.forecast_report import LIMITS
from footprint.app.frontier import reasons_of
from footprint.app.frontier_plots import RISK_NAMES, bands_of_the_efficient, cost_against_risk, plan_name
from footprint.app.history import History
from footprint.app.report import Cell, Section, Table, write_report
from footprint.impact.frontier import Frontier
from footprint.units import NS_PER_SECOND

_BEFORE = (
    "Every mark is one plan, forecast by the same model. Its height is the expected slippage, its distance to the "
    "right the risk, the market's own move over the horizon included. Bars show how uncertain the model is of the "
    "mean, one deviation either way. Open marks lie beyond the training range. The line joins the efficient plans: "
    "none is as cheap and as safe as one of them.",
    "Participation follows from the horizon at the market's present pace. Aggression is the share of the children "
    "that cross the spread; for the share that rests the passive-fill estimate of the tape stands.",
)


def write_frontier_report(path: Path, front: Frontier, history: History) -> None:
    """Write the page of one order's frontier."""
    first = front.points[0].record
    moment = datetime.fromtimestamp(first.as_of_ns / NS_PER_SECOND, UTC).isoformat(timespec="milliseconds")
    title = f"{first.side.capitalize()} {first.quantity:,.10g} {history.instrument.symbol}: cost against risk"
    figures = [cost_against_risk(front), bands_of_the_efficient(front)] if front.choices else []
    reasons = [f"{len(ids)} of {len(front.points)} plans: {reason}" for reason, ids in reasons_of(front.points).items()]
    sections = [
        Section("Frontier", _BEFORE, None, figures),
        Section("Choices", _choices(front), _choice_table(front)),
        Section("All plans", (), _plan_table(front)),
        Section("Confidence", reasons or ["nothing against any plan"]),
        Section("Limits", LIMITS),
    ]
    write_report(path, title, sections, f"as of {moment}, model {first.model_id}")


def _choices(front: Frontier) -> tuple[str, ...]:
    if not front.choices:
        return ("No plan has a number; the reasons stand below.",)
    return (f"For each aversion λ the plan with the smallest mean + λ times the {RISK_NAMES[front.risk]}.",)


def _choice_table(front: Frontier) -> Table | None:
    if not front.choices:
        return None
    rows: list[list[Cell]] = []
    for choice in front.choices:
        point = front.points[choice.point]
        rows.append(
            [choice.aversion, plan_name(point), point.mean_bps, point.risk_bps(front.risk), choice.objective_bps]
        )
    return Table(("λ", "plan", "mean", front.risk, "mean + λ risk"), rows)


def _plan_table(front: Frontier) -> Table:
    rows: list[list[Cell]] = []
    for p in front.points:
        r, q = p.record, p.record.slippage_quantiles_bps
        share, above = r.plan["participation"], r.prob_exceed[0]
        rows.append([
            r.plan["horizon_s"] / 60.0, None if share is None else 100.0 * share, 100.0 * r.plan["aggression"],
            r.slippage_bps, r.uncertainty_model_bps, r.permanent_cost_bps, r.temporary_cost_bps, p.sd_bps,
            *((None, None) if q is None else (q[4], q[94])), r.var95_bps, r.cvar95_bps,
            None if above is None else 100.0 * above,
            "yes" if p.efficient else "", "yes" if p.outside else "",
        ])  # fmt: skip
    headers = (
        "horizon, min", "participation, %", "crossing, %", "mean", "± model", "permanent", "temporary", "sd", "5 %",
        "95 %", "VaR95", "CVaR95", f"P(> {front.points[0].record.thresholds_bps[0]:g} bps), %", "efficient",
        "outside training",
    )  # fmt: skip
    return Table(headers, rows)
