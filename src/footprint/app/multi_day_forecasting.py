"""`footprint forecast --days N`: an order over several days, from the records of one day's part."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from footprint.app.cli.options import parse_time
from footprint.app.history import History
from footprint.data.session import Session
from footprint.errors import UsageError
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.flight.event_days import event_days
from footprint.impact.flight.multi_day import MultiDayForecast, forecast_days
from footprint.impact.flight.record_days import DaySetting, record_days
from footprint.impact.record import ForecastRecord
from footprint.impact.rows import market_state
from footprint.market.context import ContextEvent, ContextKind
from footprint.market.events import EventKind, event_time_ns
from footprint.units import BPS

MOST_DAYS = 5
_NIGHT_GAP_DAYS = 5  # sessions further apart are not one night apart
_KINDS = ", ".join(kind.value for kind in ContextKind)


@dataclass(frozen=True, slots=True)
class DaysAhead:
    """What `--days`, `--trend-bps` and `--events` ask.

    Attributes:
        days: of the order, 2 to 5; equal parts.
        trend_bps: expected drift of the price a day, positive upwards.
        events: scheduled ones among them widen their day or night.
    """

    days: int
    trend_bps: float = 0.0
    events: tuple[ContextEvent, ...] = ()


def days_ahead(days: int, trend_bps: float, events: Path | None) -> DaysAhead | None:
    """What the options ask; None for an order of one day.

    Raises:
        UsageError: not 1 to 5 days, a trend that is not finite, events that cannot be read, or either for one day.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"--days {days}, allowed: 1 to {MOST_DAYS}")
    if not math.isfinite(trend_bps):
        raise UsageError(f"--trend-bps {trend_bps}, allowed: a finite number")
    if days == 1:
        if trend_bps or events is not None:
            raise UsageError("--trend-bps and --events speak of several days, allowed: with --days 2 to 5")
        return None
    return DaysAhead(days, trend_bps, () if events is None else read_events(events))


class GapWatch:
    """Passes sessions on and keeps the gap between one's last and the next one's first trade, bps."""

    def __init__(self, at_ns: int | None) -> None:
        self._at_ns = at_ns
        self._last: tuple[Session, float] | None = None
        self.gaps_bps: list[float] = []

    def watch(self, sessions: Iterator[Session]) -> Iterator[Session]:
        """The same sessions."""
        for session in sessions:
            self._add(session)
            yield session

    def _add(self, session: Session) -> None:
        times = event_time_ns(session.events)
        inside = (session.events["kind"] == EventKind.TRADE) & (times >= session.open_ns) & (times < session.close_ns)
        if self._at_ns is not None:
            inside &= times < self._at_ns
        prices = session.events["price_ticks"][inside]
        if not len(prices):
            return
        if self._last is not None and (session.day - self._last[0].day).days <= _NIGHT_GAP_DAYS:
            self.gaps_bps.append(BPS * math.log(float(prices[0]) / self._last[1]))
        self._last = session, float(prices[-1])


def forecast_order_days(
    records: Sequence[ForecastRecord], history: History, side: int, ahead: DaysAhead, gaps_bps: Sequence[float]
) -> list[MultiDayForecast | None]:
    """One forecast a record, None where the record gives no numbers.

    Args:
        records: of one day's part, at arrival.
        gaps_bps: of the nights before the decision.
    """
    market = history.market
    state = market_state(dict(zip(market.feature_names, market.features[:, None], strict=True)))
    opens_ns, closes_ns = _days(history, ahead.days)
    setting = DaySetting(
        day_s=(min(market.day_s, market.seconds_to_close), *[market.day_s] * (ahead.days - 1)),
        whole_day_s=market.day_s,
        volatility_bps=float(state["volatility"][0]) * math.sqrt(market.day_s),
        gaps_bps=None if history.instrument.hours.continuous else np.array(gaps_bps),
        trend_bps=side * ahead.trend_bps,
        events=event_days(ahead.events, history.instrument.symbol, market.as_of_ns, opens_ns, closes_ns),
    )
    shares = [1.0 / ahead.days] * ahead.days
    return [
        None
        if record.slippage_quantiles_bps is None
        else forecast_days(*record_days(record, shares, setting), np.random.default_rng(Protocol().seed))
        for record in records
    ]


def _days(history: History, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Regular hours of the decision's day and of the weekdays after it, ns UTC; holidays are not known."""
    hours, day = history.instrument.hours, history.last.session.day
    found: list[tuple[int, int]] = []
    while len(found) < days:
        if hours.continuous or day.weekday() < 5:
            found.append(hours.on(day))
        day += timedelta(days=1)
    opens_ns, closes_ns = (np.array(column) for column in zip(*found, strict=True))
    return opens_ns, closes_ns


def as_dict(record: ForecastRecord, days: MultiDayForecast | None) -> dict[str, Any] | None:
    """For JSON: the style and the record it rests on, then the fields."""
    return None if days is None else {"style": record.style, "record_id": record.id, **asdict(days)}


def read_events(path: Path) -> tuple[ContextEvent, ...]:
    """Context events from JSON: [{kind, known_at, effective, symbols, value, text}].

    Raises:
        UsageError: naming file, row, what was found and what is allowed.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--events {path}: cannot be read ({error})") from None
    if not isinstance(rows, list):
        raise UsageError(f"--events {path}: allowed: a list of {{kind, known_at, effective, symbols, value, text}}")
    return tuple(_event(path, i, row) for i, row in enumerate(rows, 1))


def _event(path: Path, number: int, row: Any) -> ContextEvent:
    try:
        return ContextEvent(
            kind=ContextKind(row["kind"]),
            known_at_ns=parse_time(str(row["known_at"])),
            effective_ns=parse_time(str(row["effective"])),
            symbols=tuple(str(s).upper() for s in row.get("symbols", ())),
            value=None if row.get("value") is None else float(row["value"]),
            text=str(row.get("text", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        allowed = f"kind ({_KINDS}), known_at and effective as times, symbols as a list"
        raise UsageError(f"--events {path}, row {number}: {error!r}, allowed: {allowed}") from None


def print_days(records: Sequence[ForecastRecord], forecasts: Sequence[MultiDayForecast | None]) -> None:
    """One row a style: every day's part, the widest night and the whole order, bps."""
    from rich.table import Table

    from footprint.app.console import stdout_console

    days = max((len(f.share) for f in forecasts if f is not None), default=0)
    if not days:
        return
    table = Table(
        "style", *(f"day {d + 1}, 5-95 %" for d in range(days)), "night, 5-95 %", "carried", "mean", "5 %", "50 %",
        "95 %", title=f"the whole order over {days} days against the arrival mid; bps, positive is a cost",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for record, f in zip(records, forecasts, strict=True):
        if f is None:
            table.add_row(record.style, *["N/A"] * (days + 6))
            continue
        bands = [f"{q[4]:.1f} to {q[94]:.1f}" for q in (*f.day_quantiles_bps, f.overnight_quantiles_bps[0])]
        total = f.total_quantiles_bps
        figures = (f.permanent_carried_bps[-1], f.total_cost_bps, total[4], total[49], total[94])
        table.add_row(record.style, *bands, *(f"{value:.2f}" for value in figures))
    stdout_console().print(table)
