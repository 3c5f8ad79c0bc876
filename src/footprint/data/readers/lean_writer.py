"""Write a session as LEAN equity tick files, so that the demo's tape takes the same road as real data."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from footprint.data.session import Session
from footprint.market.events import EventKind, event_time_ns
from footprint.units import NS_PER_DAY, NS_PER_MILLISECOND

PRICE_UNIT = 0.0001  # USD, of the integer prices in the files
_EXCHANGE, _REGULAR = "Q", "1"
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # of the zip entries: the same session gives the same bytes


def write_lean(session: Session, folder: Path) -> list[Path]:
    """`<folder>/<symbol>/<date>_trade.zip` and `_quote.zip`; times of day are written as they are, sides are not.

    Only trades and top-of-book quotes can be written; the files carry milliseconds and whole units.
    """
    events = session.events
    day_ms = (event_time_ns(events) % NS_PER_DAY) // NS_PER_MILLISECOND
    price = np.rint(events["price_ticks"] * (session.instrument.tick_size / PRICE_UNIT)).astype(np.int64)
    size = np.rint(events["size_lots"] * session.instrument.lot_size).astype(np.int64)
    columns = list(
        zip(
            events["kind"].tolist(),
            events["side"].tolist(),
            day_ms.tolist(),
            price.tolist(),
            size.tolist(),
            strict=True,
        )
    )
    trades = [f"{ms},{p},{q},{_EXCHANGE},{_REGULAR},0" for kind, _, ms, p, q in columns if kind == EventKind.TRADE]
    quotes = [
        f"{ms},{p},{q},0,0,{_EXCHANGE},{_REGULAR},0" if side > 0 else f"{ms},0,0,{p},{q},{_EXCHANGE},{_REGULAR},0"
        for kind, side, ms, p, q in columns
        if kind == EventKind.QUOTE
    ]
    symbol, day = session.instrument.symbol.lower(), f"{session.day:%Y%m%d}"
    home = folder / symbol
    home.mkdir(parents=True, exist_ok=True)
    return [
        _write_zip(home / f"{day}_{kind.lower()}.zip", f"{day}_{symbol}_{kind}_Tick.csv", lines)
        for kind, lines in (("Trade", trades), ("Quote", quotes))
    ]


def _write_zip(path: Path, name: str, lines: list[str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)
    return path
