"""Figures of the frontier: cost against risk, and the schedule that was costed."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from footprint.app.plots import BLUE, COST_AXIS, GREY, INK, ORANGE, style
from footprint.impact.frontier import Frontier, FrontierPoint
from footprint.impact.what_if import ScheduleCost

RISK_NAMES = {"sd": "standard deviation", "var95": "VaR95", "cvar95": "CVaR95"}
_SYMBOLS = {"aggressive": "triangle-up", "balanced": "circle", "passive": "square"}


def cost_against_risk(front: Frontier) -> go.Figure:
    """Mean against risk, one mark a plan coloured by its horizon, the efficient ones joined.

    Bars are the model's own uncertainty of the mean, one deviation either way, where the record knows it; open marks
    lie beyond the training range.
    """
    figure = go.Figure()
    style(figure, "Expected cost against risk", height=520)
    answered = [p for p in front.points if p.mean_bps is not None]
    efficient = sorted((p for p in answered if p.efficient), key=lambda p: p.risk_bps(front.risk) or 0.0)
    figure.add_scatter(
        x=[p.risk_bps(front.risk) for p in efficient], y=[p.mean_bps for p in efficient], mode="lines",
        name="efficient", line=dict(color=INK, width=2), hoverinfo="skip",
    )  # fmt: skip
    logs = [math.log10(p.record.plan["horizon_s"] / 60.0) for p in answered]
    for name in dict.fromkeys(p.record.style for p in answered):
        members = [(p, h) for p, h in zip(answered, logs, strict=True) if p.record.style == name]
        figure.add_scatter(
            x=[p.risk_bps(front.risk) for p, _ in members], y=[p.mean_bps for p, _ in members], mode="markers",
            name=name, text=[_told(p) for p, _ in members], hovertemplate="%{text}<extra></extra>",
            error_y=dict(array=[p.record.uncertainty_model_bps or 0.0 for p, _ in members], thickness=1, width=0,
                         color=GREY),
            marker=dict(
                symbol=[_SYMBOLS[name] + ("-open" if p.outside else "") for p, _ in members],
                size=[12 if p.efficient else 8 for p, _ in members],
                color=[h for _, h in members], coloraxis="coloraxis", line_width=1.5,
            ),
        )  # fmt: skip
    for choice in front.choices:
        p = front.points[choice.point]
        figure.add_annotation(
            x=p.risk_bps(front.risk), y=p.mean_bps, text=f"λ {choice.aversion:g}", showarrow=True, arrowsize=0.7,
            ax=18, ay=-22 - 14 * sum(c.point == choice.point for c in front.choices[: front.choices.index(choice)]),
        )  # fmt: skip
    ticks = [t for t in (1, 2, 5, 10, 20, 60, 120, 390, 1440) if logs and 10 ** min(logs) * 0.99 <= t]
    figure.update_layout(
        coloraxis=dict(
            colorscale="Viridis",
            colorbar=dict(title="horizon, min", tickvals=np.log10(ticks).tolist(), ticktext=ticks),
        )
    )
    figure.update_xaxes(title=f"{RISK_NAMES[front.risk]} of slippage, bps")
    figure.update_yaxes(title=f"mean, {COST_AXIS}")
    return figure


def bands_of_the_efficient(front: Frontier) -> go.Figure:
    """Mean and 5 to 95 % range of the efficient plans, in order of risk."""
    figure = go.Figure()
    chosen = [p for p in front.points if p.efficient and p.record.slippage_quantiles_bps is not None]
    chosen.sort(key=lambda p: p.risk_bps(front.risk) or 0.0)
    style(figure, "Cost of the efficient plans: mean and 5 to 95 %", height=160 + 34 * len(chosen))
    names = [plan_name(p) for p in chosen]
    bands = np.array([p.record.slippage_quantiles_bps for p in chosen])
    for i, name in enumerate(names):
        figure.add_scatter(
            x=[bands[i, 4], bands[i, 94]], y=[name, name], mode="lines", line=dict(color=BLUE, width=5),
            showlegend=False, hovertemplate="%{x:.2f} bps",
        )  # fmt: skip
    figure.add_scatter(
        x=[p.mean_bps for p in chosen], y=names, mode="markers", marker=dict(color=ORANGE, size=10), name="mean",
        hovertemplate="%{x:.2f} bps",
    )  # fmt: skip
    figure.update_xaxes(title=COST_AXIS)
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def schedule_figure(cost: ScheduleCost) -> go.Figure:
    """What is still to be done over time, beside the even schedule."""
    figure = go.Figure()
    style(figure, "Still to be done", height=340)
    times = np.array(cost.schedule.times_s) / 60.0
    left = 100.0 * (1.0 - np.concatenate(([0.0], np.cumsum(cost.schedule.quantities))) / cost.schedule.quantity)
    figure.add_scatter(x=times, y=left, mode="lines+markers", name="schedule", line_color=BLUE)
    figure.add_scatter(x=times[[0, -1]], y=[100.0, 0.0], mode="lines", name="even", line=dict(color=GREY, dash="dash"))
    figure.update_xaxes(title="minutes since the decision")
    figure.update_yaxes(title="% of the order")
    return figure


def plan_name(point: FrontierPoint) -> str:
    """Horizon and the share that crosses."""
    plan = point.record.plan
    return f"{plan['horizon_s'] / 60.0:.1f} min, {plan['aggression']:.0%} crossing"


def _told(point: FrontierPoint) -> str:
    record, q = point.record, point.record.slippage_quantiles_bps
    band = "" if q is None else f"<br>5 to 95 %: {q[4]:.2f} to {q[94]:.2f} bps"
    beyond = "<br>beyond the training range" if point.outside else ""
    share = f"{record.plan['participation']:.1%} of volume"
    return f"{plan_name(point)}, {share}<br>mean {record.slippage_bps:.2f} bps{band}{beyond}"
