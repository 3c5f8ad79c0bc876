"""One self-contained HTML page: text, tables and figures, readable without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from footprint.app.files import replacing

Cell = str | int | float | None

# drag zooms, a double click resets; the button bar would lie over the title on a narrow screen
_CONFIG = {"responsive": True, "displayModeBar": False}


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows. Columns of numbers are aligned right; None prints as N/A, a float with `decimals` places."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Section:
    """One titled part of a report: paragraphs, then a table, then figures. All text is plain, not HTML."""

    title: str
    paragraphs: Sequence[str] = ()
    table: Table | None = None
    figures: Sequence[go.Figure] = ()


def write_report(path: Path, title: str, sections: Sequence[Section], subtitle: str = "") -> None:
    """Write the page; plotly's script is embedded once, nothing is fetched when it is opened.

    Raises:
        UsageError: the folder of `path` does not exist.
    """
    with replacing(path) as partial:
        partial.write_text(render_report(title, sections, subtitle), encoding="utf-8")


def render_report(title: str, sections: Sequence[Section], subtitle: str = "") -> str:
    """The page as text."""
    style = resources.files("footprint.app").joinpath("report.css").read_text(encoding="utf-8")
    script = f"<script>{get_plotlyjs()}</script>" if any(section.figures for section in sections) else ""
    links = "".join(f'<a href="#part-{i}">{escape(s.title)}</a>' for i, s in enumerate(sections, 1))
    parts = "\n".join(_section(section, number) for number, section in enumerate(sections, 1))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{style}</style>
{script}
</head>
<body>
<main>
<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p><nav>{links}</nav></header>
{parts}
</main>
</body>
</html>
"""


def _section(section: Section, number: int) -> str:
    blocks = [f"<p>{escape(text)}</p>" for text in section.paragraphs]
    if section.table is not None:
        blocks.append(_table(section.table))
    for i, figure in enumerate(section.figures, 1):
        name = f"figure-{number}-{i}"  # fixed names keep the page the same from run to run
        drawing = figure.to_html(full_html=False, include_plotlyjs=False, config=_CONFIG, div_id=name)
        blocks.append(f'<div class="figure">{drawing}</div>')
    return f'<section id="part-{number}"><h2>{escape(section.title)}</h2>\n' + "\n".join(blocks) + "\n</section>"


def _table(table: Table) -> str:
    numeric = [_is_numeric([row[i] for row in table.rows]) for i in range(len(table.headers))]
    head = "".join(
        f'<th class="number">{escape(h)}</th>' if right else f"<th>{escape(h)}</th>"
        for h, right in zip(table.headers, numeric, strict=True)
    )
    body = "\n".join(
        "<tr>" + "".join(_cell(c, right, table.decimals) for c, right in zip(row, numeric, strict=True)) + "</tr>"
        for row in table.rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _is_numeric(cells: Sequence[Cell]) -> bool:
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(isinstance(cell, int | float) for cell in known)


def _cell(value: Cell, right: bool, decimals: int) -> str:
    classes = " ".join(name for name, on in (("number", right), ("missing", value is None)) if on)
    start = f'<td class="{classes}">' if classes else "<td>"
    return f"{start}{escape(_text(value, decimals))}</td>"


def _text(value: Cell, decimals: int) -> str:
    if value is None:
        return "N/A"
    if isinstance(value, float):
        return f"{value:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")
    return f"{value:,}" if isinstance(value, int) else value
