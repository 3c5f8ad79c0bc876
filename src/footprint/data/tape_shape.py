"""How a planted tape looks apart from its law: order flow, noise, and the volume clock of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.data.planted import PlantedLaw
from footprint.units import NS_PER_SECOND

_CURVE_POINTS = 4097


@dataclass(frozen=True, slots=True)
class TapeShape:
    """How a planted tape looks, apart from its law.

    Attributes:
        parents_per_day: metaorders a day.
        smallest, largest: range of the metaorder's share of day volume, log-uniform.
        longest: duration of the largest, as a fraction of the day in volume time; durations are proportional to size.
        child_units: typical child quantity; a metaorder has between 2 and `most_children` children.
        side_persistence: chance that a metaorder takes the side of the previous one instead of a fair draw.
        background_trades: trades of nobody a day, of `background_units` on average.
        background_persistence: chance that such a trade has the sign of the previous one instead of a fair draw.
        background_share: share of the noise variance that background trades cause, each moving the mid by a constant
            times the root of its quantity; the rest is caused by nobody.
        noise_ratio: sd of the noise over the life of the metaorder of median size, in units of its mean impact.
        u_shape: 0 for a flat day; volume and variance rates vary by this much between the middle and the ends.
        session_s: length of the day, seconds.
    """

    parents_per_day: int = 40
    smallest: float = 1e-5
    largest: float = 0.1
    longest: float = 0.5
    child_units: float = 2_000.0
    most_children: int = 20
    side_persistence: float = 0.0
    background_trades: int = 80
    background_units: float = 500.0
    background_persistence: float = 0.3
    background_share: float = 0.0
    noise_ratio: float = 3.0
    u_shape: float = 0.0
    session_s: float = 23_400.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.background_share <= 1.0:
            raise ValueError(f"background_share must lie in [0, 1], not {self.background_share!r}")
        if self.background_share > 0.0 and self.background_trades == 0:
            raise ValueError("background_share needs background_trades")

    def diffusion(self, law: PlantedLaw) -> float:
        """Daily sd of the log mid's Brownian part that gives `noise_ratio`."""
        median = np.sqrt(self.smallest * self.largest)
        lifetime = median / self.largest * self.longest
        return float(self.noise_ratio * law.impact(median * law.day_volume) / np.sqrt(lifetime))

    def nudge(self, law: PlantedLaw) -> float:
        """Log-mid move of a background trade per root of its quantity, less for persistent signs, which add up."""
        if self.background_share == 0.0:
            return 0.0
        daily_sum = self.background_trades * self.background_units
        persistence = (1.0 + self.background_persistence) / (1.0 - self.background_persistence)
        return float(self.diffusion(law) * np.sqrt(self.background_share / (daily_sum * persistence)))


def volume_clock(x: np.ndarray, u_shape: float) -> np.ndarray:
    """Share of the day's volume (and variance) done at the fraction x of the day.

    Its rate is 1 + u ((2x - 1)^2 - 1/3): high at both ends.
    """
    return x + u_shape * (((2 * x - 1) ** 3 + 1) / 6 - x / 3)


def clock_to_ns(volume_time: np.ndarray, shape: TapeShape) -> np.ndarray:
    """Time of day, ns after the open, at which that share of the day's volume is done."""
    grid = np.linspace(0.0, 1.0, _CURVE_POINTS)
    x = np.interp(volume_time, volume_clock(grid, shape.u_shape), grid)
    return np.rint(x * shape.session_s * NS_PER_SECOND).astype(np.int64)
