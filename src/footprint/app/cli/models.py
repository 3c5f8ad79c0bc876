"""`footprint models`: the model store: what is in it, what is in use, who decided so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json

app = typer.Typer(help="List stored models, show their cards, promote one, or go back to the one before.")

Store = Annotated[
    Path,
    typer.Argument(metavar="STORE", help="Folder of a model store, or FILE.db of one on MLflow.", show_default=False),
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, or its beginning.", show_default=False)]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="For what reason.")]
Targets = Annotated[
    str, typer.Option("--targets", metavar="NAMES", help="Targets of the champion, as `list` names them.")
]


@app.callback()
def _group() -> None:
    """List stored models, show their cards, promote one, or go back to the one before."""


@app.command("list")
def list_runs(store: Store, as_json: Json = False) -> None:
    """All runs of a store, with their state."""
    from footprint.app import models

    models.list_runs(store, as_json)


@app.command("show")
def show(store: Store, run: Run = "champion", as_json: Json = False) -> None:
    """The model card of a run; of the champion when none is named."""
    from footprint.app import models

    models.show(store, run, as_json)


@app.command("promote")
def promote(store: Store, run: Run, by: By, why: Why, as_json: Json = False) -> None:
    """Make a run the champion: `footprint forecast --model STORE` uses it from then on."""
    from footprint.app import models

    models.promote(store, run, by, why, as_json)


@app.command("rollback")
def rollback(store: Store, by: By, why: Why, targets: Targets = "all", as_json: Json = False) -> None:
    """Take the last promotion back: the champion before it is in use again."""
    from footprint.app import models

    models.roll_back(store, targets, by, why, as_json)
