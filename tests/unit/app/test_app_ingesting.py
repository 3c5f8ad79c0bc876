"""`footprint ingest` and `footprint.read`: the readers and the store give the same sessions."""

from __future__ import annotations

import json
import weakref
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

import footprint
from footprint.app import ingesting
from footprint.app.ingesting import ingest
from footprint.app.progress import NullProgress
from footprint.data import formats
from footprint.data.history import columns, open_history
from footprint.data.planted import PlantedLaw
from footprint.data.readers.lean_writer import write_lean
from footprint.data.synthetic import planted_sessions
from footprint.data.tables import SCHEMAS, Table, TableKind
from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import DataRefused, UsageError
from footprint.market.events import EVENT_DTYPE

REAL = (
    "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip",
    "binance_raw/spot/ethusdt_20240808.gz",
    "binance_raw/cm/ethusd_perp_20240808.gz",
    "b3_ticks",
)


def put(paths, store, **options):
    return ingest(paths, open_history(store), formats.audit(paths), NullProgress(), **options)


def same(left, right):
    """Every field equal, the events and extra columns to the bit."""
    fields = ("instrument", "day", "open_ns", "close_ns", "source", "paths")
    assert [getattr(left, f) for f in fields] == [getattr(right, f) for f in fields]
    assert dict(left.counts) == dict(right.counts)
    assert left.events.dtype == right.events.dtype == EVENT_DTYPE
    found, expected = columns(left), columns(right)
    assert list(found) == list(expected)
    for name in expected:
        assert np.array_equal(found[name], expected[name]), name
    return True


@pytest.mark.parametrize("file", REAL)
def test_store_gives_what_the_readers_give(shared_data, tmp_path, file):
    paths = [shared_data / file]
    done = put(paths, tmp_path / "store")
    assert {one.word for one in done} == {"stored"}
    found = footprint.read(tmp_path / "store")
    assert sum(same(*pair) for pair in zip(found, formats.sessions(paths), strict=True)) == len(done)


def test_generated_days_come_back_and_again_changes_nothing(planted_tape, tmp_path, capsys):
    store = tmp_path / "store"
    run = {"symbol": None, "replace": False, "as_json": True, "progress": NullProgress()}
    ingesting.run([planted_tape], str(store), **run)
    first = json.loads(capsys.readouterr().out)
    assert [one["outcome"] for one in first["ingested"]] == ["stored"] * 3
    assert list(first["ingested"][0]) == ["what", "venue", "symbol", "day", "source", "rows", "outcome", "reason"]
    found = footprint.read(store, "SYNTH")
    assert sum(same(*pair) for pair in zip(found, formats.sessions([planted_tape]), strict=True)) == 3
    files = sorted(p for p in store.rglob("*") if p.is_file())
    ingesting.run([planted_tape], str(store), **run)
    second = json.loads(capsys.readouterr().out)
    assert [one["outcome"] for one in second["ingested"]] == ["unchanged"] * 3
    assert second["version"] == first["version"] == 3
    assert sorted(p for p in store.rglob("*") if p.is_file()) == files


def changed_tape(folder: Path) -> Path:
    """The same days with other content in the second."""
    for number, session in enumerate(planted_sessions(PlantedLaw(), 3, np.random.default_rng(0))):
        events = session.events.copy()
        events["size_lots"][5] += number == 1
        write_lean(replace(session, events=events), folder)
    return folder


def test_changed_file_is_told_after_the_rest_is_stored(planted_tape, tmp_path, capsys):
    store, changed = str(tmp_path / "store"), changed_tape(tmp_path / "changed")
    run = {"symbol": None, "as_json": False, "progress": NullProgress()}
    ingesting.run([planted_tape], store, replace=False, **run)
    with pytest.raises(UsageError, match=r"SYNTH 2024-01-09 on US: the store holds other content .* or --replace$"):
        ingesting.run([changed], store, replace=False, **run)
    assert "conflict  SYNTH 2024-01-09 (US, lean)" in capsys.readouterr().out
    ingesting.run([changed], store, replace=True, **run)
    assert "version 4: 2 unchanged, 1 replaced" in capsys.readouterr().out
    sizes = [session.events["size_lots"][5] for session in formats.sessions([changed])]
    assert [session.events["size_lots"][5] for session in footprint.read(store)] == sizes


def test_refused_file_leaves_no_store(planted_tape, tmp_path):
    folder = tmp_path / "tape"
    folder.mkdir()
    for file in planted_tape.rglob("*.zip"):
        (folder / file.name).write_bytes(file.read_bytes())
    last = max(folder.iterdir())
    last.write_bytes(last.read_bytes()[:1000])
    run = {"symbol": None, "replace": False, "as_json": False, "progress": NullProgress()}
    with pytest.raises(DataRefused, match=last.name):
        ingesting.run([folder], str(tmp_path / "store"), **run)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("place", ["", "foo://bucket/x", "memory:///x", "http://host/x"])
def test_a_place_that_can_hold_no_store_is_misuse(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"is no place for a store, allowed: a folder, or an address of s3://"):
        open_history(place)
    assert not list(tmp_path.iterdir())


def test_times_of_a_reading(planted_tape, tmp_path):
    put([planted_tape], tmp_path / "store")
    whole = next(footprint.read(tmp_path / "store"))
    half_ns = int(whole.events["exchange_time_ns"][len(whole.events) // 2])
    moment = datetime.fromtimestamp(half_ns // 10**9, UTC)
    spans = [moment, moment.isoformat(), half_ns // 10**9 * 10**9, moment.astimezone(ZoneInfo("Asia/Tokyo"))]
    (count,) = {len(next(footprint.read(tmp_path / "store", end=end)).events) for end in spans}
    assert 0 < count < len(whole.events)
    for wrong in (datetime(2024, 1, 8), date(2024, 1, 8), half_ns // 10**9, 1.7e18, "yesterday"):
        with pytest.raises(UsageError, match=r"^start: .* allowed: ISO 8601 with a zone"):
            footprint.read(tmp_path / "store", start=wrong)
    with pytest.raises(UsageError, match="is not before end"):
        footprint.read(tmp_path / "store", start=half_ns, end=half_ns)


def test_one_symbol_of_many(tmp_path):
    for seed, symbol in enumerate(("ONE", "TWO")):
        for session in planted_sessions(PlantedLaw(), 1, np.random.default_rng(seed)):
            write_lean(replace(session, instrument=replace(session.instrument, symbol=symbol)), tmp_path / "tape")
    put([tmp_path / "tape"], tmp_path / "store", symbol="two")
    assert [s.instrument.symbol for s in footprint.read(tmp_path / "store")] == ["TWO"]


def test_audit_is_kept_beside_the_session(planted_tape, tmp_path):
    verdicts = formats.audit([planted_tape])
    seen = Finding("odd", "an oddity")
    verdicts[0] = FileVerdict(verdicts[0].path, "lean", "SYNTH", (*verdicts[0].findings, seen))
    history = open_history(tmp_path / "store")
    ingest([planted_tape], history, verdicts, NullProgress())
    stored = {s.day: s.findings for s in history.stored()}
    assert sum(seen in findings for findings in stored.values()) == 1


class TinyTables:
    """One table a file named *.tiny."""

    name = "tiny"

    def recognise(self, path):
        return path.suffix == ".tiny"

    def audit(self, paths):
        return [FileVerdict(path, self.name, "ABC") for path in paths]

    def tables(self, paths):
        for path in paths:
            rate = float(path.read_text())
            rows = {"symbol": ["ABC"], "venue": ["X"], "known_at_ns": [7], "rate_fraction": [rate], "interval_s": [9]}
            frame = pl.DataFrame(rows, schema=dict(SCHEMAS[TableKind.FUNDING]))
            yield Table(TableKind.FUNDING, frame, self.name, {"rows": 1}, (path,))


def test_files_with_tables_alone(tmp_path, monkeypatch):
    reader = TinyTables()
    monkeypatch.setattr(formats, "TABLE_READERS", (reader,))
    monkeypatch.setattr(formats, "_ALL", (*formats.READERS, reader))
    file, store = tmp_path / "a.tiny", tmp_path / "store"
    file.write_text("0.5")
    assert [(one.what, one.word) for one in put([file], store)] == [("funding", "stored")]
    assert [one.word for one in put([file], store)] == ["unchanged"]
    file.write_text("0.25")
    assert [one.word for one in put([file], store)] == ["conflict"]
    assert [one.word for one in put([file], store, replace=True)] == ["replaced"]
    (table,) = open_history(store).tables(TableKind.FUNDING)
    assert table.frame["rate_fraction"].to_list() == [0.25]


def test_one_session_in_memory_at_a_time(planted_tape, tmp_path, monkeypatch):
    made, alive = [], []

    def watched(*arguments):
        for session in planted_sessions(PlantedLaw(), 3, np.random.default_rng(0)):
            alive.append(sum(events() is not None for events in made))
            mine = replace(session, events=session.events.copy())
            made.append(weakref.ref(mine.events))
            yield mine
            del mine

    monkeypatch.setattr(formats, "sessions", watched)
    put([planted_tape], tmp_path / "store")
    assert alive == [0, 1, 1]  # the one before, which the loop still names
