"""Figures of the audit report: coverage of all days, one day in detail, its two clocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from footprint.app.plots import BLUE, GREEN, GREY, INK, ORANGE, style
from footprint.data.clocks import ClockFit
from footprint.data.quality.day import DayQuality
from footprint.units import NS_PER_DAY, NS_PER_MINUTE

PURPLE, YELLOW = "#CC79A7", "#E69F00"  # more of Okabe & Ito (2008)
_STRIP_NS = 10 * NS_PER_MINUTE
_MARKS = (
    ("silent", "time_gaps", GREY),
    ("crossed", "crossed", ORANGE),
    ("locked", "locked", YELLOW),
    ("one side empty", "one_sided", PURPLE),
    ("halted", "halts", INK),
)


def coverage_strips(days: Sequence[DayQuality]) -> go.Figure:
    """One row a day, events in each ten minutes of the UTC day, on a logarithmic scale of its own; white is nothing."""
    names = [f"{day.symbol} {day.day}" for day in days]
    names = [f"{name} ({k})" if name in names[:k] else name for k, name in enumerate(names)]
    strips = np.array([_strip(day) for day in days])
    shade = np.where(strips > 0, np.log1p(strips), np.nan)
    with np.errstate(invalid="ignore"):
        shade /= np.nanmax(shade, axis=1, keepdims=True)
    figure = go.Figure()
    style(figure, "Events by time of day", height=130 + 22 * len(days))
    figure.add_heatmap(
        x=np.arange(strips.shape[1]) * _STRIP_NS / (60 * NS_PER_MINUTE), y=names, z=shade, customdata=strips,
        colorscale=[[0, "#dbe9f5"], [1, BLUE]], zmin=0, zmax=1, showscale=False, xgap=0, ygap=2,
        hovertemplate="%{y}, %{x:.2f} h UTC: %{customdata} events<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="hour of the day, UTC", range=[0, 24], dtick=2, showgrid=False)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def _strip(day: DayQuality) -> np.ndarray:
    starts = day.coverage.start_ns + day.coverage.width_ns * np.arange(len(day.coverage.events))
    place = (starts % NS_PER_DAY) // _STRIP_NS
    return np.bincount(place, weights=day.coverage.events, minlength=NS_PER_DAY // _STRIP_NS)


def day_figure(day: DayQuality) -> go.Figure:
    """Events and prints in each bin, the share of time with a valid mid, and where something was wrong."""
    marks = [(name, getattr(day, field), colour) for name, field, colour in _MARKS]
    heights = [0.5, 0.22, 0.28]
    figure = make_subplots(rows=3, shared_xaxes=True, row_heights=heights, vertical_spacing=0.05)
    style(figure, f"{day.symbol} {day.day}, {day.venue}", height=430)
    cover = day.coverage
    starts = cover.start_ns + cover.width_ns * np.arange(len(cover.events))
    time = (starts + cover.width_ns // 2).astype("datetime64[ns]")
    width_ms = cover.width_ns / 1e6
    for count, name, colour in ((cover.events, "events", BLUE), (cover.prints, "prints", GREEN)):
        figure.add_bar(
            x=time, y=count, width=width_ms, name=name, marker=dict(color=colour, line_width=0), row=1, col=1,
            hovertemplate="%{x}: %{y} " + name + "<extra></extra>",
        )  # fmt: skip
    if day.has_book:
        figure.add_bar(
            x=time, y=100 * cover.mid_share, width=width_ms, name="valid mid", showlegend=False,
            marker=dict(color="#9cc3e0", line_width=0), hovertemplate="%{x}: %{y:.1f} %<extra></extra>", row=2, col=1,
        )  # fmt: skip
    for name, spells, colour in marks:
        spell = spells.longest
        # one broken line a kind: hundreds of spells stay one trace; a short one still shows as its end marks
        gap = np.full(len(spell), np.datetime64("NaT"), "datetime64[ns]")
        x = np.column_stack((spell["start_ns"].astype("datetime64[ns]"), spell["end_ns"].astype("datetime64[ns]"), gap))
        label = f"{name}, {spells.count:,}"
        figure.add_scatter(
            x=x.ravel(), y=[label] * (3 * len(spell)) if len(spell) else [label], mode="lines+markers",
            line=dict(color=colour, width=8), marker=dict(color=colour, size=8, symbol="line-ns", line_width=1.5,
            line_color=colour), name=name, showlegend=False, row=3, col=1,
            hovertemplate="%{x}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_yaxes(title="per bin", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="mid, %", range=[0, 100], row=2, col=1)
    names = [f"{name}, {spells.count:,}" for name, spells, _ in marks]
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names[::-1], range=[-0.6, len(names) - 0.4],
        showgrid=False, tickfont_size=11, row=3, col=1,
    )  # fmt: skip
    end = starts[-1] + cover.width_ns
    # without a type a row that holds nothing makes the axis one of numbers
    figure.update_xaxes(type="date", range=list(np.array([starts[0], end]).astype("datetime64[ns]").astype(str)))
    figure.update_xaxes(title="time, UTC", row=3, col=1)
    return figure


def clock_figure(fit: ClockFit) -> go.Figure:
    """Latency in blocks of time: fastest, median and 99 % of the messages, and the fitted lower envelope."""
    figure = go.Figure()
    style(figure, "Receive minus exchange time", height=320)
    time = fit.block_ns.astype("datetime64[ns]")
    for y, name, colour, dash in (
        (fit.block_p99_ms, "99 % of the messages", GREY, "dot"),
        (fit.block_median_ms, "median", BLUE, "solid"),
        (fit.block_min_ms, "fastest", GREEN, "solid"),
        (fit.envelope_ms, "lower envelope: offset and drift", ORANGE, "dash"),
    ):
        figure.add_scatter(
            x=time, y=y, mode="lines", name=name, line=dict(color=colour, dash=dash),
            hovertemplate="%{x}: %{y:.3f} ms<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title="time, UTC")
    figure.update_yaxes(title="ms")
    return figure
