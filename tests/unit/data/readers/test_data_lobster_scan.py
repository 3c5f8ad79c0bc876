"""The compiled parser of LOBSTER csv files reads what the general one reads, or nothing."""

import random
from pathlib import Path

import numpy as np
import pytest
from lobster_tape import BOOK, MESSAGES, changed, write

from footprint.data.files.table import read_table
from footprint.data.readers import lobster_file
from footprint.data.readers.lobster_file import read_day
from footprint.data.readers.lobster_scan import parse_numbers
from footprint.data.readers.window_changes import level_changes
from footprint.errors import DataRefused
from footprint.units import NS_PER_SECOND

MESSAGE = lobster_file._MESSAGE_COLUMNS
SOURCE = Path("message.csv")


def general(content: bytes) -> np.ndarray | None:
    """int64 of shape (n, 6) by the general parser, None when it refuses."""
    try:
        table = read_table(content, MESSAGE, SOURCE, header=False)
    except DataRefused:
        return None
    message = np.empty((len(table), 6), np.int64)
    message[:, 0] = np.rint(table["time"].to_numpy() * NS_PER_SECOND)
    for column, name in enumerate(table.columns[1:], start=1):
        message[:, column] = table[name].to_numpy()
    return message


def compiled(content: bytes) -> np.ndarray | None:
    return parse_numbers([content], len(content), 6, SOURCE, time_first=True, signed=(4, 5))


@pytest.mark.parametrize(
    "time", ["34200", "34200.0", "34200.000000001", "34200.123456789", "43002.632812672004", "43002.63281267199", "0.9"]
)
def test_times_are_the_same_to_the_nanosecond(time):
    content = f"{time},1,16113575,18,5853300,-1\n".encode()
    assert np.array_equal(compiled(content), general(content))


@pytest.mark.parametrize(
    "row",
    ["34200.1234567895,1,1,1,1,1", "1234567.1,1,1,1,1,1", "3.4e4,1,1,1,1,1", "34200,1,1,-5,1,1", "34200,1,,5,1,1",
     "34200, 1,1,5,1,1", "34200,1,1,5,1", "34200,1,1,5,1,1,1", "34200,1,1234567890123456,5,1,1", "34200.,1,1,1,1,1",
     "34200,1,1,1,--1,1", "", "x"],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_general_parser(row):
    assert compiled(b"34200.5,1,1,1,1,1\n" + row.encode() + b"\n") is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_a_missing_last_one_do_not_matter(end):
    content = end.join(["34200.5,1,7,1,100,1", "34201.25,3,7,1,100,-1"]).encode()
    wanted = [[34_200_500_000_000, 1, 7, 1, 100, 1], [34_201_250_000_000, 3, 7, 1, 100, -1]]
    assert compiled(content).tolist() == wanted
    assert compiled(content + end.encode()).tolist() == wanted


def test_whatever_a_damaged_file_is_taken_for_the_general_parser_takes_it_for_too():
    dice, taken = random.Random(7), 0
    clean = b"".join(b"%d.%09d,%d,%d,%d,%d,%d\n" % (34200 + k, 7 * k, 1 + k % 7, k, k, 100 * k, 1 - 2 * (k % 2))
                     for k in range(1, 6))  # fmt: skip
    for _ in range(3000):
        content = bytearray(clean)
        at = dice.randrange(len(content))
        content[at] = dice.choice(b"0123456789.,-+ \r\nxe\xff")
        fast = compiled(bytes(content))
        if fast is not None:
            taken += 1
            slow = general(bytes(content))
            refused_next = lobster_file.first_bad_message(fast) < len(fast)
            assert refused_next if slow is None else np.array_equal(fast, slow), bytes(content)
    assert taken > 500


@pytest.mark.parametrize("name", ["AAPL_2012-06-21_1", "AMZN_2012-06-21_1", "AMZN_2012-06-21_5"])
def test_a_real_file_is_the_same_read_either_way(shared_data, monkeypatch, name):
    path = shared_data / "lobster" / f"LOBSTER_SampleFile_{name}.zip"
    fast = read_day(path)
    monkeypatch.setattr(lobster_file, "_read_plain", lambda *args, **kwargs: None)
    slow = read_day(path)
    assert np.array_equal(fast.message, slow.message)
    assert np.array_equal(fast.book, slow.book)


@pytest.mark.parametrize("size", [1, 3, 17, 100])
@pytest.mark.parametrize("told", [0, 1, 10**6])
def test_neither_the_cut_nor_a_wrong_length_changes_the_numbers(size, told):
    content = b"".join(b"%d.5,1,%d,5,%d,-1\n" % (34200 + k, k, 7**k % 1000) for k in range(200))
    pieces = [content[k : k + size] for k in range(0, len(content), size)]
    assert np.array_equal(parse_numbers(pieces, told, 6, SOURCE, time_first=True, signed=(4, 5)), general(content))
    assert parse_numbers([], told, 6, SOURCE, time_first=True, signed=(4, 5)) is None


def test_an_archive_that_claims_too_much_is_refused(tmp_path):
    path = write(tmp_path / "a.zip", messages=["0" * 10_000_000])
    with pytest.raises(DataRefused, match="too large unpacked"):
        read_day(path)


def test_changes_of_more_levels_than_were_made_room_for_are_all_kept():
    dice = np.random.default_rng(1)
    rows = []
    for _ in range(500):  # every row is a wholly new book: far more changes than rows
        bid, ask = np.sort(dice.choice(1000, 5, replace=False))[::-1] + 1, np.sort(dice.choice(1000, 5, replace=False))
        size = dice.integers(1, 100, (2, 5))
        rows.append(np.column_stack((ask + 2000, size[0], bid, size[1])).ravel())
    index, side, price, size = level_changes(np.array(rows, np.int64))
    book: dict[tuple[int, int], int] = {}
    at = 0
    for k, row in enumerate(rows):
        while at < len(index) and index[at] == k:
            book[int(side[at]), int(price[at])] = int(size[at])
            at += 1
        held = {key: value for key, value in book.items() if value}
        wanted = {(-1, int(p)): int(s) for p, s in row.reshape(5, 4)[:, :2]}
        wanted |= {(1, int(p)): int(s) for p, s in row.reshape(5, 4)[:, 2:]}
        assert held == wanted
    assert at == len(index) > 2 * len(rows) + 20


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0,7,1000000,10,1000400,1,999900,8", "field ask price: price not positive"),
        ("1000300,7,1000000,10,1000300,1,999900,8", "field ask price: levels out of order"),
        ("1000300,7,1000000,10,1000400,1,1000100,8", "field bid price: levels out of order"),
        ("9999999999,0,1000000,10,1000400,1,999900,8", "field ask price: levels out of order"),
        ("1000300,7,-5,10,1000400,1,999900,8", "field bid price: price not positive"),
    ],
)
def test_the_first_bad_row_of_the_book_is_named(tmp_path, row, reason):
    with pytest.raises(DataRefused, match=rf"row 3, {reason}"):
        read_day(write(tmp_path / "a.zip", book=changed(BOOK, 2, row)))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("34200.1,4,12,2,1000100,1", "field time: clock goes back"),
        ("34200.2,9,12,2,1000100,1", "field type: unknown message type"),
        ("34200.2,0,12,2,1000100,1", "field type: value too small|field type: unknown message type"),
        ("34200.2,4,12,2,1000100,2", "field direction: unknown direction"),
        ("34200.2,4,12,2,-100,1", "field price: price not positive"),
        ("34200.2,4,12,0,1000100,1", "field size: size not positive"),
    ],
)
def test_the_first_bad_message_is_named(tmp_path, row, reason):
    with pytest.raises(DataRefused, match=rf"row 3, ({reason})"):
        read_day(write(tmp_path / "a.zip", messages=changed(MESSAGES, 2, row)))


def test_levels_that_do_not_exist_are_empty(tmp_path):
    row = "1000300,7,1000000,10,9999999999,0,-9999999999,0"
    book = read_day(write(tmp_path / "a.zip", book=changed(BOOK, 2, row))).book
    assert book[2].tolist() == [1000300, 7, 1000000, 10, 0, 0, 0, 0]
