"""The Diebold-Mariano test on block sums: the textbook t, its size under dependence, and its power."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from footprint.impact.evaluation.significance import diebold_mariano


def test_with_one_row_a_block_it_is_the_t_test() -> None:
    differential = np.random.default_rng(0).standard_normal(40) + 0.3
    assert diebold_mariano(differential, np.arange(40)) == pytest.approx(ttest_1samp(differential, 0.0).pvalue)


def test_rows_of_a_block_count_as_one() -> None:
    sums = np.random.default_rng(1).standard_normal(30) + 0.3
    rows, block = np.repeat(sums / 8, 8), np.repeat(np.arange(30) * 7, 8)
    assert diebold_mariano(rows, block) == pytest.approx(ttest_1samp(sums, 0.0).pvalue)


def test_it_rejects_a_true_null_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    block = np.repeat(np.arange(40), 10)
    p = [diebold_mariano(np.repeat(rng.standard_normal(40), 10) + rng.standard_normal(400), block) for _ in range(500)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_ends_of_the_scale() -> None:
    assert np.isnan(diebold_mariano(np.ones(5), np.zeros(5)))
    assert diebold_mariano(np.zeros(10), np.arange(10) // 2) == 1.0
    assert diebold_mariano(np.ones(10), np.arange(10) // 2) == 0.0
