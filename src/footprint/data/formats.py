"""The formats that can be read, and the way in: paths -> verdicts -> sessions of events, and tables.

A path is a file, a folder, or a history store that `footprint ingest` made; `FORMAT:PATH` forces the format,
`MAPPING.yaml:PATH` reads a csv or Parquet file as the mapping says. Files are recognised by content. Whatever is
recognised is audited first and never used when refused; a file in a folder that is of no known format is listed and
left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from footprint.data.readers.b3 import B3Reader
from footprint.data.readers.b3_option_trades import B3OptionTradesReader
from footprint.data.readers.b3_orders import B3OrdersReader
from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.binance_archive import BinanceArchiveReader
from footprint.data.readers.bitfinex import BitfinexReader
from footprint.data.readers.bitstamp import BitstampReader
from footprint.data.readers.bybit import BybitReader
from footprint.data.readers.bybit_funding import BybitFundingReader
from footprint.data.readers.databento import DatabentoReader
from footprint.data.readers.deribit_chain import DeribitChainReader
from footprint.data.readers.frames import FramesReader
from footprint.data.readers.hftbacktest import HftbacktestReader
from footprint.data.readers.iex import IexReader
from footprint.data.readers.itch import ItchReader
from footprint.data.readers.lean import LeanReader
from footprint.data.readers.lean_bars import LeanBarsReader
from footprint.data.readers.lean_futures import LeanFuturesReader
from footprint.data.readers.lean_open_interest import LeanOpenInterestReader
from footprint.data.readers.lean_options import LeanOptionsReader
from footprint.data.readers.lobster import LobsterReader
from footprint.data.readers.mapped import mapped_reader
from footprint.data.readers.open_auction import OpenAuctionReader
from footprint.data.readers.sgx import SgxReader
from footprint.data.readers.store import StoreReader, instruments
from footprint.data.readers.taq import TaqReader
from footprint.data.readers.tardis import TardisReader
from footprint.data.readers.tcapy_fx import TcapyFxReader
from footprint.data.session import Reader, Session
from footprint.data.tables import Table, TableReader
from footprint.data.verdict import FileVerdict, Finding, Verdict
from footprint.errors import DataRefused, UsageError

STORE = StoreReader()

READERS: tuple[Reader, ...] = (
    LobsterReader(),
    LeanFuturesReader(),  # before LeanReader, which takes a zip that cannot be opened by its name
    LeanReader(),
    BinanceReader(),
    B3Reader(),
    TardisReader(),
    BitstampReader(),
    BitfinexReader(),
    HftbacktestReader(),
    BybitReader(),
    BinanceArchiveReader(),
    FramesReader(),
    DatabentoReader(),
    ItchReader(),
    IexReader(),
    B3OrdersReader(),
    B3OptionTradesReader(),
    SgxReader(),
    TaqReader(),
    STORE,
)
TABLE_READERS: tuple[TableReader, ...] = (
    LeanBarsReader(),
    LeanOptionsReader(),
    LeanOpenInterestReader(),
    OpenAuctionReader(),
    DeribitChainReader(),
    BybitFundingReader(),
    TcapyFxReader(),
)

AnyReader = Reader | TableReader

NOT_RECOGNISED = "not_recognised"
_ALL: tuple[AnyReader, ...] = (*READERS, *TABLE_READERS)
_KNOWN = ", ".join(reader.name for reader in _ALL)


@dataclass(frozen=True, slots=True)
class _Source:
    """One file and who reads it; `named` when the user named the file itself, not a folder around it."""

    path: Path
    reader: AnyReader | None
    named: bool


def audit(paths: Sequence[str | Path]) -> list[FileVerdict]:
    """One verdict per file, in the order of the files; files in folders are sorted by path.

    Raises:
        UsageError: a path does not exist or cannot be read, or a forced format is unknown.
    """
    return _audit(_sources(paths))


def sessions(
    paths: Sequence[str | Path], symbol: str | None = None, verdicts: Sequence[FileVerdict] | None = None
) -> Iterator[Session]:
    """Sessions of all files, format by format, in order of (symbol, time) within one.

    Args:
        symbol: only this instrument (upper or lower case).
        verdicts: what `audit` said of the same paths; the files are audited here when None.

    Raises:
        DataRefused: any of the files is refused; nothing has been read from any of them then.
        UsageError: as `audit`; nothing recognised; or no file of that symbol.
    """
    sources = _usable(paths, symbol, verdicts)
    readers = [(r, files) for r, files in _by_reader(sources) if isinstance(r, Reader)]
    if not readers:
        held = ", ".join(sorted({source.reader.name for source in sources if source.reader}))
        raise UsageError(f"no stream of events in {_names(paths)}, only tables: {held}")
    found = (session for reader, files in readers for session in reader.sessions(files))
    return _each_day_once(s for s in found if symbol is None or s.instrument.symbol == symbol.upper())


def tables(
    paths: Sequence[str | Path], symbol: str | None = None, verdicts: Sequence[FileVerdict] | None = None
) -> Iterator[Table]:
    """Tables of all files that hold one, format by format; nothing when none does.

    Raises:
        DataRefused, UsageError: as `sessions`.
    """
    sources = _usable(paths, symbol, verdicts)
    readers = [(r, files) for r, files in _by_reader(sources) if isinstance(r, TableReader)]
    return (table for reader, files in readers for table in reader.tables(files))


def _usable(paths: Sequence[str | Path], symbol: str | None, verdicts: Sequence[FileVerdict] | None) -> list[_Source]:
    """The files that a reader knows; nothing of any of them when one is refused."""
    sources = _sources(paths)
    verdicts = _audit(sources) if verdicts is None else verdicts
    for verdict in verdicts:
        if verdict.verdict is Verdict.REFUSED:
            raise _refusal(verdict)
    wanted = {v.path for v in verdicts if v.source and (symbol is None or symbol.upper() in v.symbols)}
    if not wanted:
        raise UsageError(_nothing_found(paths, symbol, verdicts))
    return [source for source in sources if source.path in wanted]


def _by_reader(sources: Sequence[_Source]) -> list[tuple[AnyReader, list[Path]]]:
    """Readers in the order of the catalogue, each with its files; those that a mapping made come last."""
    files: dict[AnyReader, list[Path]] = {reader: [] for reader in _ALL}
    for source in sources:
        if source.reader:
            files.setdefault(source.reader, []).append(source.path)
    return [(reader, mine) for reader, mine in files.items() if mine]


def _each_day_once(sessions: Iterator[Session]) -> Iterator[Session]:
    """A day that came twice would be its own past.

    Raises:
        UsageError: two sources hold the same symbol, venue and day.
    """
    seen: dict[tuple[str, str, date], tuple[int, tuple[Path, ...]]] = {}
    for session in sessions:
        key = (session.instrument.symbol, session.instrument.venue, session.day)
        close_ns, paths = seen.get(key, (session.open_ns, ()))
        if session.open_ns < close_ns:
            files = ", ".join(str(path) for path in (*paths, *session.paths))
            raise UsageError(f"{key[0]} {session.day} is in the data twice, allowed: once: {files}")
        seen[key] = (session.close_ns, session.paths)
        yield session


def _audit(sources: Sequence[_Source]) -> list[FileVerdict]:
    verdicts: dict[Path, FileVerdict] = {}
    for reader, files in _by_reader(sources):
        verdicts |= {verdict.path: verdict for verdict in reader.audit(files)}
    return [verdicts[s.path] if s.reader else _not_recognised(s) for s in sources]


def _not_recognised(source: _Source) -> FileVerdict:
    text = f"{source.path}: " + ("empty file" if source.path.stat().st_size == 0 else "format not recognised")
    if source.named:
        text += f", known: {_KNOWN}; MAPPING.yaml:PATH reads any csv or Parquet file"
    return FileVerdict(source.path, "", "", (Finding(NOT_RECOGNISED, text, refuses=source.named),))


def _refusal(verdict: FileVerdict) -> DataRefused:
    text = next(finding.text for finding in verdict.findings if finding.refuses)
    return DataRefused(text) if str(verdict.path) in text else DataRefused(text, path=verdict.path)


def _nothing_found(paths: Sequence[str | Path], symbol: str | None, verdicts: Sequence[FileVerdict]) -> str:
    where = _names(paths)
    held = sorted({held for v in verdicts for held in v.symbols})
    if symbol is None or not held:
        return f"no market data of a known format in {where}, known: {_KNOWN}"
    return f"no data of {symbol} in {where}, there is: {', '.join(held)}"


def _names(paths: Sequence[str | Path]) -> str:
    return ", ".join(map(str, paths))


def _sources(paths: Sequence[str | Path]) -> list[_Source]:
    """Every file once, with its reader."""
    sources: dict[Path, _Source] = {}
    for given in paths:
        reader, path = _forced(given)
        if not path.exists():
            raise UsageError(f"no such file or folder: {given}")
        if not (path.is_file() or path.is_dir()):
            raise UsageError(f"neither a file nor a folder: {given}")
        stored = instruments(path)
        named = path.is_file() or bool(stored)
        for file in stored or ([path] if named else sorted(f for f in path.rglob("*") if f.is_file())):
            source = _Source(file, reader or (STORE if stored else _recognise(file)), named)
            sources.setdefault(file.resolve(), source)
    return list(sources.values())


def _forced(given: str | Path) -> tuple[AnyReader | None, Path]:
    """Split FORMAT:PATH or MAPPING.yaml:PATH; a path that exists as it stands is never split."""
    name, colon, rest = str(given).partition(":")
    if not given or (colon and not rest):
        raise UsageError(f"no file or folder is named: {str(given)!r}")  # not the folder that one is in by chance
    if not colon or Path(given).exists():
        return None, Path(given)
    if rest.startswith("//"):
        raise UsageError(f"{given} is no local file or folder; `footprint.read` reads a history store at an address")
    if name.endswith((".yaml", ".yml")):
        return mapped_reader(Path(name)), Path(rest)
    if os.sep in name:
        return None, Path(given)
    for reader in _ALL:
        if reader.name == name.lower():
            return reader, Path(rest)
    raise UsageError(f"no format {name!r} in {given}, known: {_KNOWN}")


def _recognise(path: Path) -> AnyReader | None:
    try:
        return next((reader for reader in _ALL if reader.recognise(path)), None)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
