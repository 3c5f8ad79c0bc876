"""The Delta Lake history store: the same bits back, idempotent, atomic, with versions and clear refusals."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable
from small_sessions import DAY_NS, HOUR_NS, assert_same, small_session, small_table

import footprint
from footprint.adapters import deltalake_history
from footprint.adapters.deltalake_history import DeltaHistory
from footprint.data.history import OtherContent, Stored
from footprint.data.tables import TableKind
from footprint.data.verdict import Analysis, Finding
from footprint.errors import DataRefused, UsageError
from footprint.market.events import event_time_ns


def put(folder, *sessions, **options):
    with DeltaHistory(str(folder)).writing() as writer:
        return [writer.put(session, **options) for session in sessions]


def state(folder):
    """Names and sizes of all files but the lock: what a re-ingest must leave as it is."""
    return {p: p.stat().st_size for p in folder.rglob("*") if p.is_file() and p.name != ".writer.lock"}


@pytest.fixture(params=["folder", "object store"])
def store(request, tmp_path, monkeypatch):
    """A folder, written as one and as if it were an object store."""
    if request.param == "object store":
        monkeypatch.setattr(deltalake_history, "_is_local", lambda url: False)
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def test_sessions_come_back_the_same(store):
    sessions = [
        small_session(0),
        small_session(1, extra=("buyer_member", "seller_member"), symbol="WITH"),
        small_session(2, extra=("seller_member",), symbol="ONE"),
        small_session(3, count=0, symbol="EMPTY", extra=("buyer_member",)),
        small_session(4, symbol="BTC/USDT é%2F", venue="a=b c"),
        small_session(5, count=1, symbol="SINGLE"),
        small_session(6, symbol="NEW", extra=("later_column",)),
    ]
    assert put(store, *sessions) == [Stored.NEW] * len(sessions)
    for session in sessions:
        (found,) = footprint.read(store, session.instrument.symbol)
        assert_same(found, session)
    assert len(list(footprint.read(store))) == len(sessions)


def test_same_content_changes_nothing(store):
    sessions = [small_session(0), small_session(1, count=0, symbol="EMPTY")]
    put(store, *sessions)
    before = state(store)
    assert put(store, *sessions) == [Stored.UNCHANGED] * 2
    assert put(store, *sessions, replace=True) == [Stored.UNCHANGED] * 2
    moved = replace(sessions[0], paths=(), counts={})
    assert put(store, moved) == [Stored.UNCHANGED]
    assert state(store) == before


def changes_of(session):
    events = session.events.copy()
    events["flags"][-1] ^= 1
    extra = session.extra["buyer_member"].copy()
    extra[0] += 1
    return {
        "events": replace(session, events=events),
        "fewer": replace(session, events=session.events[:-1], extra={n: v[:-1] for n, v in session.extra.items()}),
        "extra": replace(session, extra={"buyer_member": extra}),
        "no extra": replace(session, extra={}),
        "tick": replace(session, instrument=replace(session.instrument, tick_size=0.3)),
        "source": replace(session, source="other"),
        "close": replace(session, close_ns=session.close_ns + 1),
    }


@pytest.mark.parametrize("change", changes_of(small_session(extra=("buyer_member",))))
def test_other_content_is_refused_and_replaced_when_told(store, change):
    session = small_session(extra=("buyer_member",))
    other = changes_of(session)[change]
    put(store, session)
    before = state(store)
    with pytest.raises(OtherContent, match=r"ABC 2024-01-08 on X: the store holds other content \(small: ABC_2024"):
        put(store, other)
    assert state(store) == before
    assert put(store, other, replace=True) == [Stored.REPLACED]
    (found,) = footprint.read(store, "ABC")
    assert_same(found, other)
    assert len(DeltaTable(store / "events").file_uris()) == 1
    (old,) = footprint.read(store, "ABC", version=1)
    assert_same(old, session)


def test_only_the_same_time_is_a_conflict(store):
    first = small_session(0)
    others = [
        small_session(1, day=date(2024, 1, 9)),
        small_session(2, venue="Y"),
        replace(small_session(3), open_ns=first.close_ns, close_ns=first.close_ns + 1),
    ]
    assert put(store, first, *others) == [Stored.NEW] * 4
    longer = replace(small_session(4, count=80), close_ns=first.close_ns + 2 * DAY_NS)  # covers three of them
    assert put(store, longer, replace=True) == [Stored.REPLACED]
    assert [len(s.events) for s in footprint.read(store, "ABC", venue="x")] == [80]
    assert len(list(footprint.read(store))) == 2


def test_order_is_symbol_venue_time(store):
    days = [date(2024, 1, d) for d in (10, 8, 9)]
    put(
        store,
        *(
            small_session(i, symbol=s, venue=v, day=d)
            for i, (s, v, d) in enumerate((s, v, d) for s in "BA" for v in "YX" for d in days)
        ),
    )
    found = [(s.instrument.symbol, s.instrument.venue, s.day.day) for s in footprint.read(store)]
    assert found == [(s, v, d) for s in "AB" for v in "XY" for d in (8, 9, 10)]


def test_span_cuts_by_event_time(store):
    sessions = [small_session(i, day=date(2024, 1, 8 + i), extra=("buyer_member",)) for i in range(3)]
    put(store, *sessions)
    times = event_time_ns(sessions[1].events)
    start, end = int(times[10]), int(times[30])
    (found,) = footprint.read(store, "abc", start, end)
    assert_same(
        found,
        replace(
            sessions[1],
            events=sessions[1].events[10:30],
            extra={"buyer_member": sessions[1].extra["buyer_member"][10:30]},
        ),
    )
    text = datetime.fromtimestamp(times[0] // 10**9, UTC).isoformat()
    assert [s.day.day for s in footprint.read(store, "ABC", text)] == [9, 10]
    assert [s.day.day for s in footprint.read(store, "ABC", end=int(times[0]) + 1)] == [8, 9]
    assert list(footprint.read(store, "ABC", start + 10 * DAY_NS)) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"symbol": "NONE"}, "no data of NONE in .*, there is: ABC"),
        ({"symbol": "ABC", "venue": "Z"}, "no data of ABC on Z"),
        ({"symbol": "ABC", "version": 9}, "no version 9, allowed: 0 to 1"),
        ({"symbol": "ABC", "version": "2001-01-01T00:00:00Z"}, "no data of ABC|no version"),
        ({"symbol": "ABC", "version": "yesterday"}, "yesterday"),
        ({"symbol": "ABC", "start": "2024-01-08"}, "start: .*has no zone"),
        ({"symbol": "ABC", "end": "noon"}, "end: .*is not a time"),
    ],
)
def test_what_is_not_there_is_said(store, arguments, said):
    put(store, small_session())
    with pytest.raises(UsageError, match=said):
        list(footprint.read(store, **arguments))


def test_no_store_is_said(tmp_path):
    with pytest.raises(UsageError, match="no history store"):
        footprint.read(tmp_path / "none", "ABC")
    pl.DataFrame({"a": [1]}).write_delta(tmp_path / "other" / "sessions")
    with pytest.raises(UsageError, match=r"no table of a history store, allowed: one with footprint\.schemaVersion"):
        footprint.read(tmp_path / "other", "ABC")


def test_name_of_the_folder_may_be_of_any_letters(tmp_path):
    sessions = [small_session(1, symbol="A/B"), small_session(0)]
    put(tmp_path / "my stores é" / "new one", *sessions)
    for found, session in zip(footprint.read(tmp_path / "my stores é" / "new one"), sessions, strict=True):
        assert_same(found, session)


def test_folder_that_the_library_would_not_find_is_refused(tmp_path):
    with pytest.raises(UsageError, match="allowed: a folder without % in its name"):
        DeltaHistory(str(tmp_path / "a%20b"))


def test_newer_schema_is_refused(store):
    put(store, small_session())
    table = DeltaTable(store / "sessions")
    assert table.metadata().configuration["footprint.schemaVersion"] == "1"
    table.alter.set_table_properties({"footprint.schemaVersion": "2"}, raise_if_not_exists=False)
    for use in (lambda: footprint.read(store, "ABC"), lambda: put(store, small_session())):
        with pytest.raises(UsageError, match="schema version 2 of the store, allowed: up to 1; a newer release"):
            use()


def test_time_travel_by_version_and_time(store):
    first, second = small_session(0), small_session(1)
    put(store, first)
    time.sleep(0.02)
    between = datetime.now(UTC).isoformat()
    time.sleep(0.02)
    put(store, second, replace=True)
    put(store, small_session(2, symbol="LATER"))
    for version, expected in ((1, first), (2, second), (3, second), (between, first), (None, second)):
        (found,) = footprint.read(store, "ABC", version=version)
        assert_same(found, expected)
    put(store, first, replace=True)  # and back again
    (found,) = footprint.read(store, "ABC")
    assert_same(found, first)
    (found,) = footprint.read(store, "ABC", version=3)
    assert_same(found, second)


def test_findings_are_kept(store):
    findings = (
        Finding("gap", "a gap of 3 s", 2, voids=(Analysis.BOOK, Analysis.LATENCY)),
        Finding("odd", "é ' \" \\", refuses=False),
    )
    put(store, small_session(), findings=findings)
    (stored,) = DeltaHistory(str(store)).stored()
    assert stored.findings == findings
    assert (stored.events, stored.source) == (50, "small")


def test_files_are_partitioned_and_small(store):
    session = small_session(symbol="A/B")
    put(store, session)
    (file,) = (store / "events").rglob("*.parquet")
    assert [p.partition("=")[0] for p in file.relative_to(store / "events").parts[:-1]] == [
        "venue", "symbol", "date", "session",
    ]  # fmt: skip
    actions = pl.DataFrame(DeltaTable(store / "events").get_add_actions(flatten=True))
    times = session.events["receive_time_ns"]
    assert actions["num_records"].item() == 50
    assert actions["size_bytes"].item() == file.stat().st_size
    assert (actions["min.receive_time_ns"].item(), actions["max.receive_time_ns"].item()) == (times[0], times[-1])
    assert actions["partition.symbol"].item() == "A/B"
    frame = pl.read_delta(str(store / "events"))  # as any other tool reads it
    assert frame["event"].to_list() == list(range(50))
    assert frame["order_id"].to_numpy().view(np.uint64).tolist() == session.events["order_id"].tolist()
    assert frame["symbol"].unique().to_list() == ["A/B"]
    assert frame["buyer_member"].null_count() == 50


def test_damage_is_refused(store):
    put(store, small_session(count=5_000))
    (file,) = (store / "events").rglob("*.parquet")
    data = file.read_bytes()
    for at in (10, len(data) // 2, len(data) - 20):
        file.write_bytes(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])
        with pytest.raises(DataRefused, match="ABC 2024-01-08"):
            list(footprint.read(store, "ABC"))
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataRefused, match="ABC 2024-01-08: events cannot be read"):
        list(footprint.read(store, "ABC"))
    file.unlink()
    with pytest.raises(DataRefused, match="ABC 2024-01-08"):
        list(footprint.read(store, "ABC"))


def test_events_that_another_tool_removed_or_changed_are_missed(store):
    put(store, small_session())
    table = DeltaTable(store / "events")
    table.update(updates={"size_lots": "size_lots + 1"}, predicate="event = 7")
    with pytest.raises(DataRefused, match="damaged, found 'other content'"):
        list(footprint.read(store, "ABC"))
    table.delete("event = 7")
    with pytest.raises(DataRefused, match="events missing, found '49', allowed: 50 events"):
        list(footprint.read(store, "ABC"))
    assert len(list(footprint.read(store, "ABC", version=1))) == 1


def test_merged_files_of_another_tool_are_read(store):
    sessions = [small_session(i, day=date(2024, 1, 8 + i), count=500) for i in range(2)]
    put(store, *sessions)
    table = DeltaTable(store / "events")
    frame = pl.read_delta(str(store / "events")).sample(fraction=1.0, shuffle=True, seed=0)
    table.delete()
    frame.write_delta(table, mode="append")
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    for found, session in zip(footprint.read(store, "ABC"), sessions, strict=True):
        assert_same(found, session)


def test_events_without_a_row_do_not_count_and_are_removed(store, monkeypatch):
    """A writer that dies between its two commits."""

    def dies(*arguments):
        raise KeyboardInterrupt

    first = small_session(0)
    put(store, first)
    with monkeypatch.context() as patch:
        patch.setattr(deltalake_history, "_swap", dies)
        with pytest.raises(KeyboardInterrupt):
            put(store, small_session(1, symbol="ORPHAN"))
    assert len(DeltaTable(store / "events").file_uris()) == 2
    (found,) = footprint.read(store)
    assert_same(found, first)
    put(store)
    assert len(DeltaTable(store / "events").file_uris()) == 1
    (found,) = footprint.read(store)
    assert_same(found, first)


def test_many_small_rows_are_merged(store, monkeypatch):
    monkeypatch.setattr(deltalake_history, "_MANY_FILES", 5)
    sessions = [small_session(i, day=date(2024, 1, 1 + i), count=5) for i in range(8)]
    put(store, *sessions)
    assert len(DeltaTable(store / "sessions").file_uris()) == 1
    before = state(store)
    assert put(store, *sessions) == [Stored.UNCHANGED] * 8
    assert state(store) == before
    for found, session in zip(footprint.read(store), sessions, strict=True):
        assert_same(found, session)


def test_one_writer_at_a_time(tmp_path):
    store = tmp_path / "new"
    with DeltaHistory(str(store)).writing():
        code = "import sys; from footprint.data.history import open_history\n"
        code += "with open_history(sys.argv[1]).writing(): pass"
        done = subprocess.run([sys.executable, "-c", code, store], capture_output=True, text=True, check=False)
        assert "another process is writing to this store, allowed: one at a time" in done.stderr
    put(store, small_session())


def test_address_with_a_scheme(store):
    address = f"file://{store}"
    put(address, small_session())
    (found,) = footprint.read(address, "ABC")
    assert_same(found, small_session())


@pytest.mark.parametrize("kind", TableKind)
def test_tables_come_back_the_same(store, kind):
    table = small_table(kind)
    history = DeltaHistory(str(store))
    assert list(history.tables(kind)) == []
    with history.writing() as writer:
        assert writer.put_table(table) is Stored.NEW
        before = state(store)
        assert writer.put_table(table) is Stored.UNCHANGED
        assert state(store) == before
    (found,) = history.tables(kind)
    assert found.frame.equals(table.frame, null_equal=True)
    assert (found.kind, found.source, found.counts, found.paths) == (kind, "small", {"rows": 3}, table.paths)


def test_changed_table_is_refused_and_replaced_when_told(store):
    history = DeltaHistory(str(store))
    with history.writing() as writer:
        writer.put_table(small_table())
        changed = small_table(changed=1.0)
        with pytest.raises(OtherContent, match=r"f\.csv: the store holds other content of this funding file"):
            writer.put_table(changed)
        other_file, other_time = small_table(name="g.csv", changed=2.0), small_table(first_ns=1_800_000_000 * 10**9)
        other_symbol = small_table(symbol="XYZ", changed=3.0)
        assert [writer.put_table(t) for t in (other_file, other_time, other_symbol)] == [Stored.NEW] * 3
        assert writer.put_table(changed, replace=True) is Stored.REPLACED
    found = [table.frame["rate_fraction"][0] for table in history.tables(TableKind.FUNDING)]
    assert sorted(found) == [0.1, 1.1, 2.1, 3.1]
    assert len(list(history.tables(TableKind.FUNDING, version=1))) == 1


def test_import_of_the_package_is_cheap():
    code = "import sys, footprint; sys.exit(bool({'numpy', 'polars', 'deltalake', 'typer'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_library_is_said(monkeypatch, store):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    monkeypatch.delitem(sys.modules, "footprint.adapters.deltalake_history")
    with pytest.raises(UsageError, match="needs deltalake, allowed: pip install 'footprint"):
        footprint.read(store, "ABC")


def test_an_hour_of_a_day(store):
    session = small_session(count=300)
    put(store, session)
    start = session.open_ns + HOUR_NS
    (found,) = footprint.read(store, "ABC", start, start + HOUR_NS)
    times = event_time_ns(session.events)
    assert len(found.events) == ((times >= start) & (times < start + HOUR_NS)).sum() > 0
