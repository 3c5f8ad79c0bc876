"""Futures ticks in the LEAN layout: `future/<market>/tick/<root>/<day>_trade.zip`, one headerless csv an expiry.

Columns: ms after midnight UTC, price, contracts, exchange, condition, suspicious. Nobody is named as the aggressor and
there are no quotes. Rows of size 0 are no trades, suspicious ones are not trusted: both are dropped and counted. Every
expiry is a session; the audit names the one that is liquid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from footprint.data.clock_findings import NO_RECEIVE_TIME
from footprint.data.files.refusals import refuse_far_prices, verdict_or_refusal
from footprint.data.files.table import Column
from footprint.data.readers import lean_archive
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument

FOLDER = "future"
MAX_TICK_RESIDUE = 1e-6  # of a tick: what a double leaves of a decimal
MIN_LIQUID_SHARE = 0.05  # of the contracts traded in the archive; below this an expiry is called thin

_COLUMNS = (
    lean_archive.TIME,
    Column("price", float, 0),
    Column("size", int, 0),
    Column("exchange", str),
    Column("condition", str, optional=True),
    Column("suspicious", int, 0, maximum=1),
)
_VOID = (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.SIGNED_TRADES, Analysis.FORECAST)


class _Terms(NamedTuple):
    """Terms of a contract: venue, price step, value of one unit of price."""

    venue: str
    tick_size: float
    multiplier: float
    currency: str


# Contract specifications of the venues. Prices of other roots are kept to the sixth decimal.
TERMS = {"GC": _Terms("COMEX", 0.1, 100.0, "USD")}
_UNKNOWN = _Terms("", 1e-6, 1.0, "")


class LeanFuturesReader:
    """Trades of all expiries of one future; one session an expiry and day."""

    name = "lean_futures"

    def recognise(self, path: Path) -> bool:
        """True for a zip whose first csv is named as LEAN names futures ticks."""
        found = lean_archive.kind_of(path, FOLDER)
        return found is not None and (found.type, found.kind) == ("future", "trade")

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [verdict_or_refusal(path, self.name, self._verdict) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Sessions in order of (symbol, day); every file is checked before the first.

        Raises:
            DataRefused: a file is refused.
        """
        places = [(s.instrument.symbol, s.day, path) for path in paths for s in _read_file(path)[0]]
        for symbol, _, path in sorted(places):
            yield from _read_file(path, only=symbol)[0]

    def _verdict(self, path: Path) -> FileVerdict:
        sessions, counts = _read_file(path)
        symbols = ",".join(session.instrument.symbol for session in sessions)
        return FileVerdict(path, self.name, symbols, tuple(_findings(sessions, counts)), counts)


def _read_file(path: Path, only: str | None = None) -> tuple[list[Session], dict[str, int]]:
    rows = lean_archive.read_rows(path, "future", ("trade",), _COLUMNS, only)
    if rows.contracts[0].resolution != "tick":
        raise DataRefused("not ticks", path=path, found=rows.contracts[0].resolution, allowed="tick")
    root = rows.contracts[0].root
    terms = TERMS.get(root, _UNKNOWN)
    multiples = rows.frame["price"].to_numpy() / terms.tick_size
    ticks = np.rint(multiples).astype(np.int64)
    off = np.abs(multiples - ticks) > MAX_TICK_RESIDUE
    rows.refuse_where(off, "price", "not a whole multiple", f"a multiple of {terms.tick_size:g}", path)
    suspicious, size = rows.frame["suspicious"].to_numpy() != 0, rows.frame["size"].to_numpy()
    kept = ~suspicious & (size > 0)
    rows.refuse_where(kept & (ticks <= 0), "price", "price not positive", "a positive price", path)
    counts = {
        "rows": len(kept),
        "suspicious_dropped": int(suspicious.sum()),
        "zero_size_dropped": int((~suspicious & (size == 0)).sum()),
        "trades": int(kept.sum()),
        "expiries": len(rows.contracts),
    }
    sessions = []
    for number, contract in enumerate(rows.contracts):
        mine = np.flatnonzero(kept & (rows.of == number))
        if len(mine):
            refuse_far_prices(
                ticks[mine], Path(f"{path}/{rows.names[number]}"), "price", rows.row[mine], unit=terms.tick_size
            )
            events = _events(rows, mine, ticks, size)
            sessions.append(_session(contract, terms, events, path))
    return sorted(sessions, key=lambda session: session.instrument.symbol), counts


def _events(rows: lean_archive.Rows, mine: np.ndarray, ticks: np.ndarray, size: np.ndarray) -> np.ndarray:
    events = empty_events(len(mine))
    events["exchange_time_ns"] = rows.frame["time_ns"].to_numpy()[mine]
    events["kind"], events["flags"] = EventKind.TRADE, EventFlag.LAST
    events["price_ticks"], events["size_lots"] = ticks[mine], size[mine]
    events["sequence"] = events["row"] = rows.row[mine]
    return events


def _session(contract: lean_archive.Contract, terms: _Terms, events: np.ndarray, path: Path) -> Session:
    instrument = Instrument(
        symbol=contract.symbol,
        venue=lean_archive.venue(path, FOLDER) or terms.venue,
        market="futures",
        asset_class=AssetClass.FUTURE,
        currency=terms.currency,
        tick_size=terms.tick_size,
        lot_size=1.0,
        hours=ALWAYS_OPEN,
        multiplier=terms.multiplier,
    )
    first_ns, last_ns = int(events["exchange_time_ns"][0]), int(events["exchange_time_ns"][-1])
    day = datetime.strptime(contract.day, "%Y%m%d").date()
    counts = {"trades": len(events), "contracts": int(events["size_lots"].sum())}
    return Session(instrument, day, events, first_ns, last_ns, LeanFuturesReader.name, counts, (path,))


def _findings(sessions: Sequence[Session], counts: dict[str, int]) -> list[Finding]:
    findings = [Finding("no_quotes", "unsigned trades without quotes: mids are unknown", voids=_VOID), NO_RECEIVE_TIME]
    for name, text in (("zero_size_dropped", "rows of size 0"), ("suspicious_dropped", "suspicious rows")):
        if counts[name]:
            findings.append(Finding(name, f"{counts[name]} {text} are dropped", counts[name]))
    if not sessions:
        return [*findings, Finding("no_trades", "no trade is left", voids=(Analysis.LAW,))]
    traded = {s.instrument.symbol: s.counts["contracts"] for s in sessions}
    total = sum(traded.values())
    liquid = max(traded, key=lambda symbol: traded[symbol])
    thin = [symbol for symbol, size in traded.items() if size < MIN_LIQUID_SHARE * total]
    if thin:
        share = f"{traded[liquid] / total:.1%}"
        text = f"{liquid} is the liquid expiry with {share} of the contracts, thin: {', '.join(thin)}"
        findings.append(Finding("thin_expiries", text, len(thin)))
    if sessions[0].instrument.tick_size == _UNKNOWN.tick_size:
        findings.append(Finding("unknown_contract", "tick, multiplier and currency of this root are not known here"))
    return findings
