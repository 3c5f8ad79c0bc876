"""Figures of the reports. Each function takes data and gives a figure; none reads, computes a forecast or writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from footprint.impact.evaluation.scoring import Estimate

# Okabe & Ito (2008): told apart by colour-blind readers and in print
BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8a96a3", "#1f2933"
STYLE_COLOURS = {"aggressive": ORANGE, "balanced": BLUE, "passive": GREEN}

COST_AXIS = "bps of the arrival price, positive is a cost"


def forecast_by_style(quantiles_bps: Mapping[str, np.ndarray], threshold_bps: float | None = None) -> go.Figure:
    """Density of the predicted slippage of each style, with its median and 5 to 95 % range.

    Args:
        quantiles_bps: name of the style -> 99 quantiles (levels 0.01 ... 0.99), bps.
        threshold_bps: a cost to mark.
    """
    figure = _figure("Predicted slippage by execution style", height=150 + 110 * len(quantiles_bps))
    everything = np.concatenate(list(quantiles_bps.values()))
    margin = 0.05 * np.ptp(everything)
    grid = np.linspace(everything.min() - margin, everything.max() + margin, 400)
    names = list(quantiles_bps)[::-1]  # the first style on top
    for base, style in enumerate(names):
        quantiles = quantiles_bps[style]
        colour = STYLE_COLOURS.get(style, GREY)
        density = _density(quantiles, grid)
        ridge = base + 0.75 * density / density.max()
        floor = np.full_like(grid, base)
        figure.add_scatter(x=grid, y=floor, mode="lines", line_width=0, hoverinfo="skip", showlegend=False)
        figure.add_scatter(
            x=grid, y=ridge, mode="lines", line=dict(color=colour, width=1.5), fill="tonexty",
            fillcolor=_faded(colour, 0.25), hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        low, middle, high = quantiles[4], quantiles[49], quantiles[94]
        figure.add_scatter(
            x=[low, middle, high], y=[base] * 3, mode="lines+markers", showlegend=False, name=style,
            line=dict(color=colour, width=3), marker=dict(size=[7, 12, 7], color=colour),
            text=["5 %", "median", "95 %"], hovertemplate="%{text}: %{x:.2f} bps",
        )  # fmt: skip
        figure.add_annotation(
            x=middle, y=base, text=f"{low:.1f} / <b>{middle:.1f}</b> / {high:.1f}", showarrow=False, yshift=-16,
            font=dict(size=12, color=colour), bgcolor="rgba(255,255,255,0.75)", borderpad=1,
        )  # fmt: skip
    if threshold_bps is not None:
        figure.add_vline(threshold_bps, line=dict(color=INK, width=1, dash="dash"), annotation_text="threshold")
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.35, len(names)], showgrid=False)
    figure.update_xaxes(title=COST_AXIS)
    return figure


def contributions_by_style(names: Sequence[str], contributions_bps: Mapping[str, Sequence[float]]) -> go.Figure:
    """What each column adds to the mean cost, one group of bars a column, one bar a style.

    Args:
        names: labels of the columns, the first on top.
        contributions_bps: name of the style -> bps of each column, positive makes the order dearer.
    """
    figure = _figure("What adds to the mean cost", height=150 + len(names) * (14 + 14 * len(contributions_bps)))
    for style_name in list(contributions_bps)[::-1]:  # bars are stacked from below
        figure.add_bar(
            x=list(contributions_bps[style_name])[::-1], y=list(names)[::-1], orientation="h", name=style_name,
            marker_color=STYLE_COLOURS.get(style_name, GREY), hovertemplate="%{y}: %{x:.2f} bps",
        )  # fmt: skip
    figure.add_vline(0, line=dict(color=INK, width=1))
    figure.update_layout(barmode="group", legend_traceorder="reversed")
    figure.update_xaxes(title="bps of the mean cost, positive makes the order dearer")
    figure.update_yaxes(type="category")
    return figure


def coverage_by_slice(
    names: Sequence[str],
    coverage: Sequence[Estimate],
    nominal: float = 0.90,
    allowed: tuple[float, float] = (0.84, 0.96),
) -> go.Figure:
    """Share of outcomes inside the central band, one slice a line, with its interval and the band it should lie in.

    Args:
        names: labels of the slices.
        coverage: one estimate a slice, fractions.
        nominal: the coverage that was promised.
        allowed: slices outside these bounds are drawn in orange.
    """
    figure = _figure(f"Coverage of the {nominal:.0%} band by slice", height=160 + 19 * len(names))
    order = sorted(range(len(names)), key=lambda i: coverage[i].value)
    chosen = [coverage[i] for i in order]
    inside = [allowed[0] <= c.value <= allowed[1] for c in chosen]
    figure.add_vrect(*(100 * x for x in allowed), fillcolor=_faded(GREEN, 0.12), line_width=0, layer="below")
    figure.add_vline(100 * nominal, line=dict(color=GREEN, width=1, dash="dash"))
    figure.add_scatter(
        x=[100 * c.value for c in chosen], y=[names[i] for i in order], mode="markers", showlegend=False,
        error_x=_errors(chosen, 100), marker=dict(size=8, color=[BLUE if ok else ORANGE for ok in inside]),
        customdata=[(c.n, c.blocks) for c in chosen],
        hovertemplate="%{y}: %{x:.1f} %, %{customdata[0]} rows, %{customdata[1]} blocks<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="outcomes inside the band, %, with 95 % intervals")
    figure.update_yaxes(type="category", tickfont_size=11)
    return figure


def skill_bars(names: Sequence[str], skill: Sequence[Estimate], title: str) -> go.Figure:
    """CRPS skill with two-sided 95 % intervals; above zero is better than the baseline.

    Args:
        names: labels, one a bar.
        skill: fractions (0.03 is 3 % better).
    """
    figure = _figure(title, height=150 + 34 * len(names))
    figure.add_bar(
        x=[100 * s.value for s in skill][::-1], y=list(names)[::-1], orientation="h", showlegend=False,
        error_x=_errors(list(skill)[::-1], 100), customdata=[(s.n, s.blocks) for s in skill][::-1],
        marker_color=[BLUE if s.low > 0 else ORANGE if s.high < 0 else GREY for s in skill][::-1],
        hovertemplate="%{y}: %{x:.2f} %, %{customdata[0]} rows, %{customdata[1]} blocks<extra></extra>",
    )  # fmt: skip
    figure.add_vline(0, line=dict(color=INK, width=1))
    figure.update_xaxes(title="skill, %: blue beats the baseline, orange is worse, grey is undecided")
    figure.update_yaxes(type="category")
    return figure


def pit_histogram(pit: np.ndarray, bins: int = 20) -> go.Figure:
    """Histogram of the probability integral transform, flat when the forecasts are calibrated.

    Args:
        pit: shape (n,), in [0, 1].
        bins: number of equal bins.
    """
    figure = _figure("Probability integral transform", height=320)
    count, edges = np.histogram(pit, bins=bins, range=(0.0, 1.0))
    relative = count / max(len(pit), 1) * bins
    # binomial, as if the outcomes were independent: a guide to the eye, narrower than the clustered truth
    noise = 1.96 * np.sqrt((bins - 1) / max(len(pit), 1))
    figure.add_hrect(1 - noise, 1 + noise, fillcolor=_faded(GREEN, 0.18), line_width=0, layer="below")
    figure.add_bar(x=(edges[:-1] + edges[1:]) / 2, y=relative, width=0.94 / bins, marker_color=BLUE, showlegend=False)
    figure.add_hline(1.0, line=dict(color=GREEN, width=1, dash="dash"))
    figure.update_xaxes(title="predicted probability of an outcome at or below the one that came", range=[0, 1])
    figure.update_yaxes(title="relative frequency", rangemode="tozero")
    return figure


def planted_and_fitted(
    participation: np.ndarray,
    planted_bps: np.ndarray,
    fitted_bps: np.ndarray,
    observed: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> go.Figure:
    """The planted impact law and the fitted one on logarithmic axes.

    Args:
        participation: order size as a fraction of the volume it is measured by, shape (n,), positive.
        planted_bps, fitted_bps: mean impact at those sizes.
        observed: (participation, mean impact in bps, standard error) of binned orders.
    """
    figure = _figure("Planted and fitted impact law", height=400)
    if observed is not None:
        x, y, error = observed
        figure.add_scatter(
            x=x, y=y, mode="markers", name="orders, binned mean and standard error", marker=dict(color=GREY, size=7),
            error_y=dict(array=error, thickness=1, width=0),
        )  # fmt: skip
    figure.add_scatter(x=participation, y=planted_bps, mode="lines", name="planted", line=dict(color=INK, width=5))
    figure.add_scatter(
        x=participation, y=fitted_bps, mode="lines", name="fitted", line=dict(color=ORANGE, width=2, dash="dash")
    )
    figure.update_xaxes(title="order size as a fraction of volume", type="log", dtick="D2")
    figure.update_yaxes(title="mean peak impact, bps", type="log", dtick="D2")
    return figure


def in_flight(done: np.ndarray, quantiles_bps: np.ndarray, realised_bps: np.ndarray | None = None) -> go.Figure:
    """How the forecast of the whole order's cost narrows while it is worked.

    Args:
        done: fraction of the order that has filled at each forecast, shape (k,), increasing.
        quantiles_bps: shape (k, 99), cost of the whole order as forecast then.
        realised_bps: cost of what had filled at each forecast, shape (k,).
    """
    figure = _figure("The forecast while the order works", height=360)
    x = 100 * done
    for low, high, opacity, name in ((4, 94, 0.15, "5 to 95 %"), (24, 74, 0.3, "25 to 75 %")):
        edge = dict(x=x, mode="lines", line_width=0, hoverinfo="skip")
        figure.add_scatter(**edge, y=quantiles_bps[:, high], showlegend=False)
        figure.add_scatter(**edge, y=quantiles_bps[:, low], fill="tonexty", fillcolor=_faded(BLUE, opacity), name=name)
    figure.add_scatter(x=x, y=quantiles_bps[:, 49], mode="lines+markers", name="median", line_color=BLUE)
    if realised_bps is not None:
        figure.add_scatter(
            x=x, y=realised_bps, mode="lines+markers", name="cost so far", line=dict(color=ORANGE, dash="dot")
        )
    figure.update_xaxes(title="filled, %")
    figure.update_yaxes(title=COST_AXIS)
    return figure


def tape(time_ns: np.ndarray, mid: np.ndarray, volume: np.ndarray, title: str) -> go.Figure:
    """Mid price above, traded volume below.

    Args:
        time_ns: ns UTC, shape (n,), start of each interval.
        mid: currency, shape (n,), nan where unknown.
        volume: quantity traded in each interval, shape (n,).
    """
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    style(figure, title, height=400)
    time = time_ns.astype("datetime64[ns]")
    figure.add_scatter(x=time, y=mid, mode="lines", line=dict(color=BLUE, width=1.3), name="mid", row=1, col=1)
    figure.add_bar(x=time, y=volume, marker=dict(color=GREY, line_width=0), name="volume", row=2, col=1)
    figure.update_layout(showlegend=False, bargap=0)
    figure.update_yaxes(title="mid", row=1, col=1)
    figure.update_yaxes(title="volume", row=2, col=1)
    figure.update_xaxes(title="time, UTC", row=2, col=1)
    return figure


def _density(quantiles: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Gaussian kernel over the 99 quantiles, each of equal weight. Silverman (1986), eq. 3.31."""
    spread = min(quantiles.std(), (quantiles[74] - quantiles[24]) / 1.349) or quantiles.std() or 1e-6
    width = 0.9 * spread * len(quantiles) ** -0.2
    return np.exp(-0.5 * ((grid[:, None] - quantiles) / width) ** 2).sum(axis=1)


def _errors(estimates: Sequence[Estimate], scale: float) -> dict[str, object]:
    return dict(
        type="data",
        symmetric=False,
        array=[scale * (e.high - e.value) for e in estimates],
        arrayminus=[scale * (e.value - e.low) for e in estimates],
        thickness=1.2,
        width=3,
        color=INK,
    )


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _figure(title: str, height: int) -> go.Figure:
    figure = go.Figure()
    style(figure, title, height)
    return figure


def style(figure: go.Figure, title: str, height: int) -> None:
    """Title, fonts and colours that all figures share; height in pixels."""
    figure.update_layout(
        template="plotly_white",
        title=dict(text=title, font_size=15, x=0, xref="paper", y=1, yref="container", yanchor="top", pad_t=12),
        height=height,
        margin=dict(l=10, r=10, t=64, b=10),
        font=dict(family="system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif", size=13, color=INK),
        legend=dict(orientation="h", x=0, y=1.0, yanchor="bottom"),
        paper_bgcolor="white",
        plot_bgcolor="white",
    )
    figure.update_xaxes(automargin=True, gridcolor="#e6eaee", zerolinecolor="#c9d1d9")
    figure.update_yaxes(automargin=True, gridcolor="#e6eaee", zerolinecolor="#c9d1d9")
