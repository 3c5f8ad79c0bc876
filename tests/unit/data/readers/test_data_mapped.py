"""Files through a written mapping: every key, every refusal, and the same events as the dedicated readers."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from table_contract import read_tables

from footprint.data.readers import mapping
from footprint.data.readers.b3 import B3Reader
from footprint.data.readers.lean import LeanReader
from footprint.data.readers.mapped import MappedReader, MappedTableReader, mapped_reader
from footprint.data.readers.mapping import KINDS, load_mapping
from footprint.data.readers.tcapy_fx import TcapyFxReader
from footprint.data.session import Reader, Session
from footprint.data.tables import TableReader
from footprint.data.verdict import Analysis, FileVerdict, Verdict
from footprint.errors import DataRefused, UsageError
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.market.instruments import AssetClass

TRADE, QUOTE, LEVEL = int(EventKind.TRADE), int(EventKind.QUOTE), int(EventKind.LEVEL)

INSTRUMENT = "instrument: {symbol: abc, venue: V, currency: USD, asset_class: equity, tick: 0.01, lot: 1}\n"
TIME = "time: {column: t, unit: ms}\n"
TRADES = "rows: {trades: {columns: {price: p, size: q}}}\n"
SIDE = "side: {column: s, buy: B, sell: S, names: aggressor}"
START_MS = 1_704_700_000_000  # 2024-01-08 07:46:40 UTC
B3_MAPPING = """
instrument:
  symbol: {column: symbol}
  venue: B3
  market: b3
  currency: BRL
  asset_class: equity
  tick: 0.01
  lot: 1
hours: {zone: America/Sao_Paulo, open: "10:00", close: "17:55"}
receive_time: {column: network_received_time, format: "%Y-%m-%d %H:%M:%S.%f%z"}
rows:
  quotes: {columns: {ask: en_s_px_1, bid: en_b_px_1, sequence: rpt_seq}}
  trades:
    where: {event_type: trade}
    columns: {price: md_entry_px, size: md_entry_size, sequence: rpt_seq}
    side: {column: aggressor, buy: 4, sell: 3, names: aggressor, other: drop}
"""
LEAN_MAPPING = """
file: {header: false}
instrument: {symbol: AIG, venue: US, currency: USD, asset_class: equity, tick: 0.0001, price_unit: 0.0001, lot: 1}
time: {column: 1, unit: ms, from: midnight, zone: America/New_York, day: name}
rows: {trades: {columns: {price: 2, size: 3}}}
"""


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A function that writes a mapping and a file and gives the reader and the file."""

    def make(text: str, content: str, name: str = "file.csv"):  # type: ignore[no-untyped-def]
        described, path = tmp_path / "mapping.yaml", tmp_path / name
        described.write_text(text)
        path.write_text(content)
        return mapped_reader(described), path

    return make


def only(reader: MappedReader, path: Path) -> Session:
    (session,) = reader.sessions([path])
    return session


def verdict(reader: MappedReader | MappedTableReader, path: Path) -> FileVerdict:
    (found,) = reader.audit([path])
    return found


def refusal(reader: MappedReader | MappedTableReader, path: Path) -> str:
    found = verdict(reader, path)
    assert found.verdict is Verdict.REFUSED
    (text,) = (f.text for f in found.findings if f.refuses)
    with pytest.raises(DataRefused) as caught:
        list(reader.tables([path]) if isinstance(reader, MappedTableReader) else reader.sessions([path]))
    assert str(caught.value) == text
    return text.removeprefix(str(path))


# ---- the document ---------------------------------------------------------------------------------------------------


def test_the_example_of_the_documentation_can_be_read(tmp_path: Path) -> None:
    example = (mapping.__doc__ or "").split("\n\n")[1]
    path = tmp_path / "example.yaml"
    path.write_text(textwrap.dedent(example))
    document = load_mapping(path)
    assert [rows.kind for rows in document.rows] == ["trades", "quotes"]
    assert document.instrument.asset_class is AssetClass.EQUITY
    assert document.hours.time_zone == "America/Sao_Paulo"
    assert isinstance(mapped_reader(path), Reader)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (INSTRUMENT + TIME, ": rows is missing"),
        (INSTRUMENT + TRADES, ": time or receive_time is missing"),
        (TIME + TRADES, ": instrument is missing"),
        (INSTRUMENT + TIME + TRADES + "rowz: 1\n", ": unknown key 'rowz', allowed: file, time, receive_time, rows"),
        (INSTRUMENT + TIME + "rows: {trade: {}}\n", ": rows: unknown key 'trade', allowed: trades, quotes, levels"),
        (INSTRUMENT + TIME + "rows: {}\n", ": rows: nothing, allowed: one or more of trades"),
        (INSTRUMENT + TIME + "rows: {trades: {columns: {price: p}}}\n", ": rows: trades: columns: size is missing"),
        (
            INSTRUMENT + TIME + "rows: {trades: {columns: {price: p, size: q, colour: c}}}\n",
            ": rows: trades: columns: unknown key 'colour', allowed: price, size, order_id",
        ),
        (
            INSTRUMENT + TIME + "rows: {levels: {columns: {price: p, size: q}}}\n",
            ": rows: levels: side is missing",
        ),
        (
            INSTRUMENT + TIME + f"rows: {{trades: {{columns: {{price: p, size: q}}, {SIDE.replace('S,', 'B,')}}}}}\n",
            ": rows: trades: side: 'B' means buy and sell",
        ),
        (
            INSTRUMENT
            + TIME
            + "rows: {trades: {columns: {price: p, size: q}}, bars: {columns: {open: o, high: h, low: l, close: c}, "
            "interval_s: 1}}\n",
            ": rows: a table stands alone, found trades, bars",
        ),
        (INSTRUMENT.replace("0.01", "0") + TIME + TRADES, ": instrument: tick: found 0, allowed: a positive number"),
        (INSTRUMENT.replace("equity", "shares") + TIME + TRADES, ": instrument: asset_class: found 'shares', allowed"),
        (INSTRUMENT.replace("abc", "1") + TIME + TRADES, ": instrument: symbol: found 1, allowed: a text"),
        (INSTRUMENT + "time: {column: t, unit: m}\n" + TRADES, ": time: unit: found 'm', allowed: s, ms, us, ns"),
        (INSTRUMENT + 'time: {column: t, format: "%H"}\n' + TRADES, ": time: neither %z nor zone: a local time needs"),
        (INSTRUMENT + 'time: {column: t, format: "%H%z", zone: UTC}\n' + TRADES, ": time: both %z and zone"),
        (INSTRUMENT + 'time: {column: t, format: "%H", zone: Mars}\n' + TRADES, ": time: zone: found 'Mars', allowed"),
        (INSTRUMENT + "time: {column: t, unit: ms, zone: UTC}\n" + TRADES, ": time: zone UTC: numbers since 1970 are"),
        (INSTRUMENT + "time: {column: t, unit: ms, from: midnight}\n" + TRADES, ": time: times from midnight need"),
        (INSTRUMENT + TIME + TRADES + "hours: {zone: UTC, open: 10:00, close: 11:00}\n", ": hours: open: found 600"),
        (
            INSTRUMENT + TIME + TRADES + 'hours: {zone: UTC, open: "11:00", close: "10:00"}\n',
            ": hours: opens at 11:00, closes at 10:00",
        ),
        (INSTRUMENT + TIME + TRADES + 'file: {delimiter: "ab"}\n', ": file: delimiter: found 'ab', allowed: one"),
        (INSTRUMENT + TIME + TRADES + "file: {header: false}\n", ": time: column: found 't', allowed: a position"),
        (INSTRUMENT + INSTRUMENT + TIME + TRADES, "no YAML (key 'instrument' is there twice)"),
        ("a: [", "no YAML ("),
        ("[1, 2]", ": found [1, 2], allowed: keys with values"),
        ("# nothing", ": found None, allowed: keys with values"),
    ],
)
def test_what_no_mapping_may_say(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        mapped_reader(path)
    said = str(caught.value)
    assert said.startswith(f"mapping {path}")
    assert reason in said
    assert "\n" not in said


def test_a_mapping_that_is_missing_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the mapping"):
        mapped_reader(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_text("a: " + "1" * mapping.MAX_BYTES)
    with pytest.raises(UsageError, match="bytes, allowed: at most"):
        mapped_reader(tmp_path / "big.yaml")


def test_readers_are_values(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(INSTRUMENT + TIME + TRADES)
    one, other = mapped_reader(tmp_path / "m.yaml"), mapped_reader(tmp_path / "m.yaml")
    assert one == other
    assert hash(one) == hash(other)
    assert isinstance(one, Reader)
    assert not isinstance(one, TableReader)
    assert not one.recognise(tmp_path / "m.yaml")


def test_a_misspelt_key_is_named_beside_the_one_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text((INSTRUMENT + TIME + TRADES).replace("currency", "curency"))
    with pytest.raises(UsageError, match="instrument: currency is missing, found: symbol, venue, curency, asset_class"):
        mapped_reader(tmp_path / "m.yaml")


def test_a_number_with_an_exponent_and_without_a_point(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text((INSTRUMENT + TIME + TRADES).replace("lot: 1", "lot: 1e-8"))
    assert load_mapping(tmp_path / "m.yaml").instrument.lot == 1e-8


# ---- kinds of rows --------------------------------------------------------------------------------------------------


def test_a_column_of_one_kind_may_be_empty_in_rows_of_another(write) -> None:  # type: ignore[no-untyped-def]
    text = (
        INSTRUMENT
        + TIME
        + (
            "rows:\n"
            "  quotes: {where: {k: Q}, columns: {bid: b, ask: a}}\n"
            "  trades: {where: {k: T}, columns: {price: p, size: q, sequence: n, order_id: id, buyer_member: m}}\n"
        )
    )
    content = f"t,k,b,a,p,q,n,id,m\n{START_MS},Q,1,2,,,,,x\n{START_MS},T,,,1,5,77,A1,8\n{START_MS},T,,,1,5,78,A1,8\n"
    reader, path = write(text, content)
    session = only(reader, path)
    # rows are no numbers of the source: where trades have numbers, quotes have none
    assert session.events["sequence"].tolist() == [0, 0, 77, 78]
    assert session.extra["buyer_member"].tolist() == [0, 0, 8, 8]
    assert session.events["order_id"][2] == session.events["order_id"][3] != 0
    for column, reason in ((",77,", "not a whole number"), (",A1,8\n", "missing value")):
        path.write_text(content.replace(column, column.replace("77", "").replace("A1", ""), 1))
        assert refusal(reader, path).startswith(", row 3, field ")
        assert reason in refusal(reader, path)


def test_a_fill_that_is_all_there_is_of_a_trade(write) -> None:  # type: ignore[no-untyped-def]
    side = "side: {column: s, buy: B, sell: S, names: resting}"
    text = (
        INSTRUMENT
        + TIME
        + (
            "rows:\n"
            "  orders: {columns: {order_id: id, event: e, price: p, size: q}, events: {add: A, fill: F}, "
            f"{side}}}\n"
            f"  trades: {{where: {{e: F}}, columns: {{price: p, size: q, order_id: id}}, {side}}}\n"
        )
    )
    reader, path = write(text, f"t,e,id,p,q,s\n{START_MS},A,7,1,5,B\n{START_MS + 1},F,7,1,5,B\n")
    events = only(reader, path).events
    assert events["kind"].tolist() == [EventKind.ADD, EventKind.FILL, EventKind.TRADE]
    assert events["side"].tolist() == [1, 1, -1]
    assert "no_trades" not in {finding.code for finding in verdict(reader, path).findings}


def test_trades_of_either_side_convention(write) -> None:  # type: ignore[no-untyped-def]
    side = "side: {column: s, buy: [B, buy], sell: S, names: NAMES, other: unknown}"
    text = INSTRUMENT + TIME + f"rows: {{trades: {{columns: {{price: p, size: q, order_id: id}}, {side}}}}}\n"
    rows = ("0,10.01,5,B,a", "0,10.02,0,S,b", "1,9.99,3,S,b", "2,10,1,?,a")
    content = "t,p,q,s,id\n" + "".join(f"{START_MS + int(row[0])}{row[1:]}\n" for row in rows)
    session = only(*write(text.replace("NAMES", "aggressor"), content))
    events = session.events
    assert events["side"].tolist() == [1, -1, 0]
    given = EventFlag.SIDE_GIVEN | EventFlag.LAST
    assert events["flags"].tolist() == [given, given, EventFlag.LAST]
    assert events["price_ticks"].tolist() == [1001, 999, 1000]
    assert events["size_lots"].tolist() == [5, 3, 1]
    assert events["row"].tolist() == [2, 4, 5]
    assert events["sequence"].tolist() == [2, 4, 5]
    ids = events["order_id"].tolist()
    assert ids[0] == ids[2] != ids[1]
    assert min(ids) >= 1 << 63  # texts stay clear of numbers
    assert (events["exchange_time_ns"] - START_MS * 10**6).tolist() == [0, 10**6, 2 * 10**6]
    assert (events["receive_time_ns"] == UNKNOWN_TIME).all()
    assert (session.instrument.symbol, session.day.isoformat()) == ("ABC", "2024-01-08")
    assert (session.open_ns, session.close_ns) == (START_MS * 10**6, (START_MS + 2) * 10**6)
    flipped = only(*write(text.replace("NAMES", "resting"), content))
    assert flipped.events["side"].tolist() == [-1, 1, 0]


def test_missing_fields_void_analyses_and_nothing_more(write) -> None:  # type: ignore[no-untyped-def]
    bare = verdict(*write(INSTRUMENT + TIME + TRADES, f"t,p,q\n{START_MS},10,1\n"))
    assert {f.code: f.voids for f in bare.findings} == {
        "no_side": (Analysis.SIGNED_TRADES,),
        "no_receive_time": (Analysis.LATENCY,),
        "no_sequence": (),
        "no_book": (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.FORECAST),
        "no_depth": (Analysis.DEPTH, Analysis.QUEUE),
        "no_order_ids": (Analysis.QUEUE,),
    }
    text = INSTRUMENT + TIME + "receive_time: {column: r, unit: ns}\n"
    side = "side: {column: s, buy: B, sell: S}"
    events = "events: {add: A, fill: F, trade: T, delete: D}"
    columns = "columns: {order_id: id, event: e, price: p, size: q, sequence: n}"
    full = verdict(
        *write(
            text + f"rows: {{orders: {{{columns}, {side}, {events}}}}}\n",
            "t,r,id,e,p,q,s,n\n"
            f"{START_MS},{START_MS}000000,1,A,10.00,5,B,1\n{START_MS},{START_MS}000000,2,A,10.02,5,S,2\n"
            f"{START_MS + 1},{START_MS + 1}000000,1,T,10.00,2,B,3\n"
            f"{START_MS + 1},{START_MS + 1}000000,1,F,10.00,2,B,3\n"
            f"{START_MS + 2},{START_MS + 2}000000,1,D,10.00,0,B,4\n",
        )
    )
    assert full.voids == ()
    assert {f.code for f in full.findings} == {"empty_side"}


def test_the_two_clocks_are_kept_apart_and_compared(write) -> None:  # type: ignore[no-untyped-def]
    text = INSTRUMENT + TIME + "receive_time: {column: r, unit: ms}\n" + TRADES
    reader, path = write(text, f"t,r,p,q\n{START_MS + 9},{START_MS},10,1\n{START_MS},{START_MS + 1},10,1\n")
    events = only(reader, path).events
    assert (events["exchange_time_ns"] // 10**6 - START_MS).tolist() == [9, 0]
    assert (events["receive_time_ns"] // 10**6 - START_MS).tolist() == [0, 1]
    found = {f.code: f.count for f in verdict(reader, path).findings}
    assert (found["receive_before_exchange"], found["exchange_clock_back"]) == (1, 1)


def test_orders_carry_the_resting_side_and_prints_the_aggressor(write) -> None:  # type: ignore[no-untyped-def]
    columns = "columns: {order_id: id, event: e, price: p, size: q, sequence: n, buyer_member: m}"
    events = "events: {add: A, modify: M, cancel: C, delete: D, fill: F, trade: T, clear: X}"
    text = INSTRUMENT + TIME + f"rows: {{orders: {{{columns}, side: {{column: s, buy: B, sell: S}}, {events}}}}}\n"
    rows = [("A", 5), ("M", 4), ("C", 1), ("T", 2), ("F", 2), ("D", 1), ("X", 0)]
    content = "t,id,e,p,q,s,n,m\n" + "".join(
        f"{START_MS},7,{event},{'' if event == 'X' else '10.01'},{size},B,{at // 4},{90 + at}\n"
        for at, (event, size) in enumerate(rows)
    )
    session = only(*write(text, content))
    kinds = ("ADD", "MODIFY", "CANCEL", "TRADE", "FILL", "DELETE", "CLEAR")
    assert session.events["kind"].tolist() == [int(EventKind[kind]) for kind in kinds]
    assert session.events["side"].tolist() == [1, 1, 1, -1, 1, 1, 1]
    assert session.events["size_lots"].tolist() == [5, 4, 1, 2, 2, 1, 0]
    assert session.extra["buyer_member"].tolist() == list(range(90, 97))
    # a print ends its own row; levels and orders of one time and sequence number are one message
    assert (session.events["flags"] & EventFlag.LAST > 0).tolist() == [False, False, True, True, False, False, True]


def test_an_order_id_is_the_same_whatever_else_the_file_holds(write) -> None:  # type: ignore[no-untyped-def]
    text = INSTRUMENT + TIME + "rows: {trades: {columns: {price: p, size: q, order_id: id}}}\n"
    start = f"t,p,q,id\n{START_MS},10,1,"
    alone, beside = (
        only(*write(text, start + more)).events["order_id"].tolist()
        for more in ("73\n", f"73\n{START_MS},10,1,a-b\n{START_MS},10,1,9-c\n")
    )
    (other, _) = only(*write(text, start + f"9-c\n{START_MS},10,1,74\n")).events["order_id"].tolist()
    assert alone == [73] == beside[:1]
    assert beside[2] == other != beside[1]


def test_levels_and_quotes(write) -> None:  # type: ignore[no-untyped-def]
    side = "side: {column: s, buy: bid, sell: ask, other: drop}"
    text = INSTRUMENT + TIME + f"rows: {{levels: {{columns: {{price: p, size: q}}, {side}}}}}\n"
    content = (
        f"t,p,q,s\n{START_MS},9.99,5,bid\n{START_MS},10.01,4,ask\n{START_MS + 1},9.99,0,bid\n{START_MS + 1},1,1,x\n"
    )
    reader, path = write(text, content)
    events = only(reader, path).events
    assert events["kind"].tolist() == [LEVEL] * 3
    assert events["size_lots"].tolist() == [5, 4, 0]
    assert (events["flags"] & EventFlag.LAST > 0).tolist() == [False, True, True]
    assert verdict(reader, path).counts["levels_without_side_dropped"] == 1
    columns = "{bid: b, ask: a, bid_size: bq, ask_size: aq}"
    text = INSTRUMENT + TIME + f"rows: {{quotes: {{columns: {columns}}}}}\n"
    content = f"t,b,a,bq,aq\n{START_MS},9.99,10.01,5,4\n{START_MS + 1},9.99,10.01,5,4\n{START_MS + 2},9.99,,6,0\n"
    events = only(*write(text, content)).events
    told = list(zip(*(events[n].tolist() for n in ("kind", "side", "price_ticks", "size_lots", "row")), strict=True))
    assert told == [(QUOTE, -1, 1001, 4, 2), (QUOTE, 1, 999, 5, 2), (QUOTE, -1, 0, 0, 4), (QUOTE, 1, 999, 6, 4)]


def test_symbols_and_local_days_are_sessions(write) -> None:  # type: ignore[no-untyped-def]
    text = (
        INSTRUMENT.replace("abc", "{column: sym}")
        + 'time: {column: t, format: "%Y-%m-%d %H:%M:%S", zone: Asia/Tokyo}\n'
        + 'hours: {zone: Asia/Tokyo, open: "09:00", close: "15:00"}\n'
        + TRADES
    )
    content = "t,sym,p,q\n2024-01-08 09:00:00,b,1,1\n2024-01-08 09:00:00,a,2,1\n2024-01-09 10:00:00,a,3,1\n"
    reader, path = write(text, content)
    found = [(s.instrument.symbol, s.day.isoformat(), len(s.events)) for s in reader.sessions([path])]
    assert found == [("A", "2024-01-08", 1), ("A", "2024-01-09", 1), ("B", "2024-01-08", 1)]
    opened = int(datetime(2024, 1, 8, tzinfo=UTC).timestamp()) * 10**9
    assert next(reader.sessions([path])).open_ns == opened
    assert verdict(reader, path).symbol == "A,B"


def test_rows_that_are_not_sorted(write) -> None:  # type: ignore[no-untyped-def]
    content = f"t,p,q\n{START_MS + 5},10,1\n{START_MS},11,1\n"
    said = refusal(*write(INSTRUMENT + TIME + TRADES, content))
    assert said.startswith(", row 3, field t: clock goes back")
    reader, path = write(INSTRUMENT + TIME + TRADES + "sorted: false\n", content)
    assert only(reader, path).events["price_ticks"].tolist() == [1100, 1000]
    assert "unsorted" in {f.code for f in verdict(reader, path).findings}


# ---- times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "cell", "wanted"),
    [
        ("unit: s", "1704700000.123456789", 1_704_700_000_123_456_789),
        ("unit: ms", "1704700000123.5", 1_704_700_000_123_500_000),
        ("unit: us", "1704700000123456", 1_704_700_000_123_456_000),
        ("unit: ns", "1704700000123456789", 1_704_700_000_123_456_789),
        ('format: "%Y-%m-%dT%H:%M:%S.%f%z"', "2024-01-08T07:46:40.5+00:00", 1_704_700_000_500_000_000),
        ('format: "%Y-%m-%dT%H:%M:%SZ", zone: UTC', "2024-01-08T07:46:40Z", 1_704_700_000_000_000_000),
        ('format: "%d.%m.%Y %H:%M:%S", zone: America/New_York', "08.01.2024 02:46:40", 1_704_700_000_000_000_000),
        ("unit: ms, from: midnight, zone: America/New_York, day: 2024-01-08", "10000000", 1_704_700_000_000_000_000),
    ],
)
def test_clocks(write, clock: str, cell: str, wanted: int) -> None:  # type: ignore[no-untyped-def]
    session = only(*write(INSTRUMENT + f"time: {{column: t, {clock}}}\n" + TRADES, f"t,p,q\n{cell},10,1\n"))
    assert session.events["exchange_time_ns"].tolist() == [wanted]


@pytest.mark.parametrize(
    ("clock", "cell", "reason"),
    [
        ("unit: s", "1704700000000", "no time in s, found '1704700000000', allowed: 1990 to 2100; it looks like ms"),
        ("unit: ms", "1704700000000000", "allowed: 1990 to 2100; it looks like us"),
        ("unit: us", "1704700000000000000", "it looks like ns"),
        ("unit: ns", "1704700000", "no time in ns, found '1704700000', allowed: 1990 to 2100; it looks like s"),
        ("unit: ns", "17", "no time in ns, found '17', allowed: 1990 to 2100"),
        ("unit: ms", "x", "not a number, found 'x'"),
        ("unit: ms", "", "missing value"),
        ("unit: ms", "9" * 25, "no time in ms, found '9999999999999999999999999', allowed: 1990 to 2100"),
        ('format: "%Y", zone: UTC', "noon", "not a time, found 'noon', allowed: the format %Y"),
        ("unit: ms, from: midnight, zone: UTC, day: 2024-01-08", "86400000", "not a time of day"),
        ("unit: ms, from: midnight, zone: UTC, day: name", "0", "no day in the name"),
    ],
)
def test_times_that_cannot_be_meant(write, clock: str, cell: str, reason: str) -> None:  # type: ignore[no-untyped-def]
    said = refusal(*write(INSTRUMENT + f"time: {{column: t, {clock}}}\n" + TRADES, f"t,p,q\n{cell},10,1\n"))
    assert reason in said


def test_local_times_at_a_change_of_clocks(write) -> None:  # type: ignore[no-untyped-def]
    clock = 'time: {column: t, format: "%Y-%m-%d %H:%M:%S", zone: America/New_York, repeated: RULE}\n'
    twice, never = "2023-11-05 01:30:00", "2023-03-12 02:30:00"
    text = INSTRUMENT + clock + TRADES
    for rule in ("earliest", "latest"):
        said = refusal(*write(text.replace("RULE", rule), f"t,p,q\n{never},10,1\n"))
        assert said.startswith(f", row 2, field t: local time at a change of clocks, found '{never}.000000000'")
    said = refusal(*write(text.replace("RULE", "refuse"), f"t,p,q\n{twice},10,1\n"))
    assert "allowed: a time that happens once in America/New_York" in said
    found = [
        only(*write(text.replace("RULE", rule), f"t,p,q\n{twice},10,1\n")).events["exchange_time_ns"][0]
        for rule in ("earliest", "latest")
    ]
    assert found[1] - found[0] == 3600 * 10**9


# ---- cells ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("10.005,1", ", row 2, field p: not a whole multiple, found '10.005', allowed: a multiple of 0.01"),
        ("-10,1", ", row 2, field p: negative price"),
        ("0,1", ", row 2, field p: price not positive"),
        (",1", ", row 2, field p: trade without a value"),
        ("10,-1", ", row 2, field q: negative size"),
        ("10,1.5", ", row 2, field q: not a whole multiple"),
        ("10,many", ", row 2, field q: not a number, found 'many'"),
        ("10,inf", ", row 2, field q: not a number"),
        ("10,1e300", ", row 2, field q: value too large"),
        ("10", ", row 2, field q: trade without a value"),
    ],
)
def test_cells_that_are_not_what_the_mapping_says(write, row: str, reason: str) -> None:  # type: ignore[no-untyped-def]
    assert refusal(*write(INSTRUMENT + TIME + TRADES, f"t,p,q\n{START_MS},{row}\n")).startswith(reason)


def test_columns_and_files_that_do_not_fit(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = INSTRUMENT + TIME + TRADES
    assert refusal(*write(text, f"t,p\n{START_MS},10\n")).startswith(", row 1, field q: wrong columns, found 't,p'")
    assert refusal(*write(text, f"t,p,q\n{START_MS},10,1,9\n")).startswith(": unreadable csv (")
    assert refusal(*write(text, "")).startswith(": empty file")
    assert refusal(*write(text, "t,p,q\n")).startswith(": no rows")
    unknown = text.replace("size: q}", "size: q}, " + SIDE)
    said = refusal(*write(unknown, f"t,p,q,s\n{START_MS},10,1,?\n"))
    assert said == ", row 2, field s: unknown side, found '?', allowed: B to buy, S to sell"
    where = text.replace("size: q}", "size: q}, where: {k: [1, 2]}")
    assert refusal(*write(where, f"t,p,q,k\n{START_MS},10,1,3\n")).startswith(": no rows of any kind")
    assert len(only(*write(where, f"t,p,q,k\n{START_MS},10,1,2.0\n{START_MS},10,1,3\n")).events) == 1


def test_parquet_files_keep_their_types(tmp_path: Path) -> None:
    described, path = tmp_path / "m.yaml", tmp_path / "f.parquet"
    time = pl.Series("t", [datetime(2024, 1, 8, 7, 46, 40)] * 2)
    frame = pl.DataFrame({"t": time, "p": [10.01, 10.02], "q": [1, 2], "s": [True, False]})
    frame.write_parquet(path)
    side = "side: {column: s, buy: true, sell: false, names: aggressor}"
    text = INSTRUMENT + "time: {column: t, zone: UTC}\n" + TRADES.replace("size: q}", "size: q}, " + side)
    described.write_text(text)
    events = only(MappedReader(described), path).events
    assert events["exchange_time_ns"].tolist() == [START_MS * 10**6] * 2
    assert events["side"].tolist() == [1, -1]
    assert events["row"].tolist() == [1, 2]
    described.write_text(text.replace("time: {column: t, zone: UTC}", "time: {column: t}"))
    assert ": local times" in refusal(MappedReader(described), path)
    frame.with_columns(time.dt.replace_time_zone("Asia/Tokyo")).write_parquet(path)
    shifted = only(MappedReader(described), path).events
    assert shifted["exchange_time_ns"][0] == START_MS * 10**6 - 9 * 3600 * 10**9
    path.write_bytes(path.read_bytes()[:-9])
    assert ": truncated or damaged archive" in refusal(MappedReader(described), path)


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_tables_through_a_mapping(write) -> None:  # type: ignore[no-untyped-def]
    columns = "columns: {open: o, high: h, low: l, close: c, quantity: v}"
    scaled = INSTRUMENT.replace("lot: 1", "lot: 1, price_unit: 0.0001")
    text = scaled + "time: {column: t, unit: s}\n" + f"rows: {{bars: {{{columns}, interval_s: 60, what: bid}}}}\n"
    reader, path = write(text, f"t,o,h,l,c,v\n{START_MS // 1000},14000,15000,13000,14500,3\n")
    assert isinstance(reader, MappedTableReader)
    assert isinstance(reader, TableReader)
    (bars,) = reader.tables([path])
    start = START_MS * 10**6
    assert bars.frame.rows() == [("ABC", "V", start + 60 * 10**9, start, "bid", 1.4, 1.5, 1.3, 1.45, 3.0)]
    assert verdict(reader, path).verdict is Verdict.ACCEPTED
    assert ", row 2, field o: outside low and high" in refusal(
        *write(text, f"t,o,h,l,c,v\n{START_MS // 1000},9,15000,13000,14500,3\n")
    )

    side = "side: {column: s, buy: B, sell: S}"
    columns = "columns: {order_id: id, quantity: q, limit_price: p, event: e, broker: b}"
    events = "events: {new: N, cancel: C}"
    text = INSTRUMENT + TIME + f"rows: {{order_table: {{{columns}, {side}, {events}}}}}\n"
    reader, path = write(text, f"t,id,q,p,e,b,s\n{START_MS},o1,5,,N,x,B\n{START_MS + 1},o1,5,10.5,C,x,S\n")
    (orders,) = reader.tables([path])
    names = ("order_id", "side", "quantity", "limit_price", "event", "broker", "bid")
    assert orders.frame.select(names).rows() == [
        ("o1", 1, 5.0, None, "new", "x", None),
        ("o1", -1, 5.0, 10.5, "cancel", "x", None),
    ]
    assert ", field e: unknown event, found 'Z'" in refusal(*write(text, f"t,id,q,p,e,b,s\n{START_MS},o1,5,1,Z,x,B\n"))

    columns = "columns: {fill_id: f, order_id: id, quantity: q, price: p, bid: b, ask: a}"
    text = INSTRUMENT + TIME + f"rows: {{fill_table: {{{columns}, {side}}}}}\n"
    reader, path = write(text, f"t,f,id,q,p,b,a,s\n{START_MS},f1,o1,5,10.01,10,10.02,S\n")
    (fills,) = reader.tables([path])
    names = ("fill_id", "order_id", "side", "quantity", "price", "bid", "ask")
    assert fills.frame.select(names).rows() == [("f1", "o1", -1, 5.0, 10.01, 10.0, 10.02)]
    assert ", field q: quantity not positive" in refusal(
        *write(text, f"t,f,id,q,p,b,a,s\n{START_MS},f1,o1,0,10.01,10,10.02,S\n")
    )


def test_every_kind_that_is_offered_can_be_read() -> None:
    assert set(KINDS) == {"trades", "quotes", "levels", "orders", "bars", "order_table", "fill_table"}


# ---- the real files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["PETR4_2025-04-09.csv.gz", "ETHE11_2025-04-07.csv.gz", "MDIA3_2025-04-09.csv.gz"])
def test_b3_through_a_mapping_gives_the_events_of_its_reader(shared_data: Path, tmp_path: Path, name: str) -> None:
    """But for prints into a crossed book, which only that reader knows to be auctions."""
    (tmp_path / "b3.yaml").write_text(B3_MAPPING)
    path = shared_data / "b3_ticks" / name
    mine = only(MappedReader(tmp_path / "b3.yaml"), path)
    (theirs,) = B3Reader().sessions([path])
    prints, wanted = mine.events[mine.events["kind"] == TRADE], theirs.events[theirs.events["kind"] == TRADE]
    frame = pl.read_csv(path)
    crossed = np.flatnonzero((frame["en_b_px_1"] >= frame["en_s_px_1"]) & (frame["en_s_px_1"] > 0)) + 2
    kept = prints[~np.isin(prints["row"], crossed)]
    assert np.array_equal(kept, wanted)
    assert len(wanted) > 400
    quotes = [s.events[s.events["kind"] == QUOTE] for s in (mine, theirs)]
    assert np.array_equal(quotes[0]["price_ticks"], quotes[1]["price_ticks"])
    assert np.array_equal(quotes[0]["row"], quotes[1]["row"])
    assert (mine.instrument, mine.close_ns, mine.day) == (theirs.instrument, theirs.close_ns, theirs.day)


def test_lean_ticks_through_a_mapping(shared_data: Path, tmp_path: Path) -> None:
    """Milliseconds after midnight New York, prices x 10,000, no header: the same prints before any is dropped."""
    (tmp_path / "lean.yaml").write_text(LEAN_MAPPING)
    folder = shared_data / "lean" / "equity" / "usa" / "tick" / "aig"
    mine = only(MappedReader(tmp_path / "lean.yaml"), folder / "20131007_trade.zip")
    (theirs,) = LeanReader().sessions([folder / "20131007_trade.zip"])
    assert len(mine.events) > 0.99 * theirs.counts["trade_rows"]  # all but the rows of size 0
    same = mine.events[np.isin(mine.events["row"], theirs.events["row"])]
    for name in ("exchange_time_ns", "price_ticks", "size_lots", "row"):
        assert np.array_equal(same[name], theirs.events[name])


def test_tables_of_the_shared_data_through_a_mapping(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "fx.yaml").write_text(
        "instrument: {symbol: {column: ticker}, venue: fx, currency: USD, asset_class: equity, tick: 0.00001, lot: 1}\n"
        'time: {column: date, format: "%Y-%m-%d %H:%M:%S.%f%z"}\n'
        "rows:\n  order_table:\n"
        "    columns: {order_id: id, quantity: notional, limit_price: price_limit, broker: broker_id}\n"
        "    side: {column: side, buy: 1, sell: -1}\n"
    )
    reader = MappedTableReader(tmp_path / "fx.yaml")
    (table,) = reader.tables([shared_data / "tcapy_fx" / "small_test_order_df.csv.gz"])
    (wanted,) = read_tables(TcapyFxReader(), [shared_data / "tcapy_fx" / "small_test_order_df.csv.gz"])
    names = ["symbol", "known_at_ns", "order_id", "side", "quantity", "limit_price", "event", "broker"]
    assert table.frame.select(names).equals(wanted.frame.select(names))
