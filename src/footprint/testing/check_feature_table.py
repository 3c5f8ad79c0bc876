"""The contract of a feature table, as a check that anyone can run on an engine of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from footprint.errors import DataRefused, UsageError
from footprint.features.feature_table import (
    AS_OF_NS,
    ENTITY,
    EVENT_NS,
    KEY,
    KNOWN_NS,
    FeatureSet,
    FeatureTable,
    join_as_of,
)

FEATURES = FeatureSet("check-1", ("a", "b"))
ROWS, BATCHES, HORIZON_NS = 200, 4, 60

Row = tuple[str, int, int, float | None, float | None]


def check_feature_table(open_table: Callable[[FeatureSet], FeatureTable], seed: int = 1) -> None:
    """Check that an engine is a feature table: point in time, restatements, late rows, versions, all or nothing.

    Args:
        open_table: opens one and the same table, empty at the first call.
        seed: of the rows that the check makes for itself.

    Raises:
        AssertionError: the contract is broken; the text says which part.
    """
    table = open_table(FEATURES)
    _check_empty(table)
    _check_restated_and_late(table)
    _check_written_again(table)
    _check_refused(table)
    _check_versions(table)
    _check_against_loops(open_table, np.random.default_rng(seed))


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


def _frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=FEATURES.schema, orient="row")


def _values(frame: pl.DataFrame) -> list[Row]:
    _require(frame.schema == pl.Schema(FEATURES.schema), f"columns must be {FEATURES.schema}, found {frame.schema}")
    return frame.rows()


def _check_empty(table: FeatureTable) -> None:
    _require(table.version() == 0, "a new table must be at version 0")
    _require(_values(table.rows()) == [], "a new table must hold nothing")
    _require(_values(table.read(["X"], 10)) == [], "an unknown entity has no rows")


def _check_restated_and_late(table: FeatureTable) -> None:
    """Instant 10 is restated at 30; instant 5 comes late, at 40."""
    first, restated, late = ("X", 10, 12, 1.0, None), ("X", 10, 30, 2.0, 0.5), ("X", 5, 40, 9.0, 9.0)
    for row in (first, restated, late):
        table.write(_frame(row))
    told: Mapping[int, list[Row]] = {11: [], 12: [first], 29: [first], 30: [restated], 40: [late, restated]}
    for as_of_ns, expected in told.items():
        _require(_values(table.read(["X"], as_of_ns)) == expected, f"a read as of {as_of_ns} must give {expected}")
    asked = pl.DataFrame({ENTITY: ["X", "Y", "X"], AS_OF_NS: [50, 50, 20]})
    latest = join_as_of(asked, table.rows())["a"].to_list()
    _require(latest == [2.0, None, 1.0], "a late row about an older instant must not hide a newer one")
    _require(_values(table.rows(["X"])) == [late, first, restated], "every row must be kept, sorted by its key")
    _require(_values(table.rows([])) == [], "no entity, no row")


def _check_written_again(table: FeatureTable) -> None:
    before, version = table.rows(), table.version()
    _require(table.write(before) == version, "rows that are there already must not make a version")
    _require(table.write(before.head(0)) == version, "no rows must not make a version")
    _require(table.rows().equals(before), "rows that are there already must change nothing")


def _check_refused(table: FeatureTable) -> None:
    before, version = table.rows(), table.version()
    good = ("Z", 1, 1, 0.0, 0.0)
    refused = {
        "a value before its instant": _frame(good, ("Z", 5, 4, 0.0, 0.0)),
        "another value under a stored key": _frame(good, ("X", 10, 12, 7.0, None)),
        "two values for one key": _frame(good, ("Z", 1, 1, 1.0, 0.0)),
        "an infinite value": _frame(good, ("Z", 2, 2, float("inf"), 0.0)),
        "a missing key": _frame(good).with_columns(pl.lit(None, pl.Int64()).alias(KNOWN_NS)),
        "a missing column": _frame(good).drop("b"),
        "an unknown column": _frame(good).with_columns(c=pl.lit(1.0)),
    }
    for what, rows in refused.items():
        try:
            table.write(rows)
        except DataRefused:
            continue
        raise AssertionError(f"{what} must raise DataRefused")
    _require(table.version() == version and table.rows().equals(before), "a refused write must change nothing")


def _check_versions(table: FeatureTable) -> None:
    _require(_values(table.rows(version=0)) == [], "version 0 must be the empty table")
    before, version = table.rows(), table.version()
    newer = table.write(_frame(("X", 60, 60, float("nan"), 1.0)))
    _require(newer > version, "a write must make a later version")
    _require(table.rows(version=version).equals(before), "an older version must stay as it was")
    _require(table.rows()["a"].to_list()[-1] is None, "nan is unknown, and unknown is null")
    for wrong in (-1, newer + 1):
        try:
            table.rows(version=wrong)
        except UsageError:
            continue
        raise AssertionError(f"version {wrong} must raise UsageError")


def _check_against_loops(open_table: Callable[[FeatureSet], FeatureTable], rng: np.random.Generator) -> None:
    """Random rows in batches that come in any order, read back by the slowest possible reader."""
    event = rng.integers(0, HORIZON_NS // 2, ROWS)
    known = event + rng.integers(0, HORIZON_NS // 2, ROWS)
    names = rng.choice(["P", "Q"], ROWS)
    rows: dict[tuple[str, int, int], Row] = {}
    for i, key in enumerate(zip(names.tolist(), event.tolist(), known.tolist(), strict=True)):
        rows.setdefault(key, (*key, float(i), float(rng.normal())))
    shuffled = [list(rows.values())[i] for i in rng.permutation(len(rows))]
    for batch in np.array_split(np.arange(len(shuffled)), BATCHES):
        open_table(FEATURES).write(_frame(*(shuffled[i] for i in batch)))
    table = open_table(FEATURES)
    for as_of_ns in range(HORIZON_NS):
        found = _values(table.read(["P", "Q"], as_of_ns)) if as_of_ns % 7 == 0 else None
        if found is not None:
            _require(found == _known_by_loop(shuffled, as_of_ns), f"wrong rows as of {as_of_ns}")
    asked = [(entity, as_of_ns) for as_of_ns in range(HORIZON_NS) for entity in ("Q", "P")]
    requests = pl.DataFrame(asked, schema=[ENTITY, AS_OF_NS], orient="row")
    joined = join_as_of(requests, table.rows(["P", "Q"])).select(EVENT_NS, KNOWN_NS, *FEATURES.names).rows()
    for (entity, as_of_ns), latest in zip(asked, joined, strict=True):
        mine = [row for row in _known_by_loop(shuffled, as_of_ns) if row[0] == entity]
        expected = mine[-1][1:] if mine else (None,) * 4
        _require(latest == expected, f"the latest values of {entity} as of {as_of_ns} must be {expected}")


def _known_by_loop(rows: list[Row], as_of_ns: int) -> list[Row]:
    newest: dict[tuple[str, int], Row] = {}
    for row in sorted(rows, key=lambda r: r[: len(KEY)]):
        if row[2] <= as_of_ns:
            newest[row[0], row[1]] = row
    return [newest[key] for key in sorted(newest)]
