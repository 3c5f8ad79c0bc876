import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.app.cli.options import parse_bps, parse_duration, parse_quantity, parse_side, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("30m", 1800.0), ("1.5h", 5400.0), ("250ms", 0.25), ("1D", 86_400.0)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "-5m", "0s", "1h30m", "nan", "infs", "5 weeks"])
def test_a_bad_duration_is_named_with_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"is not a duration, allowed: .* as in 90s, 30m, 2h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("2024-03-01T15:30:00Z", 1_709_307_000_000_000_000),
        ("2024-03-01T10:30:00-05:00", 1_709_307_000_000_000_000),
        ("2024-03-01 15:30:00.123456789+00:00", 1_709_307_000_123_456_789),
        ("2024-03-01T15:30:00.5Z", 1_709_307_000_500_000_000),
        ("1709307000123456789", 1_709_307_000_123_456_789),
        ("1969-12-31T23:59:59.25Z", -750_000_000),
    ],
)
def test_times(text, time_ns):
    assert parse_time(text) == time_ns


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2024-03-01T15:30:00", "has no zone"),
        ("2024-03-01", "has no zone"),
        ("noon", "is not a time"),
        ("1709307000", "is not a time"),  # seconds: the unit must not be guessed
        ("2024-03-01T15:30:00.1234567891Z", "is not a time"),  # finer than a nanosecond
        ("2024-13-01T00:00:00Z", "is not a time"),
    ],
)
def test_a_bad_time_is_named_with_what_is_allowed(text, complaint):
    with pytest.raises(ValueError, match=rf"{complaint}, allowed: ISO 8601 with a zone"):
        parse_time(text)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.integers(0, 999), st.integers(-720, 720))
def test_a_time_keeps_every_nanosecond_in_every_zone(moment, nanoseconds, zone_minutes):
    seconds = (moment.replace(microsecond=0) - datetime(1970, 1, 1)) // timedelta(seconds=1)
    sign, minutes = "-" if zone_minutes < 0 else "+", abs(zone_minutes)
    local = moment.replace(tzinfo=UTC) + timedelta(minutes=zone_minutes)
    text = f"{local:%Y-%m-%dT%H:%M:%S.%f}{nanoseconds:03d}{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    assert parse_time(text) == seconds * 10**9 + moment.microsecond * 1000 + nanoseconds


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_a_quantity_comes_back(quantity):
    assert parse_quantity(repr(quantity)) == quantity


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e999", "ten", "", "1,000"])
def test_a_bad_quantity_is_named_with_what_is_allowed(text):
    with pytest.raises(ValueError, match="is not a quantity, allowed: a positive number"):
        parse_quantity(text)


def test_thresholds_may_have_either_sign():
    assert parse_bps("-2.5") == -2.5
    with pytest.raises(ValueError, match="allowed: a finite number"):
        parse_bps(str(math.inf))


def test_sides():
    assert (parse_side("buy"), parse_side("SELL")) == (1, -1)
    with pytest.raises(ValueError, match="'hold' is not a side, allowed: buy, sell"):
        parse_side("hold")
