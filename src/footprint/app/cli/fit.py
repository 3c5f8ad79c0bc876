"""`footprint fit`: tapes -> metaorders and features -> fitted, calibrated, stored models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, Paths, Seed

Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Folder to write; an earlier result in it is replaced.")
]
Store = Annotated[
    Path | None,
    typer.Option("--store", metavar="STORE", help="Model store to add the run to; FILE.db is one on MLflow."),
]
Trials = Annotated[
    int, typer.Option("--tune", min=0, metavar="TRIALS", help="Settings of the hyper-parameters to try a target.")
]


def fit(
    paths: Paths, out: Out = None, store: Store = None, tune: Trials = 0, seed: Seed = 0, as_json: Json = False
) -> None:
    """Build metaorders and features, fit and calibrate the models, score them on the last part, and store them."""
    from footprint.app import fitting
    from footprint.app.progress import progress_on_stderr

    fitting.run(paths, out, store=store, trials=tune, seed=seed, as_json=as_json, progress=progress_on_stderr())
