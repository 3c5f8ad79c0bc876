"""Fitted networks: inputs, heads that cannot cross, an ensemble around its start. No training library is needed."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.errors import ModelError
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import LEVELS, mean
from footprint.impact.network import (
    INPUT_LIMIT,
    MEDIAN,
    FittedNetworks,
    LocationScaleHead,
    MonotoneHead,
    Network,
    NetworkMember,
    fit_inputs,
)
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows

SEGMENT = np.repeat(np.arange(14), 7)
START = np.sort(np.random.default_rng(0).standard_t(3, (5, 99)), axis=1)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(np.random.default_rng(0), 300)


def constant_network(inputs: int, outputs: np.ndarray) -> Network:
    """Says the same whatever it sees."""
    return Network((np.ones((inputs, 4)), np.zeros((4, len(outputs)))), (np.zeros(4), outputs))


def around_start(rows: Rows, *shifts: float) -> FittedNetworks:
    """An ensemble whose members shift the start by that many noise scales and do no more."""
    inputs = fit_inputs(rows.x, np.ones(len(rows)))
    width = rows.x.shape[1] + len(inputs.flagged)
    members = tuple(
        NetworkMember(constant_network(width, np.array([shift, *np.zeros(14)])), MonotoneHead(SEGMENT))
        for shift in shifts
    )
    return FittedNetworks("peak", DIFFUSIVE.fit(rows, "peak"), rows.x_names, inputs, (1, 2), (members[:1], members))


def test_inputs_are_robust_limited_and_flag_what_is_sometimes_unknown() -> None:
    rng = np.random.default_rng(0)
    normal = 5.0 + 2.0 * rng.standard_normal(1_000)
    normal[:20] = 1e9
    sometimes = np.where(rng.random(1_000) < 0.3, np.nan, rng.standard_normal(1_000))
    mostly_zero = np.zeros(1_000)
    mostly_zero[:10] = 1.0
    x = np.column_stack([normal, sometimes, np.full(1_000, np.nan), np.full(1_000, 7.0), mostly_zero])
    inputs = fit_inputs(x, np.ones(1_000))
    found = inputs(x)
    assert inputs.flagged.tolist() == [1]
    assert found.shape == (1_000, 6)
    assert found[20:, 0].std() == pytest.approx(1.0, abs=0.1)
    assert np.abs(found).max() == INPUT_LIMIT
    np.testing.assert_array_equal(found[np.isnan(sometimes), 1], 0.0)
    np.testing.assert_array_equal(found[:, 5], np.isnan(sometimes))
    np.testing.assert_array_equal(found[:, 2:4], 0.0)
    assert found[:10, 4].min() > 0.0


def test_a_column_that_was_never_known_says_nothing_when_it_comes() -> None:
    inputs = fit_inputs(np.column_stack([np.arange(50.0), np.full(50, np.nan)]), np.ones(50))
    np.testing.assert_array_equal(inputs(np.array([[3.0, 123.0]])), inputs(np.array([[3.0, np.nan]])))


def test_inputs_weigh_rows() -> None:
    x = np.concatenate([np.zeros(900), np.linspace(9.0, 11.0, 100)])[:, None]
    weights = np.concatenate([np.full(900, 0.01), np.ones(100)])
    assert fit_inputs(x, weights).centre[0] == pytest.approx(10.0, abs=0.2)


def test_network_is_the_written_formula() -> None:
    network = Network((np.array([[1.0, -2.0]]), np.array([[3.0], [5.0]])), (np.array([0.5, 0.0]), np.array([0.25])))
    a, b = 2.5, -4.0
    expected = 3.0 * a / (1.0 + np.exp(-a)) + 5.0 * b / (1.0 + np.exp(-b)) + 0.25
    assert network(np.array([[2.0]]))[0, 0] == pytest.approx(expected)


@given(st.lists(st.floats(-30.0, 30.0), min_size=15, max_size=15))
def test_monotone_head_never_crosses(outputs: list[float]) -> None:
    quantiles = MonotoneHead(SEGMENT).quantiles(START, np.tile(outputs, (len(START), 1)))
    assert (np.diff(quantiles, axis=1) >= 0.0).all()
    np.testing.assert_allclose(quantiles[:, MEDIAN], START[:, MEDIAN] + outputs[0])


def test_monotone_head_keeps_the_start_where_it_says_nothing_and_stretches_one_segment() -> None:
    head, silent = MonotoneHead(SEGMENT), np.zeros((len(START), 15))
    np.testing.assert_allclose(head.quantiles(START, silent), START, atol=1e-12)
    wider = silent.copy()
    wider[:, 14] = 2.0
    moved = np.diff(head.quantiles(START, wider), axis=1) / np.diff(START, axis=1)
    np.testing.assert_allclose(moved[:, :91], 1.0)
    np.testing.assert_allclose(moved[:, 91:], np.log1p(np.exp(2.0) * np.expm1(1.0)))


def test_location_scale_head() -> None:
    outputs = np.tile([0.5, np.log(2.0)], (len(START), 1))
    found = LocationScaleHead(LEVELS).quantiles(START, outputs)
    np.testing.assert_allclose(found, START[:, [MEDIAN]] + 0.5 + 2.0 * LEVELS)


def test_an_ensemble_is_the_mean_of_its_members_and_their_spread_is_epistemic(rows: Rows) -> None:
    fitted = around_start(rows, -0.1, 0.3)
    start, scale = fitted.start.quantiles(rows), rows.scale_bps("peak")
    np.testing.assert_allclose(fitted.quantiles(rows), start + 0.1 * scale[:, None])
    np.testing.assert_allclose(fitted.model_sd_bps(rows), 0.2 * scale)
    np.testing.assert_allclose(mean(fitted.quantiles(rows)), mean(start) + 0.1 * scale)


def test_an_earlier_stage_is_the_ensemble_of_then(rows: Rows) -> None:
    fitted = around_start(rows, -0.1, 0.3)
    earlier = fitted.at(1)
    assert (earlier.stages, len(earlier.members[-1])) == ((1,), 1)
    np.testing.assert_array_equal(earlier.model_sd_bps(rows), 0.0)
    np.testing.assert_array_equal(fitted.at(2).quantiles(rows), fitted.quantiles(rows))


def test_other_columns_are_refused(rows: Rows) -> None:
    with pytest.raises(ModelError, match="columns differ"):
        around_start(rows, 0.0).quantiles(replace(rows, x_names=(*rows.x_names[1:], "other")))


def test_fitted_networks_need_no_torch() -> None:
    code = "import sys, footprint.impact.network; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
