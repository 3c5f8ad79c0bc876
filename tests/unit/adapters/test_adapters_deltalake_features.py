"""The feature table on Delta Lake: the contract, other processes, interrupted writes, merged files."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

from footprint.adapters import deltalake_features
from footprint.adapters.deltalake_features import DeltaFeatureTable
from footprint.errors import DataRefused, UsageError
from footprint.features.feature_table import FeatureSet
from footprint.testing.check_feature_table import check_feature_table

ONE = FeatureSet("one-1", ("a",))


def frame(*rows):
    return pl.DataFrame(list(rows), schema=ONE.schema, orient="row")


def test_the_contract(tmp_path):
    check_feature_table(lambda features: DeltaFeatureTable(tmp_path / "a table é", features))


def test_another_feature_set_is_refused(tmp_path):
    DeltaFeatureTable(tmp_path / "t", ONE)
    with pytest.raises(UsageError, match=r"holds the features one-1, allowed: two-1"):
        DeltaFeatureTable(tmp_path / "t", FeatureSet("two-1", ("a",)))
    with pytest.raises(UsageError, match="with the same names"):
        DeltaFeatureTable(tmp_path / "t", FeatureSet("one-1", ("a", "b")))


def test_entities_of_any_name(tmp_path):
    table = DeltaFeatureTable(tmp_path, ONE)
    names = ["BTC/USDT", "a=b c", "é%2F", ".hidden"]
    table.write(frame(*((name, 1, 1, float(i)) for i, name in enumerate(names))))
    for i, name in enumerate(names):
        assert table.read([name], 1).rows() == [(name, 1, 1, float(i))]


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path):
    table = DeltaFeatureTable(tmp_path, ONE)
    with deltalake_features._only_writer(tmp_path):
        with pytest.raises(UsageError, match="another process is writing"):
            table.write(frame(("X", 1, 1, 1.0)))
        assert table.rows().is_empty()
    assert table.write(frame(("X", 1, 1, 1.0))) == 1


def test_merged_files_read_the_same_and_old_versions_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(deltalake_features, "_MANY_FILES", 3)
    table = DeltaFeatureTable(tmp_path, ONE)
    versions = [table.write(frame(("X", i, i, float(i)), ("Y", i, i, -float(i)))) for i in range(6)]
    assert versions == sorted(versions)
    for i, version in enumerate(versions):
        assert table.rows(["X"], version)["a"].to_list() == [float(k) for k in range(i + 1)]


def test_a_write_that_breaks_off_changes_nothing(tmp_path, monkeypatch):
    table = DeltaFeatureTable(tmp_path, ONE)
    table.write(frame(("X", 1, 1, 1.0)))
    (tmp_path / "entity=X" / "orphan.parquet").write_bytes(b"PAR1 half a file")

    def breaks(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(deltalake_features, "write_deltalake", breaks)
        with pytest.raises(KeyboardInterrupt):
            table.write(frame(("X", 2, 2, 2.0)))
    assert table.rows().rows() == [("X", 1, 1, 1.0)]
    assert table.write(frame(("X", 2, 2, 2.0))) == 2


def test_a_killed_writer_loses_no_write_that_returned(tmp_path):
    code = """
import sys
import polars as pl
from pathlib import Path
from footprint.adapters.deltalake_features import DeltaFeatureTable
from footprint.features.feature_table import FeatureSet
features = FeatureSet("one-1", ("a",))
table = DeltaFeatureTable(Path(sys.argv[1]), features)
for i in range(10_000):
    table.write(pl.DataFrame([("X", i, i, float(i))], schema=features.schema, orient="row"))
    print(i, flush=True)
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        for line in writer.stdout:
            if int(line) == 10:
                break
        writer.kill()
        told = [10, *(int(line) for line in writer.stdout)]
    table = DeltaFeatureTable(tmp_path, ONE)
    found = table.rows()["a"].to_list()
    assert found == [float(i) for i in range(len(found))]
    assert len(found) > told[-1]
    table.write(frame(("X", 10**6, 10**6, 0.5)))
    assert table.rows()["a"].to_list() == [*found, 0.5]


def test_a_damaged_file_is_named(tmp_path):
    table = DeltaFeatureTable(tmp_path, ONE)
    table.write(frame(("X", 1, 1, 1.0)))
    (file,) = tmp_path.rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataRefused, match="cannot be read"):
        table.rows()
