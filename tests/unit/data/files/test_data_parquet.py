"""Parquet files whose pages carry checksums: a changed byte is seen."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from footprint.data.files.parquet import read_columns, read_parquet
from footprint.data.files.table import Column
from footprint.errors import DataRefused

VALUES = list(range(1000, 1100))


def write(path: Path, *, checksums: bool) -> Path:
    table = pa.table({"a": pa.array(VALUES, pa.int64())})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=checksums)
    return path


def damage(path: Path) -> Path:
    """One value becomes another."""
    raw = path.read_bytes()
    at = raw.index(VALUES[50].to_bytes(8, "little"))
    path.write_bytes(raw[: at + 1] + b"\x01" + raw[at + 2 :])
    return path


@pytest.mark.parametrize("checksums", [False, True])
def test_columns(tmp_path: Path, checksums: bool) -> None:
    path = write(tmp_path / "a.parquet", checksums=checksums)
    assert read_columns(path, ["a"])["a"].to_list() == VALUES
    with pytest.raises(DataRefused, match="wrong columns"):
        read_columns(path, ["b"])


def test_damage_is_seen_where_the_file_has_checksums(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="truncated or damaged archive"):
        read_columns(damage(write(tmp_path / "a.parquet", checksums=True)), ["a"])


def test_damage_that_no_checksum_shows_is_left_to_the_limits_of_the_column(tmp_path: Path) -> None:
    path = damage(write(tmp_path / "a.parquet", checksums=False))
    assert read_columns(path, ["a"])["a"].to_list() != VALUES
    with pytest.raises(DataRefused, match="row 51, field a: value too small"):
        read_parquet(path, [Column("a", int, 1000)])
