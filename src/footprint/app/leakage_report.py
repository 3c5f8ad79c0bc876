"""The HTML page of `footprint leakage`: markout curves, every measure with its interval, and what it does not prove."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from footprint.app.leakage import InstrumentLeakage, Leakage
from footprint.app.leakage_table import Group, group_cells, groups, instrument_groups, thin_line
from footprint.app.plots import BLUE, GREEN, INK, ORANGE, style
from footprint.app.report import Section, Table, write_report
from footprint.impact.leakage.blocks import DRAWS
from footprint.impact.leakage.markouts import MarkoutCurve
from footprint.impact.leakage.measure import LEAST_BLOCKS, Measure
from footprint.impact.leakage.order_leakage import NULLS

_HEADERS = (
    "measure",
    "value",
    "95 % interval",
    "unit",
    "rows",
    "blocks",
    "what it does not prove, or why there is none",
)


def write_leakage_report(path: Path, found: Leakage) -> None:
    """Write the page.

    Raises:
        UsageError: the folder of `path` does not exist.
    """
    names = ", ".join(instrument.name for instrument in found.instruments)
    write_report(path, "Adverse selection and leakage", leakage_sections(found), names)


def leakage_sections(found: Leakage) -> list[Section]:
    """How to read it, each instrument with its curve, pairs of venues, metaorders."""
    sections = [_reading(found)]
    for instrument in found.instruments:
        adverse, *orders = instrument_groups(instrument)
        sections.append(_section(adverse, [markout_figure(instrument.adverse.curve, instrument.name)]))
        sections += [_section(group, _order_figures(instrument, group)) for group in orders]
    of_instruments = sum(len(instrument_groups(i)) for i in found.instruments)
    return sections + [_section(group) for group in groups(found)[of_instruments:]]


def _reading(found: Leakage) -> Section:
    text = (
        f"Intervals are two-sided 95 % percentile intervals of {DRAWS:,} resamples of whole stretches of the clock: "
        f"half hours, or a twelfth of a tape shorter than six hours. Fewer than {LEAST_BLOCKS} give no value.",
        "A markout is the move of the mid with a market order, in bps of the mid strictly before it. The effective "
        "half-spread is what the order paid, the realised one what is left of it for the other side.",
        "Leakage is measured against matched windows: the same time of day, the same tercile of volatility, no order. "
        "False positives are counted on placebo orders at random times of the same tape.",
        thin_line(found.thin),
    )
    return Section("How to read this", [paragraph for paragraph in text if paragraph])


def _section(group: Group, figures: Sequence[go.Figure] = ()) -> Section:
    return Section(group.title, group.notes, Table(_HEADERS, group_cells(group)), figures)


def markout_figure(curve: MarkoutCurve, name: str) -> go.Figure:
    """Markout and realised half-spread over the horizon with their intervals, and the effective half-spread."""
    figure = go.Figure()
    style(figure, f"Markout curve, {name}", height=380)
    for measures, label, colour in (
        (curve.markout, "markout: the mid goes with the order", BLUE),
        (curve.realised, "realised half-spread: left for the other side", GREEN),
    ):
        _add_curve(figure, curve.horizons_s, measures, label, colour)
    paid = curve.effective.estimate.value
    if paid == paid:
        figure.add_hline(paid, line=dict(color=INK, width=1, dash="dash"), annotation_text="effective half-spread")
    figure.add_hline(0.0, line=dict(color=INK, width=1))
    ticks = [h for h in curve.horizons_s if h in (1, 10, 60, 300, 1800)]
    labels = [f"{h:g} s" if h < 60 else f"{h / 60:g} min" for h in ticks]
    figure.update_xaxes(title="after the order", type="log", tickvals=ticks, ticktext=labels)
    figure.update_yaxes(title="bps of the mid before the order")
    return figure


def _add_curve(
    figure: go.Figure, horizons_s: Sequence[float], measures: Sequence[Measure], label: str, colour: str
) -> None:
    shown = [(h, m.estimate) for h, m in zip(horizons_s, measures, strict=True) if not m.reason]
    figure.add_scatter(
        x=[h for h, _ in shown], y=[e.value for _, e in shown], mode="lines+markers", name=label, line_color=colour,
        error_y=dict(
            type="data", symmetric=False, array=[e.high - e.value for _, e in shown],
            arrayminus=[e.value - e.low for _, e in shown], thickness=1.2, width=3,
        ),
        customdata=[(e.n, e.blocks) for _, e in shown],
        hovertemplate="%{x} s: %{y:.3f} bps, %{customdata[0]} orders, %{customdata[1]} blocks<extra></extra>",
    )  # fmt: skip


def _order_figures(instrument: InstrumentLeakage, group: Group) -> list[go.Figure]:
    """Each figure's distance from "nothing was seen", in half-widths of its interval: beyond 1 something was."""
    shown = [(m, null) for m, (_, null) in zip(group.measures, NULLS, strict=False) if not m.reason]
    if not shown:
        return []
    figure = go.Figure()
    style(figure, f"What the orders show, {instrument.name}", height=130 + 40 * len(shown))
    half = [max((m.estimate.high - m.estimate.low) / 2.0, 1e-12) for m, _ in shown]
    value, low, high = (
        [(getattr(m.estimate, end) - null) / h for (m, null), h in zip(shown, half, strict=True)]
        for end in ("value", "low", "high")
    )
    figure.add_scatter(
        x=value, y=[m.name.replace("_", " ") for m, _ in shown], mode="markers", showlegend=False,
        error_x=dict(
            type="data", symmetric=False, array=[b - v for v, b in zip(value, high, strict=True)],
            arrayminus=[v - a for v, a in zip(value, low, strict=True)], thickness=1.2, width=3,
        ),
        marker=dict(size=9, color=[ORANGE if m.excludes(null) else BLUE for m, null in shown]),
        hovertemplate="%{y}: %{x:.2f} half-widths<extra></extra>",
    )  # fmt: skip
    figure.add_vline(0.0, line=dict(color=INK, width=1))
    figure.update_xaxes(title="distance from 'nothing was seen', half-widths of the interval; orange: it is excluded")
    figure.update_yaxes(type="category", autorange="reversed")
    return [figure]
