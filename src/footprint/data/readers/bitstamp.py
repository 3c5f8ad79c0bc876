"""Bitstamp order logs and order life cycles (BTC/USD): order by order, purged so that the book does not cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import clock_findings
from footprint.data.files.decimals import fewest_places, quote_increment
from footprint.data.readers.bitstamp_file import PLACES, first_ms, is_life_cycle, is_log, read_messages
from footprint.data.readers.bitstamp_replay import BitstampReplay
from footprint.data.readers.crypto_pairs import crypto_instrument
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding, counted
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, EventFlag, EventKind
from footprint.units import NS_PER_SECOND

SOURCE = "bitstamp"
SYMBOL = "BTCUSD"  # the channels of this version of the feed name no pair and carry this one

_FLUSH = 50_000  # events gathered as Python rows before they are packed
_LAST = int(EventFlag.LAST)
_MS_PER_DAY = 86_400_000


class BitstampReader:
    """One session a file."""

    name = SOURCE

    def recognise(self, path: Path) -> bool:
        """True for a log (`<ms> order_created {`) or the header of the life cycle of orders."""
        return is_log(path) or is_life_cycle(path)

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; of a log and a life cycle of the same UTC day the log is used."""
        unused = _superseded(paths)
        return [_verdict(path, unused.get(path)) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a file, in order of time.

        Raises:
            DataRefused: a file is refused.
        """
        unused = _superseded(paths)
        for path in sorted(paths, key=lambda p: (first_ms(p), p)):
            session, _ = _read(path)
            if path not in unused:
                yield session


def _superseded(paths: Sequence[Path]) -> dict[Path, Path]:
    """Life cycles whose day also has a log, with that log."""
    logs = {first_ms(path) // _MS_PER_DAY: path for path in paths if not is_life_cycle(path)}
    cycles = [path for path in paths if is_life_cycle(path)]
    return {path: logs[day] for path in cycles if (day := first_ms(path) // _MS_PER_DAY) in logs}


def _read(path: Path) -> tuple[Session, BitstampReplay]:
    """The session of a file, and the book after it.

    Raises:
        DataRefused: the file is refused.
    """
    replay, rows, packed = BitstampReplay(), [], []
    first_ns = last_ns = 0
    for message in read_messages(path):
        first_ns, last_ns = first_ns or message.time_ns, message.time_ns
        rows += replay.take(message)
        if len(rows) >= _FLUSH:
            packed.append(np.array(rows, EVENT_DTYPE))
            rows.clear()
    events = np.concatenate([*packed, np.array(rows, EVENT_DTYPE)])
    if not len(events):
        raise DataRefused("no events", path=path, allowed="orders or trades")
    price = fewest_places(events["price_ticks"], PLACES)
    size = fewest_places(events["size_lots"], PLACES)
    events["price_ticks"], events["size_lots"] = price.values, size.values
    counts = dict(replay.counts) | {"events": len(events), "trades": replay.counts["trade"]}
    counts |= {"unborn_orders": len(replay.unborn), "purged_orders": replay.counts["purged_orders"]}
    session = Session(
        instrument=crypto_instrument(
            SYMBOL, SOURCE, 10.0**-price.places, 10.0**-size.places, quote_increment(events["price_ticks"])
        ),
        day=datetime.fromtimestamp(first_ns // NS_PER_SECOND, UTC).date(),
        events=events,
        open_ns=first_ns,
        close_ns=last_ns,
        source=SOURCE,
        counts=counts,
        paths=(path,),
    )
    return session, replay


def _verdict(path: Path, better: Path | None) -> FileVerdict:
    try:
        session, _ = _read(path)
    except DataRefused as error:
        return FileVerdict(path, SOURCE, SYMBOL, (Finding.of_refusal(error),))
    findings = _findings(session)
    if better is not None:
        findings.insert(0, Finding("superseded", f"not used: {better.name} is the log of the same day"))
    return FileVerdict(path, SOURCE, SYMBOL, tuple(findings), session.counts)


def _findings(session: Session) -> list[Finding]:
    counts, events = session.counts, session.events
    text = "the exchange clock is known for new orders only, in whole seconds"
    findings = [
        Finding("assumed_symbol", f"the feed names no pair: {SYMBOL}"),
        Finding("coarse_exchange_time", text, voids=(Analysis.LATENCY,)),
        *(finding for finding in clock_findings(events) if finding.code != "no_exchange_time"),
    ]
    for code, text, voids in _COUNTED:
        if counts.get(code):
            findings.append(Finding(code, counted(counts[code], text), counts[code], voids=voids))
    if not counts["trades"]:
        voids = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
        findings.append(Finding("no_trades", "no trades", voids=voids))
    unsigned = counts["trades"] - counts.get("signed_trades", 0)
    if unsigned:
        text = f"{unsigned} of {counts['trades']} trades match no order that shrank: their aggressor is unknown"
        findings.append(Finding("unsigned", text, unsigned))
    last = events["flags"] & _LAST != 0
    voids = (Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST)
    if (events["kind"] != EventKind.TRADE).any():
        return findings + book_findings(views(events, BookKind.ORDERS)[last], events["row"][last], "book", voids)
    return [*findings, Finding("no_mid", "no orders: mids are unknown", voids=voids)]


_COUNTED: tuple[tuple[str, str, tuple[Analysis, ...]], ...] = (
    (
        "unborn_orders",
        "orders from before the capture began: the book is not whole until they are gone, and orders that "
        "never change are missing for good",
        (Analysis.QUEUE,),
    ),
    ("purged_orders", "orders purged as stale: their deletion never came", ()),
    ("deleted_before_created", "deletions of orders before they were announced: ignored", ()),
    ("deleted_twice", "deletions of what was deleted before: ignored", ()),
    ("created_twice", "orders announced twice: ignored", ()),
    ("created_empty", "orders announced without an amount: ignored", ()),
    ("changed_after_delete", "changes of orders after their deletion: ignored", ()),
    ("unlike_order_book", "messages of order_book with another best price than the replayed book", ()),
)
