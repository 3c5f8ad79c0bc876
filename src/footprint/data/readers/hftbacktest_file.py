"""One hftbacktest npz as it lies: its array, in either layout, as the same columns.

- First layout: float64 of shape (n, 6): event, exchange time, local time, side (+1, -1), price, quantity. A time of -1
  says that the row does not exist for the exchange or for the local side.
- Present layout: a structured array of ev, exch_ts, local_ts, px, qty, order_id, ival, fval; bits 31 and 30 of ev say
  that the row exists for the exchange and the local side, bits 29 and 28 are buy and sell, the rest is the event.

Source: hftbacktest, `types.py` of the present version and `reader.py` of version 1.
"""

from __future__ import annotations

import io
import re
import tokenize
import zipfile
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from pathlib import Path

import numpy as np

from footprint.data.files.compressed import DAMAGED, head
from footprint.data.files.refusals import refuse_where
from footprint.errors import DataRefused

EXCHANGE_BIT, LOCAL_BIT, BUY_BIT, SELL_BIT = (1 << 31, 1 << 30, 1 << 29, 1 << 28)
USER_DEFINED = 100  # this and every higher event number belongs to the user

EVENT_DTYPE = np.dtype(
    [
        ("ev", "<u8"),
        ("exch_ts", "<i8"),
        ("local_ts", "<i8"),
        ("px", "<f8"),
        ("qty", "<f8"),
        ("order_id", "<u8"),
        ("ival", "<i8"),
        ("fval", "<f8"),
    ]
)

_NPY = b"\x93NUMPY"
_MEMBER = "data.npy"
_NAME = re.compile(r"(?P<symbol>[A-Za-z0-9.\-]+?)_(?P<day>\d{8})(?P<eod>_eod)?(\..*)?")
_MAX_RATIO = 1100  # deflate cannot pack tighter
_NS_PER_UNIT = ((10**17, 1), (10**14, 1000), (10**11, 1_000_000), (10**8, 1_000_000_000))
_UNIT_NAMES = {1: "ns", 1000: "us", 1_000_000: "ms", 1_000_000_000: "s"}
# numpy evaluates the header as Python, after an attempt to repair it token by token
_NO_HEADER = (ValueError, SyntaxError, tokenize.TokenError, EOFError, RecursionError, MemoryError, TypeError)


class HftEvent(IntEnum):
    """Event numbers of both layouts; the first one knows the first four only."""

    DEPTH = 1
    TRADE = 2
    DEPTH_CLEAR = 3
    DEPTH_SNAPSHOT = 4
    DEPTH_BBO = 5
    ADD_ORDER = 10
    CANCEL_ORDER = 11
    MODIFY_ORDER = 12
    FILL = 13


@dataclass(frozen=True, slots=True)
class HftRows:
    """Checked rows of one file, arrays of shape (n,).

    Attributes:
        kind: HftEvent, or USER_DEFINED and above.
        side: +1, -1 or 0.
        exchange_ns, local_ns: ns UTC; 0 where the row does not exist for that side.
        unit: what the file counts time in, by its magnitude: "s", "ms", "us" or "ns".
    """

    path: Path
    kind: np.ndarray
    side: np.ndarray
    exchange_ns: np.ndarray
    local_ns: np.ndarray
    price: np.ndarray
    quantity: np.ndarray
    order_id: np.ndarray
    unit: str


@dataclass(frozen=True, slots=True)
class HftName:
    """What the name of a file says: hftbacktest stores neither symbol nor day."""

    symbol: str
    day: date | None
    end_of_day: bool


def is_hftbacktest(path: Path) -> bool:
    """True when the first member is an array of one of the two layouts, or nothing of an .npz can be unpacked."""
    start = head(path)
    if not start.content.startswith(_NPY):
        return path.suffix == ".npz" and not start.content
    header = start.content[:512]
    return b"'exch_ts'" in header or re.search(rb"'<?f8'.*'shape': \(\d+, 6\)", header) is not None


def name_of(path: Path) -> HftName:
    """Symbol (upper case), day and whether it is the end-of-day snapshot, as far as the name says it."""
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return HftName(path.stem.upper(), None, path.stem.endswith("_eod"))
    text = match["day"]
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        day = None
    return HftName(match["symbol"].upper(), day, match["eod"] is not None)


def read_rows(path: Path) -> HftRows:
    """Read and check a file.

    Raises:
        DataRefused: damaged archive, another layout, pickled objects, an unknown event or side, a number that is not
            finite, not positive or beyond the clock.
    """
    data = _load(path)
    if not len(data):
        raise DataRefused("no rows", path=path, allowed="at least one row")
    return _structured(data, path) if data.dtype.names else _float_rows(data, path)


def _load(path: Path) -> np.ndarray:
    """The one array of the archive; its header must promise exactly the bytes that the archive holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if [info.filename for info in infos] != [_MEMBER]:
                raise DataRefused("wrong members", path=path, found=[i.filename for i in infos], allowed=_MEMBER)
            if infos[0].file_size > _MAX_RATIO * max(infos[0].compress_size, 1):
                raise DataRefused(
                    "archive too large unpacked", path=path, found=infos[0].file_size, allowed="what deflate can pack"
                )
            content = archive.read(infos[0])
    except DAMAGED as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole archive") from error
    return _array(content, path)


def _array(content: bytes, path: Path) -> np.ndarray:
    allowed = "float64 of shape (n, 6), or ev, exch_ts, local_ts, px, qty, order_id, ival, fval"
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = reader(file)
    except _NO_HEADER as error:
        found = (str(error) or type(error).__name__).splitlines()[0]
        raise DataRefused("not an array", path=path, found=found, allowed=allowed) from error
    flat = dtype.names is None and dtype == np.float64 and len(shape) == 2 and shape[1] == 6
    named = dtype.names == EVENT_DTYPE.names and len(shape) == 1
    if not (flat or named) or fortran or dtype.hasobject:
        raise DataRefused("wrong columns", path=path, found=f"{dtype} {shape}", allowed=allowed)
    body = content[file.tell() :]
    if shape[0] * (6 if flat else 1) * dtype.itemsize != len(body):
        raise DataRefused("row count mismatch", path=path, found=f"{len(body)} bytes", allowed=f"{shape} of {dtype}")
    data = np.frombuffer(body, dtype)
    return data.reshape(shape) if flat else data.astype(EVENT_DTYPE)


def _float_rows(data: np.ndarray, path: Path) -> HftRows:
    event, exchange, local, side, price, quantity = data.T
    for column, name in zip(data.T, ("event", "exchange time", "local time", "side", "price", "quantity"), strict=True):
        refuse_where(~np.isfinite(column), column, path, name, "not a finite number", "a finite number")
    refuse_where(
        (event != np.rint(event)) | (event < 1) | (event > 2**31), event, path, "event", "unknown event", _events()
    )
    refuse_where(~np.isin(side, (-1, 0, 1)), side, path, "side", "unknown side", "1, 0 or -1")
    times = [np.where(np.abs(t) < 2.0**62, t, -1).astype(np.int64) for t in (exchange, local)]
    return _checked(
        path, event.astype(np.int64), side.astype(np.int8), times, price, quantity, np.zeros(len(data), np.uint64)
    )


def _structured(data: np.ndarray, path: Path) -> HftRows:
    ev = data["ev"]
    known = np.uint64(EXCHANGE_BIT | LOCAL_BIT | BUY_BIT | SELL_BIT | (SELL_BIT - 1))
    refuse_where((ev & ~known) != 0, ev, path, "ev", "unknown event", _events())
    bits = {bit: (ev & np.uint64(bit)) != 0 for bit in (EXCHANGE_BIT, LOCAL_BIT, BUY_BIT, SELL_BIT)}
    refuse_where(bits[BUY_BIT] & bits[SELL_BIT], ev, path, "ev", "unknown side", "buy, sell or neither")
    refuse_where(~(bits[EXCHANGE_BIT] | bits[LOCAL_BIT]), ev, path, "ev", "row of nobody", "exchange, local or both")
    for name in ("px", "qty"):
        refuse_where(~np.isfinite(data[name]), data[name], path, name, "not a finite number", "a finite number")
    times = [np.where(bits[bit], data[name], -1) for bit, name in ((EXCHANGE_BIT, "exch_ts"), (LOCAL_BIT, "local_ts"))]
    side = bits[BUY_BIT].astype(np.int8) - bits[SELL_BIT].astype(np.int8)
    kind = (ev & np.uint64(SELL_BIT - 1)).astype(np.int64)
    return _checked(path, kind, side, times, data["px"], data["qty"], data["order_id"])


def _checked(
    path: Path,
    kind: np.ndarray,
    side: np.ndarray,
    times: list[np.ndarray],
    price: np.ndarray,
    quantity: np.ndarray,
    order_id: np.ndarray,
) -> HftRows:
    """The rules that both layouts share."""
    known = np.isin(kind, [int(event) for event in HftEvent]) | (kind >= USER_DEFINED)
    refuse_where(~known, kind, path, "event", "unknown event", _events())
    of_book = (kind < USER_DEFINED) & (kind != HftEvent.DEPTH_CLEAR)
    by_id = np.isin(kind, (HftEvent.CANCEL_ORDER, HftEvent.FILL, HftEvent.MODIFY_ORDER))
    sideless = of_book & ~by_id & (kind != HftEvent.TRADE) & (side == 0)
    refuse_where(sideless, side, path, "side", "unknown side", "buy or sell")
    refuse_where(of_book & ~by_id & (price <= 0), price, path, "price", "price not positive", "more than 0")
    refuse_where(of_book & (quantity < 0), quantity, path, "quantity", "negative value", "at least 0")
    scale = _ns_per_unit(times, path)
    first, last = 978_307_200 * 10**9 // scale, 4_102_444_800 * 10**9 // scale
    for name, time in zip(("exchange time", "local time"), times, strict=True):
        far = (time > 0) & ((time < first) | (time > last))
        refuse_where(far, time, path, name, "time out of range", f"2001 to 2100 in {_UNIT_NAMES[scale]}, or -1")
    exchange_ns, local_ns = (np.where(time > 0, time, 0) * scale for time in times)
    neither = (exchange_ns == 0) & (local_ns == 0)
    refuse_where(neither, times[1], path, "local time", "row without a time", "a time of either side")
    return HftRows(path, kind, side, exchange_ns, local_ns, price, quantity, order_id, _UNIT_NAMES[scale])


def _ns_per_unit(times: list[np.ndarray], path: Path) -> int:
    """By the magnitude of the middle time: a year between 1973 and 5138 in exactly one of the four units."""
    given = np.concatenate([time[time > 0] for time in times])
    middle = int(np.median(given)) if len(given) else 0
    for least, scale in _NS_PER_UNIT:
        if middle >= least:
            return scale
    raise DataRefused("time out of range", path=path, found=middle, allowed="s, ms, us or ns since 1970")


def _events() -> str:
    return ", ".join(f"{event.value} {event.name}" for event in HftEvent) + f", or {USER_DEFINED} and above"
