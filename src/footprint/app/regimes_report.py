"""The HTML page of `footprint regimes`: what the regimes are, when they were, and what they change in a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from footprint.app.plots import INK
from footprint.app.regime_plots import regime_effects, regime_timeline, transition_heat_map
from footprint.app.regimes import SymbolRegimes, TargetEffects
from footprint.app.regimes_table import KINDS, Grid, grids, headline
from footprint.app.report import Cell, Section, Table, write_report

_READING = (
    "Regimes are hidden states of the market's minutes, found without labels from spread, depth, volatility, trades "
    "and the time in which the spread repairs itself. Their number, and whether a Markov chain or a mixture, is chosen "
    "by how well later minutes are forecast; a choice with a regime that lasts less than five minutes takes no part.",
    "The stressed regime of one symbol can be calmer than the calm one of another.",
    "A multiple says what the regime makes of the mean or of the noise of a forecast that knows no regimes; 1 changes "
    "nothing. Multiples, and the band whose coverage is counted, are learnt before the orders on which it is counted. "
    "The orders are rebuilt from the tape's own flow. Coverage intervals are 95 % percentile intervals over resampled "
    "half hours.",
)


def write_regimes_report(path: Path, found: SymbolRegimes) -> None:
    """Write the page.

    Raises:
        UsageError: the folder of `path` does not exist.
    """
    write_report(path, f"Market regimes of {found.symbol}", regimes_sections(found), headline(found))


def regimes_sections(found: SymbolRegimes) -> list[Section]:
    """How to read it, the regimes over time, transitions, effects by target, and how the number was chosen."""
    regimes, transitions, effects = grids(found)
    drawn = [_effect_figure(target) for target in found.effects if target.effects and not target.is_nothing]
    return [
        Section("How to read this", _READING),
        _section(regimes, [_timeline(found)]),
        _section(transitions, [transition_heat_map(found.report)]),
        _section(effects, drawn),
        _choices(found),
    ]


def _timeline(found: SymbolRegimes) -> go.Figure:
    """With the minute up to which the regimes were learnt."""
    figure = regime_timeline(found.report, found.minutes)
    line = dict(color=INK, width=1, dash="dash")
    return figure.add_vline(found.learnt - 0.5, line=line, annotation_text="learnt until here", row=1, col=1)


def _effect_figure(found: TargetEffects) -> go.Figure:
    figure = regime_effects(found.effects)
    figure.update_traces(orientation="h")  # or the two marks of a regime lie on each other
    return figure.update_layout(title_text=f"{figure.layout.title.text}: {found.target}")


def _section(grid: Grid, figures: Sequence[go.Figure]) -> Section:
    sentences = [f"{note[0].upper()}{note[1:]}." for note in grid.notes]
    return Section(grid.title, sentences, Table(grid.headers, grid.rows) if grid.rows else None, figures)


def _choices(found: SymbolRegimes) -> Section:
    states = found.selection.states
    rows: list[list[Cell]] = [
        [
            f"{KINDS[c.kind]} of {c.count}" + (", chosen" if (c.kind, c.count) == (states.kind, len(states)) else ""),
            c.log_density,
            c.behind,
            c.behind_se,
            c.shortest_stay,
        ]
        for c in found.selection.candidates
    ]
    text = (
        "Mean log density of a later minute given those before it, higher is better. Of the choices whose every regime "
        "lasts five minutes or more on average, the simplest within one standard error of the best is taken. inf: "
        "never left.",
    )
    headers = ("choice", "log density", "behind the best", "standard error", "shortest mean stay, minutes")
    return Section("How the number was chosen", text, Table(headers, rows, decimals=3))
