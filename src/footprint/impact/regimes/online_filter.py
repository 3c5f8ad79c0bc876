"""The forward recursion: state probabilities from the past and the present alone.

    p_t(k)  is proportional to  sum_j p_(t-1)(j) A(j, k)  x  N(o_t; centre_k, sd_k)

Rabiner, Proc. IEEE 77 (1989), eqs. 19-20 with scaling. One compiled loop serves one observation and a year of them, so
that feeding one by one gives the same bits as feeding all, and what came later cannot reach a label.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.impact.regimes.hidden_states import HiddenStates


@njit(cache=True)
def log_densities(observation: np.ndarray, centres: np.ndarray, sds: np.ndarray, out: np.ndarray) -> None:
    """Log density of the scores of one observation, shape (d,), under each state; an unknown value says nothing."""
    for k in range(len(centres)):
        total = 0.0
        for j in range(len(observation)):
            if not math.isnan(observation[j]):
                z = (observation[j] - centres[k, j]) / sds[k, j]
                total -= 0.5 * (z * z + math.log(2.0 * math.pi)) + math.log(sds[k, j])
        out[k] = total


@njit(cache=True)
def forward(
    observations: np.ndarray,
    begins: np.ndarray,
    start: np.ndarray,
    transition: np.ndarray,
    centres: np.ndarray,
    sds: np.ndarray,
    now: np.ndarray,
    probabilities: np.ndarray,
    log_likelihood: np.ndarray,
) -> None:
    """Filter the scores of n observations.

    Args:
        now: shape (K,), the probabilities before the first; become those after the last.
        begins: shape (n,), True where `start` takes the place of what was known.
        probabilities: out, shape (n, K).
        log_likelihood: out, shape (n,): log density of each observation given those before it.
    """
    count = len(start)
    density, prior = np.empty(count), np.empty(count)
    for t in range(len(observations)):
        for k in range(count):
            prior[k] = start[k]
            if not begins[t]:
                prior[k] = 0.0
                for j in range(count):
                    prior[k] += now[j] * transition[j, k]
        log_densities(observations[t], centres, sds, density)
        best = density.max()
        total = 0.0
        for k in range(count):
            now[k] = prior[k] * math.exp(density[k] - best)
            total += now[k]
        for k in range(count):
            now[k] /= total
            probabilities[t, k] = now[k]
        log_likelihood[t] = best + math.log(total)


class OnlineFilter:
    """Keeps the state probabilities of one symbol as observations come in, one or many at a time.

    `probabilities` are those after the last observation, shape (K,); the shares of time before the first.
    """

    def __init__(self, states: HiddenStates) -> None:
        self._states = states
        self.probabilities = states.start.copy()
        self._fresh = True

    def begin_session(self) -> None:
        """Forget where the last session ended."""
        self.probabilities = self._states.start.copy()
        self._fresh = True

    def observe(self, observations: np.ndarray) -> np.ndarray:
        """Take logs of shape (n, d), consecutive minutes of one session, and give the probabilities after each, (n, K).

        An observation of nan only lets time pass.
        """
        begins = np.zeros(len(observations), bool)
        begins[:1] = self._fresh
        out, _ = _run(self._states, observations, begins, self.probabilities)
        self._fresh = self._fresh and len(observations) == 0
        return out

    @property
    def label(self) -> str:
        """Name of the most likely state now."""
        return self._states.names[int(np.argmax(self.probabilities))]


def filtered(states: HiddenStates, observations: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Filtered probabilities of every observation, shape (n, K); `begins` marks the first of each session."""
    return _run(states, observations, begins, states.start.copy())[0]


def log_likelihoods(states: HiddenStates, observations: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Log density of each observation's scores given the earlier ones of its session, shape (n,)."""
    return _run(states, observations, begins, states.start.copy())[1]


def _run(
    states: HiddenStates, observations: np.ndarray, begins: np.ndarray, now: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    probabilities, log_likelihood = np.empty((len(observations), len(states))), np.empty(len(observations))
    forward(
        np.ascontiguousarray(states.scale.of(observations)),
        begins,
        states.start,
        states.transition,
        states.centres,
        states.sds,
        now,
        probabilities,
        log_likelihood,
    )
    return probabilities, log_likelihood
