"""Tapes to rows for the benchmark, kept beside its output: a second run on the same data starts from them.

What is kept answers for the bytes of the data files, the source of everything that makes rows, and the protocol. It is
arrays and JSON, nothing that runs when it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from footprint.app.files import replacing
from footprint.app.progress import ProgressDisplay
from footprint.book.replay import views as book_views
from footprint.data import formats
from footprint.data.mid import CORRECTED_QUOTE, TRADE_DERIVED, default_mid_rule
from footprint.data.session import Session
from footprint.data.signing import signing_accuracy
from footprint.data.verdict import FileVerdict
from footprint.errors import UsageError
from footprint.impact.evaluation.fingerprint import file_digest, source_digest
from footprint.impact.evaluation.parts import Span
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.result import Result
from footprint.impact.rows import Rows
from footprint.impact.training import TapeRows, tape_rows

_SOURCE = (
    "units.py", "market", "book", "data", "features", "impact/rows.py", "impact/training.py",
    "impact/evaluation/parts.py", "app/benchmark_rows.py",
)  # fmt: skip
_META = "meta"


@dataclass(frozen=True, slots=True)
class Tapes:
    """What the files gave: all tapes, and how well trades are signed where the source names the aggressor."""

    all: tuple[TapeRows, ...]
    signing: tuple[Result, ...] = ()

    def left_out(self, protocol: Protocol) -> dict[str, str]:
        """Names of the tapes that are not scored, and why."""
        return {t.name: reason for t in self.all if (reason := _why_not(t, protocol))}

    def scored(self, protocol: Protocol) -> tuple[TapeRows, ...]:
        """The tapes that are long enough.

        Raises:
            UsageError: there is none.
        """
        left_out = self.left_out(protocol)
        scored = tuple(t for t in self.all if t.name not in left_out)
        if not scored:
            raise UsageError(f"no tape is long enough to be scored: {left_out}")
        return scored


def _why_not(tape: TapeRows, protocol: Protocol) -> str:
    if not tape.eligible(protocol):
        return f"shorter than {protocol.min_sessions} sessions or {protocol.min_continuous_s / 3600:g} h"
    if not len(tape.arrival):
        return "no order with known spread, volatility and volume (no quotes?)"
    return ""


class RowStore:
    """Rows of some files, made once and kept in a folder."""

    def __init__(self, paths: Sequence[str | Path], verdicts: Sequence[FileVerdict], folder: Path) -> None:
        self._paths, self._verdicts, self._folder = paths, verdicts, folder
        mappings = [
            Path(str(p).partition(":")[0]) for p in paths if str(p).partition(":")[0].endswith((".yaml", ".yml"))
        ]
        data = file_digest([*(v.path for v in verdicts), *(m for m in mappings if m.is_file())])
        self._inputs = hashlib.sha256(
            f"{sorted(map(str, paths))} {data} {source_digest(*_SOURCE)}".encode()
        ).hexdigest()[:16]
        self.read_anew = False

    def tapes(self, protocol: Protocol, progress: ProgressDisplay) -> Tapes:
        """Rows under each source's own mid rule."""

        def read() -> Tapes:
            signing: list[Result] = []
            watched = _watch_signing(progress.track(self._sessions(), "reading sessions"), signing)
            return Tapes(tuple(tape_rows(watched, protocol)), tuple(signing))

        return self._kept("own", protocol, read)

    def other_mid(self, protocol: Protocol, progress: ProgressDisplay) -> Tapes:
        """Rows under a strictly past mid of the tapes whose own rule reads the print itself; the others are absent."""

        def read() -> Tapes:
            sessions = (s for s in self._sessions() if default_mid_rule(s) == TRADE_DERIVED)
            return Tapes(tuple(tape_rows(progress.track(sessions, "other mid rule"), protocol, CORRECTED_QUOTE)))

        return self._kept("other", protocol, read)

    def _sessions(self) -> Iterator[Session]:
        return formats.sessions(self._paths, verdicts=self._verdicts)

    def _kept(self, mid: str, protocol: Protocol, read: Any) -> Tapes:
        name = hashlib.sha256(f"{mid} {protocol!r}".encode()).hexdigest()[:16]
        path = self._folder / f"{self._inputs}-{name}.npz"
        if not path.is_file():
            self.read_anew = True
            tapes = read()
            self._folder.mkdir(exist_ok=True)
            for old in self._folder.glob("*.npz"):
                if not old.name.startswith(self._inputs):
                    old.unlink()
            save_tapes(tapes, path)
            return tapes
        return load_tapes(path)


def save_tapes(tapes: Tapes, path: Path) -> None:
    """Write tapes as one npz file."""
    meta = {"signing": [asdict(r) for r in tapes.signing], "tapes": [_describe(t) for t in tapes.all]}
    arrays = {_META: np.array(json.dumps(meta))}
    for i, tape in enumerate(tapes.all):
        arrays[f"{i}.curve_days"] = tape.curve_days
        for part in ("arrival", "in_flight"):
            rows = getattr(tape, part)
            arrays |= {f"{i}.{part}.{f.name}": getattr(rows, f.name) for f in fields(Rows) if f.name != "x_names"}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_tapes(path: Path) -> Tapes:
    """Read what `save_tapes` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        meta = json.loads(str(kept[_META]))
        tapes = tuple(_tape(kept, i, about) for i, about in enumerate(meta["tapes"]))
    return Tapes(tapes, tuple(Result(**r) for r in meta["signing"]))


def _describe(tape: TapeRows) -> dict[str, Any]:
    return {
        "name": tape.name,
        "market": tape.market,
        "sessions": [[s.start_ns, s.end_ns] for s in tape.sessions],
        "children_per_session": list(tape.children_per_session),
        "traders": list(tape.traders),
        "x_names": list(tape.arrival.x_names),
    }


def _tape(kept: Any, number: int, about: dict[str, Any]) -> TapeRows:
    def rows(part: str) -> Rows:
        columns = {f.name: kept[f"{number}.{part}.{f.name}"] for f in fields(Rows) if f.name != "x_names"}
        return Rows(**columns, x_names=tuple(about["x_names"]))

    return TapeRows(
        name=about["name"],
        market=about["market"],
        sessions=tuple(Span(start, end) for start, end in about["sessions"]),
        children_per_session=tuple(about["children_per_session"]),
        arrival=rows("arrival"),
        in_flight=rows("in_flight"),
        traders=tuple(about["traders"]),
        curve_days=kept[f"{number}.curve_days"],
    )


def _watch_signing(sessions: Iterable[Session], signing: list[Result]) -> Iterator[Session]:
    """Pass sessions on and note how well each signing rule does where the source itself names the aggressor."""
    nothing = float("nan")
    for session in sessions:
        name = f"{session.instrument.symbol} {session.day}"
        for rule, accuracy in signing_accuracy(session, book_views(session.events)).items():
            for metric, share in (("by_count", accuracy.by_count), ("by_volume", accuracy.by_volume)):
                figure = f"accuracy_{metric}_percent"
                signing.append(
                    Result(name, "all", "sign", rule, figure, 100.0 * share, nothing, nothing, accuracy.prints, 0)
                )
        yield session
