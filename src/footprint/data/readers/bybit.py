"""Bybit order book archives (`<day>_<symbol>_ob500.data`): one JSON message a line, a snapshot and then its changes.

`{"topic": "orderbook.500.<symbol>", "type": "snapshot" or "delta", "ts": ms, "data": {"s", "b", "a", "u", "seq"},
"cts": ms}`; b and a are lists of [price, size] texts, size 0 removes the level, u counts up by one and is 1 in the
snapshot after a restart of the service. Source: Bybit API version 5, "Websocket, public, orderbook".

Time is that of the matching engine (cts), else that of the message (ts): when a message was received is not known.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import NO_RECEIVE_TIME
from footprint.data.clock_repair import raised_clock
from footprint.data.files.compressed import head
from footprint.data.files.decimals import MAX_WHOLE, fewest_places, quote_increment
from footprint.data.files.lines import read_lines
from footprint.data.readers.crypto_pairs import crypto_instrument
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind
from footprint.units import NS_PER_MILLISECOND, NS_PER_SECOND

SOURCE = "bybit"

_PLACES = 10
_FLUSH = 50_000
_START = re.compile(rb'\{"topic":"orderbook\.\d+\.([A-Z0-9]+)"')
_TOPIC = re.compile(r"orderbook\.(\d+)\.([A-Z0-9]+)")
_DECIMAL = re.compile(r"(\d{1,12})(?:\.(\d{1,10})0*)?")
_FIRST_MS, _LAST_MS = 1_000_000_000_000, 4_102_444_800_000  # 2001 to 2100
_LAST, _SNAPSHOT = int(EventFlag.LAST), int(EventFlag.SNAPSHOT)

EventRow = tuple[int, int, int, int, int, int, int, int, int, int]  # one event in the order of EVENT_DTYPE


class BybitReader:
    """One session a file."""

    name = SOURCE

    def recognise(self, path: Path) -> bool:
        """True when the first line is a message of an order book topic."""
        return _START.match(head(path).content) is not None

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [_verdict(path) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a file, in order of (symbol, name inside, path).

        Raises:
            DataRefused: a file is refused.
        """
        for path in sorted(paths, key=lambda p: (_symbol(p), head(p).name, p)):
            yield _read(path)[0]


class _Bad(Exception):
    """reason, field, found, allowed."""


def _symbol(path: Path) -> str:
    match = _START.match(head(path).content)
    return match[1].decode() if match else ""


class _Stream:
    """Messages to events; after a jump of u the book is void until the next snapshot."""

    def __init__(self) -> None:
        self.rows: list[EventRow] = []
        self.counts: Counter[str] = Counter()
        self.topic = ""
        self._u: int | None = None

    def take(self, message: dict[str, Any], row: int) -> None:
        """Raises _Bad, KeyError, TypeError or ValueError for what is no message of this stream."""
        self.counts["messages"] += 1
        self.topic = self.topic or message["topic"]
        data, kind = message["data"], message["type"]
        if message["topic"] != self.topic:
            raise _Bad("second topic in one file", "topic", message["topic"], self.topic)
        if kind not in ("snapshot", "delta"):
            raise _Bad("unknown type", "type", kind, "snapshot, delta")
        time_ns = _time_ns(message)
        u = data["u"]
        if type(u) is not int or not 0 < u < 1 << 62:
            raise _Bad("not an id", "u", u, "a whole number above 0")
        if kind == "snapshot" or u == 1:
            self._snapshot(data, u, time_ns, row)
        elif self._u is None:
            self.counts["deltas_without_snapshot"] += 1
        elif u != self._u + 1:
            self._gap(u, time_ns, row)
        else:
            self._u = u
            self._levels(data, u, time_ns, row, 0)

    def _snapshot(self, data: dict[str, Any], u: int, time_ns: int, row: int) -> None:
        self.counts["snapshots"] += 1
        self._u = u
        self.rows.append((time_ns, UNKNOWN_TIME, int(EventKind.CLEAR), 0, _SNAPSHOT, 0, 0, 0, u, row))
        self._levels(data, u, time_ns, row, _SNAPSHOT)

    def _gap(self, u: int, time_ns: int, row: int) -> None:
        self.counts["gaps"] += 1
        self._u = None
        for kind in (EventKind.HALT, EventKind.CLEAR, EventKind.RESUME):
            self.rows.append((time_ns, UNKNOWN_TIME, int(kind), 0, _LAST, 0, 0, 0, u, row))

    def _levels(self, data: dict[str, Any], u: int, time_ns: int, row: int, flags: int) -> None:
        kind, before = int(EventKind.LEVEL), len(self.rows)
        for side, field in ((1, "b"), (-1, "a")):
            for price, size in data[field]:
                ticks, lots = _units(price, field), _units(size, field)
                if not ticks:
                    raise _Bad("price not positive", field, price, "more than 0")
                self.rows.append((time_ns, UNKNOWN_TIME, kind, side, flags, ticks, lots, 0, u, row))
        if len(self.rows) > before or flags:
            last = self.rows[-1]
            self.rows[-1] = (*last[:4], last[4] | _LAST, *last[5:])


def _time_ns(message: dict[str, Any]) -> int:
    ms = message.get("cts", message["ts"])
    if type(ms) is not int or not _FIRST_MS <= ms <= _LAST_MS:
        raise _Bad("time out of range", "cts", ms, "ms since 1970, 2001 to 2100")
    return ms * NS_PER_MILLISECOND


def _units(text: Any, field: str) -> int:
    """A decimal text as a whole number of 1e-10, exactly."""
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        reason = "negative value" if str(text).startswith("-") else "not a number"
        raise _Bad(reason, field, text, "a decimal of at least 0 in steps of 1e-10")
    units = int(match[1]) * 10**_PLACES + int((match[2] or "").ljust(_PLACES, "0"))
    if units > MAX_WHOLE:
        raise _Bad("value too large", field, text, "below 4.6e8")
    return units


def _read(path: Path) -> tuple[Session, list[Finding]]:
    stream, packed = _Stream(), []
    for row, line in enumerate(read_lines(path), start=1):
        try:
            stream.take(json.loads(line), row)
        except _Bad as error:
            reason, field, found, allowed = error.args
            raise DataRefused(reason, path=path, row=row, field=field, found=found, allowed=allowed) from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            found, allowed = line[:80].decode("utf-8", "replace"), f"an order book message ({type(error).__name__})"
            raise DataRefused("not a message", path=path, row=row, found=found, allowed=allowed) from None
        if len(stream.rows) >= _FLUSH:
            packed.append(np.array(stream.rows, EVENT_DTYPE))
            stream.rows.clear()
    events = np.concatenate([*packed, np.array(stream.rows, EVENT_DTYPE)])
    match = _TOPIC.fullmatch(stream.topic)
    if not len(events) or match is None:
        what = "no snapshot" if match else "wrong topic"
        raise DataRefused(what, path=path, found=stream.topic, allowed="a snapshot of orderbook.<levels>.<symbol>")
    time_ns, findings = raised_clock(events["exchange_time_ns"], "exchange", path, events["row"])
    events["exchange_time_ns"] = time_ns
    price, size = (fewest_places(events[name], _PLACES) for name in ("price_ticks", "size_lots"))
    events["price_ticks"], events["size_lots"] = price.values, size.values
    first_ns, last_ns = (int(events["exchange_time_ns"][at]) for at in (0, -1))
    increment = quote_increment(events["price_ticks"])
    counts = dict(stream.counts) | {"events": len(events), "window": int(match[1])}
    session = Session(
        instrument=crypto_instrument(match[2], SOURCE, 10.0**-price.places, 10.0**-size.places, increment),
        day=datetime.fromtimestamp(first_ns // NS_PER_SECOND, UTC).date(),
        events=events,
        open_ns=first_ns,
        close_ns=last_ns,
        source=SOURCE,
        counts=counts,
        paths=(path,),
    )
    return session, findings


def _verdict(path: Path) -> FileVerdict:
    try:
        session, findings = _read(path)
    except DataRefused as error:
        return FileVerdict(path, SOURCE, _symbol(path), (Finding.of_refusal(error),))
    counts, events = session.counts, session.events
    no_trades = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
    findings += [
        NO_RECEIVE_TIME,
        Finding("price_levels", "no order ids: queue positions are unknown", voids=(Analysis.QUEUE,)),
        Finding("no_trades", "a book without prints", voids=no_trades),
        Finding("window", f"depth below the best {counts['window']} levels of each side is unknown"),
    ]
    if counts.get("gaps"):
        text = f"{counts['gaps']} jumps of u; the book is void from each to the next snapshot"
        findings.append(Finding("gap", text, counts["gaps"], voids=(Analysis.BOOK, Analysis.DEPTH)))
    if counts.get("deltas_without_snapshot"):
        lost = counts["deltas_without_snapshot"]
        findings.append(Finding("no_snapshot", f"{lost} changes without a snapshot before them: ignored", lost))
    last = events["flags"] & _LAST != 0
    voids = (Analysis.BOOK, Analysis.DEPTH)
    findings += book_findings(views(events, BookKind.LEVELS)[last], events["row"][last], "book", voids)
    return FileVerdict(path, SOURCE, session.instrument.symbol, tuple(findings), counts)
