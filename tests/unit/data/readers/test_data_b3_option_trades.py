"""B3 option trades: every kind of line on a small file, refusals, then the oddities of the real one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from equity_files import B3_OPTION_LINES, b3_option_trade, b3_options

from footprint.data.readers.b3_option_trades import B3OptionTradesReader
from footprint.data.session import Session
from footprint.data.verdict import Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind
from footprint.market.instruments import AssetClass
from footprint.testing.check_reader import check_reader


def refusal(path: Path) -> str:
    with pytest.raises(DataRefused) as caught:
        list(B3OptionTradesReader().sessions([path]))
    (verdict,) = B3OptionTradesReader().audit([path])
    assert verdict.verdict is Verdict.REFUSED
    return str(caught.value).removeprefix(str(path))


def test_every_field(tmp_path: Path) -> None:
    found = check_reader(B3OptionTradesReader(), [b3_options(tmp_path / "NEG_OPCOES.TXT.gz")])
    first, second = (session for session in found if isinstance(session, Session))
    assert (first.instrument.symbol, second.instrument.symbol) == ("ABEVA20", "PETRL80")
    assert first.instrument.asset_class is AssetClass.OPTION
    events = second.events
    assert events["sequence"].tolist() == [10, 20, 40]  # by trade number; 30 was cancelled
    assert events["row"].tolist() == [3, 2, 5]
    assert events["side"].tolist() == [1, -1, 0]
    assert events["price_ticks"].tolist() == [45, 44, 46]
    assert events["size_lots"].tolist() == [300, 500, 100]
    assert events["order_id"].tolist() == [7002, 7001, 0]  # the passive order, none in a call
    wanted = [EventFlag.SIDE_GIVEN | EventFlag.LAST] * 2 + [EventFlag.AUCTION | EventFlag.LAST]
    assert events["flags"].tolist() == [int(flag) for flag in wanted]
    assert (events["kind"] == EventKind.TRADE).all()
    assert (
        events["exchange_time_ns"][0] == int(datetime(2015, 11, 26, 12, 1, 38, 229000, UTC).timestamp() * 1000) * 10**6
    )
    assert second.extra["buyer_member"].tolist() == [114] * 3
    assert second.extra["seller_member"].tolist() == [735] * 3
    assert first.events["side"].tolist() == [0, -1]  # a cross; then the seller was the aggressor
    assert first.extra["buyer_member"].tolist() == [23, 114]


def test_counts_and_the_count_of_the_header(tmp_path: Path) -> None:
    (verdict,) = B3OptionTradesReader().audit([b3_options(tmp_path / "NEG_OPCOES.TXT.gz", announced=100)])
    wanted = {"rows": 6, "announced": 100, "cancelled_dropped": 1, "trades": 5, "crosses": 1, "auction_prints": 1}
    assert {name: verdict.counts[name] for name in wanted} == wanted
    (count,) = (f for f in verdict.findings if f.code == "announced_count")
    assert count.count == 94
    (same,) = B3OptionTradesReader().audit([b3_options(tmp_path / "NEG_OPCOES_2.TXT")])
    assert "announced_count" not in {f.code for f in same.findings}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b3_option_trade("PETRL80", 5, "0.445", 1, "10:00:00.000"), "field price: not a whole multiple"),
        (b3_option_trade("PETRL80", 5, "0", 1, "10:00:00.000"), "field price: price not positive"),
        (b3_option_trade("PETRL80", 5, "0.44", 0, "10:00:00.000"), "field quantity: no quantity"),
        (b3_option_trade("PETRL80", 5, "0.44", 1, "25:00:00.000"), "field hour: value too large, found '25'"),
        (b3_option_trade("PETRL80", 5, "0.44", 1, "1x:00:00.000"), "field hour: not a number"),
        (b3_option_trade("PETRL80", 5, "0.44", 1, "10:00:00.000", indicator=3), "field trade indicator: unknown"),
        (b3_option_trade("petrl80", 5, "0.44", 1, "10:00:00.000"), "field symbol: not a symbol"),
        (b3_option_trade("PETRL80", 10, "0.44", 1, "10:00:00.000"), "field trade number: trade twice"),
        (b3_option_trade("PETRL80", 50, "0.44", 1, "10:00:00.000"), "field time: clock goes back"),
        (b3_option_trade("PETRL80", 5, "0.44", 1, "10:00:00.000")[:-1], "wrong width, found '236'"),
        (b3_option_trade("PETRL80", 5, "0.44", 1, "10:00:00.000").replace(";", ",", 1), "wrong columns"),
        (
            b3_option_trade("PETRL80", 5, "0.44", 1, "10:00:00.000").replace("2015-11-26", "2015-11-25", 1),
            "another day",
        ),
    ],
)
def test_refusals_name_the_line(tmp_path: Path, line: str, reason: str) -> None:
    text = refusal(b3_options(tmp_path / "NEG_OPCOES.TXT.gz", (*B3_OPTION_LINES, line)))
    assert text.startswith(", row 8")
    assert reason in text


def test_a_file_without_its_trailer_is_cut(tmp_path: Path) -> None:
    path = b3_options(tmp_path / "NEG_OPCOES.TXT")
    path.write_bytes(path.read_bytes()[: -len("RT NEG                 2015-11-26 2015-11-26 000000006\n")])
    assert ": no trailer: the file is cut" in refusal(path)
    path.write_bytes(b"")
    assert ": empty file" in refusal(path)


# ---- the real file --------------------------------------------------------------------------------------------------


def test_real_file(shared_data: Path) -> None:
    path = shared_data / "b3_orders_2015" / "NEG_OPCOES_20151126.without_VALE_ITUB.TXT.gz"
    found = check_reader(B3OptionTradesReader(), [path])
    sessions = [session for session in found if isinstance(session, Session)]
    assert (len(sessions), sum(len(session.events) for session in sessions)) == (585, 11_856)
    most = max(sessions, key=lambda session: len(session.events))
    assert (most.instrument.symbol, len(most.events)) == ("PETRL80", 2882)
    (verdict,) = B3OptionTradesReader().audit([path])
    counts = verdict.counts
    assert (counts["announced"], counts["rows"], counts["trades"]) == (18_304, 11_856, 11_856)
    names = ("crosses", "auction_prints", "one_broker", "shuffled_rows")
    assert [counts[name] for name in names] == [248, 366, 861, 759]
    (cut,) = (f for f in verdict.findings if f.code == "announced_count")
    assert cut.count == 18_304 - 11_856
    flags = np.concatenate([session.events["flags"] for session in sessions])
    assert int((flags & EventFlag.SIDE_GIVEN > 0).sum()) == 11_856 - 248 - 366
    assert len(verdict.symbols) == 585
    closing = max(int(s.events["exchange_time_ns"][-1]) for s in sessions)
    assert closing == int(datetime(2015, 11, 26, 19, 18, 3, 600_000, UTC).timestamp() * 1000) * 10**6
    late = [s for s in sessions if s.events["exchange_time_ns"][-1] >= s.close_ns]
    after = np.concatenate([s.events["side"][s.events["exchange_time_ns"] >= s.close_ns] for s in late])
    assert (len(after), after.any()) == (234, False)  # every print after the continuous session is one of a call
