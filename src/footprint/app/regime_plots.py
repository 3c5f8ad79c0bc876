"""Figures of the regimes: when, from which to which, and what they change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from footprint.app.plots import BLUE, GREEN, GREY, INK, ORANGE, style
from footprint.impact.regimes.observations import OBSERVED, Minutes
from footprint.impact.regimes.report import EffectSummary, RegimeReport

_SKY, _PURPLE = "#56B4E9", "#CC79A7"  # Okabe & Ito (2008), like those of the other figures
_COLOURS = {
    1: (GREY,),
    2: (GREEN, ORANGE),
    3: (GREEN, BLUE, ORANGE),
    4: (GREEN, BLUE, _PURPLE, ORANGE),
    5: (_SKY, GREEN, BLUE, _PURPLE, ORANGE),
}


def regime_timeline(report: RegimeReport, minutes: Minutes) -> go.Figure:
    """Mid above and spread below, every minute in the colour of its filtered label; sessions side by side.

    Args:
        minutes: those of the report.
    """
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.04)
    style(figure, "Regimes as they were labelled online", height=460)
    number = np.arange(len(minutes))
    time = minutes.end_ns.astype("datetime64[ns]").astype("datetime64[m]").astype(str)
    for k, (regime, colour) in enumerate(zip(report.regimes, _colours(report), strict=True)):
        mine = report.label == k
        for row, values in ((1, minutes.mid), (2, minutes.plain[:, OBSERVED.index("spread_bps")])):
            figure.add_scatter(
                x=number[mine], y=values[mine], mode="markers", marker=dict(color=colour, size=4), name=regime.name,
                legendgroup=regime.name, showlegend=row == 1, text=time[mine], row=row, col=1,
                hovertemplate=f"%{{text}} {regime.name}: %{{y:.4g}}<extra></extra>",
            )  # fmt: skip
    for start in np.flatnonzero(minutes.begins)[1:]:
        figure.add_vline(int(start) - 0.5, line=dict(color=GREY, width=1, dash="dot"))
    figure.update_yaxes(title="mid", row=1, col=1)
    figure.update_yaxes(title="spread, bps", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title="minute of the tape, nights left out", row=2, col=1)
    return figure


def transition_heat_map(report: RegimeReport) -> go.Figure:
    """Chance of each regime a minute later, and how often the label moved."""
    names = [regime.name for regime in report.regimes]
    figure = go.Figure()
    style(figure, "From one minute to the next", height=180 + 60 * len(names))
    text = [
        [f"{100 * chance:.1f} %" + (f"<br>{report.moves[i, j]} seen" if i != j else "") for j, chance in enumerate(row)]
        for i, row in enumerate(report.transition)
    ]
    figure.add_heatmap(
        z=report.transition, x=names, y=names, text=text, texttemplate="%{text}", zmin=0.0, zmax=1.0, showscale=False,
        colorscale=[[0.0, "#ffffff"], [1.0, BLUE]], hovertemplate="%{y} to %{x}: %{z:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="next", type="category", side="bottom")
    figure.update_yaxes(title="now", type="category", autorange="reversed")
    return figure


def regime_effects(effects: Sequence[EffectSummary]) -> go.Figure:
    """What each regime multiplies: the mean and the width of a forecast that knows no regimes, 95 % intervals."""
    figure = go.Figure()
    style(figure, "What the regime changes in the forecast", height=170 + 60 * len(effects))
    names = [effect.name for effect in effects]
    for name, colour, symbol, of in (
        ("mean", BLUE, "circle", [effect.prefactor for effect in effects]),
        ("width", ORANGE, "diamond", [effect.scale for effect in effects]),
    ):
        value, low, high = np.array(of).T
        figure.add_scatter(
            x=value, y=names, mode="markers", name=name, marker=dict(size=9, color=colour, symbol=symbol),
            error_x=dict(type="data", symmetric=False, array=high - value, arrayminus=value - low, width=3),
            hovertemplate="%{y}: %{x:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.add_vline(1.0, line=dict(color=INK, width=1))
    figure.update_layout(scattermode="group")
    figure.update_xaxes(title="multiple of the forecast without regimes")
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def _colours(report: RegimeReport) -> tuple[str, ...]:
    return _COLOURS[len(report.regimes)]
