"""Has the path left its forecast? A sequential test that may be looked at after every tick.

Under the forecast the unexpected part of each move is as likely up as down, given the past. Betting on up with stake b
then multiplies the wealth by 1 + tanh(b r) = 2 / (1 + exp(-2 b r)), the likelihood ratio of r against -r. Its
expectation is exactly 1 whatever the size of the move, so neither fat tails nor clustered or misjudged volatility make
false alarms (a test martingale for symmetry: de la Peña 1999, Ann. Probab. 27(1); Ramdas, Ruf, Larsson, Koolen,
arXiv 2009.03167). For small moves it is the Gaussian likelihood ratio exp(b sum r - b^2/2 sum r^2), normalised by the
realised variance. The mean over stakes and both directions starts at 1 and, by Ville's inequality, ever reaches
1 / level with probability at most `level`: over the whole order, however often it is read.

What it rests on: no momentum between readings. Where successive moves agree in sign, read at longer intervals. What it
cannot do: an order's impact is a fraction of the market's own move over its horizon, so that one order seldom tells a
wrong impact from chance. Orders one after the other add their evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVEL = 0.05  # chance of ever raising a false alarm
STAKES = (0.5, 1.0, 2.0, 4.0)  # drifts to the end of the order that are bet on, in deviations of its whole move
ADVERSE_SHARE = 0.8  # of the starting wealth: a path dearer than forecast matters more than a cheaper one


@dataclass(frozen=True, slots=True)
class PathEvidence:
    """Wealth of the bets after every reading.

    Attributes:
        adverse, favourable: e-values of each direction, both starting from 1, shape (..., n).
    """

    adverse: np.ndarray
    favourable: np.ndarray

    @property
    def e_values(self) -> np.ndarray:
        """Evidence against the forecast, shape (..., n); expectation at most 1 while it holds."""
        return ADVERSE_SHARE * self.adverse + (1.0 - ADVERSE_SHARE) * self.favourable

    def first_alarm(self, level: float = LEVEL) -> np.ndarray:
        """Index of the first reading with an e-value of at least 1 / level, -1 where there is none, shape (...)."""
        above = self.e_values >= 1.0 / level
        return np.where(above.any(axis=-1), above.argmax(axis=-1), -1)


def path_evidence(steps: np.ndarray) -> PathEvidence:
    """Bet on every unexpected step of a path.

    Args:
        steps: unexpected moves in deviations of the whole move to the end (`PathForecast.steps`), shape (..., n);
            orders one after the other may be joined along the last axis.
    """
    return PathEvidence(_wealth(steps), _wealth(-steps))


def _wealth(steps: np.ndarray) -> np.ndarray:
    """Mean over the stakes of the running product of 1 + tanh(stake * step)."""
    total = np.zeros_like(steps)
    for stake in STAKES:
        total += np.cumprod(1.0 + np.tanh(stake * steps), axis=-1)
    return total / len(STAKES)
