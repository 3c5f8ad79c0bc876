"""A DBN file (Databento Binary Encoding, versions 1 to 3) as blocks of records of its one schema.

Layout: "DBN", a version byte, the length of the metadata, the metadata, then records. Each record starts with its
length in words of 4 bytes and its record type, so records of other types (gateway messages in a live capture) are
passed over and counted. Layouts: docs.rs/dbn, module `record`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from footprint.data.files.unpacked import Unpacked
from footprint.errors import DataRefused

if TYPE_CHECKING:
    from databento_dbn import Metadata

MAGIC = b"DBN"
VERSIONS = (1, 2, 3)
PRICE_UNITS = 1_000_000_000  # prices are integers of 1e-9
UNDEF_PRICE = np.iinfo(np.int64).max
MAX_METADATA_BYTES = 1 << 26

FLAG_LAST, FLAG_TOP_OF_BOOK, FLAG_SNAPSHOT, FLAG_AGGREGATED = 128, 64, 32, 16
FLAG_BAD_RECEIVE_TIME, FLAG_MAYBE_BAD_BOOK = 8, 4

_HEADER = [
    ("length", "u1"),  # words of 4 bytes
    ("rtype", "u1"),
    ("publisher_id", "<u2"),
    ("instrument_id", "<u4"),
    ("ts_event", "<u8"),
]
_PRINT = [("price", "<i8"), ("size", "<u4"), ("action", "u1"), ("side", "u1"), ("flags", "u1"), ("depth", "u1")]
_CLOCK = [("ts_recv", "<u8"), ("ts_in_delta", "<i4"), ("sequence", "<u4")]
MBO_DTYPE = np.dtype(
    [
        *_HEADER,
        ("order_id", "<u8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("flags", "u1"),
        ("channel_id", "u1"),
        ("action", "u1"),
        ("side", "u1"),
        *_CLOCK,
    ]
)
PRINT_DTYPE = np.dtype([*_HEADER, *_PRINT, *_CLOCK])  # trades, and what every price-level record begins with
LEVEL_DTYPE = np.dtype(
    [("bid_px", "<i8"), ("ask_px", "<i8"), ("bid_sz", "<u4"), ("ask_sz", "<u4"), ("bid_ct", "<u4"), ("ask_ct", "<u4")]
)
MIN_RECORD_BYTES = 16


class Schema(NamedTuple):
    """A schema whose records become events.

    Attributes:
        rtype: record type of its records.
        levels: price levels a side that each record carries.
        depth: schemas of one day are ranked by it; the deepest is used.
        sampled: the state at the end of an interval, not an event.
        filtered: a selection of records, of which each stands for itself.
    """

    name: str
    rtype: int
    levels: int
    depth: int
    sampled: bool = False
    filtered: bool = False


SCHEMAS: Mapping[str, Schema] = {
    schema.name: schema
    for schema in (
        Schema("mbo", 160, 0, 6),
        Schema("mbp-10", 10, 10, 5),
        Schema("mbp-1", 1, 1, 4),
        Schema("tbbo", 1, 1, 3, filtered=True),
        Schema("trades", 0, 0, 2, filtered=True),
        Schema("bbo-1s", 195, 1, 1, sampled=True, filtered=True),
        Schema("bbo-1m", 196, 1, 0, sampled=True, filtered=True),
    )
}
DEFINITION = "definition"
_DEFINITION_RTYPE = 19
_DEFINITION_BYTES = {1: 360, 2: 400, 3: 520}


@dataclass(frozen=True, slots=True)
class DbnHeader:
    """What the metadata says.

    Attributes:
        schema: name of the schema, "" for a capture of several.
        symbols: for (instrument id, day), the raw symbols that map to it.
        ts_out: every record carries a send time of the gateway at its end.
    """

    path: Path
    version: int
    dataset: str
    schema: str
    ts_out: bool
    size: int  # bytes before the first record
    symbols: Mapping[int, tuple[tuple[date, date, str], ...]] = field(default_factory=dict)

    def symbol_on(self, instrument_id: int, day: date) -> str:
        """The raw symbol of an instrument on a day, "" when the metadata does not say or names two."""
        intervals = self.symbols.get(instrument_id, ())
        named = {symbol for start, end, symbol in intervals if start <= day < end}
        return named.pop() if len(named) == 1 else ""


class RecordBlock(NamedTuple):
    """Whole records of one block of a file.

    Attributes:
        raw: uint8 of shape (n, bytes a record).
        row: 1-based place of each among all records of the file, int64 of shape (n,).
    """

    raw: np.ndarray
    row: np.ndarray


def read_header(path: Path, content: Unpacked) -> DbnHeader:
    """The metadata of a file.

    Raises:
        DataRefused: no DBN, of another version, or the metadata are cut or damaged.
    """
    import databento_dbn

    start = b""
    wanted = 8
    chunks = content.chunks(path)
    while len(start) < wanted:
        chunk = next(chunks, None)
        if chunk is None:
            raise DataRefused("truncated metadata", path=path, found=f"{len(start)} bytes", allowed=f"{wanted} bytes")
        start += chunk
        if wanted == 8 and len(start) >= 8:
            wanted = 8 + _metadata_bytes(start, path)
    try:
        metadata = databento_dbn.Metadata.decode(start[:wanted])
        return DbnHeader(
            path=path,
            version=start[3],
            dataset=metadata.dataset,
            schema="" if metadata.schema is None else str(metadata.schema),
            ts_out=metadata.ts_out,
            size=wanted,
            symbols=_symbols(metadata),
        )
    except (databento_dbn.DBNError, ValueError, TypeError, OverflowError) as error:
        raise DataRefused(
            f"damaged metadata ({str(error)[:80]})", path=path, field="metadata", allowed="DBN metadata"
        ) from error


def _metadata_bytes(start: bytes, path: Path) -> int:
    if not start.startswith(MAGIC):
        raise DataRefused("no DBN file", path=path, field="magic", found=start[:3], allowed="DBN")
    if start[3] not in VERSIONS:
        raise DataRefused("unknown DBN version", path=path, field="version", found=start[3], allowed="1, 2 or 3")
    length = int.from_bytes(start[4:8], "little")
    if length > MAX_METADATA_BYTES:
        raise DataRefused(
            "metadata too long", path=path, field="length", found=length, allowed=f"at most {MAX_METADATA_BYTES}"
        )
    return length


def _symbols(metadata: Metadata) -> dict[int, tuple[tuple[date, date, str], ...]]:
    """Raw symbols by instrument id; empty when the file maps something else than symbols to ids."""
    found: dict[int, list[tuple[date, date, str]]] = {}
    for symbol, intervals in metadata.mappings.items():
        for interval in intervals:
            target = str(interval["symbol"])
            if target.isdecimal():
                span = (interval["start_date"], interval["end_date"], symbol)
                found.setdefault(int(target), []).append(span)
    return {key: tuple(spans) for key, spans in found.items()}


def record_bytes(header: DbnHeader) -> tuple[int, int]:
    """Record type and length in bytes of the records of the file's schema.

    Raises:
        DataRefused: a schema whose records are not read.
    """
    extra = 8 * header.ts_out
    if header.schema == DEFINITION:
        return _DEFINITION_RTYPE, _DEFINITION_BYTES[header.version] + extra
    schema = SCHEMAS.get(header.schema)
    if schema is None:
        raise DataRefused("schema is not read", path=header.path, field="schema", found=header.schema)
    base = MBO_DTYPE.itemsize if schema.name == "mbo" else PRINT_DTYPE.itemsize + schema.levels * LEVEL_DTYPE.itemsize
    return schema.rtype, base + extra


def record_blocks(header: DbnHeader, content: Unpacked, others: Counter[int] | None = None) -> Iterator[RecordBlock]:
    """All records of the file's schema, block by block.

    Args:
        others: counts records of other types by type, when given.

    Raises:
        DataRefused: a record is cut, or its length is not that of its type.
    """
    rtype, size = record_bytes(header)
    skip, rest, row = header.size, b"", 1
    for chunk in content.chunks(header.path):
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        body = memoryview(chunk)[skip:]
        skip = 0
        # the record across the end of the last piece goes alone, so that a piece is not copied for its sake
        missing = max(size - len(rest), 0) if rest else 0
        for piece in (body[:missing], body[missing:]):
            data = rest + bytes(piece) if rest else piece
            block, used, row = _take(data, rtype, size, row, header.path, others)
            rest = bytes(data[used:])
            if len(block.raw):
                yield block
    if rest:
        raise DataRefused(
            "truncated record", path=header.path, row=row, found=f"{len(rest)} bytes", allowed="a whole record"
        )


def _take(
    data: bytes | memoryview, rtype: int, size: int, row: int, path: Path, others: Counter[int] | None
) -> tuple[RecordBlock, int, int]:
    """The records in `data`, how many bytes they took, and the row of the record after them."""
    count = len(data) // size
    flat = np.frombuffer(data, np.uint8)
    raw = flat[: count * size].reshape(count, size)
    if (raw[:, 0] == size // 4).all() and (raw[:, 1] == rtype).all():
        return RecordBlock(raw, np.arange(row, row + count)), count * size, row + count
    starts = np.empty(len(data) // MIN_RECORD_BYTES + 1, np.int64)
    found, used = _record_starts(flat, starts)
    if used < 0:
        length = int(flat[starts[found]]) * 4
        raise _wrong_length(path, row + found, length, f"at least {MIN_RECORD_BYTES} bytes")
    starts = starts[:found]
    types, lengths = flat[starts + 1], flat[starts].astype(np.int64) * 4
    mine = types == rtype
    wrong = np.flatnonzero(mine & (lengths != size))
    if len(wrong):
        raise _wrong_length(path, row + int(wrong[0]), int(lengths[wrong[0]]), f"{size} bytes")
    if others is not None:
        others.update(types[~mine].tolist())
    raw = flat[starts[mine][:, None] + np.arange(size)]
    return RecordBlock(raw, row + np.flatnonzero(mine)), used, row + found


def _wrong_length(path: Path, row: int, found: int, allowed: str) -> DataRefused:
    return DataRefused("wrong record length", path=path, row=row, field="length", found=found, allowed=allowed)


@njit(cache=True)
def _record_starts(flat: np.ndarray, starts: np.ndarray) -> tuple[int, int]:
    """Starts of the whole records; how many there are and the bytes they take, -1 when the next length cannot be."""
    at = count = 0
    while at < len(flat):
        length = int(flat[at]) * 4
        starts[count] = at
        if length < MIN_RECORD_BYTES:
            return count, -1
        if at + length > len(flat):
            break
        count += 1
        at += length
    return count, at
