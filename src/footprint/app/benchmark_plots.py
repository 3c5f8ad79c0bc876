"""Figures of the benchmark report, drawn from the rows of results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from footprint.app.plots import BLUE, GREEN, GREY, INK, ORANGE, style

PURPLE, YELLOW, SKY = "#CC79A7", "#E69F00", "#56B4E9"  # more of Okabe & Ito (2008)
_LINES = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, GREY)

Row = Mapping[str, Any]


def skill_bars(rows: Sequence[Row], title: str) -> go.Figure:
    """Skill of each model with its 95 % interval, best on top.

    Args:
        rows: one a model, values in per cent.
    """
    figure = _figure(title, 150 + 30 * len(rows))
    ordered = sorted(rows, key=lambda r: r["value"])
    colour = [BLUE if r["low"] > 0 else ORANGE if r["high"] < 0 else GREY for r in ordered]
    figure.add_bar(
        x=[r["value"] for r in ordered], y=[r["model"] for r in ordered], orientation="h", marker_color=colour,
        error_x=_errors(ordered), showlegend=False, customdata=[(r["n"], r["blocks"]) for r in ordered],
        hovertemplate="%{y}: %{x:.2f} %, %{customdata[0]} orders, %{customdata[1]} blocks<extra></extra>",
    )  # fmt: skip
    figure.add_vline(0, line=dict(color=INK, width=1))
    figure.update_xaxes(title="skill, %: blue beats the reference, orange is worse, grey is undecided")
    figure.update_yaxes(type="category")
    return figure


def pit_bars(rows: Sequence[Row], title: str) -> go.Figure:
    """Share of outcomes in each bin of the PIT with block-bootstrap intervals; flat when the forecasts are right."""
    figure = _figure(title, 320)
    ordered = sorted(rows, key=lambda r: r["slice"])
    level = 100.0 / len(ordered)
    figure.add_bar(
        x=[r["slice"].removeprefix("PIT ") for r in ordered], y=[r["value"] for r in ordered], marker_color=BLUE,
        error_y=_errors(ordered), showlegend=False, hovertemplate="%{x}: %{y:.2f} %<extra></extra>",
    )  # fmt: skip
    figure.add_hline(level, line=dict(color=GREEN, width=1, dash="dash"))
    figure.update_xaxes(title="predicted probability of an outcome at or below the one that came", type="category")
    figure.update_yaxes(title="outcomes, %", rangemode="tozero")
    return figure


def reliability_curve(curves: Mapping[str, Sequence[tuple[Row, Row]]], title: str) -> go.Figure:
    """How often it happened against how likely it was said to be.

    Args:
        curves: model -> pairs of (predicted, observed) rows, one a bin.
    """
    figure = _figure(title, 420)
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line=dict(color=GREEN, width=1, dash="dash"), name="perfect",
        hoverinfo="skip",
    )  # fmt: skip
    for colour, (model, bins) in zip(_LINES, curves.items(), strict=False):
        pairs = sorted(bins, key=lambda pair: pair[0]["value"])
        observed = [pair[1] for pair in pairs]
        figure.add_scatter(
            x=[pair[0]["value"] for pair in pairs], y=[r["value"] for r in observed], mode="lines+markers", name=model,
            line=dict(color=colour, width=1.5), error_y=_errors(observed), customdata=[r["n"] for r in observed],
            hovertemplate=f"{model}: said %{{x:.1f}} %, came %{{y:.1f}} %, %{{customdata}} orders<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="predicted probability, %")
    figure.update_yaxes(title="observed frequency, %")
    return figure


def coverage_map(rows: Sequence[Row], title: str, nominal: float = 90.0) -> go.Figure:
    """Coverage by data set (rows) and slice (columns); green is nominal, orange too narrow, blue too wide."""
    columns = sorted({r["slice"] for r in rows})
    names = list(dict.fromkeys(r["data"] for r in rows))
    by_place = {(r["data"], r["slice"]): r for r in rows}
    cells = [[by_place.get((name, column)) for column in columns] for name in names]
    figure = _figure(title, 190 + 30 * len(names))
    scale = [[0, ORANGE], [0.5, "#f4faf7"], [1, BLUE]]
    figure.add_heatmap(
        x=columns, y=names, z=[[c["value"] if c else None for c in line] for line in cells],
        customdata=[[c["n"] if c else 0 for c in line] for line in cells], colorscale=scale, zmid=nominal,
        zmin=nominal - 10, zmax=nominal + 10, xgap=2, ygap=2, texttemplate="%{z:.0f}", showscale=False,
        hovertemplate="%{y}, %{x}: %{z:.1f} %, %{customdata} orders<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(tickangle=-30, showgrid=False)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def learning_curve(curves: Mapping[str, Sequence[tuple[int, Row]]], title: str, axis: str) -> go.Figure:
    """Skill against the amount of training data.

    Args:
        curves: name of the line -> (amount, row) pairs.
        axis: what the amount counts.
    """
    figure = _figure(title, 360)
    for colour, (name, points) in zip(_LINES, curves.items(), strict=False):
        ordered = sorted(points, key=lambda point: point[0])
        figure.add_scatter(
            x=[amount for amount, _ in ordered], y=[row["value"] for _, row in ordered], mode="lines+markers",
            name=name, line=dict(color=colour, width=2), error_y=_errors([row for _, row in ordered]),
        )  # fmt: skip
    figure.add_hline(0, line=dict(color=INK, width=1))
    figure.update_xaxes(title=axis, dtick=1)
    figure.update_yaxes(title="CRPS skill, %, with 95 % intervals")
    return figure


def _errors(rows: Sequence[Row]) -> dict[str, object]:
    return dict(
        type="data", symmetric=False, array=[r["high"] - r["value"] for r in rows],
        arrayminus=[r["value"] - r["low"] for r in rows], thickness=1.2, width=3, color=INK,
    )  # fmt: skip


def _figure(title: str, height: int) -> go.Figure:
    figure = go.Figure()
    style(figure, title, height)
    return figure
