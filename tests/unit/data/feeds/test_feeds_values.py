"""Exact decimals, times and names inside frames."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.data.feeds import values
from footprint.data.feeds.wire import BadFrame


@given(st.decimals(min_value="1e-12", max_value="9e6", places=12))
def test_prices_are_exact(number: Decimal) -> None:
    assert values.price(f"{number:f}") == int(number * 10**12)
    assert values.price(f"{number:E}") == int(number * 10**12)


@given(st.decimals(min_value=0, max_value="1e9", places=8))
def test_sizes_are_exact(number: Decimal) -> None:
    assert values.size(f"{number:f}") == int(number * 10**8)


@pytest.mark.parametrize(
    "text", ["", "-1", "1e", "abc", "0x1", "1.2.3", "NaN", "1e400", "9" * 30, None, True, 1.5, " 1"]
)
def test_what_is_no_price(text: object) -> None:
    with pytest.raises(BadFrame):
        values.price(text)  # type: ignore[arg-type]


def test_a_price_is_above_zero_and_a_size_may_be_zero() -> None:
    with pytest.raises(BadFrame, match="price not positive"):
        values.price("0.000")
    assert values.size("0.000") == 0
    with pytest.raises(BadFrame, match="negative size"):
        values.size("-0.1")


def test_digits_beyond_the_unit_are_refused_or_rounded_on_request() -> None:
    assert values.size("1.100000000000") == 110_000_000
    with pytest.raises(BadFrame, match="too many decimals"):
        values.size("1.000000001")
    assert values.noisy_size("1.000000005") == 100_000_001
    assert values.noisy_size("1.0000000049") == 100_000_000
    assert values.noisy_size("1e-12") == 1  # not nothing
    assert values.noisy_size("0") == 0


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1618678133, "s", 1618678133_000_000_000),
        ("1618678133.365913", "s", 1618678133_365_913_000),
        (1618678133365, "ms", 1618678133_365_000_000),
        ("1618678133365913", "us", 1618678133_365_913_000),
        ("1619378327739050725", "ns", 1619378327_739_050_725),
        ("2021-04-17T16:43:37.075687Z", "iso", 1618677817_075_687_000),
        ("2022-04-03T22:10:11.4620357Z", "iso", 1649023811_462_035_700),
        ("2021-04-17T16:43:37Z", "iso", 1618677817_000_000_000),
    ],
)
def test_times(value: str | int, unit: str, expected: int) -> None:
    assert values.time_ns(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (0, "ms"),
        (1618678133, "ms"),
        ("soon", "ms"),
        ("2021-13-01T00:00:00Z", "iso"),
        (None, "iso"),
        (-1, "s"),
        (10**30, "ns"),
    ],
)
def test_what_is_no_time(value: object, unit: str) -> None:
    with pytest.raises(BadFrame):
        values.time_ns(value, unit)  # type: ignore[arg-type]


def test_json_keeps_the_digits_of_numbers() -> None:
    assert values.parse_json(b'{"a": 0.10000000, "b": 1e-7, "c": 5}') == {"a": "0.10000000", "b": "1e-7", "c": 5}


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b"[NaN]", b"[" * 100_000, b'{"a": 1} x'])
def test_what_is_no_json(payload: bytes) -> None:
    with pytest.raises(BadFrame, match="not JSON"):
        values.parse_json(payload)


def test_guids_become_stable_numbers() -> None:
    guid = "be3c69b7-1c5e-446f-b80d-8398aae065c5"
    assert values.order_number(guid) == 0xB80D8398AAE065C5 & (1 << 63) - 1
    assert values.order_number(guid.upper()) == values.order_number(guid)
    assert values.order_number("0" * 32) == 1  # 0 means no order
    with pytest.raises(BadFrame, match="not a GUID"):
        values.order_number("12345")
