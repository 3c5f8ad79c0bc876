"""`footprint benchmark impact`: the walk-forward scoreboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, Paths, Seed

app = typer.Typer(help="Score the product against baselines, out of sample.")

Results = Annotated[Path, typer.Option("--out", metavar="FILE", help="results.json to write.")]


@app.callback()
def _group() -> None:
    """Score the product against baselines, out of sample."""


@app.command("impact")
def impact(paths: Paths, out: Results, seed: Seed = 0, as_json: Json = False) -> None:
    """Walk every impact model forward over the tapes and print its scores with their intervals."""
    from footprint.app import benchmarking
    from footprint.app.progress import progress_on_stderr

    benchmarking.run(paths, out, seed=seed, as_json=as_json, progress=progress_on_stderr())
