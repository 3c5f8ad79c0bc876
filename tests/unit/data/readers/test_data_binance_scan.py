"""The compiled parser of Binance frames says of every line that it takes what the general parser says of it."""

import gzip
import json
import random

import numpy as np
import pytest
from binance_tape import START_NS, depth, good_tape, quote, snapshot, spot, trade, write

from footprint.data.files import lines
from footprint.data.readers import binance_blocks, binance_scan
from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.binance_blocks import FrameBlock, block_of, read_blocks
from footprint.data.readers.binance_depth import DepthJoiner, DepthUpdate, Joined
from footprint.data.readers.binance_frames import BadValue, parse_line, read_frames
from footprint.errors import DataRefused

SYMBOL = "BTCUSDT"
MESSAGES = [
    depth(12, 10, bids=[("100.5", "2"), ("100.40000000", "0.00000000")], asks=[("9999999999.99999999", "1")]),
    depth(13, 12),
    quote(15, "100.5", "101.5", "2", "3"),
    quote(16, "0", "0", "0", "0"),
    trade(7, "101.5", "1", buyer_is_maker=False),
    trade(8, "100.50", "0.5", buyer_is_maker=True),
]
EVERY = [*MESSAGES, *map(spot, MESSAGES)]


def scanned(line: bytes):
    """What the compiled parser makes of one line, None when it leaves it."""
    text = np.frombuffer(line + b"\n" + bytes(binance_scan.PADDING), np.uint8)
    frames = np.zeros(1, binance_scan.FRAME_DTYPE)
    prices, sizes = np.zeros(len(text), np.int64), np.zeros(len(text), np.int64)
    slots, name = np.zeros(binance_scan.SLOTS_SHAPE, np.int64), np.frombuffer(SYMBOL.encode(), np.uint8)
    at, count, used = binance_scan.scan(text, 0, len(line) + 1, 1, 0, name, frames, prices, sizes, slots)
    assert at == (len(line) + 1 if count else 0)
    return FrameBlock(frames, prices[:used], sizes[:used]) if count else None


def assert_same(fast: FrameBlock, line: bytes):
    slow = block_of(parse_line(line, 1, 0, "tape"))
    for name in binance_scan.FRAME_DTYPE.names:
        assert fast.frames[name][0] == slow.frames[name][0], (name, line)
    assert fast.prices.tolist() == slow.prices.tolist()
    assert fast.sizes.tolist() == slow.sizes.tolist()


def line_of(message, separators=(",", ":"), stamp=str(START_NS)):
    return f"{stamp} {json.dumps(message, separators=separators)}".encode()


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["close", "with blanks"])
@pytest.mark.parametrize("stamp", [str(START_NS), str(START_NS // 1000)], ids=["ns", "us"])
@pytest.mark.parametrize("message", EVERY)
def test_every_kind_of_frame_is_taken_and_means_the_same(message, separators, stamp):
    line = line_of(message, separators, stamp)
    fast = scanned(line)
    assert fast is not None
    assert_same(fast, line)


LEFT = {
    "a snapshot": line_of(snapshot(10)),
    "another event": line_of({"stream": "s", "data": {"e": "markPriceUpdate", "s": SYMBOL, "p": "1.0"}}),
    "another symbol": line_of(trade(7, "1", "1", buyer_is_maker=True, symbol="ETHUSDT")),
    "no trade": line_of(trade(7, "1", "1", buyer_is_maker=True, kind="NA")),
    "a price of zero": line_of(depth(12, 10, bids=[("0.0", "1")])),
    "finer than 1e-8": line_of(trade(7, "1.000000001", "1", buyer_is_maker=True)),
    "beyond 64 bits": line_of(trade(7, "99999999999999", "1", buyer_is_maker=True)),
    "a float for an id": line_of(trade(7.0, "1", "1", buyer_is_maker=True)),
    "an id with a leading zero": line_of(trade(7, "1", "1", buyer_is_maker=True)).replace(b'"t":7', b'"t":07'),
    "a field twice": line_of(trade(7, "1", "1", buyer_is_maker=True)).replace(b'"t":7', b'"t":7,"t":8'),
    "an escape": line_of(trade(7, "1", "1", buyer_is_maker=True)).replace(b'"p":"1"', b'"p":"\\u0031"'),
    "asks before bids": line_of(depth(12, 10)).replace(b'"b":[],"a":[]', b'"a":[["2","1"]],"b":[["1","1"]]'),
    "something behind": line_of(depth(12, 10)) + b" x",
    "no end": line_of(depth(12, 10))[:-1],
    "a stamp of 13 digits": line_of(depth(12, 10), stamp="1723161255000"),
    "nothing": b"",
}


@pytest.mark.parametrize("line", LEFT.values(), ids=LEFT.keys())
def test_what_is_not_of_the_subset_is_left(line):
    assert scanned(line) is None


def test_whatever_a_damaged_line_is_taken_for_the_general_parser_takes_it_for_too():
    dice, alphabet = random.Random(5), b'0123456789"{}[],:.-+eEtTsuUbaABpqXm\\ \x00\xff'
    taken = 0
    for _ in range(20_000):
        line = bytearray(line_of(dice.choice(EVERY), dice.choice([(",", ":"), (", ", ": ")])))
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(line))
            match dice.randrange(3):
                case 0:
                    line[at] = dice.choice(alphabet)
                case 1:
                    del line[at]
                case _:
                    line.insert(at, dice.choice(alphabet))
        if b"\n" in line:
            continue
        fast = scanned(bytes(line))
        if fast is not None:
            taken += 1
            assert_same(fast, bytes(line))
    assert taken > 1000  # damage inside a number or a name leaves a good frame


def test_real_files_are_the_same_frames_read_either_way(shared_data):
    for name in ("spot/nexousdt_20240723.dat.gz", "usdm/btcusdt_20230404.dat.gz", "cm/ethusd_perp_20240808.gz"):
        path = shared_data / "binance_raw" / name
        symbol = name.split("/")[1].split(".")[0].rsplit("_", 1)[0].upper()
        frames = read_frames(path)
        taken = left = 0
        for read in read_blocks(path, symbol):
            if not isinstance(read, FrameBlock):
                assert read == next(frames)
                left += 1
                continue
            for k in range(len(read.frames)):
                fast, slow = read.one(k), block_of(next(frames))
                assert fast.frames.tolist() == slow.frames.tolist()
                assert np.array_equal(fast.prices, slow.prices)
                assert np.array_equal(fast.sizes, slow.sizes)
                taken += 1
        assert next(frames, None) is None
        assert taken > 10 * left


def test_an_unusual_line_between_others_changes_nothing_else(tmp_path):
    tape = good_tape()
    plain = write(tmp_path / "a.gz", tape)
    content = gzip.decompress(plain.read_bytes()).replace(b'"p": "101.5"', b'"p": "10\\u0031.5"')
    odd = tmp_path / "b.gz"
    odd.write_bytes(gzip.compress(content))
    (one,), (other,) = BinanceReader().sessions([plain]), BinanceReader().sessions([odd])
    assert np.array_equal(one.events, other.events)
    assert one.counts == other.counts


def test_the_cut_of_the_file_into_pieces_does_not_matter(tmp_path, monkeypatch):
    path = write(tmp_path / "a.gz", [*good_tape(), depth(20, 15, bids=[("99", "1")])])
    (whole,) = BinanceReader().sessions([path])
    content = gzip.decompress(path.read_bytes())
    for size in (1, 7, 100, 1000):
        pieces = [content[k : k + size] for k in range(0, len(content), size)]
        monkeypatch.setattr(binance_blocks, "read_chunks", lambda path, pieces=pieces: iter(pieces))
        (cut,) = BinanceReader().sessions([path])
        assert np.array_equal(cut.events, whole.events)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    path = write(tmp_path / "a.gz", good_tape())
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 1000)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"9" * 1001))
    with pytest.raises(DataRefused, match="line too long"):
        next(BinanceReader().sessions([path]))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"e": "trade", "t": 2**63, "T": 1, "p": "1", "q": "1", "m": True}, "too large"),
        ({"e": "trade", "t": 1, "T": 2**62, "p": "1", "q": "1", "m": True}, "too large"),
        ({"e": "trade", "t": 1, "T": 1, "p": "999999999999999999", "q": "1", "m": True}, "too large"),
        ({"e": "trade", "t": 1, "T": 1, "p": "1", "q": "1", "m": 1}, "not a flag"),
        ({"e": "bookTicker", "u": 1, "b": "-1", "B": "1", "a": "1", "A": "1"}, "negative"),
    ],
)
def test_a_value_that_does_not_fit_is_named(body, reason):
    frame = parse_line(f"{START_NS} {json.dumps(body)}".encode(), 1, 0, "tape")
    with pytest.raises(BadValue, match=reason):
        block_of(frame)


def test_updates_followed_in_a_row_are_those_that_apply_one_by_one():
    dice, followed = np.random.default_rng(3), 0
    for _ in range(300):
        last = np.cumsum(dice.integers(0, 3, 30)) + 100
        previous = np.append(99, last[:-1]) + (dice.random(30) < 0.1)
        snapshot_id = int(dice.integers(97, 104))
        together, alone = DepthJoiner(), DepthJoiner()
        for joiner in (together, alone):
            joiner.update(DepthUpdate(98, 99, None))
            joiner.snapshot(snapshot_id)
        updates = [DepthUpdate(int(p), int(u), None) for p, u in zip(previous, last, strict=True)]
        count = together.follow(previous, last)
        followed += count
        assert [alone.update(update) for update in updates[:count]] == [Joined.APPLY] * count
        if count < len(last):
            assert together.update(updates[count]) is alone.update(updates[count])
        assert (together.seen, together._book_id) == (alone.seen, alone._book_id)
    assert followed > 300
