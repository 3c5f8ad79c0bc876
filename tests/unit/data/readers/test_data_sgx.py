"""SGX snapshots: a small file with every kind of block, refusals, then the oddities of the real ones."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from equity_files import SGX_BLOCKS, sgx

from footprint.book.replay import views
from footprint.data.readers.sgx import SgxReader
from footprint.data.session import Session
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader


def test_snapshots_become_the_levels_that_change(tmp_path: Path) -> None:
    (session,) = check_reader(SgxReader(), [sgx(tmp_path / "order_book_3_x.csv.gz", *SGX_BLOCKS)])
    assert isinstance(session, Session)
    events = session.events
    assert (events["kind"] == EventKind.LEVEL).all()
    told = list(zip(*(events[n].tolist() for n in ("side", "price_ticks", "size_lots")), strict=True))
    assert told == [
        *((1, 1359, 1), (1, 1358, 3), (1, 1357, 5), (-1, 1360, 2), (-1, 1361, 4), (-1, 1362, 6)),
        # the third snapshot changes nothing; the fourth:
        *((1, 1359, 0), (-1, 1361, 0), (-1, 1362, 0), (1, 1358, 8)),
    ]
    assert (events["flags"] & EventFlag.LAST > 0).tolist() == [False] * 5 + [True] + [False] * 3 + [True]
    assert (events["flags"] & EventFlag.SNAPSHOT > 0).tolist() == [True] * 6 + [False] * 4
    opened = int(datetime(2014, 1, 9, 1, tzinfo=UTC).timestamp()) * 10**9  # 09:00 in Singapore
    assert (events["exchange_time_ns"] - opened)[[0, -1]].tolist() == [100, 2_000_000_000]
    assert events["row"][[0, -1]].tolist() == [7, 23]
    assert (session.instrument.tick_size, session.open_ns) == (5.0, opened)
    assert dict(session.counts) == {
        "snapshots": 5,
        "before_open_dropped": 1,
        "after_close_dropped": 1,
        "unchanged_snapshots": 1,
        "missing_levels": 4 + 3 + 4,
        "levels": 10,
    }


def test_findings(tmp_path: Path) -> None:
    (verdict,) = SgxReader().audit([sgx(tmp_path / "order_book_3_x.csv", *SGX_BLOCKS)])
    found = {f.code for f in verdict.findings}
    assert found == {"no_trades", "no_receive_time", "three_levels", "call_dropped", "missing_levels", "early_end"}
    assert set(verdict.voids) == set(Analysis) - {Analysis.BOOK}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (("679500.0,1.0,680000.0",), ", row 5, field columns: wrong columns, found '3', allowed: 4 columns"),
        (
            ("679501.0,1.0,680000.0,1.0",),
            ", row 5, field price: not a price, found '679501.0', allowed: a multiple of 500",
        ),
        (("-500.0,1.0,680000.0,1.0",), ", row 5, field price: not a price"),
        (("679500.0,0.0,680000.0,1.0",), ", row 5, field size: not a size, found '0.0'"),
        (("679500.0,NaN,680000.0,1.0",), ", row 5, field size: half a level"),
        (("679500.0,1.0,x,1.0",), ", row 5, field ask: not a number, found 'x'"),
        (("679500.0,1.0,680000.0,1.0", "679500.0,1.0,680500.0,1.0"), ", row 3, field bid: levels out of order"),
        (("679500.0,1.0,680000.0,1.0", "679000.0,1.0,680000.0,1.0"), ", row 3, field ask: levels out of order"),
        (("679500.0,1.0,680000.0,1.0",) * 4, ", row 11, field level: too many levels, found '4', allowed: at most 3"),
        ((), ", row 3, field TimeStamp: snapshot without a level"),
    ],
)
def test_refusals(tmp_path: Path, rows: tuple[str, ...], reason: str) -> None:
    path = sgx(tmp_path / "order_book_3_x.csv", ("09:00:00.0", rows), ("09:00:01.0", ("679500.0,1.0,680000.0,1.0",)))
    with pytest.raises(DataRefused) as caught:
        list(SgxReader().sessions([path]))
    assert str(caught.value).removeprefix(str(path)).startswith(reason)
    (verdict,) = SgxReader().audit([path])
    assert verdict.verdict is Verdict.REFUSED


def test_orders_at_the_market_stand_in_calls_only(tmp_path: Path) -> None:
    at_market = ("708000.0,210.0,0.0,210.0", "nan,nan,682000.0,2.0")
    trading = ("09:00:00.0", ("679500.0,1.0,680000.0,1.0",))
    (session,) = SgxReader().sessions([sgx(tmp_path / "order_book_3_a.csv", ("08:45:00.1", at_market), trading)])
    assert (session.counts["snapshots"], session.counts["before_open_dropped"]) == (2, 1)
    assert session.events["price_ticks"].tolist() == [1359, 1360]
    late = sgx(tmp_path / "order_book_3_b.csv", trading, ("09:00:01.0", at_market))
    (verdict,) = SgxReader().audit([late])
    assert "row 7, field ask: not a price, found '0'" in verdict.findings[0].text
    (verdict,) = SgxReader().audit([sgx(tmp_path / "order_book_3_c.csv", ("08:45:00.1", at_market))])
    assert verdict.findings[0].code == "no_snapshot_of_continuous_trading"


def test_a_clock_that_goes_back_and_a_cut_archive_are_refused(tmp_path: Path) -> None:
    path = sgx(tmp_path / "order_book_3_x.csv.gz", *reversed(SGX_BLOCKS))
    with pytest.raises(DataRefused, match="field TimeStamp: clock goes back"):
        list(SgxReader().sessions([path]))
    path.write_bytes(gzip.compress(b"Bid,Bid_Quantity,Ask,Ask_Quantity\n" * 9)[:-9])
    with pytest.raises(DataRefused, match="truncated or damaged archive"):
        list(SgxReader().sessions([path]))


def test_real_files(shared_data: Path) -> None:
    paths = sorted((shared_data / "sgx_a50_l2").glob("*.csv.gz"))
    found = check_reader(SgxReader(), paths)
    first, second = (session for session in found if isinstance(session, Session))
    assert (first.counts["snapshots"], second.counts["snapshots"]) == (26_805, 25_309)
    assert (first.counts["before_open_dropped"], second.counts["before_open_dropped"]) == (194, 36)
    assert (first.counts["missing_levels"], second.counts["missing_levels"]) == (0, 4)
    for session in (first, second):
        ends = session.events["flags"] & EventFlag.LAST != 0
        book = views(session.events)[ends]
        assert (book["bid_ticks"] < book["ask_ticks"]).all()  # locked in the calls only
        assert np.diff(session.events["row"][ends]).min() > 0
    early, full = SgxReader().audit(paths)
    (short,) = (f for f in early.findings if f.code == "early_end")
    assert short.text == "the last change is 320 minutes before the close"  # 10:34
    assert "early_end" not in {f.code for f in full.findings}
