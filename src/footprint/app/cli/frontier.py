"""`footprint frontier`: cost against risk over many plans, a schedule of one's own, or a file of orders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from footprint.app.cli.options import (
    Json,
    Paths,
    parse_bps,
    parse_duration,
    parse_quantity,
    parse_side,
    parse_time,
    told,
)
from footprint.errors import UsageError

T = TypeVar("T")


def parse_share(text: str) -> float:
    """A share such as 0.1 or 10%.

    Raises:
        ValueError: not between 0 and 1.

    >>> parse_share("12.5%")
    0.125
    """
    try:
        value = float(text[:-1]) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{text!r} is not a share, allowed: from 0 to 1, or a percentage, as in 0.1 or 10%")
    return value


def parse_aversion(text: str) -> float:
    """Lambda: 0 or more.

    Raises:
        ValueError: not such a number.
    """
    value = parse_bps(text)
    if value < 0.0:
        raise ValueError(f"{text!r} is not an aversion, allowed: 0 or more")
    return value


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A parser of values with commas between them."""

    def parse_all(text: str) -> tuple[T, ...]:
        return tuple(parse(part.strip()) for part in text.split(","))

    return parse_all


Symbol = Annotated[str | None, typer.Option("--symbol", help="Instrument, as the tape names it.")]
Side = Annotated[
    int | None, typer.Option("--side", parser=told(parse_side), metavar="buy|sell", help="Side of the order.")
]
Quantity = Annotated[
    float | None,
    typer.Option("--quantity", parser=told(parse_quantity), metavar="Q", help="Shares, contracts or coins, positive."),
]
Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="MODEL", help="From `footprint fit`: a model, or a store for its champion."),
]
Law = Annotated[
    str | None,
    typer.Option(
        "--law", metavar="NAME", help="Without --model: a published law instead of the square root, as propagator."
    ),
]
At = Annotated[
    int | None,
    typer.Option("--at", parser=told(parse_time), metavar="TIME", help="Decision time; else the end of the tape."),
]
Horizons = Annotated[
    tuple | None,
    typer.Option(
        "--horizons", parser=told(several(parse_duration)), metavar="D,D,...",
        help="Durations of the plans, as 5m,30m,2h; else one minute to the rest of the day.",
    ),
]  # fmt: skip
Participations = Annotated[
    tuple | None,
    typer.Option(
        "--participations", parser=told(several(parse_share)), metavar="P,P,...",
        help="Shares of all volume, own included, whose durations follow.",
    ),
]  # fmt: skip
Aggressions = Annotated[
    tuple,
    typer.Option(
        "--aggressions", parser=told(several(parse_share)), metavar="A,A,...",
        help="Shares that cross the spread; 1 is aggressive, 0 passive. With --schedule the first counts.",
    ),
]  # fmt: skip
Aversions = Annotated[
    tuple,
    typer.Option("--aversions", parser=told(several(parse_aversion)), metavar="L,L,...", help="Least mean + L risk."),
]
Risk = Annotated[str, typer.Option("--risk", metavar="sd|var95|cvar95", help="What risk is.")]
Threshold = Annotated[
    float, typer.Option("--threshold-bps", parser=told(parse_bps), metavar="BPS", help="Print P(slippage > this).")
]
ScheduleFile = Annotated[
    Path | None,
    typer.Option("--schedule", metavar="FILE", help="Cost this instead: csv of time,quantity, each until its time."),
]
Orders = Annotated[
    Path | None,
    typer.Option(
        "--orders", metavar="FILE",
        help="Forecast these instead, csv, Parquet or JSON lines: id, symbol, side, quantity, horizon or "
        "participation, style or aggression. Answers as CSV, with --json as JSON lines.",
    ),
]  # fmt: skip
Portfolio = Annotated[bool, typer.Option("--portfolio", help="With --orders: what they cost together.")]
CrossImpact = Annotated[
    bool, typer.Option("--cross-impact", help="With --portfolio: charge the moves that the orders cause each other.")
]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Also write an HTML report.")]


def frontier(
    paths: Paths,
    symbol: Symbol = None,
    side: Side = None,
    quantity: Quantity = None,
    model: Model = None,
    law: Law = None,
    at: At = None,
    horizons: Horizons = None,
    participations: Participations = None,
    aggressions: Aggressions = "1,0.5,0",  # type: ignore[assignment]  # the parser turns it into numbers
    aversions: Aversions = "0,0.1,0.3,1,3",  # type: ignore[assignment]
    risk: Risk = "sd",
    threshold_bps: Threshold = "10",  # type: ignore[assignment]
    schedule: ScheduleFile = None,
    orders: Orders = None,
    portfolio: Portfolio = False,
    cross_impact: CrossImpact = False,
    as_json: Json = False,
    report: Report = None,
) -> None:
    """Expected cost against risk over horizon, participation and aggression; what-if schedules; files of orders."""
    from footprint.app.progress import progress_on_stderr

    progress = progress_on_stderr()
    if orders is not None:
        _refuse(
            "--orders",
            {"--law": law, "--side": side, "--quantity": quantity, "--schedule": schedule, "--report": report},
        )
        _run_orders(
            paths, orders, symbol, portfolio, cross_impact,
            dict(model=model, at_ns=at, threshold_bps=threshold_bps, as_json=as_json, progress=progress),
        )  # fmt: skip
        return
    if portfolio or cross_impact:
        raise UsageError("--portfolio and --cross-impact: allowed with --orders")
    if symbol is None or side is None or (quantity is None and schedule is None):
        raise UsageError(
            "--symbol, --side and --quantity are needed; with --schedule the first two, with --orders none"
        )
    common = dict(model=model, at_ns=at, threshold_bps=threshold_bps, as_json=as_json, report=report, progress=progress)
    if schedule is not None:
        from footprint.app import frontier_schedule

        _refuse("--schedule", {"--law": law, "--horizons": horizons, "--participations": participations})
        frontier_schedule.run(paths, symbol, side, quantity, schedule, aggressions[0], **common)  # type: ignore[arg-type]
        return
    from footprint.app import frontier as service

    assert quantity is not None  # asked above
    if law is not None:
        _refuse("--law", {"--model": model})
    grid = service.Grid(horizons, participations or (), aggressions, aversions, risk)
    service.run(paths, symbol, side, quantity, grid, law=law, **common)  # type: ignore[arg-type]


def _run_orders(
    paths: list[str], orders: Path, symbol: str | None, together: bool, cross_impact: bool, common: dict[str, object]
) -> None:
    if cross_impact and not together:
        raise UsageError("--cross-impact: allowed with --portfolio")
    if together:
        from footprint.app import frontier_portfolio

        frontier_portfolio.run(paths, orders, symbol, cross_impact=cross_impact, **common)  # type: ignore[arg-type]
    else:
        from footprint.app import frontier_batch

        frontier_batch.run(paths, orders, symbol, **common)  # type: ignore[arg-type]


def _refuse(what: str, given: dict[str, object]) -> None:
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise UsageError(f"{what} with {', '.join(wrong)}, allowed: one of them")
