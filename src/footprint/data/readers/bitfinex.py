"""Bitfinex raw book frames (precision R0), one JSON frame a line: order by order, without any clock.

A frame is `[channel, [id, price, amount]]`, amount above 0 for a bid, below for an ask, price 0 for an order that
leaves; the first book frame, `[channel, [[id, price, amount], ...]]`, is the snapshot. The feed keeps the best N orders
a side (`len` of the subscription): an order that leaves may be gone or only beyond the window. A capture cut from the
middle of a longer one has neither subscription nor snapshot: orders become known as they change. Source: Bitfinex API
version 2, "WebSocket, public channels, raw books".

The line number is the only order there is: both clocks of every event are UNKNOWN_TIME, as are open_ns and close_ns,
and the day is the one in the file's name, else `UNKNOWN_DAY`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import book_findings
from footprint.data.files.compressed import head
from footprint.data.files.decimals import fewest_places, quote_increment
from footprint.data.files.lines import read_lines
from footprint.data.readers.crypto_pairs import crypto_instrument
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind

SOURCE = "bitfinex"
UNKNOWN_DAY = date(1970, 1, 1)

_PLACES = 10  # prices have five significant digits or more, amounts eight decimals
_MAX_UNITS = 1 << 62
_SUBSCRIBED = re.compile(rb'^\{"event":"subscribed","channel":"book".*"prec":"R0"', re.M)
_FIRST_FRAME = re.compile(rb"\[\d+,\[\[\d+,[\d.e+-]+,[\d.e+-]+\]")
# an id has more digits than the number of orders of a book by price, which stands at another place
_LATER_FRAME = re.compile(rb'(?:\[\d+,"(?:hb|cs)"[^\n]*\n)*\[\d+,\[\d{9,19},[\d.e+-]+,-?[\d.e+-]+\]\]\s*$', re.M)
_SYMBOL = re.compile(r"(?<![A-Za-z])t([A-Z0-9]{6,12})(?![a-z])")
_DAY = re.compile(r"(?<!\d)(20\d{2})-?(\d{2})-?(\d{2})(?!\d)")
_LAST, _SNAPSHOT = int(EventFlag.LAST), int(EventFlag.SNAPSHOT)

EventRow = tuple[int, int, int, int, int, int, int, int, int, int]  # one event in the order of EVENT_DTYPE


class _Channel(NamedTuple):
    id: int | None  # None: not said yet
    symbol: str
    window: int  # orders a side, 0 when the file does not say


class _Entry(NamedTuple):
    order_id: int
    price: int
    amount: int


class _BadFrame(Exception):
    """reason, found, allowed."""


class BitfinexReader:
    """One session a file."""

    name = SOURCE

    def recognise(self, path: Path) -> bool:
        """True when an R0 book is subscribed in the first lines, or the first book frame is one of order ids."""
        content = head(path).content
        bare = _FIRST_FRAME.match(content) or _LATER_FRAME.match(content)
        return bare is not None or _SUBSCRIBED.search(content) is not None

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [_verdict(path) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a file, in order of (symbol, day, path).

        Raises:
            DataRefused: a file is refused.
        """
        for path in sorted(paths, key=lambda p: (_named_symbol(p), _day(p), p)):
            yield _read(path)


def _named_symbol(path: Path) -> str:
    """Symbol of the subscription, else of the file's name; "" when neither says it."""
    subscribed = re.search(rb'"symbol":"t([A-Z0-9:]{3,20})"', head(path).content)
    if subscribed:
        return subscribed[1].decode().replace(":", "")
    named = _SYMBOL.search(path.name)
    return named[1] if named else ""


def _day(path: Path) -> date:
    match = _DAY.search(path.name)
    try:
        return date(*map(int, match.groups())) if match else UNKNOWN_DAY
    except ValueError:
        return UNKNOWN_DAY


class _Book:
    """The orders in the window, and the events so far."""

    def __init__(self) -> None:
        self.rows: list[EventRow] = []
        self.counts: Counter[str] = Counter()
        self._side: dict[int, int] = {}

    def snapshot(self, entries: list[_Entry], row: int) -> None:
        self.counts["snapshots"] += 1
        self._side.clear()
        self._add(EventKind.CLEAR, 0, _Entry(0, 0, 0), row, _SNAPSHOT)
        for entry in entries:
            if entry.price == 0 or entry.amount == 0:
                raise _BadFrame("order without a price or amount", entry.order_id, "price above 0, amount not 0")
            side = 1 if entry.amount > 0 else -1
            if entry.order_id in self._side:
                raise _BadFrame("order twice in a snapshot", entry.order_id, "once")
            self._side[entry.order_id] = side
            self._add(EventKind.ADD, side, entry, row, _SNAPSHOT)
        self._end()

    def update(self, entry: _Entry, row: int) -> None:
        side = 1 if entry.amount > 0 else -1
        held = self._side.get(entry.order_id)
        if entry.price == 0:
            if held is None:
                self.counts["unknown_deletes"] += 1
                return
            del self._side[entry.order_id]
            self._add(EventKind.DELETE, held, entry._replace(amount=0), row)
            self.counts["deletes"] += 1
        elif entry.amount == 0:
            raise _BadFrame("amount is 0", entry.order_id, "above 0 for a bid, below 0 for an ask")
        elif held == side:
            self._add(EventKind.MODIFY, side, entry, row)
            self.counts["modifications"] += 1
        else:
            if held is not None:
                self._add(EventKind.DELETE, held, entry._replace(price=0, amount=0), row)
                self.counts["side_changes"] += 1
            self._side[entry.order_id] = side
            self._add(EventKind.ADD, side, entry, row)
            self.counts["additions"] += 1
        self._end()

    def _add(self, kind: EventKind, side: int, entry: _Entry, row: int, flags: int = 0) -> None:
        size, price = abs(entry.amount), entry.price
        self.rows.append((UNKNOWN_TIME, UNKNOWN_TIME, int(kind), side, flags, price, size, entry.order_id, row, row))

    def _end(self) -> None:
        last = self.rows[-1]
        self.rows[-1] = (*last[:4], last[4] | _LAST, *last[5:])
        self.counts["most_orders"] = max(self.counts["most_orders"], len(self._side))


def _read(path: Path) -> Session:
    book, channel, packed = _Book(), _Channel(None, _named_symbol(path), 0), []
    for row, line in enumerate(read_lines(path), start=1):
        try:
            channel = _take(json.loads(line, parse_float=str), channel, book, row)
        except _BadFrame as error:
            reason, found, allowed = error.args
            raise DataRefused(reason, path=path, row=row, found=found, allowed=allowed) from None
        except (ValueError, TypeError, IndexError, KeyError, RecursionError, InvalidOperation):
            found = line[:80].decode("utf-8", "replace")
            raise DataRefused(
                "not a frame", path=path, row=row, found=found, allowed="[channel, [id, price, amount]]"
            ) from None
        if len(book.rows) >= 50_000:
            packed.append(np.array(book.rows, EVENT_DTYPE))
            book.rows.clear()
    events = np.concatenate([*packed, np.array(book.rows, EVENT_DTYPE)])
    if not len(events) or not channel.symbol:
        what = "no symbol" if len(events) else "no book frames"
        raise DataRefused(what, path=path, allowed="a subscription or a name such as ..._tBTCUSD_...; book frames")
    price, size = (fewest_places(events[name], _PLACES) for name in ("price_ticks", "size_lots"))
    events["price_ticks"], events["size_lots"] = price.values, size.values
    increment = quote_increment(events["price_ticks"])
    return Session(
        instrument=crypto_instrument(channel.symbol, SOURCE, 10.0**-price.places, 10.0**-size.places, increment),
        day=_day(path),
        events=events,
        open_ns=UNKNOWN_TIME,
        close_ns=UNKNOWN_TIME,
        source=SOURCE,
        counts=dict(book.counts) | {"events": len(events), "window": channel.window},
        paths=(path,),
    )


def _take(frame: Any, channel: _Channel, book: _Book, row: int) -> _Channel:
    """One frame into the book; the channel, once it is known."""
    book.counts["frames"] += 1
    if isinstance(frame, dict):
        book.counts["control_frames"] += 1
        return _subscription(frame, channel)
    number, content = frame[0], frame[1]
    if channel.id is not None and number != channel.id:
        book.counts["other_channel_frames"] += 1
        return channel
    if content in ("hb", "cs"):
        book.counts["heartbeats" if content == "hb" else "checksums"] += 1
        return channel
    if len(frame) != 2:
        allowed = "[channel, entry]: no sequence numbers or timestamps (conf flags)"
        raise _BadFrame("more than an entry", len(frame), allowed)
    if type(number) is not int:
        raise _BadFrame("not a channel", number, "a whole number")
    if content and isinstance(content[0], list):
        book.snapshot([_entry(values) for values in content], row)
    else:
        book.counts["before_snapshot"] += not book.counts["snapshots"]
        book.update(_entry(content), row)
    return channel._replace(id=number)


def _subscription(frame: dict[str, Any], channel: _Channel) -> _Channel:
    if frame.get("event") != "subscribed" or frame.get("channel") != "book":
        return channel
    symbol = str(frame["symbol"])
    if frame["prec"] != "R0":
        raise _BadFrame("not a raw book", frame["prec"], "R0")
    named = symbol.removeprefix("t").replace(":", "")
    if channel.id is not None and (frame["chanId"] != channel.id or named != channel.symbol):
        raise _BadFrame("second book in one file", symbol, channel.symbol)
    return _Channel(int(frame["chanId"]), named, int(frame["len"]))


def _entry(values: list[Any]) -> _Entry:
    order_id, price, amount = values
    if type(order_id) is not int or not 0 < order_id < 1 << 63:
        raise _BadFrame("not an id", order_id, "1 to 2^63 - 1")
    entry = _Entry(order_id, _units(price), _units(amount))
    if entry.price < 0:
        raise _BadFrame("negative value", price, "a price of at least 0")
    return entry


def _units(number: int | str) -> int:
    """A JSON number in 1e-10, exactly."""
    if type(number) not in (int, str):
        raise _BadFrame("not a number", number, "a decimal")
    scaled = Decimal(number).scaleb(_PLACES)
    whole = int(scaled)
    if whole != scaled or abs(whole) > _MAX_UNITS:
        raise _BadFrame("value out of range", number, "steps of 1e-10, below 4.6e8")
    return whole


def _verdict(path: Path) -> FileVerdict:
    try:
        session = _read(path)
    except DataRefused as error:
        return FileVerdict(path, SOURCE, _named_symbol(path), (Finding.of_refusal(error),))
    counts, events = session.counts, session.events
    no_clock = (Analysis.SIGNED_TRADES, Analysis.LATENCY, Analysis.FORECAST, Analysis.LAW)
    window = f"best {counts['window']} orders" if counts["window"] else "best orders that were subscribed"
    findings = [
        Finding("no_clock", "no times at all: only the order of events is known", voids=no_clock),
        Finding("no_trades", "a book without prints"),
        Finding(
            "window",
            f"only the {window} of each side are told: an order that leaves may rest beyond them and comes back "
            "at the end of its queue",
            voids=(Analysis.QUEUE,),
        ),
    ]
    if counts.get("before_snapshot"):
        text = f"{counts['before_snapshot']} changes before any snapshot: orders are known once they change"
        findings.append(Finding("no_snapshot", text, counts["before_snapshot"], voids=(Analysis.BOOK, Analysis.DEPTH)))
    for code, text in (
        ("unknown_deletes", "deletions of orders that are not in the window: ignored"),
        ("side_changes", "orders changed sides"),
        ("other_channel_frames", "frames of other channels: ignored"),
    ):
        if counts.get(code):
            findings.append(Finding(code, f"{counts[code]} {text}", counts[code]))
    last = events["flags"] & _LAST != 0
    voids = (Analysis.BOOK, Analysis.DEPTH)
    findings += book_findings(views(events, BookKind.ORDERS)[last], events["row"][last], "book", voids)
    return FileVerdict(path, SOURCE, session.instrument.symbol, tuple(findings), counts)
