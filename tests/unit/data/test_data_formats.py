"""From paths to readers: folders, forced formats, files that are nobody's, symbols."""

from __future__ import annotations

import gzip
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from footprint.data import formats
from footprint.data.verdict import Verdict
from footprint.errors import DataRefused, UsageError

B3_CSV = (
    b"symbol,rpt_seq,network_received_time,event_type,md_entry_px,md_entry_size,aggressor,en_s_px_1,en_b_px_1\n"
    b"%s,1,2025-04-07 13:30:01.000000001+00:00,book,,,,10.01,9.99\n"
    b"%s,2,2025-04-07 13:30:02.000000001+00:00,trade,10.01,100.0,4.0,10.01,9.99\n"
)


def b3_csv(symbol: bytes = b"ABCD3") -> bytes:
    return B3_CSV % (symbol, symbol)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.csv").write_bytes(b3_csv(b"BBBB3"))
    (tmp_path / "deep" / "a.csv.gz").write_bytes(gzip.compress(b3_csv(b"AAAA3")))
    (tmp_path / "notes.txt").write_text("not market data")
    return tmp_path


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "zip"])
def test_compression_is_read_in_place(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ticks.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("ticks.csv", b3_csv())
    else:
        pack = {"csv": bytes, "csv.gz": gzip.compress, "csv.zst": zstandard.compress}[suffix]
        path.write_bytes(pack(b3_csv()))
    (session,) = formats.sessions([path])
    assert (session.source, session.instrument.symbol, len(session.events)) == ("b3", "ABCD3", 3)


def test_folders_are_searched_and_strangers_are_listed_but_not_refused(folder: Path) -> None:
    verdicts = formats.audit([folder])
    assert [(v.path.name, v.source) for v in verdicts] == [("a.csv.gz", "b3"), ("b.csv", "b3"), ("notes.txt", "")]
    assert verdicts[-1].verdict is Verdict.ACCEPTED
    assert [f.code for f in verdicts[-1].findings] == ["not_recognised"]
    assert [s.instrument.symbol for s in formats.sessions([folder])] == ["AAAA3", "BBBB3"]


def test_a_stranger_named_by_the_user_is_refused(folder: Path) -> None:
    (verdict,) = formats.audit([folder / "notes.txt"])
    assert verdict.verdict is Verdict.REFUSED
    with pytest.raises(
        DataRefused, match=r"notes\.txt: format not recognised, known: lobster, .*; MAPPING.yaml:PATH reads"
    ):
        formats.sessions([folder, folder / "notes.txt"][::-1])


def test_an_empty_file_of_no_format_is_told_as_empty(folder: Path) -> None:
    (folder / "notes.txt").write_bytes(b"")
    (*_, verdict) = formats.audit([folder])
    assert verdict.findings[0].text == f"{folder / 'notes.txt'}: empty file"


def test_one_refused_file_stops_everything_before_anything_is_read(folder: Path) -> None:
    (folder / "z.csv").write_bytes(b3_csv().replace(b"100.0", b"-1"))
    with pytest.raises(DataRefused, match=r"z\.csv, row 3, field md_entry_size: negative value"):
        formats.sessions([folder])


def test_a_file_given_twice_is_read_once(folder: Path) -> None:
    assert len(formats.audit([folder, folder / "deep" / "a.csv.gz", folder / "deep"])) == 3


def test_the_format_can_be_forced(folder: Path) -> None:
    (verdict,) = formats.audit([f"b3:{folder / 'notes.txt'}"])
    assert (verdict.source, verdict.verdict) == ("b3", Verdict.REFUSED)
    assert "wrong columns" in verdict.findings[0].text
    assert formats.audit([f"B3:{folder / 'deep'}"])[0].source == "b3"


def test_one_symbol_can_be_chosen(folder: Path) -> None:
    assert [s.instrument.symbol for s in formats.sessions([folder], symbol="bbbb3")] == ["BBBB3"]
    with pytest.raises(UsageError, match=r"no data of CCCC3 in .*, there is: AAAA3, BBBB3"):
        formats.sessions([folder], symbol="CCCC3")


def test_verdicts_of_an_earlier_audit_are_taken_over(folder: Path) -> None:
    verdicts = formats.audit([folder])
    assert len(list(formats.sessions([folder], verdicts=verdicts))) == 2


def test_misuse_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder: nowhere"):
        formats.audit(["nowhere"])
    with pytest.raises(UsageError, match=r"no format 'csv' in csv:x, known: lobster, .*, tcapy_fx$"):
        formats.audit(["csv:x"])
    for nothing in ("", "b3:"):
        with pytest.raises(UsageError, match=f"no file or folder is named: '{nothing}'"):
            formats.audit([nothing])
    with pytest.raises(UsageError, match="s3://bucket/store is no local file or folder"):
        formats.audit(["s3://bucket/store"])
    with pytest.raises(UsageError, match="neither a file nor a folder: /dev/null"):
        formats.audit(["/dev/null"])
    with pytest.raises(UsageError, match="no market data of a known format"):
        formats.sessions([tmp_path])


def test_a_colon_in_an_existing_name_is_not_a_format(tmp_path: Path) -> None:
    path = tmp_path / "b3:odd.csv"
    path.write_bytes(b3_csv())
    assert formats.audit([path])[0].source == "b3"
    assert formats.audit([path])[0].verdict is Verdict.LIMITED


def test_every_shared_file_is_given_to_its_reader_or_to_nobody(shared_data: Path) -> None:
    found = Counter(
        (reader.name, path.relative_to(shared_data).parts[0])
        for path in sorted(shared_data.rglob("*"))
        if path.is_file()
        for reader in (*formats.READERS, *formats.TABLE_READERS)
        if reader.recognise(path)
    )
    assert found == {
        ("b3", "b3_ticks"): 37,
        ("b3_option_trades", "b3_orders_2015"): 1,
        ("b3_orders", "b3_orders_2015"): 1,
        ("binance", "binance_raw"): 10,
        ("binance_archive", "binance_xrpeth_trades"): 1,
        ("bitfinex", "bitfinex_l3"): 1,
        ("bitstamp", "bitstamp_l3"): 2,
        ("bybit", "bybit_ob500"): 1,
        ("bybit_funding", "lean"): 1,
        ("databento", "databento_fixtures"): 25,
        ("databento", "databento_mbo"): 5,
        ("deribit_chain", "deribit_options"): 6,
        ("frames", "ws_frames"): 38,
        ("hftbacktest", "hftbacktest_npz"): 2,
        ("iex", "iex"): 2,
        ("lean", "lean"): 15,
        ("lean_bars", "lean"): 2,
        ("lean_futures", "lean"): 2,
        ("lean_open_interest", "lean"): 3,
        ("lean_options", "lean"): 2,
        ("lobster", "lobster"): 3,
        ("open_auction", "us_open_auction"): 1,
        ("sgx", "sgx_a50_l2"): 2,
        ("taq", "taq_xxx_2018"): 2,
        ("tardis", "tardis_csv"): 6,
        ("tcapy_fx", "tcapy_fx"): 2,
    }


def test_a_day_that_came_twice_is_not_its_own_past(monkeypatch, tmp_path):
    """Two readers that both hold the day: the second would learn from itself."""
    session = SimpleNamespace(
        instrument=SimpleNamespace(symbol="ONE", venue="X"),
        day=date(2024, 1, 8),
        open_ns=0,
        close_ns=10,
        paths=(tmp_path,),
    )
    later = SimpleNamespace(**{**vars(session), "open_ns": 10, "close_ns": 20})
    assert list(formats._each_day_once(iter([session, later]))) == [session, later]  # two stretches of one day
    with pytest.raises(UsageError, match="ONE 2024-01-08 is in the data twice"):
        list(formats._each_day_once(iter([session, session])))
