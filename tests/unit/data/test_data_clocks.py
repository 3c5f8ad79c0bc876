import numpy as np
import pytest
from scipy.optimize import linprog

from footprint.data.clocks import (
    PPM,
    TimeUnit,
    fit_clocks,
    guess_unit,
    lower_envelope,
    resolution_ns,
)
from footprint.data.readers.binance import BinanceReader
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME, EventFlag
from footprint.units import NS_PER_MILLISECOND, NS_PER_SECOND

NOW_NS = 1_723_161_255_123_456_789


@pytest.mark.parametrize("unit", TimeUnit)
def test_the_unit_is_told_by_magnitude(unit):
    stamps = np.array([NOW_NS, NOW_NS + NS_PER_SECOND]) // unit.value
    assert guess_unit(stamps) is unit


@pytest.mark.parametrize("stamps", [[0], [-NOW_NS], [NOW_NS, NOW_NS // 1000], [NOW_NS * 4], [45_000]])
def test_what_fits_no_unit_or_several_is_refused(stamps):
    with pytest.raises(DataRefused, match="no unit of time fits"):
        guess_unit(np.array(stamps))


@pytest.mark.parametrize("unit", TimeUnit)
def test_the_resolution_is_the_coarsest_unit_that_all_times_keep(unit):
    times = NOW_NS // unit.value * unit.value + unit.value * np.arange(5)
    assert resolution_ns(np.append(times, UNKNOWN_TIME)) == unit.value
    assert resolution_ns(np.full(3, UNKNOWN_TIME)) == 0


def test_the_envelope_solves_the_linear_program():
    dice = np.random.default_rng(1)
    for _ in range(20):
        x = np.sort(dice.integers(-50, 50, 60)).astype(float)
        y = dice.exponential(3.0, 60) + 0.2 * x
        offset, slope = lower_envelope(x, y)
        best = linprog([-len(x), -x.sum()], np.column_stack((np.ones(60), x)), y, bounds=[(None, None)] * 2)
        assert len(x) * offset + slope * x.sum() == pytest.approx(-best.fun)
        assert (offset + slope * x <= y + 1e-9).all()


def planted(drift_ppm, offset_ms=-1270.0, n=20_000, seed=0, coarse_ns=1):
    """Exchange and receive times: a clock that runs off by a line, and gamma transit of 2 ms at least."""
    dice = np.random.default_rng(seed)
    since = np.sort(dice.integers(0, 1800 * NS_PER_SECOND, n))
    transit = (2.0 + dice.gamma(2.0, 1.0, n)) * NS_PER_MILLISECOND
    receive = NOW_NS + since + offset_ms * NS_PER_MILLISECOND + since * drift_ppm / PPM + transit
    return (NOW_NS + since) // coarse_ns * coarse_ns, receive.astype(np.int64)


@pytest.mark.parametrize("drift_ppm", [0.0, 40.0, -3.0])
def test_planted_offset_and_drift_are_found(drift_ppm):
    fit = fit_clocks(*planted(drift_ppm))
    assert fit.drift_ppm.value == pytest.approx(drift_ppm, abs=0.1)
    assert fit.drift_ppm.low < fit.drift_ppm.value < fit.drift_ppm.high
    middle_ms = -1270.0 + 2.0 + drift_ppm * 900e3 / PPM
    assert fit.offset_ms.value == pytest.approx(middle_ms, abs=0.1)
    assert fit.negative == fit.messages == 20_000
    assert fit.negative_share == 1.0
    assert (fit.block_min_ms >= fit.envelope_ms - 1e-6).all()


def test_the_interval_holds_a_planted_drift_in_most_runs():
    fits = [fit_clocks(*planted(5.0, n=4000, seed=seed)) for seed in range(60)]
    assert np.mean([f.drift_ppm.low <= 5.0 <= f.drift_ppm.high for f in fits]) >= 0.85


def test_an_interval_is_no_finer_than_the_coarser_clock():
    fit = fit_clocks(*planted(0.0, coarse_ns=NS_PER_MILLISECOND))
    assert fit.offset_ms.high - fit.offset_ms.value >= 1.0


def test_the_order_of_the_messages_does_not_matter():
    exchange, receive = planted(10.0)
    order = np.random.default_rng(2).permutation(len(exchange))
    assert fit_clocks(exchange[order], receive[order]).drift_ppm == fit_clocks(exchange, receive).drift_ppm


def test_too_few_messages_or_one_instant_give_no_fit():
    exchange, receive = planted(0.0, n=99)
    assert fit_clocks(exchange, receive) is None
    assert fit_clocks(np.full(200, NOW_NS), NOW_NS + np.arange(200)) is None
    assert fit_clocks(np.full(200, UNKNOWN_TIME), NOW_NS + np.arange(200)) is None


def test_a_clock_behind_the_exchange_is_found_on_real_frames(shared_data):
    """The README of the data says 1.27 to 1.52 s behind."""
    for name, behind_ms in (("usdm/btcusdt_20240808.gz", 1271.7), ("usdm/btcusdt_20240718.gz", 1522.0)):
        (session,) = BinanceReader().sessions([shared_data / "binance_raw" / name])
        last = session.events[session.events["flags"] & EventFlag.LAST != 0]
        fit = fit_clocks(last["exchange_time_ns"], last["receive_time_ns"])
        assert fit.offset_ms.value == pytest.approx(-behind_ms, abs=2.0)
        assert fit.negative_share > 0.99
