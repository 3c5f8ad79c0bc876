"""The history store as Delta Lake tables: readable by Spark, Trino or duckdb, in a folder or an object store.

    DIR/events          every event; partitioned by venue, symbol, date, session
    DIR/sessions        one row a session, written last: what is not named here does not count
    DIR/tables/<kind>   rows of one kind of table, one batch a commit; partitioned by venue, batch

A session is two commits: its events, then its row. Readers start from `sessions`, so a writer killed in between leaves
events that nobody reads and that the next writer removes. A replaced session stays in the history of both tables; its
row names the version of `events` that holds it (`events_version`), which is what time travel goes by.

Delta has no unsigned integers: `kind`, `flags` and `order_id` are stored as the signed integers of the same bits.
`event` is the position of an event in its session.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlparse
from uuid import uuid4

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet
from deltalake import ColumnProperties, DeltaTable, Field, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from footprint.data.history import (
    SCHEMA_VERSION,
    OtherContent,
    Stored,
    StoredSession,
    between,
    columns,
    content_hash,
)
from footprint.data.session import EXTRA_COLUMNS, Session
from footprint.data.tables import SCHEMAS, Table, TableKind
from footprint.data.verdict import Analysis, Finding
from footprint.errors import DataRefused, UsageError
from footprint.market.events import EVENT_DTYPE
from footprint.market.instruments import AssetClass, Instrument, TradingHours
from footprint.units import NS_PER_MILLISECOND

_VERSION_KEY = "footprint.schemaVersion"
_PROPERTIES = {
    _VERSION_KEY: str(SCHEMA_VERSION),
    # time travel is a promise of the store: Delta's defaults would let old versions go after 30 and 7 days
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
}
_MANY_FILES = 64  # small files of `sessions` that are worth merging into one
_REOPEN_AFTER = 32  # sessions; an open table gets slower with every commit to it
_SNAPSHOT_TRIES = 10
_MOST_TOLD = 300  # characters of an error of the library
_SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "azure", "abfs", "abfss")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_PARTITIONS = ("venue", "symbol", "date", "session")
_PLACE = {"venue": pl.String(), "symbol": pl.String(), "date": pl.Date(), "session": pl.String()}
_SIGNED = {name: np.dtype(EVENT_DTYPE[name].str.replace("u", "i")) for name in EVENT_DTYPE.names or ()}
_POLARS = {np.dtype(np.int8): pl.Int8(), np.dtype(np.int16): pl.Int16(), np.dtype(np.int64): pl.Int64()}
_EVENTS = (
    _PLACE
    | {"event": pl.Int64()}
    | {name: _POLARS[dtype] for name, dtype in _SIGNED.items()}
    | dict.fromkeys(EXTRA_COLUMNS, pl.Int64())
)
_SESSIONS = _PLACE | {
    "source": pl.String(),
    "open_ns": pl.Int64(),
    "close_ns": pl.Int64(),
    "first_ns": pl.Int64(),
    "last_ns": pl.Int64(),
    "events": pl.Int64(),
    "events_version": pl.Int64(),
    "extra": pl.List(pl.String()),
    "market": pl.String(),
    "asset_class": pl.String(),
    "currency": pl.String(),
    "tick_size": pl.Float64(),
    "lot_size": pl.Float64(),
    "time_zone": pl.String(),
    "open_s": pl.Int64(),
    "close_s": pl.Int64(),
    "quote_increment_ticks": pl.Int64(),
    "multiplier": pl.Float64(),
    "inverse": pl.Boolean(),
    "counts": pl.String(),
    "paths": pl.List(pl.String()),
    "findings": pl.String(),
}
# what rises from event to event is stored as differences; only times are searched, so only they carry statistics
_RISING = ("event", "exchange_time_ns", "receive_time_ns", "sequence", "row")
_TIMES = ("exchange_time_ns", "receive_time_ns")
_DIFFERENCES: Literal["DELTA_BINARY_PACKED"] = "DELTA_BINARY_PACKED"
_ZSTD_LEVEL = 1


class DeltaHistory:
    """`data.history.HistoryStore` on Delta Lake.

    Args:
        url: a folder, or an object-store address; credentials come from the environment, as its provider names them.
    """

    def __init__(self, url: str) -> None:
        self.url = url.removeprefix("file://").rstrip("/")
        scheme, colon, _ = self.url.partition("://")
        if not self.url or (colon and scheme not in _SCHEMES):
            allowed = ", ".join(f"{one}://" for one in _SCHEMES)
            raise UsageError(f"{url!r} is no place for a store, allowed: a folder, or an address of {allowed}")
        if _is_local(self.url) and "%" in os.path.abspath(self.url):
            # the library takes it for an escaped character and looks in another folder
            raise UsageError(f"{url}: a store cannot lie there, allowed: a folder without % in its name")

    @contextmanager
    def writing(self) -> Iterator[DeltaWriter]:
        """The one writer of the store; see `HistoryStore.writing`.

        A folder is locked. An object store has no lock to offer: there must be one writer, which the caller sees to.
        """
        with _only_writer(self.url):
            writer = DeltaWriter(self.url)
            writer.remove_orphans()
            yield writer
            writer.merge_small_files()

    def version(self) -> int:
        """Newest version of `sessions`."""
        return _open(self.url, "sessions").version()

    def stored(self, version: int | str | None = None) -> tuple[StoredSession, ...]:
        """All sessions of a version; see `HistoryStore.stored`."""
        return self._parsed(_rows(_at(_open(self.url, "sessions"), version)))

    def sessions(
        self,
        symbol: str | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        venue: str | None = None,
        version: int | str | None = None,
    ) -> Iterator[Session]:
        """Sessions with their events; see `HistoryStore.sessions`."""
        rows, events = self._snapshot(version)
        stored = self._parsed(rows)
        of_symbol = [s for s in stored if symbol is None or s.instrument.symbol.upper() == symbol.upper()]
        wanted = [s for s in of_symbol if venue is None or s.instrument.venue.upper() == venue.upper()]
        if not wanted:
            held = sorted({f"{s.instrument.symbol} ({s.instrument.venue})" for s in stored})
            what = f"{symbol or 'anything'}{f' on {venue}' if venue else ''}"
            raise UsageError(f"no data of {what} in {self.url}, there is: {', '.join(held) or 'nothing'}")
        return (between(self._session(s, events), start_ns, end_ns) for s in wanted if s.within(start_ns, end_ns))

    def tables(self, kind: TableKind, version: int | str | None = None) -> Iterator[Table]:
        """Stored tables of one kind; see `HistoryStore.tables`."""
        try:
            table = _at(_open(self.url, f"tables/{kind.value}"), version)
        except _NoTable:
            return
        for batch in _batches(table).sort("first_ns", "batch").to_dicts():
            frame = _read(table, ("row", *SCHEMAS[kind]), batch=batch["batch"]).sort("row")
            paths = tuple(Path(path) for path in batch["paths"])
            yield Table(kind, frame.select(*SCHEMAS[kind]), batch["source"], json.loads(batch["counts"]), paths)

    def _parsed(self, rows: list[dict[str, Any]]) -> tuple[StoredSession, ...]:
        try:
            if any(value is None for row in rows for value in row.values()):
                raise ValueError("a value is missing")
            return tuple(_stored(row) for row in rows)
        except (KeyError, TypeError, ValueError) as error:
            raise DataRefused(f"{self.url}: damaged, a session cannot be read ({_one_line(error)})") from error

    def _snapshot(self, version: int | str | None) -> tuple[list[dict[str, Any]], DeltaTable | None]:
        """Rows of `sessions` and the `events` that hold all of them.

        An old version is read from the events of its last commit: what it names was there then. The newest is read from
        the newest events, which survive a merge of files by another tool, once nothing has changed in between.
        """
        if version is not None:
            rows = _rows(_at(_open(self.url, "sessions"), version))
            pinned = max((row["events_version"] for row in rows), default=None)
            return rows, None if pinned is None else _at(_open(self.url, "events"), pinned)
        for _ in range(_SNAPSHOT_TRIES):
            sessions = _open(self.url, "sessions")
            events = _open(self.url, "events")
            if _open(self.url, "sessions").version() == sessions.version():
                return _rows(sessions), events
        raise UsageError(f"{self.url}: is being written faster than it can be read, allowed: --version, or later")

    def _session(self, stored: StoredSession, events: DeltaTable | None) -> Session:
        whole = f"{self.url}: {stored.instrument.symbol} {stored.day}"
        try:
            frame = _event_rows(stored, events)
        except (DeltaError, pa.ArrowException, OSError, ValueError) as error:
            raise DataRefused(f"{whole}: events cannot be read ({_one_line(error)})") from error
        if len(frame) != stored.events:
            raise DataRefused(f"{whole}: events missing", found=len(frame), allowed=f"{stored.events} events")
        # the log of the table says the types, and may be damaged
        wrong = [name for name in _SIGNED if frame[name].to_numpy().itemsize != EVENT_DTYPE[name].itemsize]
        if wrong:
            raise DataRefused(f"{whole}: damaged", field=wrong[0], found=frame[wrong[0]].dtype)
        values = {name: frame[name].to_numpy().view(EVENT_DTYPE[name]) for name in _SIGNED}
        extra = {name: frame[name].to_numpy(writable=True) for name in stored.extra}
        array = np.zeros(len(frame), EVENT_DTYPE)
        for name, column in values.items():
            array[name] = column
        session = stored.session(array, extra)
        if content_hash(session, values | extra) != stored.session_id:
            raise DataRefused(f"{whole}: damaged", found="other content", allowed=f"content {stored.session_id[:12]}")
        return session


class DeltaWriter:
    """`data.history.HistoryWriter` on Delta Lake."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._events = _create(url, "events", _EVENTS, _PARTITIONS)
        self._sessions = _create(url, "sessions", _SESSIONS)
        self._stored = {row["session"]: _stored(row) for row in _rows(self._sessions)}
        self._written = 0

    def put(self, session: Session, findings: Sequence[Finding] = (), *, replace: bool = False) -> Stored:
        """Store one session; see `HistoryWriter.put`."""
        values = columns(session)
        session_id = content_hash(session, values)
        if session_id in self._stored:
            return Stored.UNCHANGED
        old = [s for s in self._stored.values() if s.same_time(session)]
        if old and not replace:
            files = ", ".join(path.name for path in old[0].paths)
            raise OtherContent(
                f"{session.instrument.symbol} {session.day} on {session.instrument.venue}: the store holds other "
                f"content ({old[0].source}: {files}), allowed: the same content, or --replace"
            )
        stored = StoredSession.of(session, session_id, findings)
        self._write(stored, values, [s.session_id for s in old])
        for replaced in old:
            del self._stored[replaced.session_id]
        self._stored[session_id] = stored
        self._written += 1
        if self._written % _REOPEN_AFTER == 0:
            self._events, self._sessions = _open(self._url, "events"), _open(self._url, "sessions")
        return Stored.REPLACED if old else Stored.NEW

    def put_table(self, table: Table, *, replace: bool = False) -> Stored:
        """Store one table; see `HistoryWriter.put_table`."""
        frame = _batch_frame(table)
        batch = str(frame["batch"][0]) if len(frame) else ""
        target = _create(self._url, f"tables/{table.kind.value}", dict(frame.schema), ("venue", "batch"))
        known = _batches(target)
        if not len(frame) or batch in known["batch"]:
            return Stored.UNCHANGED
        old = [other["batch"] for other in known.to_dicts() if _same_table(table, other)]
        if old and not replace:
            files = ", ".join(path.name for path in table.paths)
            raise OtherContent(
                f"{files}: the store holds other content of this {table.kind.value} file, allowed: the same content, "
                "or --replace"
            )
        _swap(target, frame, "batch", old, [batch])
        return Stored.REPLACED if old else Stored.NEW

    def remove_orphans(self) -> None:
        """Remove events that no session names: their writer was killed before it wrote the row or removed them."""
        held = {p["session"] for p in self._events.partitions()}
        self._remove(sorted(held - self._stored.keys()))

    def merge_small_files(self) -> None:
        """Every session adds a small file to `sessions`; many of them become one."""
        self._sessions.update_incremental()
        if self._written and len(self._sessions.file_uris()) > _MANY_FILES:
            self._sessions.optimize.compact()

    def _write(self, stored: StoredSession, values: Mapping[str, np.ndarray], old: Sequence[str]) -> None:
        """Events, then the row that makes them count, then what it replaced goes."""
        if stored.events:
            with _told(self._url):
                _append_events(self._events, stored, values)
                self._events.update_incremental()
        row = _session_row(stored, self._events.version())
        _swap(self._sessions, row, "session", old, [stored.session_id])
        self._remove(old)

    def _remove(self, sessions: Sequence[str]) -> None:
        if sessions:
            with _told(self._url):
                self._events.delete(_among("session", sessions))
                self._events.update_incremental()


class _NoTable(UsageError):
    """A table of the store is not there."""


def _append_events(table: DeltaTable, stored: StoredSession, values: Mapping[str, np.ndarray]) -> None:
    """One file with the events of a session, and the commit that names it."""
    signed = {name: column.view(_SIGNED.get(name, column.dtype)) for name, column in values.items()}
    known = {field.name for field in table.schema().fields}
    new = [Field(name, PrimitiveType("long")) for name in values if name not in known]
    if new:
        table.alter.add_columns(new)
    columns_by_name = {"event": np.arange(stored.events)} | signed
    if _is_local(table.table_uri):
        _append_file(table, stored, columns_by_name)
    else:
        _append_rows(table, stored, columns_by_name)


def _append_file(table: DeltaTable, stored: StoredSession, values: Mapping[str, np.ndarray]) -> None:
    """In a folder: the library's own writer deals rows to partitions, which costs more than compressing them."""
    place = {name: str(value) for name, value in _place(stored).items()}
    name = "/".join(f"{key}={quote(value, safe='')}" for key, value in place.items()) + f"/{uuid4()}.zstd.parquet"
    path = Path(unquote(urlparse(table.table_uri).path), name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(
        pa.table(dict(values)),
        path,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        use_dictionary=False,
        write_statistics=False,
        column_encoding=dict.fromkeys(_RISING, _DIFFERENCES),
    )
    statistics = {
        "numRecords": stored.events,
        "minValues": {time: int(values[time].min()) for time in _TIMES},
        "maxValues": {time: int(values[time].max()) for time in _TIMES},
    }
    made = path.stat()
    action = AddAction(
        name,
        made.st_size,
        place,
        made.st_mtime_ns // NS_PER_MILLISECOND,
        True,
        json.dumps(statistics),
    )
    table.create_write_transaction([action], "append", table.schema(), list(_PARTITIONS))


def _append_rows(table: DeltaTable, stored: StoredSession, values: Mapping[str, np.ndarray]) -> None:
    """In an object store, whose protocol and credentials are the library's business."""
    place = {name: pl.lit(value, _PLACE[name]) for name, value in _place(stored).items()}
    order = [field.name for field in table.schema().fields]
    extra = {name: pl.lit(None, pl.Int64()) for name in order if name not in (*values, *place)}
    plain = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
    rising = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE", encoding=_DIFFERENCES)
    timed = ColumnProperties(dictionary_enabled=False, statistics_enabled="CHUNK", encoding=_DIFFERENCES)
    properties = WriterProperties(
        compression="ZSTD",
        compression_level=_ZSTD_LEVEL,
        default_column_properties=plain,
        column_properties=dict.fromkeys(_RISING, rising) | dict.fromkeys(_TIMES, timed),
    )
    frame = pl.DataFrame(dict(values)).with_columns(**place, **extra).select(order)
    write_deltalake(table, frame, mode="append", writer_properties=properties)


def _event_rows(stored: StoredSession, events: DeltaTable | None) -> pl.DataFrame:
    """The events of a session in their order, without the place, which is the same for all."""
    if events is None or not stored.events:
        return pl.DataFrame(schema=_EVENTS)
    frame = _read(events, ("event", *_SIGNED, *stored.extra), session=stored.session_id)
    return frame if frame["event"].is_sorted() else frame.sort("event")


def _place(stored: StoredSession) -> dict[str, Any]:
    instrument = stored.instrument
    return dict(zip(_PARTITIONS, (instrument.venue, instrument.symbol, stored.day, stored.session_id), strict=True))


def _session_row(stored: StoredSession, events_version: int) -> pl.DataFrame:
    instrument = stored.instrument
    row = _place(stored) | {
        "source": stored.source,
        "open_ns": stored.open_ns,
        "close_ns": stored.close_ns,
        "first_ns": stored.first_ns,
        "last_ns": stored.last_ns,
        "events": stored.events,
        "events_version": events_version,
        "extra": list(stored.extra),
        "market": instrument.market,
        "asset_class": instrument.asset_class.value,
        "currency": instrument.currency,
        "tick_size": instrument.tick_size,
        "lot_size": instrument.lot_size,
        "time_zone": instrument.hours.time_zone,
        "open_s": instrument.hours.open_s,
        "close_s": instrument.hours.close_s,
        "quote_increment_ticks": instrument.quote_increment_ticks,
        "multiplier": instrument.multiplier,
        "inverse": instrument.inverse,
        "counts": json.dumps({name: int(count) for name, count in stored.counts.items()}),
        "paths": [str(path) for path in stored.paths],
        "findings": json.dumps([asdict(f) | {"voids": [a.value for a in f.voids]} for f in stored.findings]),
    }
    return pl.DataFrame([row], schema=_SESSIONS)


def _stored(row: Mapping[str, Any]) -> StoredSession:
    instrument = Instrument(
        row["symbol"],
        row["venue"],
        row["market"],
        AssetClass(row["asset_class"]),
        row["currency"],
        row["tick_size"],
        row["lot_size"],
        TradingHours(row["time_zone"], row["open_s"], row["close_s"]),
        row["quote_increment_ticks"],
        row["multiplier"],
        row["inverse"],
    )
    return StoredSession(
        row["session"],
        instrument,
        row["date"],
        row["open_ns"],
        row["close_ns"],
        row["source"],
        row["events"],
        row["first_ns"],
        row["last_ns"],
        tuple(row["extra"]),
        json.loads(row["counts"]),
        tuple(Path(path) for path in row["paths"]),
        tuple(
            Finding(**(finding | {"voids": tuple(Analysis(void) for void in finding["voids"])}))
            for finding in json.loads(row["findings"])
        ),
    )


def _rows(sessions: DeltaTable) -> list[dict[str, Any]]:
    """Rows of `sessions` in order of (symbol, venue, time)."""
    with _told(sessions.table_uri):
        return _read(sessions, tuple(_SESSIONS)).sort("symbol", "venue", "open_ns", "first_ns", "session").to_dicts()


def _batch_frame(table: Table) -> pl.DataFrame:
    """The rows with their position and batch; the first of them says where the batch came from."""
    about = {
        "source": pl.lit(table.source),
        "counts": pl.lit(json.dumps({name: int(count) for name, count in table.counts.items()})),
        "paths": pl.lit(pl.Series([[str(path) for path in table.paths]], dtype=pl.List(pl.String()))).first(),
    }
    first = pl.col("row") == 0
    return (
        table.frame.with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64), pl.lit(_table_hash(table)).alias("batch"))
        .with_columns(pl.when(first).then(value).alias(name) for name, value in about.items())
    )


def _table_hash(table: Table) -> str:
    """SHA-256 of kind, source and rows, as hex; nulls count by their place."""
    digest = hashlib.sha256(json.dumps([table.kind.value, table.source, len(table.frame)]).encode())
    for column in table.frame.get_columns():
        digest.update(column.is_null().cast(pl.Int8).to_numpy().tobytes())
        if column.dtype == pl.String:
            text = column.fill_null("")
            digest.update(text.str.len_bytes().to_numpy().tobytes())
            digest.update("".join(text).encode())
        else:
            number = column.cast(pl.Int8) if column.dtype == pl.Boolean else column
            digest.update(number.fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()


def _batches(table: DeltaTable) -> pl.DataFrame:
    """One row a batch: where it came from, its symbols, its first and last `known_at_ns`."""
    known = pl.col("known_at_ns")
    about = [pl.col(name).drop_nulls().first() for name in ("source", "counts", "paths")]
    span = [pl.col("symbol").unique().alias("symbols"), known.min().alias("first_ns"), known.max().alias("last_ns")]
    rows = _read(table, ("batch", "source", "counts", "paths", "symbol", "known_at_ns"))
    return rows.group_by("batch").agg(*about, *span)


def _same_table(table: Table, other: Mapping[str, Any]) -> bool:
    """A file of the same name and reader about one of the same symbols at one of the same times."""
    names = {path.name for path in table.paths} & {Path(path).name for path in other["paths"]}
    known = table.frame["known_at_ns"].to_numpy()
    overlap = known.min() <= other["last_ns"] and other["first_ns"] <= known.max()
    symbols = set(table.frame["symbol"].unique()) & set(other["symbols"])
    return table.source == other["source"] and bool(names) and bool(symbols) and bool(overlap)


def _swap(table: DeltaTable, rows: pl.DataFrame, key: str, old: Sequence[str], new: Sequence[str]) -> None:
    """Append rows, or put them in the place of others, in one commit."""
    with _told(table.table_uri):
        if old:
            write_deltalake(table, rows, mode="overwrite", predicate=_among(key, [*old, *new]))
        else:
            write_deltalake(table, rows, mode="append")
        table.update_incremental()


def _among(column: str, ids: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(one) for one in ids)})"


def _read(table: DeltaTable, names: Sequence[str], **partition: str) -> pl.DataFrame:
    """Columns of a table, or of one partition of it; files of other partitions are not opened.

    Through pyarrow: polars panics on a damaged file, and finds none in a folder with a space in its name.
    """
    pruned = [(name, "=", value) for name, value in partition.items()]
    dataset = table.to_pyarrow_dataset(file_pruning_predicate=pruned or None)
    found = dataset.to_table(columns=list(names), use_threads=False)
    found.validate(full=True)  # polars panics on a text that is none
    return pl.DataFrame(pl.from_arrow(found))


def _create(
    url: str,
    name: str,
    schema: Mapping[str, Any],
    partitions: Sequence[str] = (),
) -> DeltaTable:
    """The table, made when it is not there."""
    try:
        return _open(url, name)
    except _NoTable:
        with _told(url):  # e.g. a folder that cannot be written to
            return DeltaTable.create(
                f"{url}/{name}",
                pl.Schema(schema),
                mode="ignore",
                partition_by=list(partitions) or None,
                configuration=_PROPERTIES,
                raise_if_key_not_exists=False,
            )


def _open(url: str, name: str) -> DeltaTable:
    """The newest version of a table of the store.

    Raises:
        _NoTable: it is not there.
        UsageError: it is of a newer schema, of no store at all, or cannot be reached.
    """
    try:
        with _told(url):
            table = DeltaTable(f"{url}/{name}")
            found = table.metadata().configuration.get(_VERSION_KEY, "")
    except TableNotFoundError:
        raise _NoTable(f"{url}: no history store, no Delta table {name} in it") from None
    if not found.isdigit():
        raise UsageError(f"{url}/{name}: no table of a history store, allowed: one with {_VERSION_KEY}")
    if int(found) > SCHEMA_VERSION:
        raise UsageError(
            f"{url}: written with schema version {found} of the store, allowed: up to {SCHEMA_VERSION}; "
            "a newer release of footprint reads it"
        )
    return table


def _at(table: DeltaTable, version: int | str | None) -> DeltaTable:
    """The table as of a version or a time."""
    if version is None:
        return table
    newest = table.version()
    if isinstance(version, int) and not 0 <= version <= newest:
        raise UsageError(f"{table.table_uri}: no version {version}, allowed: 0 to {newest}")
    try:
        table.load_as_version(version)
    except (DeltaError, ValueError) as error:
        raise UsageError(f"{table.table_uri}: no version {version}: {_one_line(error)}") from error
    return table


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What the library raises, as one line that names the store."""
    try:
        yield
    except TableNotFoundError:
        raise
    except (DeltaError, pa.ArrowException) as error:
        raise UsageError(f"{url}: {_one_line(error)}") from error
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise UsageError(f"{url}: {_one_line(error)}") from error
        raise


def _one_line(error: BaseException) -> str:
    return " ".join(_COLOUR.sub("", str(error)).split())[:_MOST_TOLD] or type(error).__name__


def _is_local(url: str) -> bool:
    return "://" not in url or url.startswith("file://")


@contextmanager
def _only_writer(url: str) -> Iterator[None]:
    """Hold the lock of a local store; it goes with the process, however that ends."""
    if not _is_local(url):
        yield
        return
    import fcntl

    Path(url).mkdir(parents=True, exist_ok=True)
    handle = os.open(Path(url, ".writer.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UsageError(f"{url}: another process is writing to this store, allowed: one at a time") from None
    try:
        yield
    finally:
        os.close(handle)
