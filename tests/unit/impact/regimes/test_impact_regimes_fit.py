"""Fit and choice of the states: planted ones come back, too little data is refused, refits keep their names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_chain import CENTRES, STRESS, TRANSITION, draw, known_states

from footprint.errors import ModelError
from footprint.impact.regimes.baum_welch import fit_states
from footprint.impact.regimes.matching import match_states
from footprint.impact.regimes.normal_scores import fit_normal_scores
from footprint.impact.regimes.online_filter import filtered, log_likelihoods
from footprint.impact.regimes.planted_check import adjusted_rand
from footprint.impact.regimes.selection import select_states, time_blocks

CHOICES = (("mixture", 1), ("mixture", 2), ("markov", 2), ("mixture", 3), ("markov", 3), ("markov", 4))


@pytest.fixture(scope="module")
def drawn():
    return draw(3_000, 1)


@pytest.fixture(scope="module")
def states(drawn):
    observations, begins, _ = drawn
    return fit_states(observations, begins, 3, "markov", STRESS)


def test_chain_comes_back(states) -> None:
    assert states.names == ("calm", "normal", "stressed")
    assert states.transition == pytest.approx(TRANSITION, abs=0.025)
    assert states.log_centres == pytest.approx(CENTRES, abs=0.12)


def test_label_agrees_with_the_truth_on_new_data(states) -> None:
    observations, begins, truth = draw(2_000, 2)
    assert adjusted_rand(truth, filtered(states, observations, begins).argmax(axis=1)) > 0.9


def test_fit_is_repeatable(drawn, states) -> None:
    observations, begins, _ = drawn
    again = fit_states(observations, begins, 3, "markov", STRESS)
    for name in ("start", "transition", "centres", "sds"):
        assert np.array_equal(getattr(again, name), getattr(states, name))


def test_fit_climbs(drawn, states) -> None:
    """The same map to scores for both, so that densities can be compared."""
    observations, begins, _ = drawn
    elsewhere = replace(states, centres=states.centres + 0.02)
    assert log_likelihoods(states, observations, begins).sum() > log_likelihoods(elsewhere, observations, begins).sum()


def test_mixture_is_that_of_scikit_learn(drawn) -> None:
    mixture = pytest.importorskip("sklearn.mixture")
    observations, begins, _ = drawn
    found = fit_states(observations, begins, 3, "mixture", STRESS)
    theirs = mixture.GaussianMixture(3, covariance_type="diag")
    theirs.weights_, theirs.means_, theirs.covariances_ = found.start, found.centres, found.sds**2
    theirs.precisions_cholesky_ = 1.0 / found.sds
    scores = found.scale.of(observations)
    assert log_likelihoods(found, observations, begins) == pytest.approx(theirs.score_samples(scores), rel=1e-10)
    assert filtered(found, observations, begins) == pytest.approx(theirs.predict_proba(scores), abs=1e-12)


def test_unknown_values_say_nothing(drawn) -> None:
    observations, begins, truth = drawn
    gappy = observations.copy()
    gappy[np.random.default_rng(0).random(gappy.shape) < 0.3] = np.nan
    found = fit_states(
        np.column_stack([gappy, np.full(len(gappy), np.nan)]), begins, 3, "markov", np.array([1.0, 0, 0])
    )
    assert found.log_centres[:, :2] == pytest.approx(CENTRES, abs=0.2)
    assert np.isnan(found.log_centres[:, 2]).all()
    never = np.column_stack([gappy, np.full(len(gappy), np.nan)])
    assert adjusted_rand(truth, filtered(found, never, begins).argmax(axis=1)) > 0.8


def test_a_column_of_equal_values_changes_nothing(drawn) -> None:
    observations, begins, truth = drawn
    flat = np.column_stack([observations, np.full(len(observations), 3.0)])
    found = fit_states(flat, begins, 3, "markov", np.array([1.0, 0, 0]))
    assert adjusted_rand(truth, filtered(found, flat, begins).argmax(axis=1)) > 0.9


@pytest.mark.parametrize(
    ("count", "rows", "complaint"), [(3, 59, "at least 60"), (6, 900, "1 to 5"), (0, 900, "1 to 5")]
)
def test_what_cannot_be_fitted_is_refused(drawn, count, rows, complaint) -> None:
    observations, begins, _ = drawn
    with pytest.raises(ModelError, match=complaint):
        fit_states(observations[:rows], begins[:rows], count, "markov", STRESS)


def choose(observations, begins, least_stay=5.0):
    return select_states(observations, begins, time_blocks(len(begins), 4), CHOICES, STRESS, least_stay)


def test_the_planted_number_and_kind_are_chosen(drawn) -> None:
    observations, begins, _ = drawn
    found = choose(observations, begins)
    assert (found.states.kind, len(found.states)) == ("markov", 3)
    assert [(c.kind, c.count) for c in found.candidates] == list(CHOICES)


def test_noise_has_one_state() -> None:
    noise = np.random.default_rng(5).standard_normal((900, 2))
    assert len(choose(noise, np.arange(900) % 400 == 0).states) == 1


def test_what_does_not_last_is_no_regime() -> None:
    """Two clusters that alternate at random: better described by more states, none of which lasts."""
    rng = np.random.default_rng(6)
    noise = rng.standard_normal((900, 2)) + 6.0 * rng.integers(0, 2, 900)[:, None]
    begins = np.arange(900) == 0
    assert len(choose(noise, begins).states) == 1
    assert len(choose(noise, begins, least_stay=0.0).states) > 1


def test_choosing_on_too_little_says_how_much(drawn) -> None:
    observations, begins, _ = drawn
    with pytest.raises(ModelError, match="80 observations in the first, found 4 and 50"):
        choose(observations[:200], begins[:200])


@given(order=st.permutations(range(3)))
def test_refitted_states_keep_their_names(order) -> None:
    earlier = known_states()
    found = earlier.take(np.array(order))
    again = match_states(found, earlier)
    assert again.names == earlier.names
    assert np.array_equal(again.centres, earlier.centres)
    assert np.array_equal(again.transition, earlier.transition)


def test_states_too_many_and_too_few_are_named(drawn) -> None:
    observations, begins, _ = drawn
    earlier = known_states()
    four = fit_states(observations, begins, 4, "markov", STRESS)
    assert match_states(four, earlier).names == ("calm", "normal", "stressed", "new")
    two = earlier.take(np.array([2, 1]))
    assert match_states(two, earlier).names == ("normal", "stressed")
    with pytest.raises(ModelError, match="columns"):
        match_states(fit_states(observations[:, :1], begins, 2, "markov", STRESS[:1]), earlier)


@given(
    st.lists(
        st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6), st.integers(-3, 3).map(float)), min_size=1, max_size=60
    )
)
def test_scores_are_monotone_bounded_and_invertible(values) -> None:
    column = np.array(values)[:, None]
    scale = fit_normal_scores(column)
    scores = scale.of(column)[:, 0]
    assert np.array_equal(np.isnan(scores), np.isnan(column[:, 0]))
    known = column[~np.isnan(scores), 0]
    assert np.all(np.diff(scores[~np.isnan(scores)][np.argsort(known, kind="stable")]) >= -1e-12)
    assert np.all(np.abs(scores[~np.isnan(scores)]) < 2.1)
    if len(known):
        inside = (known >= scale.values[0, 0]) & (known <= scale.values[0, -1])
        back = scale.inverse(scale.of(known[:, None]))[inside, 0]
        assert scale.of(back[:, None])[:, 0] == pytest.approx(scale.of(known[inside][:, None])[:, 0], abs=1e-6)


def test_equal_values_share_their_mean_score() -> None:
    scale = fit_normal_scores(np.array([0.0] * 50 + [1.0] * 50)[:, None])
    low, high = scale.of(np.array([[0.0], [1.0]]))[:, 0]
    assert low == pytest.approx(-high, abs=0.05)
    assert high == pytest.approx(np.sqrt(2 / np.pi), abs=0.1)


def test_adjusted_rand_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for share in (0.0, 0.5, 1.0):
        first = rng.integers(0, 3, 300)
        second = np.where(rng.random(300) < share, first, rng.integers(0, 4, 300))
        assert adjusted_rand(first, second) == pytest.approx(metrics.adjusted_rand_score(first, second), abs=1e-12)
    assert adjusted_rand(np.zeros(5), np.zeros(5)) == 1.0
