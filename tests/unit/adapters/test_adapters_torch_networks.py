"""Networks trained with torch: the contract of a model, what they learn, what they fall back to."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from footprint.adapters.torch_networks import NeuralImpact
from footprint.errors import ModelError
from footprint.impact.calibration.conformal import held_out_crps
from footprint.impact.catalogue import DIFFUSIVE, SPREAD
from footprint.impact.evaluation.scoring import covered
from footprint.impact.network import FittedNetworks
from footprint.impact.rows import TARGETS, Rows
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

KINDS = ("quantile", "heteroscedastic")


def small(kind, **options):
    # generated rows have six columns, of which one tells: a step must not hide it too often
    return NeuralImpact(DIFFUSIVE, kind, **{"stages": (4, 12), "column_share": 0.5, "learning_rate": 5e-3, **options})


@pytest.fixture(scope="module")
def past() -> Rows:
    return random_rows(np.random.default_rng(0), 2_500)


@pytest.fixture(scope="module")
def fresh() -> Rows:
    return random_rows(np.random.default_rng(1), 2_500)


@pytest.fixture(scope="module", params=KINDS)
def fitted(request, past: Rows) -> FittedNetworks:
    return small(request.param).fit(past, "peak")


@pytest.mark.parametrize("kind", KINDS)
def test_contract(kind) -> None:
    check_impact_model(NeuralImpact(SPREAD, kind, members=2, stages=(1, 3)), scale_free=True)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_contract_of_the_defaults(kind) -> None:
    check_impact_model(NeuralImpact(SPREAD, kind), scale_free=True)


def test_a_column_that_tells_is_used(fitted: FittedNetworks, fresh: Rows) -> None:
    # outcomes hold half a scale of the column "drift", which no parametric model looks at
    start, found = (held_out_crps(f.quantiles(fresh), fresh, "peak") for f in (fitted.start, fitted))
    assert found < 0.92 * start
    assert 0.86 < covered(fitted.quantiles(fresh), fresh.outcome("peak"), 0.90).mean() < 0.94


def test_a_log_scale_that_depends_on_a_column_is_learnt(past: Rows) -> None:
    rng = np.random.default_rng(2)
    loud = past.x[:, past.x_names.index("noise")]
    noise = np.exp(0.7 * np.clip(loud, -2.0, 2.0)) * rng.standard_normal(len(past))
    outcomes = np.tile((past.scale_bps("peak") * noise)[:, None], (1, len(TARGETS)))
    rows = replace(past, outcomes=outcomes)
    for kind in KINDS:
        quantiles = small(kind).fit(rows, "peak").quantiles(rows)
        width = (quantiles[:, 94] - quantiles[:, 4]) / rows.scale_bps("peak")
        assert np.median(width[loud > 1.0]) > 2.0 * np.median(width[loud < -1.0])


def test_untrained_quantile_networks_are_their_start(past: Rows) -> None:
    fitted = small("quantile", stages=(1,), learning_rate=0.0).fit(past, "peak")
    start = fitted.start.quantiles(past)
    np.testing.assert_allclose(fitted.quantiles(past), start, atol=1e-5 * np.abs(start).max())


def test_members_differ_most_where_rows_were_few(fitted: FittedNetworks, past: Rows, fresh: Rows) -> None:
    column = fresh.x_names.index("drift")
    usual, far = (fresh.x.copy() for _ in range(2))
    usual[:, column], far[:, column] = 0.0, 4.0
    near_sd, far_sd = (fitted.model_sd_bps(replace(fresh, x=x)) / fresh.scale_bps("peak") for x in (usual, far))
    assert 0.0 < np.median(near_sd) < np.median(far_sd)


def test_more_rows_leave_less_open(past: Rows) -> None:
    few = past.take(np.arange(0, len(past), 10))
    many_sd, few_sd = (
        np.median(small("quantile").fit(r, "peak").model_sd_bps(few) / few.scale_bps("peak")) for r in (past, few)
    )
    assert few_sd > many_sd


def test_the_seed_decides(past: Rows) -> None:
    few = past.take(np.arange(200))
    one, other = (small("quantile", stages=(2,), seed=s).fit(few, "peak").quantiles(few) for s in (1, 2))
    assert not np.array_equal(one, other)


def test_a_stage_is_as_if_training_had_stopped_there(past: Rows) -> None:
    few = past.take(np.arange(0, len(past), 5))
    both, first = (small("quantile", stages=s).fit(few, "peak") for s in ((2, 4), (2,)))
    np.testing.assert_array_equal(both.at(2).quantiles(few), first.quantiles(few))


def test_training_leaves_torch_as_it_was(past: Rows) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    small("quantile", stages=(1,)).fit(past, "peak")
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_a_device_that_is_not_there_is_refused(past: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="device 'cuda' is not there, allowed: cpu"):
        small("quantile", device="cuda").fit(past, "peak")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_gives_the_same_to_rounding(past: Rows) -> None:
    on_cpu, on_gpu = (small("quantile", stages=(2,), device=d).fit(past, "peak") for d in ("cpu", "cuda"))
    apart = np.abs(on_gpu.quantiles(past) - on_cpu.quantiles(past)) / past.scale_bps("peak")[:, None]
    assert apart.max() < 1e-2
