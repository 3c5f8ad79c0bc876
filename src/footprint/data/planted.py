"""A planted impact law: the truth of a synthetic tape, known exactly.

While a metaorder of side e and quantity Q is worked, its share of the log mid is

    I(t) = e * Y * sigma_D * (q(t) / V_D)^delta                       q(t): quantity done so far

and after its last child at T_end, with T its own duration (last child minus first),

    I(t) = I(T_end) * (1 + (t - T_end) / T)^(-beta).

Measuring time in the order's own durations makes the kernel identifiable from the ratio of mean paths alone: at u
durations after the end it is (1 + u)^(-beta) for every order, whatever its size. sigma_D and V_D are constants of the
law (a stated reference volatility and the expected day volume), not measurements on the tape. Square root: Sato and
Kanazawa 2025 (arXiv 2411.13965); relaxation: Bucci et al. 2018 (arXiv 1901.05332).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PlantedLaw:
    """Parameters of the law.

    Attributes:
        exponent: delta, growth with the share of the day's volume.
        prefactor: Y.
        decay: beta, exponent of the relaxation after the end.
        volatility: sigma_D, log-price fraction (0.015 = 150 bps).
        day_volume: V_D, in the instrument's unit.
    """

    exponent: float = 0.5
    prefactor: float = 0.7
    decay: float = 0.4
    volatility: float = 0.015
    day_volume: float = 5e6

    def impact(self, quantity: np.ndarray | float) -> np.ndarray:
        """Unsigned impact of `quantity` just executed, log-price fraction, same shape."""
        return self.prefactor * self.volatility * (np.asarray(quantity) / self.day_volume) ** self.exponent

    def retained(self, durations: np.ndarray | float) -> np.ndarray:
        """Share of the peak left after that many durations from the end, same shape."""
        return (1.0 + np.asarray(durations)) ** -self.decay


def draw_law(rng: np.random.Generator) -> PlantedLaw:
    """Exponent 0.35-0.65, prefactor 0.5-1.5, decay 0.2-0.6, each uniform."""
    return PlantedLaw(
        exponent=rng.uniform(0.35, 0.65),
        prefactor=rng.uniform(0.5, 1.5),
        decay=rng.uniform(0.2, 0.6),
    )
