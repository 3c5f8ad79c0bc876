"""`footprint ingest`: files -> audit -> a history store that can be read by symbol and time."""

from __future__ import annotations

from typing import Annotated

import typer

from footprint.app.cli.options import Json, Paths

Store = Annotated[
    str, typer.Option("--store", metavar="DIR", help="Folder, or s3://, gs://, az:// address; made when absent.")
]
Symbol = Annotated[str | None, typer.Option(help="Only this instrument.", show_default=False)]
Replace = Annotated[bool, typer.Option("--replace", help="Let changed files take the place of what is stored.")]


def ingest(paths: Paths, store: Store, symbol: Symbol = None, replace: Replace = False, as_json: Json = False) -> None:
    """Audit files and keep their events and tables in a Delta Lake store; the same files again change nothing."""
    from footprint.app import ingesting
    from footprint.app.progress import progress_on_stderr

    ingesting.run(paths, store, symbol=symbol, replace=replace, as_json=as_json, progress=progress_on_stderr())
