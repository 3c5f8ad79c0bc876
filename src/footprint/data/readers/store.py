"""A history store as a source of sessions: what `footprint ingest` wrote, read again as if from the files.

A store is a folder; to the catalogue of formats each instrument in it is one file, named
`STORE/events/venue=V/symbol=S` as its folder of events is. Verdicts are those that the files had, once every event has
been read and found as it was stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from footprint.data.history import is_history, open_history
from footprint.data.session import Session
from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import DataRefused, UsageError


class StoreReader:
    """Sessions of a local history store, one instrument a path."""

    name = "store"

    def recognise(self, path: Path) -> bool:
        """True for the name of an instrument in a store."""
        venue, symbol = path.parent.name, path.name
        named = venue.startswith("venue=") and symbol.startswith("symbol=")
        return named and is_history(_store(path))

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per instrument; everything is read and compared with the hash under which it was stored."""
        return [self._verdict(path) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Sessions in order of (symbol, time).

        Raises:
            DataRefused: what is stored is damaged.
        """
        for path in sorted(paths, key=lambda p: _instrument(p)[::-1]):
            venue, symbol = _instrument(path)
            with _damage_refused(path):
                yield from open_history(_store(path)).sessions(symbol, venue=venue)

    def _verdict(self, path: Path) -> FileVerdict:
        venue, symbol = _instrument(path)
        findings: list[Finding] = []
        counts = {"sessions": 0, "events": 0}
        try:
            with _damage_refused(path):
                catalogue = open_history(_store(path)).stored()
            stored = [s for s in catalogue if (s.instrument.venue, s.instrument.symbol) == (venue, symbol)]
            findings += dict.fromkeys(finding for s in stored for finding in s.findings)
            counts["sessions"] = len(stored)
            for session in self.sessions([path]):
                counts["events"] += len(session.events)
        except DataRefused as error:
            findings.append(Finding.of_refusal(error))
        return FileVerdict(path, self.name, symbol, tuple(findings), counts)


def instruments(store: Path) -> list[Path]:
    """The names of the instruments in a store, in order of (venue, symbol); none when the folder is no store."""
    if not is_history(store):
        return []
    held = {(s.instrument.venue, s.instrument.symbol) for s in open_history(store).stored()}
    names = [(quote(venue, safe=""), quote(symbol, safe="")) for venue, symbol in sorted(held)]
    return [store / "events" / f"venue={venue}" / f"symbol={symbol}" for venue, symbol in names]


@contextmanager
def _damage_refused(path: Path) -> Iterator[None]:
    """A local store that was found and cannot be opened is damaged."""
    try:
        yield
    except UsageError as error:
        raise DataRefused(f"damaged store ({error})", path=path, allowed="a whole store") from error


def _store(path: Path) -> Path:
    return path.parent.parent.parent


def _instrument(path: Path) -> tuple[str, str]:
    """Venue and symbol."""
    return unquote(path.parent.name.partition("=")[2]), unquote(path.name.partition("=")[2])
