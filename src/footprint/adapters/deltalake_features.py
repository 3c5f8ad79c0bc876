"""A feature table as a Delta Lake table: its versions are Delta's, a write is one commit.

A writer that is killed leaves at most a file that no commit names; what was written before stands. The table is
partitioned by entity, so that a read of few entities opens few files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from footprint.errors import DataRefused, UsageError
from footprint.features.feature_table import ENTITY, KEY, KNOWN_NS, FeatureSet, checked, known_at, new_rows

_FEATURES_KEY = "footprint.features"
_PROPERTIES = {
    # every version stays readable: Delta's defaults would let old ones go after 30 and 7 days
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
}
_MANY_FILES = 64  # small files of an entity, one a write, that are worth merging


class DeltaFeatureTable:
    """`features.feature_table.FeatureTable` in a folder.

    Args:
        folder: made when absent.
        features: what the rows hold; an existing table must hold the same.

    Raises:
        UsageError: the folder holds another feature set, or no feature table.
    """

    def __init__(self, folder: Path, features: FeatureSet) -> None:
        self._folder = folder
        self._features = features
        described = json.dumps([features.version, features.names])
        with _told(folder):
            try:
                found = DeltaTable(folder).metadata().configuration.get(_FEATURES_KEY)
            except TableNotFoundError:
                DeltaTable.create(
                    folder,
                    pl.Schema(features.schema),
                    mode="ignore",
                    partition_by=[ENTITY],
                    configuration={_FEATURES_KEY: described, **_PROPERTIES},
                    raise_if_key_not_exists=False,
                )
                found = DeltaTable(folder).metadata().configuration.get(_FEATURES_KEY)
        if found != described:
            holds = f"the features {json.loads(found)[0]}" if found else "no feature table"
            raise UsageError(
                f"{folder}: holds {holds}, allowed: {features.version} with the same names, or a new folder"
            )

    @property
    def features(self) -> FeatureSet:
        """What the rows hold."""
        return self._features

    def version(self) -> int:
        """The newest version."""
        with _told(self._folder):
            return DeltaTable(self._folder).version()

    def write(self, rows: pl.DataFrame) -> int:
        """Add rows in one commit; see `FeatureTable.write`.

        Raises:
            UsageError: another process is writing.
        """
        rows = checked(rows, self._features)
        with _only_writer(self._folder), _told(self._folder):
            table = DeltaTable(self._folder)
            entities = rows[ENTITY].unique().to_list()
            new = new_rows(rows, self._read(table, entities), self._features)
            if len(new):
                properties = WriterProperties(compression="ZSTD")
                write_deltalake(table, new, mode="append", writer_properties=properties)
                table.update_incremental()
                if len(table.file_uris()) > _MANY_FILES * len(table.partitions()):
                    table.optimize.compact()
                    table.update_incremental()
            return table.version()

    def rows(self, entities: Sequence[str] | None = None, version: int | None = None) -> pl.DataFrame:
        """Every row; see `FeatureTable.rows`."""
        with _told(self._folder):
            return self._read(self._at(version), entities)

    def read(self, entities: Sequence[str] | None, as_of_ns: int, version: int | None = None) -> pl.DataFrame:
        """Rows as they were known; see `FeatureTable.read`."""
        with _told(self._folder):
            return known_at(self._read(self._at(version), entities, pc.field(KNOWN_NS) <= as_of_ns), as_of_ns)

    def _at(self, version: int | None) -> DeltaTable:
        table = DeltaTable(self._folder)
        newest = table.version()
        if version is not None and not 0 <= version <= newest:
            raise UsageError(f"{self._folder}: no version {version} of the feature table, allowed: 0 to {newest}")
        if version is not None:
            table.load_as_version(version)
        return table

    def _read(
        self, table: DeltaTable, entities: Sequence[str] | None, wanted: pc.Expression | None = None
    ) -> pl.DataFrame:
        pruned = None if entities is None else [(ENTITY, "in", list(entities))]
        try:
            dataset = table.to_pyarrow_dataset(file_pruning_predicate=pruned)
            found = dataset.to_table(list(self._features.schema), wanted, use_threads=False)
            found.validate(full=True)  # polars panics on a text that is none
        except (pa.ArrowException, OSError) as error:
            raise DataRefused(f"{self._folder}: rows cannot be read ({_one_line(error)})") from error
        frame = pl.DataFrame(pl.from_arrow(found))
        return frame.select(pl.col(name).cast(kind) for name, kind in self._features.schema.items()).sort(KEY)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What the library raises, as one line that names the folder."""
    try:
        yield
    except TableNotFoundError:
        raise UsageError(f"{folder}: the feature table is gone") from None
    except DeltaError as error:
        raise UsageError(f"{folder}: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Hold the lock of the table; it goes with the process, however that ends."""
    import fcntl

    handle = os.open(folder / ".writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UsageError(f"{folder}: another process is writing, allowed: one at a time") from None
    try:
        yield
    finally:
        os.close(handle)
