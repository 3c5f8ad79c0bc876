"""Events out of the rows of one Tardis file; LAST ends each message, which is what shares both of its times.

Rows that follow a change with is_snapshot=true replace the book: CLEAR, then LEVELs flagged SNAPSHOT. A snapshot that
directly follows a snapshot goes on with it, as the vendor says, unless the file holds nothing but snapshots: then each
message is a book of its own. Of book_snapshot_N the differences between consecutive rows become LEVELs: the book is
known in the window of N levels only, and a level that leaves the window is removed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from footprint.book import invariants
from footprint.book.view import NO_PRICE
from footprint.data.files.decimals import ScaledEvents, Whole, whole
from footprint.data.files.refusals import refuse_where
from footprint.data.readers.tardis_file import TardisFile, TardisKind, snapshot_columns
from footprint.data.readers.window_changes import level_changes
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind, empty_events
from footprint.units import NS_PER_MICROSECOND

_LAST, _SNAPSHOT = int(EventFlag.LAST), int(EventFlag.SNAPSHOT)


def file_events(file: TardisFile, rows: pl.DataFrame) -> tuple[ScaledEvents, Counter[str]]:
    """The events of a file in order, and what was counted.

    Raises:
        DataRefused: a word, price or size that the type does not allow.
    """
    if rows.is_empty():
        return ScaledEvents(np.zeros(0, EVENT_DTYPE), 0, 0), Counter(rows=0)
    match file.kind:
        case TardisKind.TRADES:
            scaled, counts = _trades(rows, file.path)
        case TardisKind.QUOTES:
            scaled, counts = _quotes(rows, file.path)
        case TardisKind.INCREMENTAL:
            scaled, counts = _incremental(rows, file.path)
        case TardisKind.SNAPSHOTS:
            scaled, counts = _snapshots(rows, file)
    return scaled, Counter(rows=len(rows)) + counts


def exchange_clock_given(rows: pl.DataFrame) -> bool:
    """False when every timestamp repeats the local one: the vendor fills in the local time where a venue has none."""
    return bool((rows["timestamp"] != rows["local_timestamp"]).any())


def _events(rows: pl.DataFrame, index: np.ndarray) -> np.ndarray:
    """Events that carry the times and numbers of the rows `index` (int64 of shape (m,))."""
    events = empty_events(len(index))
    if exchange_clock_given(rows):
        events["exchange_time_ns"] = rows["timestamp"].to_numpy()[index] * NS_PER_MICROSECOND
    else:
        events["exchange_time_ns"] = UNKNOWN_TIME
    events["receive_time_ns"] = rows["local_timestamp"].to_numpy()[index] * NS_PER_MICROSECOND
    events["row"] = events["sequence"] = index + 2
    return events


def _trades(rows: pl.DataFrame, path: Path) -> tuple[ScaledEvents, Counter[str]]:
    side = _side(rows["side"], {"buy": 1, "sell": -1, "unknown": 0}, path)
    price, size = whole(rows["price"], path), whole(rows["amount"], path)
    refuse_where(price.values <= 0, rows["price"], path, "price", "price not positive", "more than 0", first_row=2)
    kept = np.flatnonzero(size.values > 0)
    events = _events(rows, kept)
    events["kind"] = EventKind.TRADE
    events["side"] = side[kept]
    events["flags"] = _LAST | np.where(side[kept] != 0, int(EventFlag.SIDE_GIVEN), 0)
    events["price_ticks"], events["size_lots"] = price.values[kept], size.values[kept]
    number = rows["id"].cast(pl.Int64, strict=False)
    counts = Counter(trades=len(kept), zero_size_dropped=len(rows) - len(kept), unsigned=int((side[kept] == 0).sum()))
    if number.null_count() == 0:
        events["sequence"] = number.to_numpy()[kept]
        steps = np.diff(number.to_numpy())
        counts["repeated_trade_ids"] = int((steps == 0).sum())
        if len(steps) and (steps == 1).mean() > 0.5:  # ids of one counter per instrument; others jump by nature
            counts["trade_gaps"] = int((steps > 1).sum())
    return ScaledEvents(events, price.places, size.places), counts


def _quotes(rows: pl.DataFrame, path: Path) -> tuple[ScaledEvents, Counter[str]]:
    """A bid and an ask a row; a missing price empties the side."""
    index = np.repeat(np.arange(len(rows)), 2)
    events = _events(rows, index)
    events["kind"] = EventKind.QUOTE
    events["side"] = np.tile(np.array([1, -1], np.int8), len(rows))
    events["flags"] = np.tile(np.array([0, _LAST], np.uint16), len(rows))
    price = _same_place([whole(rows[name], path) for name in ("bid_price", "ask_price")], path)
    size = _same_place([whole(rows[name], path) for name in ("bid_amount", "ask_amount")], path)
    events["price_ticks"] = price.values.T.reshape(-1)
    events["size_lots"] = size.values.T.reshape(-1)
    counts = Counter(quotes=len(rows), empty_quote_sides=int((price.values == 0).sum()))
    unknown = np.column_stack([(rows[f"{s}_amount"].is_null() & rows[f"{s}_price"].is_not_null()) for s in _SIDES])
    events["flags"] |= np.where(unknown.reshape(-1), int(EventFlag.SIZE_UNKNOWN), 0).astype(np.uint16)
    return ScaledEvents(events, price.places, size.places), counts


_SIDES = ("bid", "ask")


def _incremental(rows: pl.DataFrame, path: Path) -> tuple[ScaledEvents, Counter[str]]:
    side = _side(rows["side"], {"bid": 1, "ask": -1}, path)
    snapshot = _side(rows["is_snapshot"], {"true": 1, "false": 0}, path) == 1
    price, size = whole(rows["price"], path), whole(rows["amount"], path)
    refuse_where(price.values <= 0, rows["price"], path, "price", "price not positive", "more than 0", first_row=2)
    time = rows.select("timestamp", "local_timestamp").to_numpy()
    starts = np.append(True, (np.diff(time, axis=0) != 0).any(axis=1) | (np.diff(snapshot) != 0))
    block = snapshot & np.append(True, ~snapshot[:-1])
    clears = starts if snapshot.all() else block
    per_row = 1 + clears
    events = _events(rows, np.repeat(np.arange(len(rows)), per_row))
    level = np.cumsum(per_row) - 1
    events["kind"] = EventKind.CLEAR
    events["kind"][level] = EventKind.LEVEL
    events["side"][level] = side
    events["price_ticks"][level], events["size_lots"][level] = price.values, size.values
    events["flags"][level] = np.where(snapshot, _SNAPSHOT, 0) | np.where(np.append(starts[1:], True), _LAST, 0)
    events["flags"][level[clears] - 1] = _SNAPSHOT
    counts = Counter(
        messages=int(starts.sum()),
        snapshots=int(clears.sum()),
        snapshot_messages=int((starts & snapshot).sum()),
        levels=len(rows),
    )
    return ScaledEvents(events, price.places, size.places), counts


def _snapshots(rows: pl.DataFrame, file: TardisFile) -> tuple[ScaledEvents, Counter[str]]:
    book, price_places, size_places = _book_rows(rows, file)
    index, side, price, size = level_changes(book)
    first_changes = int(np.searchsorted(index, 1))
    index = np.append(0, index)  # the first row replaces whatever was known
    events = _events(rows, index)
    events["kind"] = EventKind.LEVEL
    events["kind"][0] = EventKind.CLEAR
    events["side"][1:], events["price_ticks"][1:], events["size_lots"][1:] = side, price, size
    events["flags"][: first_changes + 1] = _SNAPSHOT
    events["flags"][np.append(index[1:] != index[:-1], True)] |= np.uint16(_LAST)
    counts = Counter(snapshots=len(rows), unchanged_snapshots=len(rows) - len(np.unique(index)), levels=len(side))
    return ScaledEvents(events, price_places, size_places), counts


def _book_rows(rows: pl.DataFrame, file: TardisFile) -> tuple[np.ndarray, int, int]:
    """The windows as `level_changes` wants them, int64 of shape (n, 4 * levels), and the places of price and size.

    Raises:
        DataRefused: levels that are not best first.
    """
    names = snapshot_columns(file.levels)
    price = _same_place([whole(rows[name], file.path) for name in names[0::2]], file.path)
    size = _same_place([whole(rows[name], file.path) for name in names[1::2]], file.path)
    book = np.empty((len(rows), len(names)), np.int64)
    book[:, 0::2] = price.values.T
    book[:, 1::2] = np.where(price.values == NO_PRICE, 0, size.values).T
    for sign, first in ((-1, 0), (1, 2)):
        bad = invariants.misordered(book[:, first::4], sign)
        refuse_where(
            bad, rows[names[first]], file.path, names[first], "levels out of order", "best first, strictly", first_row=2
        )
    return book, price.places, size.places


def _same_place(columns: list[Whole], path: Path) -> Whole:
    """Several columns in the finest place among them: values of shape (columns, n)."""
    places = max(column.places for column in columns)
    values = np.empty((len(columns), len(columns[0].values)), np.int64)
    for row, column in zip(values, columns, strict=True):
        factor = 10 ** (places - column.places)
        if factor > 1 and len(row) and int(np.abs(column.values).max()) > (1 << 62) // factor:
            raise DataRefused("value too large", path=path, allowed="below 4.6e18 in the finest decimal place")
        row[:] = column.values * factor
    return Whole(values, places)


def _side(words: pl.Series, signs: dict[str, int], path: Path) -> np.ndarray:
    """Words of a column as numbers, int8 of shape (n,)."""
    unknown = ~words.is_in(list(signs))
    refuse_where(unknown, words, path, words.name, f"unknown {words.name}", ", ".join(signs), first_row=2)
    return words.replace_strict(signs, return_dtype=pl.Int8).to_numpy()
