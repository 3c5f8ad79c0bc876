"""How many states, and chain or mixture: chosen by the density of later observations, never of those fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.errors import ModelError
from footprint.impact.regimes.baum_welch import MIN_OBSERVATIONS_PER_STATE, fit_states
from footprint.impact.regimes.hidden_states import HiddenStates, Kind
from footprint.impact.regimes.online_filter import filtered, log_likelihoods

_CLUSTER = 30  # consecutive observations whose scores count as one


@dataclass(frozen=True, slots=True)
class Candidate:
    """Held-out score of one choice.

    Attributes:
        kind, count: what was fitted.
        log_density: mean over the held-out observations, each given the earlier ones of its session; of their scores,
            whose map all choices of one fold share.
        behind, behind_se: how far the mean lies below the best one, and the standard error of that difference over
            blocks of 30 observations.
        shortest_stay: mean stay of the filtered label in the state that it leaves soonest, observations; inf when it
            leaves none, 0 when some state is never the most likely.
    """

    kind: Kind
    count: int
    log_density: float
    behind: float
    behind_se: float
    shortest_stay: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The states fitted on everything with the choice that held-out data made, and the whole comparison."""

    states: HiddenStates
    candidates: tuple[Candidate, ...]


def select_states(
    observations: np.ndarray,
    begins: np.ndarray,
    block: np.ndarray,
    choices: Sequence[tuple[Kind, int]],
    stress: np.ndarray,
    least_stay: float,
    seed: int = 7,
) -> Selection:
    """Fit on the blocks before, score the next block, for every block but the first; then fit the choice on all.

    The density of later data alone would split a regime whose observations are not Gaussian into states that alternate
    from one minute to the next. So only fits whose label stays for `least_stay` observations in every state, on
    average, take part; of those, the first within one standard error of the best is taken (Breiman, Friedman, Olshen,
    Stone 1984, 3.4.3).

    Args:
        observations, begins: as for `fit_states`.
        block: number of each observation's block of time, shape (n,).
        choices: (kind, count), the simplest first; that one is taken when no fit lasts.
        stress: orders the states, shape (d,).
        least_stay: observations; 0 where neighbours are not consecutive in time.

    Raises:
        ModelError: the first block is too short for the largest choice.
    """
    if len(choices) == 1:
        kind, count = choices[0]
        return Selection(fit_states(observations, begins, count, kind, stress, seed), ())
    blocks = np.unique(block)
    needed = MIN_OBSERVATIONS_PER_STATE * max(count for _, count in choices)
    if len(blocks) < 2 or (block == blocks[0]).sum() < needed:
        raise ModelError(
            f"choosing among {len(choices)} numbers of states needs two blocks of time or more and {needed} "
            f"observations in the first, found {len(blocks)} and {(block == blocks[:1]).sum()}"
        )
    fits = [fit_states(observations, begins, count, kind, stress, seed) for kind, count in choices]
    scores = np.array([_held_out(observations, begins, block, choice, stress, seed) for choice in choices])
    stays = [_shortest_stay(fit, observations, begins) for fit in fits]
    lasting = [i for i, stay in enumerate(stays) if stay >= least_stay]
    best = max(lasting, key=lambda i: float(scores[i].mean()), default=0)
    candidates = []
    for (kind, count), score, stay in zip(choices, scores, stays, strict=True):
        behind, error = _mean_and_error(scores[best] - score)
        candidates.append(Candidate(kind, count, float(score.mean()), behind, error, stay))
    chosen = next((i for i in lasting if candidates[i].behind <= candidates[i].behind_se), 0)
    return Selection(fits[chosen], tuple(candidates))


def time_blocks(length: int, count: int) -> np.ndarray:
    """Block 0 ... count - 1 of each observation: `count` stretches of equal length, shape (length,)."""
    return np.arange(length) * count // max(length, 1)


def _held_out(
    observations: np.ndarray,
    begins: np.ndarray,
    block: np.ndarray,
    choice: tuple[Kind, int],
    stress: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Log densities of every block but the first, each from a fit on those before."""
    kind, count = choice
    out = []
    for name in np.unique(block)[1:]:
        past, next_one = block < name, block == name
        states = fit_states(observations[past], begins[past], count, kind, stress, seed)
        first = begins[next_one].copy()
        first[:1] = True
        out.append(log_likelihoods(states, observations[next_one], first))
    return np.concatenate(out)


def _shortest_stay(states: HiddenStates, observations: np.ndarray, begins: np.ndarray) -> float:
    label = filtered(states, observations, begins).argmax(axis=1)
    left = label[:-1][(label[1:] != label[:-1]) & ~begins[1:]]
    count, exits = (np.bincount(of, minlength=len(states)) for of in (label, left))
    return float(np.divide(count, exits, out=np.where(count > 0, np.inf, 0.0), where=exits > 0).min())


def _mean_and_error(differences: np.ndarray) -> tuple[float, float]:
    """Mean, and its standard error over means of consecutive observations."""
    whole = len(differences) // _CLUSTER
    if whole < 2:
        return float(differences.mean()), float("inf")
    means = differences[: whole * _CLUSTER].reshape(whole, _CLUSTER).mean(axis=1)
    return float(differences.mean()), float(means.std(ddof=1) / np.sqrt(whole))
