"""ITCH 5.0: each message type against an independent parser, each event, and every refusal, on generated files."""

from __future__ import annotations

import gzip
import struct
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import zstandard
from itch_tape import BODIES, NAME, NOON, fields_of, framed, message, random_day, random_values, write

from footprint.book.orders import OrderBook
from footprint.data.readers import itch
from footprint.data.readers.held import SLACK_EVENTS
from footprint.data.readers.itch import ItchReader
from footprint.data.readers.itch_kernels import LOCATES, Count, new_orders, write_messages
from footprint.data.readers.itch_messages import LAYOUTS, NAMES, decode, message_lengths
from footprint.data.session import Session
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind
from footprint.testing.check_reader import check_reader

K, FLAG = EventKind, EventFlag
LAST = int(FLAG.LAST)
READER = ItchReader()
MIDNIGHT_NS = 1_548_824_400_000_000_000  # 2019-01-30 in New York

# our field names, in the order of the body, under the names of itchfeed where those differ
THEIRS = {
    "S": ("event_code",),
    "R": (
        "stock", "market_category", "financial_status_indicator", "round_lot_size", "round_lots_only",
        "issue_classification", "issue_sub_type", "authenticity", "short_sale_threshold_indicator", "ipo_flag",
        "luld_ref", "etp_flag", "etp_leverage_factor", "inverse_indicator",
    ),
    "H": ("stock", "trading_state", "reserved", "reason"),
    "Y": ("stock", "reg_sho_action"),
    "L": ("mpid", "stock", "primary_market_maker", "market_maker_mode", "market_participant_state"),
    "V": ("level1_price", "level2_price", "level3_price"),
    "W": ("breached_level",),
    "K": ("stock", "ipo_release_time", "ipo_release_qualifier", "ipo_price"),
    "J": (
        "stock", "auction_collar_reference_price", "upper_auction_collar_price", "lower_auction_collar_price",
        "auction_collar_extention",
    ),
    "h": ("stock", "market_code", "operational_halt_action"),
    "A": ("order_reference_number", "buy_sell_indicator", "shares", "stock", "price"),
    "F": ("order_reference_number", "buy_sell_indicator", "shares", "stock", "price", "attribution"),
    "E": ("order_reference_number", "executed_shares", "match_number"),
    "C": ("order_reference_number", "executed_shares", "match_number", "printable", "execution_price"),
    "X": ("order_reference_number", "cancelled_shares"),
    "D": ("order_reference_number",),
    "U": ("order_reference_number", "new_order_reference_number", "shares", "price"),
    "P": ("order_reference_number", "buy_sell_indicator", "shares", "stock", "price", "match_number"),
    "Q": ("shares", "stock", "cross_price", "match_number", "cross_type"),
    "B": ("match_number",),
    "I": (
        "paired_shares", "imbalance_shares", "imbalance_direction", "stock", "far_price", "near_price",
        "current_reference_price", "cross_type", "variation_indicator",
    ),
    "N": ("stock", "interest_flag"),
    "O": (
        "stock", "open_eligibility_status", "minimum_allowable_price", "maximum_allowable_price",
        "near_execution_price", "near_execution_time", "lower_price_range_collar", "upper_price_range_collar",
    ),
}  # fmt: skip


@pytest.mark.parametrize("letter", sorted(BODIES))
def test_message_by_message_against_itchfeed(letter: str) -> None:
    itchfeed = pytest.importorskip("itch.messages")
    rng = np.random.default_rng(ord(letter))
    for _ in range(50):
        values = random_values(letter, rng)
        at, locate, tracking = (int(rng.integers(1 << bits)) for bits in (48, 16, 16))
        raw = message(letter, at=at, locate=locate, tracking=tracking, **values)
        theirs, ours = itchfeed.messages[letter.encode()](raw), decode(raw)
        assert theirs.to_bytes() == raw
        assert (ours["timestamp"], ours["stock_locate"], ours["tracking_number"]) == (at, locate, tracking)
        assert (theirs.timestamp, theirs.stock_locate, theirs.tracking_number) == (at, locate, tracking)
        for (name, _), their_name in zip(fields_of(letter), THEIRS[letter], strict=True):
            found = getattr(theirs, their_name)
            found = found.decode().rstrip(" ") if isinstance(found, bytes) else found
            assert ours[name] == values[name] == found, name
    assert message_lengths()[ord(letter)] == len(raw) == itchfeed.messages[letter.encode()].message_size


def test_every_type_of_the_specification_is_known() -> None:
    assert set(BODIES) == set(LAYOUTS) == set(NAMES) == set("SRHYLVWKJhAFECXDUPQBINO")
    assert message_lengths().sum() == sum(layout.itemsize for layout in LAYOUTS.values())
    for wrong in (b"", b"A", b"Z" * 36, message("A") + b" "):
        with pytest.raises(ValueError, match="no message"):
            decode(wrong)


def only(path: Path) -> Session:
    (session,) = READER.sessions([path])
    return session


def rows(session: Session) -> list[tuple[int, ...]]:
    """kind, side, flags, price, size, order id of each event."""
    events = session.events
    names = ("kind", "side", "flags", "price_ticks", "size_lots", "order_id")
    return [tuple(map(int, row)) for row in zip(*(events[name] for name in names), strict=True)]


def day(*messages: bytes) -> list[bytes]:
    """Messages between the system events of a whole day."""
    begin = [message("S", at=NOON - 3, locate=0, event="O"), message("R", at=NOON - 2, stock="ABC", round_lot_size=100)]
    return [*begin, *messages, message("S", at=NOON + 10**9, locate=0, event="C")]


def test_every_message_that_makes_events(tmp_path: Path) -> None:
    path = write(tmp_path, day(
        message("H", at=NOON, state="T"),
        message("A", at=NOON + 1, reference=7, side="B", shares=500, price=100_000),
        message("F", at=NOON + 2, reference=8, side="S", shares=300, price=100_100, attribution="GSCO"),
        message("E", at=NOON + 3, reference=7, shares=100, match_number=1),
        message("C", at=NOON + 4, reference=7, shares=100, match_number=2, printable="Y", price=99_900),
        message("C", at=NOON + 5, reference=7, shares=50, match_number=3, printable="N", price=99_900),
        message("X", at=NOON + 6, reference=7, shares=50),
        message("U", at=NOON + 7, reference=8, new_reference=9, shares=200, price=100_200),
        message("D", at=NOON + 8, reference=7),
        message("P", at=NOON + 9, side="B", shares=40, price=100_050, match_number=4),
        message("Q", at=NOON + 10, shares=1000, price=100_000, match_number=5, cross_type="O"),
        message("Q", at=NOON + 11, shares=0, price=0, cross_type="H"),
        message("B", at=NOON + 12, match_number=1),
        message("H", at=NOON + 13, state="H", reason="T1"),
        message("H", at=NOON + 14, state="Q"),
        message("H", at=NOON + 15, state="P"),
        message("h", at=NOON + 16, market="Q", action="H"),
        message("h", at=NOON + 17, market="B", action="T"),  # of another market
        message("h", at=NOON + 18, market="Q", action="T"),
        message("E", at=NOON + 19, reference=9, shares=200, match_number=6),
    ))  # fmt: skip
    session = check_reader(READER, [path])[0]
    assert rows(session) == [
        (K.RESUME, 0, LAST, 0, 0, 0),
        (K.ADD, 1, LAST, 100_000, 500, 7),
        (K.ADD, -1, LAST, 100_100, 300, 8),
        (K.FILL, 1, 0, 100_000, 100, 7),
        (K.TRADE, -1, LAST | FLAG.SIDE_GIVEN, 100_000, 100, 0),
        (K.FILL, 1, 0, 100_000, 100, 7),
        (K.TRADE, -1, LAST | FLAG.SIDE_GIVEN, 99_900, 100, 0),
        (K.FILL, 1, LAST, 100_000, 50, 7),  # not printed: no trade
        (K.CANCEL, 1, LAST, 100_000, 50, 7),
        (K.DELETE, -1, 0, 100_100, 300, 8),
        (K.ADD, -1, LAST, 100_200, 200, 9),
        (K.DELETE, 1, LAST, 100_000, 200, 7),
        (K.TRADE, 0, LAST | FLAG.HIDDEN, 100_050, 40, 0),
        (K.TRADE, 0, LAST | FLAG.AUCTION, 100_000, 1000, 0),
        (K.HALT, 0, LAST, 0, 0, 0),
        (K.HALT, 0, LAST, 0, 0, 0),
        (K.HALT, 0, LAST, 0, 0, 0),
        (K.HALT, 0, LAST, 0, 0, 0),
        (K.RESUME, 0, LAST, 0, 0, 0),
        (K.FILL, -1, 0, 100_200, 200, 9),
        (K.TRADE, 1, LAST | FLAG.SIDE_GIVEN, 100_200, 200, 0),
    ]
    events = session.events
    assert events["exchange_time_ns"][:4].tolist() == [MIDNIGHT_NS + NOON + at for at in (0, 1, 2, 3)]
    assert (events["receive_time_ns"] == UNKNOWN_TIME).all()
    assert events["row"][:6].tolist() == [3, 4, 5, 6, 6, 7]
    assert (session.instrument.symbol, session.instrument.venue, session.day) == ("ABC", "NASDAQ", date(2019, 1, 30))
    assert session.counts == {"events": 21, "trades": 5, "not_printed": 1, "broken_trades": 1, "round_lot_size": 100}
    found = {f.code: f.count for f in READER.audit([path])[0].findings}
    assert (found["broken_trades"], found["not_printed"], found["halt"], found["hidden_trades"]) == (1, 1, 4, 1)
    assert "no_end_of_messages" not in found


def test_messages_without_events_are_counted(tmp_path: Path) -> None:
    silent = "SRYLVWKJBINO"
    path = write(tmp_path, [message("A", reference=1), *(message(letter) for letter in silent)])
    assert len(only(path).events) == 1
    counts = READER.audit([path])[0].counts
    assert {letter: counts[f"{NAMES[letter]}_messages"] for letter in silent} == dict.fromkeys(silent, 1)
    assert counts["messages"] == 1 + len(silent)


def test_regular_hours_are_those_of_the_system_events(tmp_path: Path) -> None:
    opened, closed = MIDNIGHT_NS + 34_200 * 10**9, MIDNIGHT_NS + 57_600 * 10**9
    order = message("A", reference=1)
    session = only(write(tmp_path, [order]))
    assert (session.open_ns, session.close_ns) == (opened, closed)
    half_day = [message("S", at=NOON - 9, event="Q"), order, message("S", at=NOON + 9, event="M")]
    session = only(write(tmp_path, half_day))
    assert (session.open_ns, session.close_ns) == (MIDNIGHT_NS + NOON - 9, MIDNIGHT_NS + NOON + 9)


def test_orders_that_do_not_add_up_are_findings(tmp_path: Path) -> None:
    path = write(tmp_path, [
        message("A", reference=1, shares=100),
        message("A", reference=1, shares=50),
        message("E", reference=2, shares=10),
        message("X", reference=3, shares=10),
        message("D", reference=4),
        message("U", reference=5, new_reference=6),
        message("E", locate=2, reference=1, shares=10),  # an order of another stock
        message("E", reference=1, shares=150),
        message("D", reference=1),
        message("A", reference=7),
        message("A", reference=8),
        message("U", reference=7, new_reference=8),
    ])  # fmt: skip
    session = next(READER.sessions([path]))
    kinds = [row[0] for row in rows(session)]
    assert kinds == [K.ADD, K.FILL, K.TRADE, K.ADD, K.ADD, K.DELETE]
    found = {f.code: (f.count, f.voids) for f in READER.audit([path])[0].findings}
    assert found["unknown_orders"] == (6, (Analysis.QUEUE, Analysis.BOOK, Analysis.DEPTH))
    assert found["oversized"][0] == 1
    assert found["reused_references"][0] == 2
    assert "no_end_of_messages" in found


def test_a_locate_with_two_symbols_is_a_finding(tmp_path: Path) -> None:
    path = write(tmp_path, [message("A", reference=1), message("A", reference=2, stock="XYZ")])
    assert {f.code: f.count for f in READER.audit([path])[0].findings}["second_symbol"] == 1
    assert only(path).instrument.symbol == "ABC"


def test_random_days_are_whole_books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several stocks, many pieces, every packing: the same events, books without unknown orders, shares conserved."""
    messages = random_day(np.random.default_rng(3), stocks=5, count=40_000)
    content = framed(messages)
    assert len(content) > 1 << 20
    path = tmp_path / NAME
    path.write_bytes(content)
    sessions = list(READER.sessions([path]))
    assert [s.instrument.symbol for s in sessions] == ["S0", "S1", "S2", "S3", "S4"]
    for session in sessions:
        book = OrderBook()
        book.apply(session.events)
        assert (book.unknown_ids, book.duplicate_ids) == (0, 0)
        size = {kind: int(session.events["size_lots"][session.events["kind"] == kind].sum()) for kind in EventKind}
        rest = sum(int(book.levels(side, 1000)[:, 1].sum()) for side in (1, -1))
        assert size[K.ADD] - size[K.CANCEL] - size[K.DELETE] - size[K.FILL] == rest
    assert not {"unknown_orders", "oversized", "reused_references"} & {f.code for f in READER.audit([path])[0].findings}
    monkeypatch.setattr(itch, "held_together", lambda listings: [[listing] for listing in listings])
    packed = tmp_path / f"{NAME}.gz"
    packed.write_bytes(gzip.compress(content))
    for whole, alone in zip(sessions, READER.sessions([packed]), strict=True):
        np.testing.assert_array_equal(whole.events, alone.events)
    monkeypatch.undo()
    packed = tmp_path / f"{NAME}.zst"
    packed.write_bytes(zstandard.ZstdCompressor().compress(content + b"\0\0"))
    for whole, marked in zip(sessions, READER.sessions([packed]), strict=True):
        np.testing.assert_array_equal(whole.events, marked.events)


def test_the_order_events_are_those_of_the_messages(tmp_path: Path) -> None:
    """Sides and prices that the messages do not carry, against a plain dictionary of orders."""
    messages = random_day(np.random.default_rng(8), stocks=2, count=3000)
    expected: dict[int, list[tuple[int, int, int, int]]] = {1: [], 2: []}
    orders: dict[int, tuple[int, int, int]] = {}
    for raw in messages:
        values = decode(raw)
        letter, found = values["type"], expected[int(values["stock_locate"])]
        if letter in ("A", "F"):
            side = 1 if values["side"] == "B" else -1
            orders[values["reference"]] = (side, values["price"], values["shares"])
            found.append((K.ADD, side, values["price"], values["shares"]))
        elif letter in ("E", "C", "X", "D", "U"):
            side, price, left = orders.pop(values["reference"])
            done = values.get("shares", left) if letter in "ECX" else left
            if done < left:
                orders[values["reference"]] = (side, price, left - done)
            kind = {"E": K.FILL, "C": K.FILL, "X": K.CANCEL, "D": K.DELETE, "U": K.DELETE}[letter]
            found.append((kind, side, price, done))
            if letter == "E" or values.get("printable") == "Y":
                found.append((K.TRADE, -side, values.get("price", price), done))
            if letter == "U":
                orders[values["new_reference"]] = (side, values["price"], values["shares"])
                found.append((K.ADD, side, values["price"], values["shares"]))
        elif letter in ("P", "Q"):
            found.append((K.TRADE, 0, values["price"], values["shares"]))
    sessions = list(READER.sessions([write(tmp_path, messages)]))
    for session, locate in zip(sessions, (1, 2), strict=True):
        assert [(row[0], row[1], row[3], row[4]) for row in rows(session)] == expected[locate]


@pytest.mark.parametrize(
    ("name", "expected", "venue"),
    [
        ("01302019.NASDAQ_ITCH50", date(2019, 1, 30), "NASDAQ"),
        ("S013019-v50.txt", date(2019, 1, 30), "NASDAQ"),
        ("20190730.BX_ITCH_50", date(2019, 7, 30), "BX"),
        ("20190730.PSX_ITCH_50", date(2019, 7, 30), "PSX"),
        ("abc_2019-07-30.itch", date(2019, 7, 30), "NASDAQ"),
    ],
)
def test_the_day_comes_from_the_name(tmp_path: Path, name: str, expected: date, venue: str) -> None:
    session = only(write(tmp_path, [message("A", reference=1)], name))
    assert (session.day, session.instrument.venue) == (expected, venue)


def test_names_of_ones_own(tmp_path: Path) -> None:
    path = write(tmp_path, [message("A", reference=1)], "day_30.01.19.bin")
    reader = ItchReader((r"(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>\d\d)",))
    assert next(reader.sessions([path])).day == date(2019, 1, 30)
    assert refusal(path).startswith(", field name: no date in the file name")
    assert refusal(write(tmp_path, [message("A")], "13452019.itch")).startswith(", field name: no date")


def refusal(path: Path) -> str:
    assert READER.recognise(path)
    (verdict,) = READER.audit([path])
    assert verdict.verdict is Verdict.REFUSED
    with pytest.raises(DataRefused) as caught:
        READER.sessions([path])
    assert verdict.findings[0].text == str(caught.value)
    return str(caught.value).removeprefix(str(path))


GOOD = framed([message("A", reference=1)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\0\x24Z" + bytes(35), ", row 2, field type: unknown message type, found"),
        (b"\0\x25" + message("A") + b" ", ", row 2, field length: wrong message length, found '37'"),
        (framed([message("A", at=NOON - 1)]), ", row 2, field timestamp: clock goes back"),
        (framed([message("A", side="X")]), ", row 2, field side: unknown side"),
        (framed([message("P", side="")]), ", row 2, field side: unknown side"),
        (framed([message("A", shares=0)]), ", row 2, field shares: size not positive"),
        (framed([message("E", reference=1, shares=0)]), ", row 2, field shares: size not positive"),
        (framed([message("Q", shares=1 << 41)]), ", row 2, field shares: size not positive"),
        (framed([message("A", price=0)]), ", row 2, field price: price out of range"),
        (framed([message("U", price=2_000_000_001)]), ", row 2, field price: price out of range"),
        (framed([message("Q", price=0)]), ", row 2, field price: price out of range"),
        (framed([message("C", reference=1, printable="")]), ", row 2, field printable: unknown printable flag"),
        (b"\0\0" + GOOD, ", row 2, field length: data after the end of the session"),
        (GOOD[:-1], ", row 2: truncated message, found '37 bytes', allowed: a whole message"),
        (b"\0", ", row 2: truncated message"),
        (framed([message("A", locate=2, stock="A,B")]), ", field stock: unreadable symbol"),
    ],
)
def test_refusals(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(GOOD + content)
    assert refusal(path).startswith(reason)


def test_damaged_archives_and_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.gz"
    packed = gzip.compress(GOOD * 1000)
    path.write_bytes(packed[:-6])
    assert refusal(path).startswith(": truncated or damaged archive")
    path.write_bytes(packed[:5])
    assert READER.recognise(path)  # by its name
    other = tmp_path / "other.bin"
    for content in (b"a,b\n1,2\n", struct.pack(">H", 36) + b"Z" * 36, b"\0", b"\0\x24A"):
        other.write_bytes(content)
        assert READER.recognise(other) == (content == b"\0\x24A")


def test_a_file_without_orders(tmp_path: Path) -> None:
    path = write(tmp_path, [message("S", event="O"), message("R"), message("H", state="T")])
    assert list(READER.sessions([path])) == []
    assert READER.audit([path])[0].voids == tuple(Analysis)


def test_a_file_that_grows_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [message("A", reference=1)])
    sessions = READER.sessions([path])
    write(tmp_path, [message("A", reference=k) for k in range(1, 500)])
    with pytest.raises(DataRefused, match="file changed while it was read"):
        next(sessions)


def test_more_messages_than_were_counted_write_nothing_beyond(tmp_path: Path) -> None:
    """The pass that writes stops at the end of what the first pass counted."""
    flat = np.frombuffer(framed([message("A", reference=k) for k in range(1, 500)]), np.uint8)
    cursors = np.full(LOCATES, -1)
    cursors[1] = 0
    events = np.zeros(10 + SLACK_EVENTS, EVENT_DTYPE)
    counts = np.zeros((LOCATES, len(Count)), np.int64)
    used, *_ = write_messages(flat, 0, ord("Q"), cursors, new_orders(1 << 12), 0, 0, counts, events)
    assert used == len(flat)
    assert cursors[1] <= 11
    assert not events["kind"][11:].any()
