"""The formats that can be read, and the way in: paths -> verdicts -> sessions.

A path is a file or a folder; `FORMAT:PATH` forces the format. Files are recognised by content. Whatever is recognised
is audited first and never used when refused; a file in a folder that is of no known format is listed and left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from footprint.data.readers.b3 import B3Reader
from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.lean import LeanReader
from footprint.data.readers.lobster import LobsterReader
from footprint.data.session import Reader, Session
from footprint.data.verdict import FileVerdict, Finding, Verdict
from footprint.errors import DataRefused, UsageError

READERS: tuple[Reader, ...] = (LobsterReader(), LeanReader(), BinanceReader(), B3Reader())

NOT_RECOGNISED = "not_recognised"
_KNOWN = ", ".join(reader.name for reader in READERS)


@dataclass(frozen=True, slots=True)
class _Source:
    """One file and who reads it; `named` when the user named the file itself, not a folder around it."""

    path: Path
    reader: Reader | None
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
    sources = _sources(paths)
    verdicts = _audit(sources) if verdicts is None else verdicts
    for verdict in verdicts:
        if verdict.verdict is Verdict.REFUSED:
            raise _refusal(verdict)
    wanted = {v.path for v in verdicts if v.source and (symbol is None or v.symbol == symbol.upper())}
    if not wanted:
        raise UsageError(_nothing_found(paths, symbol, verdicts))
    return _each_day_once(_read([s for s in sources if s.path in wanted]))


def _read(sources: Sequence[_Source]) -> Iterator[Session]:
    for reader in READERS:
        mine = [source.path for source in sources if source.reader is reader]
        if mine:
            yield from reader.sessions(mine)


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
    for reader in READERS:
        mine = [source.path for source in sources if source.reader is reader]
        verdicts |= {verdict.path: verdict for verdict in (reader.audit(mine) if mine else [])}
    return [verdicts[s.path] if s.reader else _not_recognised(s) for s in sources]


def _not_recognised(source: _Source) -> FileVerdict:
    text = f"{source.path}: format not recognised, known: {_KNOWN}"
    return FileVerdict(source.path, "", "", (Finding(NOT_RECOGNISED, text, refuses=source.named),))


def _refusal(verdict: FileVerdict) -> DataRefused:
    text = next(finding.text for finding in verdict.findings if finding.refuses)
    return DataRefused(text) if str(verdict.path) in text else DataRefused(text, path=verdict.path)


def _nothing_found(paths: Sequence[str | Path], symbol: str | None, verdicts: Sequence[FileVerdict]) -> str:
    where = ", ".join(map(str, paths))
    held = sorted({v.symbol for v in verdicts if v.source})
    if symbol is None or not held:
        return f"no market data of a known format in {where}, known: {_KNOWN}"
    return f"no data of {symbol} in {where}, there is: {', '.join(held)}"


def _sources(paths: Sequence[str | Path]) -> list[_Source]:
    """Every file once, with its reader."""
    sources: dict[Path, _Source] = {}
    for given in paths:
        reader, path = _forced(given)
        if not path.exists():
            raise UsageError(f"no such file or folder: {given}")
        named = path.is_file()
        for file in [path] if named else sorted(f for f in path.rglob("*") if f.is_file()):
            source = _Source(file, reader or _recognise(file), named)
            sources.setdefault(file.resolve(), source)
    return list(sources.values())


def _forced(given: str | Path) -> tuple[Reader | None, Path]:
    """Split FORMAT:PATH; a path that exists as it stands is never split."""
    name, colon, rest = str(given).partition(":")
    if not colon or Path(given).exists() or os.sep in name:
        return None, Path(given)
    for reader in READERS:
        if reader.name == name.lower():
            return reader, Path(rest)
    raise UsageError(f"no format {name!r} in {given}, known: {_KNOWN}")


def _recognise(path: Path) -> Reader | None:
    try:
        return next((reader for reader in READERS if reader.recognise(path)), None)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
