"""Observations drawn from known hidden states."""

from __future__ import annotations

import numpy as np

from footprint.impact.regimes.hidden_states import HiddenStates
from footprint.impact.regimes.normal_scores import NormalScores

CENTRES = np.array([[-2.0, 1.0], [0.0, 0.0], [2.0, -1.0]])
SDS = np.array([[0.5, 0.6], [0.6, 0.5], [0.5, 0.7]])
TRANSITION = np.array([[0.95, 0.04, 0.01], [0.03, 0.94, 0.03], [0.02, 0.03, 0.95]])
STRESS = np.array([1.0, 0.0])


def identity(width: int) -> NormalScores:
    """A map that changes nothing between -50 and 50."""
    knots = np.tile(np.linspace(-50.0, 50.0, 49), (width, 1))
    return NormalScores(knots, knots)


def known_states() -> HiddenStates:
    start = np.array([0.3, 0.4, 0.3])
    return HiddenStates("markov", ("calm", "normal", "stressed"), start, TRANSITION, identity(2), CENTRES, SDS)


def draw(count: int, seed: int, session: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations (n, 2), begins (n,), true state (n,)."""
    rng = np.random.default_rng(seed)
    state, begins = np.empty(count, np.int64), np.arange(count) % session == 0
    for t in range(count):
        weights = np.array([0.3, 0.4, 0.3]) if begins[t] else TRANSITION[state[t - 1]]
        state[t] = rng.choice(3, p=weights)
    return CENTRES[state] + SDS[state] * rng.standard_normal((count, 2)), begins, state
