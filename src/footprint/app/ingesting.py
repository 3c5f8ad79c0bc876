"""`footprint ingest` as a service: files -> audit -> sessions and tables in a history store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from footprint.app.progress import ProgressDisplay
from footprint.app.wording import first_of
from footprint.data import formats
from footprint.data.history import HistoryStore, HistoryWriter, OtherContent, Stored, findings_of, open_history
from footprint.data.session import Session
from footprint.data.tables import Table
from footprint.data.verdict import FileVerdict


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one session or table.

    Attributes:
        what: "events", or the kind of the table.
        outcome: None when the store holds other content and was not told to replace it; `refused` says which.
    """

    what: str
    venue: str
    symbol: str
    day: str
    source: str
    rows: int
    outcome: Stored | None
    refused: str = ""

    @property
    def word(self) -> str:
        """The outcome in one word."""
        return self.outcome.value if self.outcome else "conflict"

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        plain = {name: getattr(self, name) for name in ("what", "venue", "symbol", "day", "source", "rows")}
        return plain | {"outcome": self.word, "reason": self.refused}


def run(
    paths: Sequence[str | Path],
    store: str,
    *,
    symbol: str | None,
    replace: bool,
    as_json: bool,
    progress: ProgressDisplay,
) -> list[Ingested]:
    """Ingest and print.

    Raises:
        DataRefused: a file is refused; nothing was written.
        OtherContent: the store holds other content of something and `replace` is False; all the rest was written.
    """
    history = open_history(store)
    with progress.step("audit"):
        verdicts = formats.audit(paths)
    done = ingest(paths, history, verdicts, progress, symbol=symbol, replace=replace)
    _print(done, history, as_json)
    conflicts = [one.refused for one in done if one.refused]
    if conflicts:
        more = f" (and {len(conflicts) - 1} more)" if len(conflicts) > 1 else ""
        raise OtherContent(conflicts[0] + more)
    return done


def ingest(
    paths: Sequence[str | Path],
    history: HistoryStore,
    verdicts: Sequence[FileVerdict],
    progress: ProgressDisplay,
    *,
    symbol: str | None = None,
    replace: bool = False,
) -> list[Ingested]:
    """Put everything that audited files hold into a store, one session in memory at a time.

    Stopped at any point it has stored whole sessions, and the same call again stores the rest.

    Raises:
        DataRefused: one of `verdicts` refuses its file; nothing was written.
    """
    tables = formats.tables(paths, symbol, verdicts)  # refuses before the store is touched
    sessions = formats.sessions(paths, symbol, verdicts) if _holds_events(verdicts) else iter(())
    done = []
    with history.writing() as writer:
        for session in progress.track(sessions, "ingesting sessions"):
            done.append(_put(writer, session, verdicts, replace))
        for table in progress.track(tables, "ingesting tables"):
            done.append(_put_table(writer, table, replace))
    return done


def _holds_events(verdicts: Sequence[FileVerdict]) -> bool:
    of_tables = {reader.name for reader in formats.TABLE_READERS}
    return any(v.source and v.source not in of_tables for v in verdicts)


def _put(writer: HistoryWriter, session: Session, verdicts: Sequence[FileVerdict], replace: bool) -> Ingested:
    instrument, day = session.instrument, session.day.isoformat()
    about = partial(Ingested, "events", instrument.venue, instrument.symbol, day, session.source, len(session.events))
    try:
        return about(writer.put(session, findings_of(session.paths, verdicts), replace=replace))
    except OtherContent as error:
        return about(None, str(error))


def _put_table(writer: HistoryWriter, table: Table, replace: bool) -> Ingested:
    about = partial(
        Ingested, table.kind.value, _some(table, "venue"), _some(table, "symbol"), "", table.source, len(table.frame)
    )
    try:
        return about(writer.put_table(table, replace=replace))
    except OtherContent as error:
        return about(None, str(error))


def _some(table: Table, column: str) -> str:
    return first_of(table.frame[column].drop_nulls().unique().sort().to_list())


def _print(done: Sequence[Ingested], history: HistoryStore, as_json: bool) -> None:
    version = history.version()
    if as_json:
        print(json.dumps({"store": history.url, "version": version, "ingested": [one.as_dict() for one in done]}))
        return
    for one in done:
        day = f" {one.day}" if one.day else ""
        print(f"{one.word:<9} {one.symbol}{day} ({one.venue}, {one.source}): {one.rows:,} rows of {one.what}")
    counted = {word: sum(one.word == word for one in done) for word in (*(s.value for s in Stored), "conflict")}
    told = ", ".join(f"{count} {word}" for word, count in counted.items() if count)
    print(f"{history.url}, version {version}: {told or 'nothing to store'}")
