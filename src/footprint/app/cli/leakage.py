"""`footprint leakage`: what the market orders of a tape did to the other side, and what orders gave away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, Paths, Seed

Orders = Annotated[
    Path | None,
    typer.Option(
        "--orders", metavar="FILE",
        help="csv or Parquet with order_id, symbol, side, start, end, quantity (and aggression, 0 to 1); without it "
        "synthetic orders rebuilt from the tape.",
    ),
]  # fmt: skip
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Also write an HTML report with markout curves.")
]


def leakage(paths: Paths, orders: Orders = None, as_json: Json = False, report: Report = None, seed: Seed = 0) -> None:
    """Measure adverse selection, price discovery and the leakage of orders, each with its interval."""
    import numpy as np

    from footprint.app.files import check_writable
    from footprint.app.leakage import measure
    from footprint.app.leakage_table import groups, leakage_json, leakage_table, thin_line
    from footprint.app.order_file import read_orders
    from footprint.app.progress import progress_on_stderr

    if report is not None:
        check_writable(report)
    given = read_orders(orders) if orders is not None else None
    found = measure(paths, given, np.random.default_rng(seed), progress_on_stderr())
    if as_json:
        typer.echo(json.dumps(leakage_json(found), indent=2, allow_nan=False))
    else:
        from footprint.app.console import stdout_console

        console = stdout_console()
        for group in groups(found):
            console.print(leakage_table(group))
        if found.thin:
            console.print(thin_line(found.thin))
    if report is not None:
        from footprint.app.leakage_report import write_leakage_report

        write_leakage_report(report, found)
