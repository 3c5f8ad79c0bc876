"""Decimal columns as whole numbers, exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.data.files.decimals import (
    MAX_PLACES,
    ScaledEvents,
    fewest_places,
    on_one_scale,
    quote_increment,
    whole,
    whole_floats,
)
from footprint.errors import DataRefused
from footprint.market.events import empty_events

PATH = Path("prices.csv")


def column(*texts: str | None) -> pl.Series:
    return pl.Series("price", texts, pl.String).cast(pl.Decimal(38, 18))


@pytest.mark.parametrize(
    ("texts", "values", "places"),
    [
        (("1.5", "2", "-0.25"), [150, 200, -25], 2),
        (("8.8351857299999992", "0.3"), [883518573, 30000000], 8),  # what a float leaves
        (("1e-7", None), [1, 0], 7),
        (("0", "0"), [0, 0], 0),
        (("0.0000000000004", "0.0000000000005"), [0, 1], 12),
        (("4611686018427387904", "1"), [1 << 62, 1], 0),
    ],
)
def test_whole(texts: tuple[str | None, ...], values: list[int], places: int) -> None:
    found = whole(column(*texts), PATH)
    assert (found.values.tolist(), found.places) == (values, places)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(DataRefused, match=r"row 3, field price: value too large, found '1000000000000\.0+'"):
        whole(column("0.000000000001", "1000000000000"), PATH)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 8)), min_size=1, max_size=20))
def test_floats_of_decimals_are_read_back_exactly(decimals: list[tuple[int, int]]) -> None:
    values = np.array([float(f"{mantissa}e-{places}") for mantissa, places in decimals])
    largest = values.max()
    if largest * 1e8 < 2**52:
        found = whole_floats(values, PATH, "price")
        wanted = [mantissa * 10 ** (8 - places) for mantissa, places in decimals]
        assert (found.values * 10 ** (8 - found.places)).tolist() == wanted


def test_residues_of_float_arithmetic_are_no_digits() -> None:
    assert whole_floats(np.array([0.1 + 0.2, 28145.1]), PATH, "price").values.tolist() == [3, 281451]


def test_floats_beyond_exact_doubles_are_refused() -> None:
    with pytest.raises(DataRefused, match="row 2, field size: value too large"):
        whole_floats(np.array([1.0, 1e300]), PATH, "size")


def test_events_of_several_files_share_one_scale() -> None:
    first, second = empty_events(1), empty_events(1)
    first["price_ticks"], first["size_lots"] = 5, 7
    second["price_ticks"], second["size_lots"] = 123, 1
    arrays, tick, lot = on_one_scale([ScaledEvents(first, 0, 3), ScaledEvents(second, 2, 0)], PATH)
    assert [int(a["price_ticks"][0]) for a in arrays] == [500, 123]
    assert [int(a["size_lots"][0]) for a in arrays] == [7, 1000]
    assert (tick, lot) == (0.01, 0.001)
    first["price_ticks"] = 1 << 61
    with pytest.raises(DataRefused, match="value too large"):
        on_one_scale([ScaledEvents(first, 0, 0), ScaledEvents(second, 2, 0)], PATH)


def test_fewest_places_and_quote_increment() -> None:
    assert fewest_places(np.array([1500, 20, 0]), 3).values.tolist() == [150, 2, 0]
    assert fewest_places(np.array([1500, 20, 0]), 3).places == 2
    assert fewest_places(np.zeros(2, np.int64), 3).places == 0
    assert quote_increment(5 * np.arange(1, 200)) == 5
    assert quote_increment(5 * np.arange(1, 50)) == 1


def test_values_far_below_the_last_place_are_nothing_and_no_crash():
    found = whole_floats(np.array([1e-300, 0.0]), Path("a.parquet"), "size")
    assert found.values.tolist() == [0, 0]
    assert found.places == MAX_PLACES
