"""`footprint forecast`: what one block order will cost, one row per execution style."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from footprint.app.cli.options import Json, parse_bps, parse_duration, parse_quantity, parse_side, parse_time, told

Data = Annotated[str, typer.Option("--data", metavar="PATH", help="Tape; a file or folder, or FORMAT:PATH.")]
Symbol = Annotated[str, typer.Option("--symbol", help="Instrument, as the tape names it.")]
Side = Annotated[int, typer.Option("--side", parser=told(parse_side), metavar="buy|sell", help="Side of the order.")]
Quantity = Annotated[
    float,
    typer.Option("--quantity", parser=told(parse_quantity), metavar="Q", help="Shares, contracts or coins, positive."),
]
Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="MODEL", help="From `footprint fit`: a model, or a store for its champion."),
]
At = Annotated[
    int | None,
    typer.Option("--at", parser=told(parse_time), metavar="TIME", help="Decision time; else the end of the tape."),
]
Horizon = Annotated[
    float,
    typer.Option("--horizon", parser=told(parse_duration), metavar="DURATION", help="Duration of the balanced plan."),
]
Threshold = Annotated[
    float,
    typer.Option("--threshold-bps", parser=told(parse_bps), metavar="BPS", help="Print P(slippage > this)."),
]
Fills = Annotated[
    Path | None,
    typer.Option("--progress", metavar="FILE", help="Fills so far (and the parent record), to forecast it in flight."),
]
Days = Annotated[int, typer.Option("--days", metavar="N", help="Work the order in equal parts over N days, 1 to 5.")]
Trend = Annotated[
    float, typer.Option("--trend-bps", metavar="BPS", help="With --days: expected drift of the price a day.")
]
Events = Annotated[
    Path | None, typer.Option("--events", metavar="FILE", help="With --days: scheduled context events, JSON.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Also say what each column of the model adds to the mean cost.")
]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Also write an HTML report.")]


def forecast(
    data: Data,
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    model: Model = None,
    at: At = None,
    horizon: Horizon = "30m",  # type: ignore[assignment]  # the parser turns it into seconds
    threshold_bps: Threshold = "10",  # type: ignore[assignment]
    fills: Fills = None,
    days: Days = 1,
    trend_bps: Trend = 0.0,
    events: Events = None,
    explain: Explain = False,
    as_json: Json = False,
    report: Report = None,
) -> None:
    """Forecast the market impact of a block order, with its uncertainty, per execution style."""
    from footprint.app import forecasting
    from footprint.app.multi_day_forecasting import days_ahead
    from footprint.app.progress import progress_on_stderr

    forecasting.run(
        data,
        symbol,
        side,
        quantity,
        model=model,
        at_ns=at,
        horizon_s=horizon,
        threshold_bps=threshold_bps,
        fills=fills,
        as_json=as_json,
        report=report,
        progress=progress_on_stderr(),
        ahead=days_ahead(days, trend_bps, events),
        explain=explain,
    )
