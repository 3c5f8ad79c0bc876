"""`footprint benchmark`: `impact`, the walk-forward scoreboard, and `books`, the speed of the order books."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, Paths, Seed

app = typer.Typer(help="Score the product against baselines, out of sample, and time its books beside their peers.")

Repeats = Annotated[int, typer.Option(min=1, help="Timed runs of each system; medians are printed.")]
Results = Annotated[Path, typer.Option("--out", metavar="FILE", help="results.json to write.")]


@app.callback()
def _group() -> None:
    """Score the product against baselines, out of sample, and time its books beside their peers."""


@app.command("impact")
def impact(paths: Paths, out: Results, seed: Seed = 0, as_json: Json = False) -> None:
    """Walk every impact model forward over the tapes and print its scores with their intervals."""
    from footprint.app import benchmarking
    from footprint.app.progress import progress_on_stderr

    benchmarking.run(paths, out, seed=seed, as_json=as_json, progress=progress_on_stderr())


@app.command("books")
def books(repeats: Repeats = 5, as_json: Json = False) -> None:
    """Time the order books on seeded streams, beside hftbacktest and nautilus_trader where they are installed."""
    from footprint.app import book_benchmark
    from footprint.app.progress import progress_on_stderr

    book_benchmark.run(repeats, as_json, progress_on_stderr())
