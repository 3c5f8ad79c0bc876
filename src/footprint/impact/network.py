"""Small fitted networks that correct a parametric forecast, as plain arrays: answered without the library that fits.

A network sees the columns of a row and says how the parametric start is to be changed, in units of the row's noise
scale; a network that says nothing leaves the start as it is. `adapters/torch_networks.py` trains them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS, mean
from footprint.impact.interface import FittedImpact
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

INPUT_LIMIT = 4.0  # robust standard deviations beyond which a column counts as that far and no further
LOG_SCALE_LIMIT = 3.0  # a residual's scale stays within e^-3 to e^3 noise scales
MEDIAN = len(LEVELS) // 2  # position of the median on the 99 levels
NO_STRETCH = float(np.log(np.expm1(1.0)))  # softplus of this is 1: the start's increment is kept

_QUARTILES = np.array([0.25, 0.5, 0.75])
_QUARTILES_APART = 1.349  # of a normal distribution, in standard deviations


@dataclass(frozen=True, slots=True)
class NetworkInputs:
    """How columns become inputs: robustly standardised, limited, 0 where unknown, with flags of what is unknown.

    Attributes:
        centre: median of each column, shape (p,).
        gain: 1 / its robust standard deviation, shape (p,); 0 for a column that never varied.
        flagged: columns that have a flag, shape (m,): those that were known in some training rows and not in others.
    """

    centre: np.ndarray
    gain: np.ndarray
    flagged: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Inputs of shape (n, p + m) for columns of shape (n, p)."""
        unknown = np.isnan(x)
        standardised = np.clip((np.where(unknown, self.centre, x) - self.centre) * self.gain, -INPUT_LIMIT, INPUT_LIMIT)
        return np.hstack([standardised, unknown[:, self.flagged].astype(np.float64)])


def fit_inputs(x: np.ndarray, weights: np.ndarray) -> NetworkInputs:
    """Median and spread of the known values of each column; x of shape (n, p), weights (n,)."""
    known = ~np.isnan(x)
    centre, gain = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for column in np.flatnonzero(known.any(axis=0)):
        values, share = x[known[:, column], column], weights[known[:, column]]
        low, centre[column], high = weighted_quantiles(values, share, _QUARTILES)
        spread = (high - low) / _QUARTILES_APART
        if spread == 0:  # mostly one value
            spread = np.sqrt(np.average((values - centre[column]) ** 2, weights=share))
        gain[column] = 1.0 / spread if spread > 0 else 0.0
    return NetworkInputs(centre, gain, np.flatnonzero(known.any(axis=0) & ~known.all(axis=0)))


@dataclass(frozen=True, slots=True)
class Network:
    """A perceptron with SiLU layers and a linear last one.

    Attributes:
        weights: of each layer, shape (inputs, outputs).
        biases: of each layer, shape (outputs,).
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Outputs of the last layer, shape (n, outputs)."""
        hidden = inputs
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = hidden @ weight + bias
            hidden = hidden * expit(hidden)
        return hidden @ self.weights[-1] + self.biases[-1]


@dataclass(frozen=True, slots=True)
class LocationScaleHead:
    """Two outputs: a shift of the start's median and the log of the residual's scale.

    Attributes:
        residual_quantiles: of (outcome - location) / scale in the training rows, on the 99 levels.
    """

    residual_quantiles: np.ndarray

    def quantiles(self, start: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Quantiles in noise scales, shape (n, 99), from those of the start, shape (n, 99)."""
        location, scale = location_and_scale(start, outputs)
        return location[:, None] + scale[:, None] * self.residual_quantiles


def location_and_scale(start: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the two outputs of a `LocationScaleHead` mean, both in noise scales, shape (n,)."""
    return start[:, MEDIAN] + outputs[:, 0], np.exp(np.clip(outputs[:, 1], -LOG_SCALE_LIMIT, LOG_SCALE_LIMIT))


@dataclass(frozen=True, slots=True)
class MonotoneHead:
    """Output 0 shifts the start's median, the others stretch the start's increments: quantiles cannot cross.

    An increment is multiplied by a softplus of the output of its segment; the increments are then summed outwards from
    the median. Within a segment and in the tails the start's own shape is kept.

    Attributes:
        segment: which stretch, 0-based, each of the 98 increments between neighbouring levels gets.
    """

    segment: np.ndarray

    def quantiles(self, start: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Quantiles in noise scales, shape (n, 99), from those of the start, shape (n, 99)."""
        stretch = np.logaddexp(0.0, outputs[:, 1:] + NO_STRETCH)
        increments = np.diff(start, axis=1) * stretch[:, self.segment]
        middle = (start[:, MEDIAN] + outputs[:, 0])[:, None]
        below = np.cumsum(increments[:, :MEDIAN][:, ::-1], axis=1)[:, ::-1]
        above = np.cumsum(increments[:, MEDIAN:], axis=1)
        return np.hstack([middle - below, middle, middle + above])


@dataclass(frozen=True, slots=True)
class NetworkMember:
    """One network of an ensemble and what makes quantiles of its outputs."""

    network: Network
    head: LocationScaleHead | MonotoneHead


@dataclass(frozen=True, slots=True)
class FittedNetworks:
    """An ensemble of networks around a fitted start; the last stage answers.

    Attributes:
        x_names: columns that the networks expect.
        stages: passes over the training rows, increasing.
        members: of the ensemble at each stage.
    """

    target: str
    start: FittedImpact
    x_names: tuple[str, ...]
    inputs: NetworkInputs
    stages: tuple[int, ...]
    members: tuple[tuple[NetworkMember, ...], ...]

    def at(self, stage: int) -> FittedNetworks:
        """The same after fewer passes, one of `stages`."""
        index = self.stages.index(stage)
        return replace(self, stages=(stage,), members=(self.members[index],))

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Mean of the members' quantile functions, bps, shape (n, 99).

        Raises:
            ModelError: the rows have other columns than the networks were fitted on.
        """
        return self._member_quantiles(rows).mean(axis=0)

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        """Standard deviation of the members' mean forecasts, bps, shape (n,); a floor of the model's uncertainty.

        Deep ensembles (Lakshminarayanan, Pritzel, Blundell 2017). All members share the start and the rows, so what
        these two leave open is not in it.

        Raises:
            ModelError: as `quantiles`.
        """
        return mean(self._member_quantiles(rows)).std(axis=0)

    def _member_quantiles(self, rows: Rows) -> np.ndarray:
        """Quantiles of each member, bps, shape (members, n, 99)."""
        if rows.x_names != self.x_names:
            raise ModelError("the rows' columns differ from those the networks were fitted on; fit them again")
        scale = rows.scale_bps(self.target)[:, None]
        start, inputs = self.start.quantiles(rows) / scale, self.inputs(rows.x)
        return np.array([scale * m.head.quantiles(start, m.network(inputs)) for m in self.members[-1]])
