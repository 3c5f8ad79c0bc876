"""`footprint regimes`: the market states of a symbol, labelled online, and what they change in a forecast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, Paths, Seed

Symbol = Annotated[str, typer.Option("--symbol", help="Instrument, as the tape names it.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Also write an HTML report.")]


def regimes(paths: Paths, symbol: Symbol, report: Report = None, as_json: Json = False, seed: Seed = 0) -> None:
    """Find market regimes, label every minute online, and measure what they change in a forecast."""
    from footprint.app.files import check_writable
    from footprint.app.progress import progress_on_stderr
    from footprint.app.regimes import measure

    if report is not None:
        check_writable(report)
    found = measure(paths, symbol, seed, progress_on_stderr())
    if as_json:
        from footprint.app.regimes_json import regimes_json

        typer.echo(json.dumps(regimes_json(found), indent=2, allow_nan=False))
    else:
        from footprint.app.console import stdout_console
        from footprint.app.regimes_table import grids, headline, regimes_table

        console = stdout_console()
        console.print(headline(found), highlight=False, markup=False)
        for grid in grids(found):
            if grid.rows:
                console.print(regimes_table(grid))
            console.print("\n".join(grid.notes), highlight=False, markup=False)
    if report is not None:
        from footprint.app.regimes_report import write_regimes_report

        write_regimes_report(report, found)
