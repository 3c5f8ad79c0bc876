import math

import numpy as np
import pytest

from footprint.impact.leakage.blocks import Blocks, block_length_s, r_squared, regress
from footprint.impact.leakage.measure import Kind
from footprint.units import NS_PER_SECOND

KIND = Kind("k", "bps", "Does not prove anything.")


def rows_of(n, seconds, rng):
    return np.sort(rng.integers(0, seconds * NS_PER_SECOND, n))


def test_regression_from_block_products_is_least_squares_on_the_rows():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 2))
    y = x @ [1.0, -2.0] + 0.5 + rng.standard_normal(500)
    blocks = Blocks.draw(rows_of(500, 40_000, rng), 1800.0, rng)
    moments = blocks.products(np.column_stack([np.ones(500), x, y]))
    coefficients, residual = regress(moments, [0, 1, 2], [3])
    design = np.column_stack([np.ones(500), x])
    expected, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
    np.testing.assert_allclose(coefficients[0, :, 0], expected, rtol=1e-9)
    assert residual[0, 0, 0] == pytest.approx(squares[0] / 500)
    assert r_squared(moments, [0, 1, 2], 3)[0] == pytest.approx(1.0 - squares[0] / np.sum((y - y.mean()) ** 2))


def test_a_replicate_is_the_estimate_on_the_blocks_it_drew():
    rng = np.random.default_rng(1)
    values = rng.standard_normal(300)
    blocks = Blocks.draw(rows_of(300, 40_000, rng), 1800.0, rng, draws=3)
    repeats = blocks.bootstrap.times[1][blocks.bootstrap.cluster].astype(int)
    assert blocks.means(values[:, None])[2, 0] == pytest.approx(np.repeat(values, repeats).mean())


def test_unknown_values_count_for_nothing_in_a_mean():
    rng = np.random.default_rng(2)
    values = np.where(np.arange(100) % 2 == 0, np.nan, 3.0)
    assert Blocks.draw(rows_of(100, 40_000, rng), 1800.0, rng).means(values[:, None])[0, 0] == 3.0


def test_short_tapes_have_shorter_blocks():
    assert block_length_s(23_400.0) == 1800.0
    assert block_length_s(360.0) == 30.0


def test_few_blocks_give_no_interval_and_say_so():
    rng = np.random.default_rng(3)
    blocks = Blocks.draw(np.arange(4) * 1800 * NS_PER_SECOND, 1800.0, rng)
    measure = KIND.of(blocks.means(np.ones((4, 1)))[:, 0], blocks)
    assert math.isnan(measure.estimate.value)
    assert measure.reason == "4 blocks of 1800 s, an interval needs 5"
    assert not measure.excludes(0.0)
