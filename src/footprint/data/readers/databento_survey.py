"""First pass over a DBN file: which sessions it holds, how many events each has, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from footprint.data.files.unpacked import Unpacked
from footprint.data.readers.databento_file import (
    LEVEL_DTYPE,
    MBO_DTYPE,
    PRINT_DTYPE,
    SCHEMAS,
    UNDEF_PRICE,
    DbnHeader,
    RecordBlock,
    Schema,
    record_blocks,
)
from footprint.data.readers.databento_kernels import Fault, Stat, survey_levels, survey_orders, write_levels
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME
from footprint.units import NS_PER_DAY, NS_PER_SECOND

_MAX_DAY = 1 << 16  # days after 1970 that fit a slot's key
_ALLOWED = {
    Fault.ACTION: ("unknown action", "action", "A, C, M, T, F, R or N"),
    Fault.SIDE: ("unknown side", "side", "A or B, N where there is none"),
    Fault.PRICE: ("undefined price", "price", "a price"),
    Fault.CLOCK: ("clock goes back", "ts_recv", "not before the record above of the same instrument"),
}
NO_EVENTS = np.empty(0, EVENT_DTYPE)


@dataclass(frozen=True, slots=True)
class Part:
    """What one file holds of one instrument and day.

    Attributes:
        slot: its place in the survey of the file.
        stats: int64 of shape (len(Stat),).
    """

    path: Path
    slot: int
    publisher_id: int
    instrument_id: int
    day: date
    stats: np.ndarray


@dataclass(frozen=True, slots=True)
class Survey:
    """A whole file, checked and counted.

    Attributes:
        other_records: records of other types than the schema's, by type.
        slot_of: slot by key of (publisher, instrument, day).
    """

    header: DbnHeader
    schema: Schema
    parts: tuple[Part, ...]
    slot_of: dict[int, int]
    other_records: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class Windows:
    """The last window of price levels of each slot; grows with the slots."""

    levels: int
    prices: np.ndarray = field(init=False)
    sizes: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.prices = np.empty((0, 2 * self.levels), np.int64)
        self.sizes = np.empty((0, 2 * self.levels), np.int64)

    def reach(self, slots: int) -> None:
        """Have room for that many slots; a new one is empty."""
        self.prices = grown(self.prices, slots, UNDEF_PRICE)
        self.sizes = grown(self.sizes, slots, 0)


def survey(header: DbnHeader, content: Unpacked) -> Survey:
    """Check every record of a file and count the events of each instrument and day.

    Raises:
        DataRefused: a record that cannot be; the message names it.
    """
    schema = SCHEMAS[header.schema]
    slot_of: dict[int, int] = {}
    stats, dtype = np.zeros((0, len(Stat)), np.int64), _dtype(schema)
    counts, windows = np.zeros(0, np.int64), Windows(schema.levels)
    others: Counter[int] = Counter()
    for block in record_blocks(header, content, others):
        slots = block_slots(block, schema, slot_of, header.path)
        stats, counts = grown(stats, len(slot_of), 0), grown(counts, len(slot_of), 0)
        if schema.name == "mbo":
            bad, fault = survey_orders(orders_of(block), block.row, slots, stats)
        else:
            windows.reach(len(slot_of))
            prints, prices, sizes = levels_of(block, schema.levels)
            bad, fault = survey_levels(prints, prices, block.row, slots, stats, schema.sampled)
            if fault == Fault.NONE:
                ones = np.ones(len(slot_of), np.int64)
                write_levels(
                    prints, prices, sizes, block.row, slots, counts, ones, windows.prices, windows.sizes, ones,
                    False, schema.sampled, schema.filtered, NO_EVENTS,
                )  # fmt: skip
        if fault != Fault.NONE:
            raise _refusal(Fault(fault), block, bad, dtype, header.path)
    if schema.name != "mbo":
        stats[:, Stat.EVENTS] = counts[: len(stats)]
    parts = tuple(_part(header.path, key, slot, stats[slot]) for key, slot in slot_of.items())
    return Survey(header, schema, parts, slot_of, others)


def orders_of(block: RecordBlock) -> np.ndarray:
    """The records as MBO_DTYPE, without what follows it."""
    return _as_records(block.raw, MBO_DTYPE)


def levels_of(block: RecordBlock, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The records as PRINT_DTYPE, and prices and sizes of their windows, int64 of shape (n, 2 * levels)."""
    prints = _as_records(block.raw, PRINT_DTYPE)
    first = PRINT_DTYPE.itemsize
    packed = np.ascontiguousarray(block.raw[:, first : first + levels * LEVEL_DTYPE.itemsize])
    window = packed.view(LEVEL_DTYPE) if levels else np.empty((len(prints), 0), LEVEL_DTYPE)
    prices, sizes = (np.empty((len(prints), 2 * levels), np.int64) for _ in range(2))
    prices[:, 0::2], prices[:, 1::2] = window["bid_px"], window["ask_px"]
    sizes[:, 0::2], sizes[:, 1::2] = window["bid_sz"], window["ask_sz"]
    return prints, prices, sizes


def block_slots(block: RecordBlock, schema: Schema, slot_of: dict[int, int], path: Path) -> np.ndarray:
    """Slot of each record, int64 of shape (n,); new slots are entered into `slot_of`.

    Raises:
        DataRefused: a time that no clock shows.
    """
    records = _as_records(block.raw, _dtype(schema))
    time_ns = records["ts_recv"].astype(np.int64)
    if (time_ns == UNKNOWN_TIME).any():
        time_ns = np.where(time_ns == UNKNOWN_TIME, records["ts_event"].astype(np.int64), time_ns)
    wrong = np.flatnonzero((time_ns <= 0) | (time_ns >= _MAX_DAY * NS_PER_DAY))
    if len(wrong):
        at = int(wrong[0])
        raise DataRefused(
            "time out of range", path=path, row=int(block.row[at]), field="ts_recv", found=int(records["ts_recv"][at]),
            allowed="nanoseconds since 1970",
        )  # fmt: skip
    publisher, instrument = records["publisher_id"].astype(np.uint64), records["instrument_id"].astype(np.uint64)
    day = (time_ns // NS_PER_DAY).astype(np.uint64)
    keys = (publisher << np.uint64(48)) | (instrument << np.uint64(16)) | day
    if (keys == keys[0]).all():
        return np.full(len(keys), slot_of.setdefault(int(keys[0]), len(slot_of)))
    found, inverse = np.unique(keys, return_inverse=True)
    return np.array([slot_of.setdefault(int(key), len(slot_of)) for key in found])[inverse]


def grown(array: np.ndarray, length: int, fill: int) -> np.ndarray:
    """The array with at least `length` rows, new ones filled; the same one when it is long enough."""
    if len(array) >= length:
        return array
    new = np.full((max(length, 2 * len(array)), *array.shape[1:]), fill, array.dtype)
    new[: len(array)] = array
    return new


def _dtype(schema: Schema) -> np.dtype:
    """What the records of a schema begin with."""
    return MBO_DTYPE if schema.name == "mbo" else PRINT_DTYPE


def _as_records(raw: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The first fields of each record, without copying."""
    if raw.shape[1] == dtype.itemsize and raw.flags.c_contiguous:
        return raw.reshape(-1).view(dtype)
    return np.ascontiguousarray(raw[:, : dtype.itemsize]).reshape(-1).view(dtype)


def _part(path: Path, key: int, slot: int, stats: np.ndarray) -> Part:
    day = datetime.fromtimestamp((key & 0xFFFF) * NS_PER_DAY // NS_PER_SECOND, UTC).date()
    return Part(path, slot, key >> 48, (key >> 16) & 0xFFFFFFFF, day, stats)


def _refusal(fault: Fault, block: RecordBlock, at: int, dtype: np.dtype, path: Path) -> DataRefused:
    reason, name, allowed = _ALLOWED[fault]
    record = _as_records(block.raw[at : at + 1], dtype)[0]
    found = {
        Fault.ACTION: chr(record["action"]),
        Fault.SIDE: chr(record["side"]),
        Fault.CLOCK: int(record["ts_recv"]),
    }.get(fault)
    return DataRefused(reason, path=path, row=int(block.row[at]), field=name, found=found, allowed=allowed)
