"""`footprint record`: write down what a venue says, byte for byte, and the events it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, Seed, parse_duration, told


def record(
    venue: Annotated[
        str, typer.Option("--venue", help="Venue (binance-spot, kraken, ...), or ccxt:NAME.", show_default=False)
    ],
    symbols: Annotated[
        str, typer.Option("--symbols", metavar="A,B", help="Symbols as the venue spells them.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="New folder to write; recordings/VENUE-TIME by default.")
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option("--duration", metavar="TIME", parser=told(parse_duration), help="Stop after, as in 90s, 10m, 2h."),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Record a venue until the duration is over or Ctrl-C: raw frames, checked events, and a report of every hole."""
    from footprint.app import recording
    from footprint.app.console import stdout_console
    from footprint.errors import UsageError

    wanted = [symbol.strip() for symbol in symbols.split(",") if symbol.strip()]
    if not wanted:
        raise UsageError(f"--symbols {symbols!r} names nothing, allowed: names separated by commas")
    source = recording.source_of(venue)
    folder = out or recording.default_folder(venue)
    display = recording.display_on_stderr()
    report, number = recording.record(source, wanted, folder, duration, seed, display)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), **report}, indent=2))
    else:
        console = stdout_console()
        console.print(recording.status_table(report))
        console.print(f"written: {folder}", soft_wrap=True)
    if number:
        raise typer.Exit(128 + number)
