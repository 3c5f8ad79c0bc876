"""The online filter: the recursion itself, nothing of the future, the same bits however it is fed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from state_chain import CENTRES, SDS, TRANSITION, draw, known_states

from footprint.impact.regimes.online_filter import OnlineFilter, filtered, log_likelihoods

STATES = known_states()


def with_gaps(seed: int = 0, count: int = 900) -> tuple[np.ndarray, np.ndarray]:
    observations, begins, _ = draw(count, seed)
    observations[np.random.default_rng(seed).random(observations.shape) < 0.2] = np.nan
    return observations, begins


def test_recursion_is_bayes_rule() -> None:
    observations, _ = with_gaps(count=30)
    belief, scores = STATES.start, []
    for t, row in enumerate(observations):
        prior = belief if t == 0 else belief @ TRANSITION
        density = np.prod(np.where(np.isnan(row), 1.0, norm.pdf(np.nan_to_num(row), CENTRES, SDS)), axis=1)
        belief = prior * density
        scores.append(np.log(belief.sum()))
        belief = belief / belief.sum()
    begins = np.arange(30) == 0
    assert filtered(STATES, observations, begins)[-1] == pytest.approx(belief, rel=1e-12)
    assert log_likelihoods(STATES, observations, begins) == pytest.approx(scores, rel=1e-10)


@settings(max_examples=25)
@given(cut=st.integers(1, 899), seed=st.integers(0, 5))
def test_cutting_or_changing_the_future_leaves_the_past_bit_equal(cut, seed) -> None:
    observations, begins = with_gaps(seed)
    whole = filtered(STATES, observations, begins)
    assert np.array_equal(filtered(STATES, observations[:cut], begins[:cut]), whole[:cut])
    other = observations.copy()
    other[cut:] = 7.0 - other[cut:]
    assert np.array_equal(filtered(STATES, other, begins)[:cut], whole[:cut])


@settings(max_examples=25)
@given(edges=st.lists(st.integers(0, 400), max_size=20))
def test_feeding_in_pieces_gives_the_same_bits(edges) -> None:
    observations, _ = with_gaps(count=400)
    whole = filtered(STATES, observations, np.arange(400) == 0)
    online = OnlineFilter(STATES)
    pieces = [online.observe(piece) for piece in np.split(observations, sorted(edges))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal(online.probabilities, whole[-1])


def test_one_by_one_over_sessions() -> None:
    observations, begins = with_gaps()
    whole, online, labels = filtered(STATES, observations, begins), OnlineFilter(STATES), []
    for t in range(len(observations)):
        if begins[t]:
            online.begin_session()
        assert np.array_equal(online.observe(observations[t : t + 1])[0], whole[t])
        labels.append(online.label)
    assert labels == [STATES.names[k] for k in whole.argmax(axis=1)]


def test_silence_lets_the_chain_run() -> None:
    online = OnlineFilter(STATES)
    before = online.observe(np.array([[2.0, -1.0]]))[0]
    after = online.observe(np.full((1, 2), np.nan))[0]
    assert after == pytest.approx(before @ TRANSITION, rel=1e-12)


def test_mixture_forgets() -> None:
    mixture = replace(STATES, kind="mixture", transition=np.tile(STATES.start, (3, 1)))
    observations, begins = with_gaps(count=50)
    alone = filtered(mixture, observations, np.ones(50, bool))
    assert filtered(mixture, observations, begins) == pytest.approx(alone, rel=1e-12)


def test_log_density_is_that_of_hmmlearn() -> None:
    hmm = pytest.importorskip("hmmlearn.hmm")
    observations, begins, _ = draw(800, 3)
    theirs = hmm.GaussianHMM(3, covariance_type="diag")
    theirs.startprob_, theirs.transmat_, theirs.means_, theirs.covars_ = STATES.start, TRANSITION, CENTRES, SDS**2
    expected = theirs.score(observations, lengths=[400, 400])
    assert log_likelihoods(STATES, observations, begins).sum() == pytest.approx(expected, rel=1e-10)


def test_far_outliers_do_not_break_it() -> None:
    observations = np.array([[0.0, 0.0], [49.0, -49.0], [0.0, 0.0]])
    found = filtered(STATES, observations, np.array([True, False, False]))
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx(1.0)
