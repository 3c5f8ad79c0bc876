"""IEX captures: every message of DEEP and TOPS, the sequence of segments, and the real captures."""

from __future__ import annotations

import struct
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from iex_capture import BODIES, START, TOPS, capture, message, pcap, segment

from footprint.data.readers.iex import IexReader
from footprint.data.readers.iex_messages import LAYOUTS, NAMES, ROW_DTYPE, Fault, Stream, read_segments
from footprint.data.session import Session
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader

K, FLAG = EventKind, EventFlag
LAST = int(FLAG.LAST)
READER = IexReader()
NOISE = np.random.default_rng(4)


def rows(session: Session) -> list[tuple[int, ...]]:
    """kind, side, flags, price, size of each event."""
    names = ("kind", "side", "flags", "price_ticks", "size_lots")
    return [tuple(map(int, row)) for row in zip(*(session.events[name] for name in names), strict=True)]


def only(path: Path) -> Session:
    (session,) = READER.sessions([path])
    return session


def codes(path: Path) -> dict[str, int]:
    return {finding.code: finding.count for finding in READER.audit([path])[0].findings}


@pytest.mark.parametrize("letter", sorted(BODIES))
def test_layout_of_every_message(letter: str) -> None:
    codes, names = BODIES[letter]
    layout = LAYOUTS[letter]
    assert layout.names is not None
    assert layout.names[3:] == tuple(names.split())
    assert layout.itemsize == struct.calcsize("<cBq" + codes)
    values = {}
    for name in layout.names[3:]:
        kind = layout[name]
        values[name] = "x" * kind.itemsize if kind.kind == "S" else int(NOISE.integers(0, 1 << (8 * kind.itemsize - 1)))
    record = np.frombuffer(message(letter, at=17, flags=5, **values), layout)[0]
    assert (record["flags"], record["time_ns"]) == (5, START + 17)
    for name, value in values.items():
        assert record[name] == (value.encode() if isinstance(value, str) else value)


def test_every_message_is_known() -> None:
    assert set(BODIES) == set(LAYOUTS) == set(NAMES) == set("SDHIOPE85QTBXA")
    flat = np.frombuffer(segment([message(letter) for letter in BODIES], 1), np.uint8)
    stream, types, found = np.zeros(len(Stream), np.int64), np.zeros(256, np.int64), np.empty(99, ROW_DTYPE)
    one = np.zeros(1, np.int64)
    count, _, fault = read_segments(flat, one, one + len(flat), one + 1, one + 1, stream, types, found)
    assert (count, fault) == (len(BODIES), Fault.NONE)
    assert bytes(found["type"][:count]).decode() == "".join(BODIES)
    assert types.sum() == count
    assert stream[Stream.UNKNOWN] == 0


def test_deep_levels_trades_and_halts(tmp_path: Path) -> None:
    path = capture(tmp_path, [
        segment([message("S", flags="O"), message("D", round_lot_size=100)], 1),
        segment([message("H", flags="T"), message("O", flags="N")], 3),
        segment([message("8", 1, flags=1, size=300), message("5", 2, flags=1, size=200, price=100_100)], 5),
        segment([
            message("T", 3, size=200, price=100_100),
            message("5", 3, flags=0, size=0, price=100_100),
            message("T", 3, size=50, price=100_200, flags=0x80),
            message("5", 3, flags=1, size=150, price=100_200),
        ], 7),
        segment([message("T", 4, size=70, price=100_000, flags=0x08)], 11),
        segment([message("O", 5, flags="O"), message("H", 6, flags="H")], 12),
        segment([message("O", 7, flags="N"), message("H", 8, flags="T")], 14),
        segment([message(letter, 9) for letter in "BXAPEI"], 16),
        segment([], 22),
    ])  # fmt: skip
    session = check_reader(READER, [path])[0]
    assert rows(session) == [
        (K.RESUME, 0, LAST, 0, 0),
        (K.RESUME, 0, LAST, 0, 0),
        (K.LEVEL, 1, LAST, 100_000, 300),
        (K.LEVEL, -1, LAST, 100_100, 200),
        (K.TRADE, 0, LAST, 100_100, 200),
        (K.LEVEL, -1, 0, 100_100, 0),
        (K.TRADE, 0, 0, 100_200, 50),  # within the transaction
        (K.LEVEL, -1, LAST, 100_200, 150),
        (K.TRADE, 0, LAST | FLAG.AUCTION, 100_000, 70),
        (K.HALT, 0, LAST, 0, 0),
        (K.HALT, 0, LAST, 0, 0),
        (K.HALT, 0, LAST, 0, 0),  # no longer for operational reasons, but still
        (K.RESUME, 0, LAST, 0, 0),
    ]
    events = session.events
    assert events["exchange_time_ns"][2:4].tolist() == [START + 1, START + 2]
    assert events["receive_time_ns"][2:4].tolist() == [START + 1_002_000] * 2
    assert events["sequence"].tolist() == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    assert events["row"][:3].tolist() == [2, 2, 3]
    assert (session.instrument.symbol, session.instrument.venue, session.day) == ("ABC", "IEX", date(2017, 4, 25))
    found = codes(path)
    assert found["broken_trades"] == 1
    assert not {"gap", "restart", "duplicates"} & set(found)


def test_tops_quotes(tmp_path: Path) -> None:
    quote = message("Q", 1, bid_size=5, bid_price=100_000, ask_price=100_100, ask_size=7)
    empty = message("Q", 2, bid_size=0, bid_price=0, ask_price=100_100, ask_size=7)
    path = capture(tmp_path, [segment([quote, empty, message("T", 3)], 1, protocol=TOPS)])
    assert rows(check_reader(READER, [path])[0]) == [
        (K.QUOTE, 1, 0, 100_000, 5),
        (K.QUOTE, -1, LAST, 100_100, 7),
        (K.QUOTE, 1, 0, 0, 0),
        (K.QUOTE, -1, LAST, 100_100, 7),
        (K.TRADE, 0, LAST, 100_000, 100),
    ]
    assert "top_of_book" in codes(path)


def levels(*numbers: int) -> list[bytes]:
    return [message("8", n, flags=1, price=n) for n in numbers]


def test_gaps_and_duplicates(tmp_path: Path) -> None:
    path = capture(tmp_path, [
        segment(levels(10, 11), 10, sent=1),
        segment(levels(10, 11), 10, sent=1),  # the second feed
        segment(levels(11, 12), 11, sent=2),  # half of it is new
        segment(levels(15), 15, sent=3),  # 13 and 14 are missing
        segment(levels(16), 1, sent=9, session=10),  # another session begins where it likes
    ])  # fmt: skip
    session = only(path)
    prices = session.events["price_ticks"][session.events["kind"] == K.LEVEL].tolist()
    assert prices == [10, 11, 12, 15, 16]
    found = codes(path)
    assert (found["gap"], found["duplicates"]) == (1, 3)
    assert "restart" not in found
    (gap,) = (f for f in READER.audit([path])[0].findings if f.code == "gap")
    assert "2 messages are missing" in gap.text
    assert Analysis.BOOK in gap.voids


def test_a_restart_empties_the_books(tmp_path: Path) -> None:
    first = [message("8", 1, flags=1, symbol="ABC"), message("8", 1, flags=0, symbol="XYZ"), message("H", 1, flags="H")]
    again = [message("8", 2, flags=1, symbol="XYZ"), message("5", 3, flags=1, symbol="ABC")]
    path = capture(tmp_path, [segment(first, 1), segment(again, 1, sent=5), segment([], 3, sent=6)])
    sessions = {s.instrument.symbol: rows(s) for s in READER.sessions([path])}
    assert [row[0] for row in sessions["ABC"]] == [K.LEVEL, K.HALT, K.CLEAR, K.LEVEL]
    assert [row[0] for row in sessions["XYZ"]] == [K.LEVEL, K.CLEAR, K.LEVEL]
    assert codes(path)["restart"] == 1


def test_messages_may_grow_and_be_new(tmp_path: Path) -> None:
    path = capture(tmp_path, [segment([*levels(1), message("8", 2, flags=1) + b"more", b"Z" * 30], 1)])
    assert len(only(path).events) == 2
    assert codes(path)["unknown_messages"] == 1


def test_one_session_a_symbol_and_day(tmp_path: Path) -> None:
    """Midnight in New York, not in London."""
    hour = 3600 * 10**9
    late = [message("8", 8 * hour, flags=1, symbol=s) for s in ("B", "A")]  # 19:07
    evening = [message("8", 9 * hour + 53 * hour // 60, flags=1, symbol="A")]  # 21:00, the next day in London
    morning = [message("8", 13 * hour, flags=1, symbol="A")]  # 00:07
    times = [8 * hour, 10 * hour, 13 * hour]
    path = capture(tmp_path, [segment(late, 1), segment(evening, 3), segment(morning, 4)], times)
    held = [(s.instrument.symbol, s.day.day, len(s.events)) for s in READER.sessions([path])]
    assert held == [("A", 25, 2), ("A", 26, 1), ("B", 25, 1)]


def test_hours_of_the_system_events(tmp_path: Path) -> None:
    opened, closed = (message("S", at, flags=flag) for at, flag in ((5, "R"), (9, "M")))
    session = only(capture(tmp_path, [segment([opened, *levels(6), closed], 1)]))
    assert (session.open_ns, session.close_ns) == (START + 5, START + 9)
    session = only(capture(tmp_path, [segment([opened, *levels(6), closed, opened], 1)]))
    assert session.open_ns == START - 5820 * 10**9  # 9:30


def refusal(path: Path) -> str:
    assert READER.recognise(path)
    (verdict,) = READER.audit([path])
    assert verdict.verdict is Verdict.REFUSED
    with pytest.raises(DataRefused) as caught:
        READER.sessions([path])
    assert verdict.findings[0].text == str(caught.value)
    return str(caught.value).removeprefix(str(path))


GOOD = segment(levels(1), 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (GOOD[:39], ", row 2, field segment: no IEX-TP segment"),
        (b"\2" + GOOD[1:], ", row 2, field segment: no IEX-TP segment"),
        (GOOD + b"x", ", row 2, field segment: no IEX-TP segment"),
        (GOOD[:40] + b"\xff" + GOOD[41:], ", row 2, field segment: no IEX-TP segment"),
        (GOOD[:14] + b"\3" + GOOD[15:], ", row 2, field segment: no IEX-TP segment"),
        (GOOD[:14] + b"\0" + GOOD[15:], ", row 2, field segment: no IEX-TP segment"),
        (
            segment(levels(1), 2, protocol=TOPS),
            ", row 2, field message protocol: unknown or second feed, found '0x8003'",
        ),
        (
            segment(levels(1), 2, protocol=0x8005),
            ", row 2, field message protocol: unknown or second feed, found '0x8005'",
        ),
        (segment([message("8")[:-1]], 2), ", row 2, field length: message too short"),
        (segment([message("8", price=0)], 2), ", row 2, field price: price or size out of range"),
        (segment([message("T", symbol="\0" * 8)], 2), ", row 2, field symbol: unreadable symbol"),
        (segment([message("T", size=0)], 2), ", row 2, field price: price or size out of range"),
        (segment([message("Q", ask_price=-1)], 2), ", row 2, field price: price or size out of range"),
        (segment([message("8", at=-START)], 2), ", row 2, field capture time: clock goes back"),
        (segment([message("8", symbol="\x07")], 2), ", row 2, field symbol: unreadable symbol"),
    ],
)
def test_refusals(tmp_path: Path, bad: bytes, reason: str) -> None:
    assert refusal(capture(tmp_path, [GOOD, bad])).startswith(reason)


def test_refused_captures(tmp_path: Path) -> None:
    assert refusal(capture(tmp_path, [GOOD, segment(levels(2), 2)], [5000, 4000])).startswith(
        ", row 2, field capture time"
    )
    assert refusal(capture(tmp_path, [segment(levels(1), 1, protocol=1)])).startswith(", row 1, field message protocol")
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap([]))
    assert refusal(path).startswith(": no IEX-TP segment")
    path.write_bytes(b"\x0a\x0d\x0d\x0a" + bytes(60))
    assert refusal(path).startswith(", field magic: pcapng is not read")


def test_a_feed_without_a_market(tmp_path: Path) -> None:
    path = capture(tmp_path, [segment([message("H", flags="T")], 1)])
    assert list(READER.sessions([path])) == []
    assert READER.audit([path])[0].voids == tuple(Analysis)


def test_real_deep(shared_data: Path) -> None:
    """The sender began again eleven times; the test environment leaves books crossed, which the audit says."""
    path = shared_data / "iex" / "DEEP10.first60pct.pcap.gz"
    (verdict,) = READER.audit([path])
    found = {finding.code: finding for finding in verdict.findings}
    assert found["restart"].count == 11
    assert "gap" not in found
    assert Analysis.BOOK in found["crossed_book"].voids
    assert verdict.counts["segments"] == 72_789
    assert (verdict.counts["bid_levels_messages"], verdict.counts["ask_levels_messages"]) == (9947, 10_425)
    sessions = list(READER.sessions([path]))
    kinds = np.bincount(np.concatenate([s.events["kind"] for s in sessions]), minlength=13)
    assert (kinds[K.LEVEL], kinds[K.TRADE]) == (9947 + 10_425, 41_399)
    assert all(s.day == date(2017, 4, 25) for s in sessions)
    check_reader(READER, [path])


def test_real_tops(shared_data: Path) -> None:
    path = shared_data / "iex" / "TOPS16.first60pct.pcap.gz"
    (verdict,) = READER.audit([path])
    assert verdict.counts["segments"] == 7814
    assert verdict.counts["quotes_messages"] == 17_739
    assert not {"gap", "restart"} & {f.code for f in verdict.findings}
    events = np.concatenate([s.events for s in READER.sessions([path])])
    kinds = np.bincount(events["kind"], minlength=13)
    assert (kinds[K.QUOTE], kinds[K.TRADE]) == (2 * 17_739, 3943)


def test_a_capture_that_grows_is_refused(tmp_path: Path) -> None:
    path = capture(tmp_path, [segment(levels(1), 1)])
    sessions = READER.sessions([path])
    path.write_bytes(pcap([]))
    with pytest.raises(DataRefused, match="file changed while it was read"):
        next(sessions)


def test_captures_that_follow_each_other_are_one_session(tmp_path: Path) -> None:
    segments = [segment(levels(n), n) for n in range(1, 7)]
    times = [1000 * n for n in range(1, 7)]
    for name in ("all", "two", "one", "other"):
        (tmp_path / name).mkdir()
    whole = capture(tmp_path / "all", segments, times)
    second, first = (
        capture(tmp_path / "one", segments[4:], times[4:]),
        capture(tmp_path / "two", segments[:4], times[:4]),
    )
    (session,) = check_reader(READER, [second, first])
    assert session.paths == (first, second)
    (alone,) = READER.sessions([whole])
    assert rows(session) == rows(alone)
    assert session.events["sequence"].tolist() == alone.events["sequence"].tolist()
    assert (session.open_ns, session.close_ns) == (alone.open_ns, alone.close_ns)
    overlapping = capture(tmp_path / "other", segments[3:], times[3:])
    assert len(list(READER.sessions([first, overlapping]))) == 2
