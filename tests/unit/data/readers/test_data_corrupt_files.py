"""Broken LEAN and B3 files: recognised as what they are, refused, and the message says where and what."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from footprint.data import formats
from footprint.data.verdict import Verdict
from footprint.errors import DataRefused

HEADER = "symbol,rpt_seq,network_received_time,event_type,md_entry_px,md_entry_size,aggressor,en_s_px_1,en_b_px_1"
BOOK = "ABCD3,1,2025-04-07 13:30:01.000000001+00:00,book,,,,10.01,9.99"
TRADE = "ABCD3,2,2025-04-07 13:30:02.000000001+00:00,trade,10.01,100.0,4.0,10.01,9.99"
LEAN_TRADES = ["34200000,100000,100,P,1,0", "34200005,100100,200,Q,20000020,0"]
LEAN_QUOTES = ["34200000,100000,300,0,0,P,1,0", "34200000,0,0,100200,400,Q,1,0"]


def b3_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "ABCD3_2025-04-07.csv.gz"
    path.write_bytes(gzip.compress("\n".join((header, *rows)).encode()))
    return path


def lean_file(folder: Path, kind: str, rows: list[str], day: str = "20131007") -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{day}_abc_{kind.title()}_Tick.csv", "\n".join(rows))
    folder = folder / "abc"
    folder.mkdir(exist_ok=True)
    path = folder / f"{day}_{kind}.zip"
    path.write_bytes(packed.getvalue())
    return path


def refusal(path: Path, source: str) -> str:
    """The one reason for which the file is refused, the same from the audit and from reading."""
    (verdict,) = formats.audit([path])
    assert verdict.source == source
    assert verdict.verdict is Verdict.REFUSED
    with pytest.raises(DataRefused) as caught:
        next(formats.sessions([path]))
    (text,) = (f.text for f in verdict.findings if f.refuses)
    assert str(caught.value) == text
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(str(path))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            [BOOK, TRADE.replace("100.0", "-100.0")],
            ", row 3, field md_entry_size: negative value, found '-100.0', allowed: a finite number of at least 0",
        ),
        (
            [BOOK, TRADE.replace("trade,10.01", "trade,NaN")],
            ", row 3, field md_entry_px: not a finite number, found 'NaN', allowed: a finite number of at least 0",
        ),
        (
            [BOOK, TRADE.replace("trade,10.01", "trade,0.0")],
            ", row 3, field md_entry_px: price not positive, found '0.0', allowed: a positive price",
        ),
        (
            [BOOK, TRADE.replace("trade,10.01", "trade,")],
            ", row 3, field md_entry_px: trade without a value, allowed: a number",
        ),
        (
            [BOOK, TRADE.replace("trade,10.01", "trade,10.013")],
            ", row 3, field md_entry_px: not a whole multiple, found '10.013', allowed: a multiple of the tick 0.01",
        ),
        (
            [BOOK.replace("10.01", "ten")],
            ", row 2, field en_s_px_1: not a number, found 'ten', allowed: a finite number of at least 0",
        ),
        (
            [BOOK, TRADE.replace(",trade,", ",cancel,")],
            ", row 3, field event_type: unknown event, found 'cancel', allowed: book or trade",
        ),
        (
            [BOOK, TRADE.replace("2025-04-07 13", "2025-04-07T13")],
            ", row 3, field network_received_time: not a time, found '2025-04-07T13:30:02.000000001+00:00', "
            "allowed: such as 2025-04-07 13:00:00.123456789+00:00",
        ),
        (
            [TRADE, BOOK],
            ", row 3, field network_received_time: clock goes back, found '1744032601000000001', "
            "allowed: not before 1744032602000000001 of the row above",
        ),
        (
            [BOOK, TRADE.replace("ABCD3", "WXYZ3")],
            ", row 3, field symbol: second symbol, found 'WXYZ3', allowed: only ABCD3 in this file",
        ),
        ([BOOK, "ABCD3,3,2025-04"], f", row 3: wrong columns, found '3 columns', allowed: 9 columns: {HEADER}"),
        ([], ": no rows, allowed: at least one row"),
    ],
)
def test_b3_cells(tmp_path: Path, rows: list[str], reason: str) -> None:
    assert refusal(b3_file(tmp_path, *rows), "b3") == reason


@pytest.mark.parametrize("column", ["rpt_seq", "en_b_px_1", "aggressor", "event_type"])
def test_b3_without_a_column(tmp_path: Path, column: str) -> None:
    names = HEADER.split(",")
    keep = [i for i, name in enumerate(names) if name != column]
    rows = [",".join(line.split(",")[i] for i in keep) for line in (HEADER, BOOK, TRADE)]
    text = refusal(b3_file(tmp_path, *rows[1:], header=rows[0]), "b3")
    assert text.startswith(f", row 1, field {column}: wrong columns")
    assert text.endswith(f"allowed: {HEADER}")


def test_b3_truncated(tmp_path: Path) -> None:
    path = b3_file(tmp_path, BOOK, *[TRADE] * 2000)
    path.write_bytes(path.read_bytes()[:-40])
    assert refusal(path, "b3").startswith(": truncated or damaged archive")


@pytest.mark.parametrize("content", [b"", b"\x1f", b"\x1f\x8b\x08\x00"])
def test_b3_without_content_is_known_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ABCD3_2025-04-07.csv.gz"
    path.write_bytes(content)
    assert refusal(path, "b3").startswith((": empty file", ": truncated or damaged archive", ", row 1"))


@pytest.mark.parametrize(
    ("kind", "rows", "reason"),
    [
        (
            "trade",
            [LEAN_TRADES[0], "34200005,100100,-200,Q,1,0"],
            ", row 2, field size: negative value, found '-200', allowed: a whole number of at least 0",
        ),
        (
            "trade",
            ["34200000,NaN,100,P,1,0"],
            ", row 1, field price: not a number, found 'NaN', allowed: a whole number of at least 1",
        ),
        (
            "trade",
            ["34200000,99999999999999999999,100,P,1,0"],
            ", row 1, field price: value too large, found '99999999999999999999', "
            "allowed: a whole number of at least 1",
        ),
        (
            "trade",
            ["34200000,0,100,P,1,0"],
            ", row 1, field price: value too small, found '0', allowed: a whole number of at least 1",
        ),
        (
            "trade",
            ["34200000,100000,100,P,XYZ,0"],
            ", row 1, field condition: not a condition, found 'XYZ', allowed: hexadecimal flags",
        ),
        (
            "trade",
            LEAN_TRADES[::-1],
            ", row 2, field ms: clock goes back, found '34200000', allowed: not before 34200005 of the row above",
        ),
        (
            "trade",
            LEAN_QUOTES,
            ", row 1: wrong columns, found '8 columns', "
            "allowed: 6 columns: ms,price,size,exchange,condition,suspicious",
        ),
        (
            "trade",
            [LEAN_TRADES[0], "34200005,100100"],
            ", row 2: wrong columns, found '2 columns', "
            "allowed: 6 columns: ms,price,size,exchange,condition,suspicious",
        ),
        (
            "quote",
            [*LEAN_QUOTES, "34200001,100000,,0,0,P,1,0"],
            ", row 3, field bid_size: missing value, found '', allowed: a whole number of at least 0",
        ),
        ("quote", [], ": empty file, allowed: at least one row"),
    ],
)
def test_lean_cells(tmp_path: Path, kind: str, rows: list[str], reason: str) -> None:
    assert refusal(lean_file(tmp_path, kind, rows), "lean") == reason


@pytest.mark.parametrize("keep", [0, 3, 10, 100])
def test_lean_truncated(tmp_path: Path, keep: int) -> None:
    path = lean_file(tmp_path, "quote", LEAN_QUOTES * 500)
    path.write_bytes(path.read_bytes()[:keep])
    assert refusal(path, "lean").startswith((": empty file", ": truncated or damaged archive", ", row 1"))


def test_lean_damaged_in_the_middle(tmp_path: Path) -> None:
    path = lean_file(tmp_path, "quote", LEAN_QUOTES * 500)
    content = bytearray(path.read_bytes())
    content[70:90] = bytes(20)
    path.write_bytes(content)
    assert "damaged archive" in refusal(path, "lean")


def test_lean_with_an_impossible_date(tmp_path: Path) -> None:
    text = refusal(lean_file(tmp_path, "trade", LEAN_TRADES, day="20131332"), "lean")
    assert (
        text == ": wrong name inside, found '20131332_abc_Trade_Tick.csv', allowed: <yyyymmdd>_<symbol>_Trade_Tick.csv"
    )


def test_lean_same_day_twice(tmp_path: Path) -> None:
    first = lean_file(tmp_path, "trade", LEAN_TRADES)
    second = first.with_name("copy.zip")
    second.write_bytes(first.read_bytes())
    verdicts = formats.audit([first, second])
    assert [v.verdict is Verdict.REFUSED for v in verdicts].count(True) == 1
    with pytest.raises(DataRefused, match="second trade file of one day"):
        formats.sessions([first, second])
