"""Binance raw frames as a recorder wrote them: spot, USD-M and COIN-M, told apart by the fields of the frames.

Each session carries the depth stream (LEVEL), best quotes (QUOTE, from bookTicker) and trades with the true aggressor
(`m` means that the buyer was the maker, so a seller was the aggressor). Quantities of COIN-M are contracts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from footprint.data.files.compressed import head
from footprint.data.readers.binance_blocks import depth_ids
from footprint.data.readers.binance_frames import FIRST_LINE, BadValue, Frame, read_frames, refused
from footprint.data.readers.binance_session import SOURCE, SessionBuilder, venue_of
from footprint.data.session import Session
from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import DataRefused

_PEEK_FRAMES = 10_000  # a recorder that takes the depth stream has an update long before


@dataclass(frozen=True, slots=True)
class _Start:
    """How a file begins."""

    path: Path
    venue: str
    symbol: str
    first_ns: int
    previous_id: int | None  # the id before those that the first depth update covers


class BinanceReader:
    """Frames of one symbol a file; consecutive files whose update ids join are one session."""

    name = SOURCE

    def recognise(self, path: Path) -> bool:
        """True when the first line is `<16 or 19 digits> {"stream"...` or `{"lastUpdateId"...`."""
        return FIRST_LINE.match(head(path).content) is not None

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; the files of a chain share their book findings and the name of the chain."""
        starts, refused_paths = _starts(paths)
        verdicts = [FileVerdict(path, SOURCE, "", (Finding.of_refusal(error),)) for path, error in refused_paths]
        for builder in _chains(starts):
            verdicts += builder.verdicts()
        return verdicts

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a chain, in order of (symbol, venue, time).

        Raises:
            DataRefused: a file of the chain is refused.
        """
        starts, refused_paths = _starts(paths)
        if refused_paths:
            raise refused_paths[0][1]
        for builder in _chains(starts):
            session = builder.session()
            if session is not None:
                yield session


def _starts(paths: Sequence[Path]) -> tuple[list[_Start], list[tuple[Path, DataRefused]]]:
    """How the files begin, and those of which nothing says what they are."""
    starts, refused_paths = [], []
    for path in paths:
        try:
            starts.append(_start(path))
        except DataRefused as error:
            refused_paths.append((path, error))
    return sorted(starts, key=lambda s: (s.symbol, s.venue, s.first_ns)), refused_paths


def _chains(starts: Sequence[_Start]) -> Iterator[SessionBuilder]:
    """What has read the files of one chain, chain by chain."""
    builder: SessionBuilder | None = None
    for start in starts:
        same = builder is not None and (builder.symbol, builder.venue) == (start.symbol, start.venue)
        if builder is None or not same or not builder.joins(start.previous_id):
            if builder is not None:
                yield builder
            builder = SessionBuilder(start.venue, start.symbol)
        builder.read(start.path)
    if builder is not None:
        yield builder


def _start(path: Path) -> _Start:
    """Venue, symbol, first time and first depth update of a file.

    Raises:
        DataRefused: nothing in the file says what it is.
    """
    venue = symbol = None
    first_ns = 0
    for frame in read_frames(path):
        first_ns = first_ns or frame.receive_ns
        venue, symbol = venue or venue_of(frame), symbol or _symbol(frame)
        if frame.event == "depthUpdate" and venue and symbol:
            try:
                return _Start(path, venue, symbol, first_ns, depth_ids(frame.body)[1])
            except BadValue as error:
                raise refused(error, frame, path) from None
        if frame.row >= _PEEK_FRAMES:
            break
    if not venue or not symbol:
        raise DataRefused("no symbol", path=path, field="s", allowed="depthUpdate, bookTicker or trade frames")
    return _Start(path, venue, symbol, first_ns, None)


def _symbol(frame: Frame) -> str | None:
    named = frame.body.get("s")
    return named if isinstance(named, str) else None
