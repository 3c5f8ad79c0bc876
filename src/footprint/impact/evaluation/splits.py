"""What trains and what is tested: walk-forward, strict calendar, unseen symbol, unseen market, and the wrong one.

Every split is a list of `Task`s over one table of rows. Purge and embargo are already in the rows: none has an outcome
beyond the end of its part (`parts.assign_parts`), and no task trains on a part that it tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from footprint.impact.calibration.conformal import FoldBy
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.rows import Rows
from footprint.units import NS_PER_SECOND

_REFIT_GROWTH = 1.25


@dataclass(frozen=True, slots=True)
class Task:
    """One fit and its test rows.

    Attributes:
        split, fold: names for results and logs.
        train, test: row positions, sorted, disjoint.
        fold_by: folds of the conformal step inside the training rows.
    """

    split: str
    fold: str
    train: np.ndarray
    test: np.ndarray
    fold_by: FoldBy = "part"


def walk_forward(rows: Rows, protocol: Protocol, name: str = "walk_forward") -> Iterator[Task]:
    """Train on all parts before k, test part k; tapes are aligned by part number."""
    for part in range(protocol.first_test_part, protocol.parts + 1):
        yield _task(name, f"part {part}", rows.part < part, rows.part == part)


def strict_calendar(rows: Rows, protocol: Protocol) -> Iterator[Task]:
    """As walk-forward, but nothing that lies later in calendar time trains, whatever tape it comes from.

    Neighbouring parts of a tape share the fit of the first as long as what is known has not grown by a quarter since:
    nearly the same rows would be fitted again and again.
    """
    known_ns = rows.end_ns + int(protocol.embargo_s * NS_PER_SECOND)
    for tapes in _tapes_by_calendar(rows):
        ours = np.isin(rows.tape, tapes)
        fits: list[tuple[np.ndarray, np.ndarray, list[int]]] = []
        for part in range(protocol.first_test_part, protocol.parts + 1):
            test = ours & (rows.part == part)
            if not test.any():
                continue
            train = known_ns < rows.start_ns[test].min()
            if fits and train.sum() < _REFIT_GROWTH * fits[-1][0].sum():
                known, tested, parts = fits.pop()
                fits.append((known, tested | test, [*parts, part]))
            else:
                fits.append((train, test, [part]))
        for train, test, parts in fits:
            name = f"{tapes[0]} part {parts[0]}" + (f"-{parts[-1]}" if len(parts) > 1 else "")
            yield _task("strict_calendar", name, train, test)


def unseen_symbol(rows: Rows, protocol: Protocol) -> Iterator[Task]:
    """Train on the early half of the other symbols, test the late half of the one held out: symbol and day unseen."""
    early, late = _halves(rows, protocol)
    symbol = rows.symbol
    for held in np.unique(symbol):
        yield _task("unseen_symbol", str(held), early & (symbol != held), late & (symbol == held), "symbol")


def unseen_market(rows: Rows, protocol: Protocol) -> Iterator[Task]:
    """Train on the early half of the other markets, test the late half of the one held out."""
    early, late = _halves(rows, protocol)
    for held in np.unique(rows.market):
        train = early & (rows.market != held)
        if train.any():
            yield _task("unseen_market", str(held), train, late & (rows.market == held), "symbol")


def random_split(rows: Rows, protocol: Protocol) -> Iterator[Task]:
    """The known wrong number: half of the tested parts, overlapping orders on both sides. Never a result."""
    chance = np.random.default_rng(protocol.seed).random(len(rows))
    test = (rows.part >= protocol.first_test_part) & (chance < 0.5)
    yield _task("random_split", "half", ~test, test)


def _halves(rows: Rows, protocol: Protocol) -> tuple[np.ndarray, np.ndarray]:
    middle = protocol.parts // 2
    return rows.part <= middle, rows.part > middle


def _tapes_by_calendar(rows: Rows) -> list[list[str]]:
    """Tapes grouped by market and first day, in calendar order: those of a group share their folds."""
    groups: dict[tuple[int, str], list[str]] = {}
    for name in np.unique(rows.tape):
        mine = rows.tape == name
        first_day = int(rows.start_ns[mine].min() // (86_400 * NS_PER_SECOND))
        groups.setdefault((first_day, str(rows.market[mine][0])), []).append(str(name))
    return [groups[key] for key in sorted(groups)]


def _task(split: str, fold: str, train: np.ndarray, test: np.ndarray, fold_by: FoldBy = "part") -> Task:
    return Task(split, fold, np.flatnonzero(train), np.flatnonzero(test), fold_by)
