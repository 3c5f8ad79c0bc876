"""Orders from a csv or Parquet file; the first thing that is wrong is named."""

from datetime import UTC, datetime

import polars as pl
import pytest

from footprint.app.order_file import read_orders
from footprint.errors import DataRefused, UsageError

HEADER = "order_id,symbol,side,start,end,quantity"
GOOD = "a,bac,buy,2013-10-07T14:00:00Z,2013-10-07T14:10:00Z,1000"


def orders_of(tmp_path, *lines):
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_orders(path)


def test_orders_come_by_symbol_in_order_of_their_start(tmp_path):
    sell = "b,BAC,sell,1381150800000000000,1381150900000000000,5"
    other = "c,IBM,buy,2013-10-07T15:00:00Z,2013-10-07T15:01:00Z,2.5"
    found = orders_of(tmp_path, HEADER, GOOD, sell, other)
    assert set(found) == {"BAC", "IBM"}
    assert found["BAC"].sign.tolist() == [-1.0, 1.0]
    assert found["BAC"].start_ns.tolist() == [1381150800000000000, 1381154400000000000]
    assert found["BAC"].quantity.tolist() == [5.0, 1000.0]
    assert found["BAC"].aggression.tolist() == [1.0, 1.0]


def test_parquet_may_hold_times_with_a_zone(tmp_path):
    path = tmp_path / "orders.parquet"
    start = datetime(2013, 10, 7, 14, tzinfo=UTC)
    columns = {"order_id": [1], "symbol": ["BAC"], "side": ["buy"], "start": [start], "end": [start.replace(hour=15)]}
    pl.DataFrame(columns | {"quantity": [10.0], "aggression": [0.5]}).write_parquet(path)
    found = read_orders(path)["BAC"]
    assert (found.end_ns - found.start_ns).tolist() == [3600 * 10**9]
    assert found.aggression.tolist() == [0.5]
    pl.DataFrame(columns | {"quantity": [10.0], "start": [start.replace(tzinfo=None)]}).write_parquet(path)
    with pytest.raises(DataRefused, match="field start: times without a zone"):
        read_orders(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace("buy", "hold"), "row 3, field side: 'hold' is not a side"),
        (GOOD.replace("1000", "-1"), "row 3, field quantity: '-1' is not a quantity"),
        (GOOD.replace("14:00:00Z", "14:00:00"), "row 3, field start: .* has no zone"),
        (GOOD.replace("14:10", "13:10"), "row 3, field end: ends before it starts"),
        (GOOD, "row 2, field order_id: id twice, found 'a'"),
    ],
)
def test_the_first_bad_value_is_named(tmp_path, line, said):
    other = line if line == GOOD else line.replace("a,", "b,", 1)
    with pytest.raises(DataRefused, match=said):
        orders_of(tmp_path, HEADER, GOOD, other)


def test_a_share_outside_its_range_is_named(tmp_path):
    with pytest.raises(DataRefused, match=r"row 2, field aggression: '1\.5' is not a share"):
        orders_of(tmp_path, HEADER + ",aggression", GOOD + ",1.5")


def test_a_missing_column_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(DataRefused, match="field quantity: wrong columns"):
        orders_of(tmp_path, HEADER.removesuffix(",quantity"), GOOD)
    with pytest.raises(UsageError, match="no such file"):
        read_orders(tmp_path / "absent.csv")
