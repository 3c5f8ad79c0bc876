"""Orders whose law, kernel and residual are known, and the forecast that knows them: nothing can score better.

Means follow a planted law (`data.planted`): the peak is its impact; the shortfall is half the spread plus the average
of the impact before each of n equal children; the shift h seconds after the end is the impact times the law's kernel at
h / T. Residuals are independent Student t with five degrees of freedom and unit variance, times the noise scale of
`Rows.scale_bps` (divided by sqrt(3) for the shortfall, the average of a Brownian path). One column of the market's
state drives the mean (2 % of the variance) and one the size of the residual, which is what a learner can find and a law
cannot; the other columns are noise, and a model that learns from them overfits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from footprint.data.planted import PlantedLaw, draw_law
from footprint.impact.distribution import LEVELS
from footprint.impact.evaluation.line_up import TRUTH
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.rows import RELAXATION_S, TARGETS, Rows
from footprint.units import NS_PER_DAY, NS_PER_SECOND

PLANTED_TARGETS = ("peak", "shortfall", "shift_600")
TAPES = 6
_DAYS_PER_PART = 2
_FIRST_DAY_NS = 19_730 * NS_PER_DAY  # 2024-01-08
_SESSION_S, _OPEN_S = 23_400.0, 34_200.0
_SMALLEST, _LARGEST = 1e-5, 0.05  # shares of a day's volume, log-uniform
# columns as on real tapes: an imbalance in [-1, 1] and a log ratio of volatilities
_DRIFT, _RATIO = "signed_imbalance_touch", "volatility_5m_to_30m"
_DRIFT_SCALES, _RATIO_POWER = 0.26, 0.5  # noise scales of the mean, and log of the residual's size, per unit of them
_RATIO_SD = 0.3
_NOISE_COLUMNS = 4
_DEGREES = 5.0
_UNIT = np.sqrt((_DEGREES - 2.0) / _DEGREES)
_QUANTILES = _UNIT * student.ppf(LEVELS, _DEGREES)
_SHORTFALL_SCALE = 1.0 / np.sqrt(3.0)


@dataclass(frozen=True, slots=True)
class FittedTruth:
    """The planted law as a forecast of one target."""

    law: PlantedLaw
    target: str

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps: the very distribution that the outcomes were drawn from."""
        scale = residual_scale_bps(rows, self.target)
        return mean_bps(self.law, rows, self.target)[:, None] + scale[:, None] * _QUANTILES


@dataclass(frozen=True, slots=True)
class PlantedTruth:
    """The planted law as a model; there is nothing to fit."""

    law: PlantedLaw

    @property
    def name(self) -> str:
        """planted_truth."""
        return TRUTH

    def fit(self, rows: Rows, target: str) -> FittedTruth:
        """The law itself."""
        return FittedTruth(self.law, target)


def planted_set(seed: int, protocol: Protocol) -> tuple[Rows, PlantedTruth]:
    """Six tapes of one planted law, drawn from `seed`, with parts as in the protocol.

    Returns:
        2 x `rows_per_cell` orders per tape and part, sorted by tape and time, and the truth behind them.
    """
    rng = np.random.default_rng([protocol.seed, 2, seed])
    law = draw_law(rng)
    tape = np.repeat(np.arange(TAPES), 2 * protocol.rows_per_cell * protocol.parts)
    part = np.tile(np.repeat(np.arange(protocol.parts), 2 * protocol.rows_per_cell), TAPES)
    rows = _orders(tape, part, rng)
    for i, target in enumerate(TARGETS):
        if target in PLANTED_TARGETS:
            noise = _UNIT * rng.standard_t(_DEGREES, len(rows))
            rows.outcomes[:, i] = mean_bps(law, rows, target) + residual_scale_bps(rows, target) * noise
    return rows, PlantedTruth(law)


def mean_bps(law: PlantedLaw, rows: Rows, target: str) -> np.ndarray:
    """Mean of a target under the law, with the row's own volatility as sigma_D, bps, shape (n,)."""
    day_bps = rows.volatility_day_bps
    peak = law.impact(rows.participation * law.day_volume) / law.volatility * day_bps
    drift = _DRIFT_SCALES * _noise_bps(rows, target) * _column(rows, _DRIFT)
    if target == "shortfall":
        return 0.5 * rows.spread_bps + peak * _average_share(law.exponent, rows.children) + drift
    after = RELAXATION_S[target] / rows.horizon_s
    return peak * law.retained(after) + drift


def _column(rows: Rows, name: str) -> np.ndarray:
    return rows.x[:, rows.x_names.index(name)]


def _noise_bps(rows: Rows, target: str) -> np.ndarray:
    return rows.scale_bps(target) * (_SHORTFALL_SCALE if target == "shortfall" else 1.0)


def _average_share(exponent: float, children: np.ndarray) -> np.ndarray:
    """Mean over n children of the impact before each, as a share of the peak: (1/n) sum_{k<n} (k/n)^exponent."""
    powers = np.arange(int(children.max())) ** exponent
    powers[0] = 0.0
    return np.cumsum(powers)[children - 1] / children ** (1.0 + exponent)


def residual_scale_bps(rows: Rows, target: str) -> np.ndarray:
    """Standard deviation of the planted residual, bps, shape (n,)."""
    return _noise_bps(rows, target) * np.exp(_RATIO_POWER * _column(rows, _RATIO))


def _orders(tape: np.ndarray, part: np.ndarray, rng: np.random.Generator) -> Rows:
    count = len(tape)
    participation = np.exp(rng.uniform(np.log(_SMALLEST), np.log(_LARGEST), count))
    # working time grows with size, with a spread of its own: size alone does not tell it
    horizon_s = np.clip(3_600.0 * np.sqrt(participation / _LARGEST) * rng.lognormal(0.0, 0.7, count), 5.0, 7_200.0)
    volatility = rng.uniform(0.4, 1.6, TAPES)[tape] * rng.lognormal(0.0, 0.3, count)
    spread_bps = rng.uniform(1.0, 8.0, TAPES)[tape] * rng.lognormal(0.0, 0.3, count)
    children = rng.integers(3, 60, count)
    day = _DAYS_PER_PART * part + rng.integers(_DAYS_PER_PART, size=count)
    latest_s = _SESSION_S - horizon_s - 600.0
    start_ns = _FIRST_DAY_NS + day * NS_PER_DAY + ((_OPEN_S + latest_s * rng.random(count)) * NS_PER_SECOND).astype(int)
    order = np.lexsort((start_ns, part, tape))
    columns = {
        "log_participation": np.log(participation),
        "log_horizon": np.log(horizon_s),
        "log_children": np.log(children),
        "log_volatility": np.log(volatility),
        "log_spread_to_volatility": np.log(spread_bps / volatility),
        "spread_to_noise": spread_bps / (volatility * np.sqrt(horizon_s)),
    }
    columns |= {_DRIFT: rng.uniform(-1.0, 1.0, count), _RATIO: _RATIO_SD * rng.standard_normal(count)}
    columns |= {f"noise_{k + 1}": rng.standard_normal(count) for k in range(_NOISE_COLUMNS)}
    rows = Rows(
        tape=np.array([f"PLANTED{k + 1} 2024-01" for k in range(TAPES)])[tape],
        market=np.full(count, "planted"),
        part=1 + part,
        stage=np.zeros(count),
        start_ns=start_ns,
        end_ns=start_ns + (horizon_s * NS_PER_SECOND).astype(np.int64),
        side=rng.choice(np.array([-1, 1], np.int8), count),
        quantity=participation * 1e6,
        children=children,
        horizon_s=horizon_s,
        participation=participation,
        volatility=volatility,
        day_s=np.full(count, _SESSION_S),
        spread_bps=spread_bps,
        x=np.column_stack(list(columns.values())),
        x_names=tuple(columns),
        outcomes=np.full((count, len(TARGETS)), np.nan),
    )
    return rows.take(order)
