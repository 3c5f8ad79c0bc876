"""Explanations as a person reads them: a table in the terminal, a section of the report."""

from __future__ import annotations

from collections.abc import Sequence

from footprint.app import plots
from footprint.app.column_words import in_words
from footprint.app.explaining import ColumnPart, StyleExplanation
from footprint.app.report import Cell, Section, Table

SHOWN = 10
REST = "the rest of each mean is what laws, networks and the average of the training orders say"


def largest_columns(explanations: Sequence[StyleExplanation], count: int = SHOWN) -> list[str]:
    """The columns with the largest contribution to the mean of any style, the largest first."""
    largest: dict[str, float] = {}
    for part in (part for explanation in explanations for part in explanation.parts):
        largest[part.column] = max(largest.get(part.column, 0.0), abs(part.contribution_bps))
    return sorted(largest, key=lambda column: -largest[column])[:count]


def explanation_lines(explanations: Sequence[StyleExplanation]) -> list[str]:
    """What the columns add to each style's mean and how far the answer is explained; reasons where it is not."""
    lines, reasons = [], dict[str, list[str]]()
    for e in explanations:
        if e.reason is not None:
            reasons.setdefault(e.reason, []).append(e.style)
        else:
            lines.append(
                f"{e.style}: columns add {e.columns_bps:+.2f} bps to a mean of {e.mean_bps:.2f} if every child to come "
                f"crosses; {e.explained_weight:.0%} of the weight is explained"
            )
    if lines:
        lines.append(REST)
    return lines + [f"{', '.join(styles)}: {reason}" for reason, styles in reasons.items()]


def print_explanations(explanations: Sequence[StyleExplanation]) -> None:
    """The ten largest contributions, one row a column, then how far they explain the answer."""
    from rich.table import Table as Printed

    from footprint.app.console import stdout_console

    console, shown = stdout_console(), [e for e in explanations if e.parts]
    if shown:
        title = "what adds to the mean cost, bps, with the value of the column in brackets"
        table = Printed("what the model looks at", *(e.style for e in shown), title=title)
        for column in table.columns[1:]:
            column.justify = "right"
        for column_name in largest_columns(shown):
            table.add_row(in_words(column_name), *(_cell(_part(e, column_name)) for e in shown))
        table.add_row("all columns", *(f"{e.columns_bps:+.2f}" for e in shown))
        console.print(table)
    for line in explanation_lines(explanations):
        console.print(line)


def explanation_section(explanations: Sequence[StyleExplanation]) -> Section:
    """Bars of the ten largest contributions by style, and the same as a table."""
    shown = [e for e in explanations if e.parts]
    lines, columns = explanation_lines(explanations), largest_columns(shown)
    if not shown:
        return Section("What drives the mean", lines)
    bars = {e.style: [_bps(_part(e, column)) for column in columns] for e in shown}
    rows: list[list[Cell]] = []
    for i, column in enumerate(columns):
        values = [None if part is None else part.value for part in (_part(e, column) for e in shown)]
        rows.append([in_words(column), *(x for e, v in zip(shown, values, strict=True) for x in (bars[e.style][i], v))])
    headers = ("column", *(f"{e.style}, {what}" for e in shown for what in ("bps", "value")))
    figure = plots.contributions_by_style([in_words(column) for column in columns], bars)
    return Section("What drives the mean", lines, Table(headers, rows), [figure])


def _part(explanation: StyleExplanation, column: str) -> ColumnPart | None:
    return next((part for part in explanation.parts if part.column == column), None)


def _bps(part: ColumnPart | None) -> float:
    return 0.0 if part is None else part.contribution_bps


def _cell(part: ColumnPart | None) -> str:
    if part is None:
        return "-"
    value = "N/A" if part.value is None else f"{part.value:.3g}"
    return f"{part.contribution_bps:+.2f} ({value})"
