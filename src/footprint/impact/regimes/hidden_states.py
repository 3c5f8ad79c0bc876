"""Fitted states as plain numbers: Gaussian observations and a Markov chain, or a mixture, between them.

A Gaussian mixture is the hidden Markov model whose next state does not depend on the present one: all rows of its
transition matrix are the weights. So one filter, one fit and one report serve both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from footprint.impact.regimes.normal_scores import NormalScores

Kind = Literal["mixture", "markov"]

_NAMES = {
    1: ("usual",),
    2: ("calm", "stressed"),
    3: ("calm", "normal", "stressed"),
    4: ("calm", "normal", "tense", "stressed"),
    5: ("quiet", "calm", "normal", "tense", "stressed"),
}
MOST_STATES = max(_NAMES)


@dataclass(frozen=True, slots=True)
class HiddenStates:
    """K states of d columns each.

    Attributes:
        kind: "mixture" or "markov".
        names: of the states, by rising stress.
        start: probabilities at the begin of a session, shape (K,): the shares of time.
        transition: row = present state, column = next, shape (K, K).
        scale: maps logs to the scores on which the states are Gaussian.
        centres, sds: of the scores, shape (K, d). Covariances are diagonal, so that an unknown value says nothing.
    """

    kind: Kind
    names: tuple[str, ...]
    start: np.ndarray
    transition: np.ndarray
    scale: NormalScores
    centres: np.ndarray
    sds: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def log_centres(self) -> np.ndarray:
        """Centres in the units of the logs, shape (K, d); nan for a column that the fit never knew."""
        return self.scale.inverse(self.centres)

    def take(self, order: np.ndarray) -> HiddenStates:
        """The states in another order, names included."""
        return replace(
            self,
            names=tuple(self.names[i] for i in order),
            start=self.start[order],
            transition=self.transition[np.ix_(order, order)],
            centres=self.centres[order],
            sds=self.sds[order],
        )

    def by_stress(self, stress: np.ndarray) -> HiddenStates:
        """Ordered by `stress`, shape (K,), and named by rank."""
        return replace(self.take(np.argsort(stress, kind="stable")), names=_NAMES[len(self)])
