"""`footprint benchmark`: `impact`, the scoreboard; `report`, its page again; `books`, the speed of the order books."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, Seed

app = typer.Typer(help="Score the product against baselines, out of sample, and time its books beside their peers.")

SomePaths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH]...",
        help="Files, folders or a store; FORMAT:PATH forces a format, MAPPING.yaml:PATH reads any csv or Parquet.",
        show_default=False,
    ),
]
Repeats = Annotated[int, typer.Option(min=1, help="Timed runs of each system; medians are printed.")]
Results = Annotated[Path, typer.Option("--out", metavar="FILE", help="results.json to write.")]
Planted = Annotated[bool, typer.Option("--planted", help="Also score orders whose law is known; needs no PATH.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="MODEL", help="Score this model and the parametric ones; may be repeated."),
]
Submitted = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="FILE.py:CLASS",
        help="Check and score a model of your own; its file is run. May be repeated.",
    ),
]
Seeds = Annotated[
    int, typer.Option(min=1, max=5, help="Assignments of trades to traders for which walk-forward is repeated.")
]
Learning = Annotated[bool, typer.Option("--learning-curve", help="Also forecast from ever more days and symbols.")]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="DIR", help="Also write benchmark.html and benchmark.md into a folder."),
]
Page = Annotated[
    Path | None,
    typer.Option("--page", metavar="FILE", help="Put the table between the marks of a page, as docs/benchmark.md."),
]


@app.callback()
def _group() -> None:
    """Score the product against baselines, out of sample, and time its books beside their peers."""


@app.command("impact")
def impact(
    out: Results,
    paths: SomePaths = None,
    planted: Planted = False,
    only: Only = None,
    model: Submitted = None,
    seeds: Seeds = 1,
    learning_curve: Learning = False,
    report: Report = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Walk every impact model forward over the tapes and print its scores with their intervals."""
    from footprint.app import benchmarking
    from footprint.app.benchmark_submission import submissions
    from footprint.app.guest_models import guests
    from footprint.app.progress import progress_on_stderr
    from footprint.impact.evaluation.line_up import Selection

    selection = Selection(frozenset(only or ()), submissions(model or ()), guests())
    options = benchmarking.Options(selection, seeds, planted, learning_curve, report)
    benchmarking.run(paths or [], out, seed=seed, as_json=as_json, progress=progress_on_stderr(), options=options)


@app.command("report")
def report(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="results.json of `footprint benchmark impact`.")],
    report: Report = None,
    page: Page = None,
) -> None:
    """Write the report and the table of a finished run again, without running anything."""
    from footprint.app import benchmark_document, benchmark_report, benchmark_table

    document = benchmark_document.read(results)
    if report is not None:
        benchmark_report.write(document, report)
    if page is not None:
        benchmark_table.fill_page(page, benchmark_table.markdown(document))
    if report is None and page is None:
        typer.echo(benchmark_table.markdown(document), nl=False)


@app.command("books")
def books(repeats: Repeats = 5, as_json: Json = False) -> None:
    """Time the order books on seeded streams, beside hftbacktest and nautilus_trader where they are installed."""
    from footprint.app import book_benchmark
    from footprint.app.progress import progress_on_stderr

    book_benchmark.run(repeats, as_json, progress_on_stderr())
