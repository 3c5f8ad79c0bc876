"""A table of features that can be read as it was known at any instant.

A row says what was known of an entity (a symbol, a venue) about one instant: `event_ns` is the instant that the values
describe, `known_ns` when they could first be read. A value that is corrected later is a second row of the same instant
with a later `known_ns` (a restatement); nothing is ever changed in place.

- A read as of t sees rows with `known_ns` <= t and nothing else, and of each instant the newest of them.
- The latest values as of t are those of the latest instant, not those that arrived last: a row that comes late about
  an older instant never hides a newer one.
- Every write makes a version, and every version can be read again.

Unknown values are null. A frame holds the columns entity, event_ns, known_ns and one Float64 column a feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from footprint.errors import DataRefused, UsageError

ENTITY, EVENT_NS, KNOWN_NS = "entity", "event_ns", "known_ns"
AS_OF_NS = "as_of_ns"
KEY = (ENTITY, EVENT_NS, KNOWN_NS)


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """What a table holds: the version of the definitions ("features-1") and the names of the values, in order."""

    version: str
    names: tuple[str, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns of every frame of the table."""
        keys: dict[str, pl.DataType] = {ENTITY: pl.String(), EVENT_NS: pl.Int64(), KNOWN_NS: pl.Int64()}
        return keys | dict.fromkeys(self.names, pl.Float64())


class FeatureTable(Protocol):
    """Rows of one feature set; versions are numbered from 0, the empty table, and rise with every write."""

    @property
    def features(self) -> FeatureSet:
        """What the rows hold."""
        ...

    def version(self) -> int:
        """The newest version."""
        ...

    def write(self, rows: pl.DataFrame) -> int:
        """Add rows, all or none; the newest version then. Rows that are there already change nothing.

        Raises:
            DataRefused: other columns, a key that is missing, a value that is infinite, an instant that would be known
                before it was, or other values under the key of a stored row: a restatement is known later.
        """
        ...

    def rows(self, entities: Sequence[str] | None = None, version: int | None = None) -> pl.DataFrame:
        """Every row with all restatements, sorted by entity, instant and time known; all entities when None.

        Raises:
            UsageError: there is no such version.
        """
        ...

    def read(self, entities: Sequence[str] | None, as_of_ns: int, version: int | None = None) -> pl.DataFrame:
        """One row for each entity and instant: the newest that was known at `as_of_ns`, sorted by entity and instant.

        Args:
            version: of the table, the newest when None.
        """
        ...


class MemoryFeatureTable:
    """`FeatureTable` in memory, for tests and for one run."""

    def __init__(self, features: FeatureSet) -> None:
        self._features = features
        self._versions = [pl.DataFrame(schema=features.schema)]

    @property
    def features(self) -> FeatureSet:
        """What the rows hold."""
        return self._features

    def version(self) -> int:
        """The newest version."""
        return len(self._versions) - 1

    def write(self, rows: pl.DataFrame) -> int:
        """Add rows; see `FeatureTable.write`."""
        new = new_rows(checked(rows, self._features), self._versions[-1], self._features)
        if len(new):
            self._versions.append(pl.concat([self._versions[-1], new]).sort(KEY))
        return self.version()

    def rows(self, entities: Sequence[str] | None = None, version: int | None = None) -> pl.DataFrame:
        """Every row; see `FeatureTable.rows`."""
        newest = self.version()
        if version is not None and not 0 <= version <= newest:
            raise UsageError(f"no version {version} of the feature table, allowed: 0 to {newest}")
        return of_entities(self._versions[newest if version is None else version], entities)

    def read(self, entities: Sequence[str] | None, as_of_ns: int, version: int | None = None) -> pl.DataFrame:
        """Rows as they were known; see `FeatureTable.read`."""
        return known_at(self.rows(entities, version), as_of_ns)


def of_entities(rows: pl.DataFrame, entities: Sequence[str] | None) -> pl.DataFrame:
    """The rows of some entities; of all when None."""
    return rows if entities is None else rows.filter(pl.col(ENTITY).is_in(list(entities)))


def checked(rows: pl.DataFrame, features: FeatureSet) -> pl.DataFrame:
    """The rows with the table's column order and types, nan as null, sorted by key, equal rows once.

    Raises:
        DataRefused: naming the field and the entity; see `FeatureTable.write`.
    """
    if set(rows.columns) != set(features.schema):
        odd = sorted(set(rows.columns) ^ set(features.schema))
        raise DataRefused(f"rows of {features.version} with other columns", found=odd, allowed=", ".join(KEY))
    try:
        frame = rows.select(pl.col(name).cast(kind) for name, kind in features.schema.items())
    except pl.exceptions.PolarsError as error:
        raise DataRefused(f"rows of {features.version} with other types", found=error) from None
    frame = frame.with_columns(pl.col(name).fill_nan(None) for name in features.names)
    for name in KEY:
        _refuse_where(frame, pl.col(name).is_null(), name, "no key", "a value")
    for name in features.names:
        _refuse_where(frame, pl.col(name).is_infinite(), name, "infinite value", "a finite number, or null")
    early = pl.col(KNOWN_NS) < pl.col(EVENT_NS)
    _refuse_where(frame, early, KNOWN_NS, "known before its instant", "known_ns >= event_ns")
    frame = frame.unique(maintain_order=True)
    _refuse_where(frame, pl.struct(KEY).is_duplicated(), KNOWN_NS, "two values for one key", "one row a key")
    return frame.sort(KEY)


def _refuse_where(frame: pl.DataFrame, wrong: pl.Expr, field: str, reason: str, allowed: str) -> None:
    first = frame.filter(wrong).head(1)
    if len(first):
        place = f"{first[ENTITY].item()} at {first[EVENT_NS].item()}"
        raise DataRefused(f"{reason} ({place})", field=field, found=first[field].item(), allowed=allowed)


def new_rows(rows: pl.DataFrame, stored: pl.DataFrame, features: FeatureSet) -> pl.DataFrame:
    """The checked rows that `stored` does not hold yet.

    Raises:
        DataRefused: a stored row has the same key and other values.
    """
    both = rows.join(stored, on=KEY, how="inner", suffix="_stored")
    for name in features.names:
        differs = pl.col(name).ne_missing(pl.col(f"{name}_stored"))
        reason = "other value than stored under the same key"
        _refuse_where(both, differs, name, reason, "the same value, or a later known_ns")
    return rows.join(stored, on=KEY, how="anti")


def known_at(rows: pl.DataFrame, as_of_ns: int) -> pl.DataFrame:
    """Of each entity and instant the newest row known at `as_of_ns`, sorted by entity and instant."""
    known = rows.filter(pl.col(KNOWN_NS) <= as_of_ns).sort(KEY)
    return known.unique((ENTITY, EVENT_NS), keep="last", maintain_order=True)


def join_as_of(requests: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The latest values that were known to each request, in the order of the requests.

    Args:
        requests: columns entity and as_of_ns, and any others; one row a question.
        rows: every row with all restatements (`FeatureTable.rows`).

    Returns:
        The requests with event_ns, known_ns and the features of the latest instant that was known then; nulls where
        nothing was.
    """
    # in the order in which rows became known, drop those about an instant older than the newest known so far
    ordered = rows.sort(ENTITY, KNOWN_NS, EVENT_NS)
    leading = ordered.filter(pl.col(EVENT_NS) >= pl.col(EVENT_NS).cum_max().over(ENTITY))
    asked = requests.with_row_index("_request").sort(AS_OF_NS)
    found = asked.join_asof(
        leading.with_columns(pl.col(KNOWN_NS).alias("_known")).sort("_known", EVENT_NS),
        left_on=AS_OF_NS,
        right_on="_known",
        by=ENTITY,
        strategy="backward",
        check_sortedness=False,  # both are sorted two lines up; polars cannot see that within groups
    )
    return found.sort("_request").drop("_request", "_known", strict=False)
