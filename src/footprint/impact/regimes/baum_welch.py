"""Maximum likelihood for hidden states by expectation and maximisation, with unknown values left out.

Baum, Petrie, Soules, Weiss (1970); Rabiner (1989), section III.C, for the chain; with the chain's rows held equal it
is EM for a Gaussian mixture (Dempster, Laird, Rubin 1977). The states are smoothed with the future here and only here:
these are the rows of the fit, never those that get a label.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy.cluster.vq import kmeans2

from footprint.errors import ModelError
from footprint.impact.regimes.hidden_states import MOST_STATES, HiddenStates, Kind
from footprint.impact.regimes.normal_scores import NormalScores, fit_normal_scores
from footprint.impact.regimes.online_filter import forward, log_densities

MIN_OBSERVATIONS_PER_STATE = 20
_RESTARTS = 3
_MOST_STEPS = 100
_TOLERANCE = 1e-5  # gain in mean log density at which a fit stops
_STAY = 0.9  # of the chain from which a fit starts
_SMALLEST_SD = 0.5  # of a score: equal values, as of a spread of one tick, must not make a state of the rest


def fit_states(
    observations: np.ndarray,
    begins: np.ndarray,
    count: int,
    kind: Kind,
    stress: np.ndarray,
    seed: int = 7,
) -> HiddenStates:
    """Fit `count` states; the best of three starts by k-means++ (Arthur, Vassilvitskii 2007).

    Every state's mean and variance start from one imagined observation of the whole sample's, and every row of the
    chain from one imagined step spread over all states, so that no state can collapse or become unreachable.

    Args:
        observations: logs, shape (n, d), in order of time; nan where unknown.
        begins: shape (n,), True for the first of each session.
        stress: weight of each column's score in the order of the states, shape (d,).
        seed: of the starts; the same seed gives the same states.

    Raises:
        ModelError: fewer than 20 observations a state, or a number of states outside 1 to 5.
    """
    if not 1 <= count <= MOST_STATES:
        raise ModelError(f"the number of states must lie in 1 to {MOST_STATES}, found {count}")
    needed = MIN_OBSERVATIONS_PER_STATE * count
    known = np.isfinite(observations).any(axis=1)
    if known.sum() < needed:
        raise ModelError(f"{count} states need at least {needed} observations, found {known.sum()}")
    scale = fit_normal_scores(observations)
    scores = scale.of(observations)
    rng = np.random.default_rng(seed)
    tried = [_climb(scores, begins, count, kind, scale, rng) for _ in range(_RESTARTS if count > 1 else 1)]
    states = max(tried, key=lambda t: t[0])[1]
    return states.by_stress(states.centres @ stress)


def _climb(
    z: np.ndarray, begins: np.ndarray, count: int, kind: Kind, scale: NormalScores, rng: np.random.Generator
) -> tuple[float, HiddenStates]:
    """EM from one random start until it gains no more: mean log density and the states."""
    states, reached = _first_guess(z, count, kind, scale, rng), -math.inf
    for _ in range(_MOST_STEPS):
        membership, moves, total = _expect(z, begins, states.start, states.transition, states.centres, states.sds)
        states = _maximise(z, membership, moves, kind, scale)
        if total / len(z) - reached < _TOLERANCE:
            break
        reached = total / len(z)
    return reached, states


def _first_guess(z: np.ndarray, count: int, kind: Kind, scale: NormalScores, rng: np.random.Generator) -> HiddenStates:
    _, label = kmeans2(np.where(np.isfinite(z), z, 0.0), count, minit="++", seed=rng)
    membership = np.eye(count)[label]
    moves = np.full((count, count), (1.0 - _STAY) / count) + _STAY * np.eye(count)
    return _maximise(z, membership, len(z) * moves, kind, scale)


def _maximise(
    z: np.ndarray, membership: np.ndarray, moves: np.ndarray, kind: Kind, scale: NormalScores
) -> HiddenStates:
    """The states that fit best when every observation belongs to state k with weight `membership[:, k]`."""
    known = np.isfinite(z)
    filled, count = np.where(known, z, 0.0), membership.shape[1]
    weight = membership.T @ known + 1.0  # the one imagined observation has mean 0 and variance 1
    centres = membership.T @ filled / weight
    squares = membership.T @ filled**2 + 1.0
    variances = squares / weight - centres**2
    share = (membership.sum(axis=0) + 1.0 / count) / (len(z) + 1.0)
    chain = moves + 1.0 / count
    transition = chain / chain.sum(axis=1, keepdims=True) if kind == "markov" else np.tile(share, (count, 1))
    names = tuple(str(k) for k in range(count))
    return HiddenStates(kind, names, share, transition, scale, centres, np.maximum(np.sqrt(variances), _SMALLEST_SD))


@njit(cache=True)
def _expect(
    observations: np.ndarray,
    begins: np.ndarray,
    start: np.ndarray,
    transition: np.ndarray,
    centres: np.ndarray,
    sds: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Probabilities of the states given all observations (n, K), expected moves (K, K), total log density."""
    n, count = len(observations), len(start)
    membership, scores = np.empty((n, count)), np.empty(n)
    forward(observations, begins, start, transition, centres, sds, start.copy(), membership, scores)
    moves, density = np.zeros((count, count)), np.empty(count)
    after, ahead = np.ones(count), np.empty(count)  # density of what follows t, scaled
    for t in range(n - 2, -1, -1):
        if begins[t + 1]:
            after[:] = 1.0
            continue
        log_densities(observations[t + 1], centres, sds, density)
        best = density.max()
        for k in range(count):
            ahead[k] = math.exp(density[k] - best) * after[k]
        total = 0.0
        for j in range(count):
            after[j] = 0.0
            for k in range(count):
                after[j] += transition[j, k] * ahead[k]
            total += membership[t, j] * after[j]
        for j in range(count):
            for k in range(count):
                moves[j, k] += membership[t, j] * transition[j, k] * ahead[k] / total
        for j in range(count):
            after[j] /= total
            membership[t, j] *= after[j]
    return membership, moves, scores.sum()
