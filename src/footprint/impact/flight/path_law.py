"""The path that a record expects of the mid while its order works, and how far the mid may stray from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.errors import ModelError
from footprint.impact.record import ForecastRecord
from footprint.market.orders import ParentOrder, Progress
from footprint.units import BPS, NS_PER_SECOND

EXPONENT = 0.5  # along the path too impact grows with the root of what is done (Donier and Bonart, arXiv 1412.4503)


@dataclass(frozen=True, slots=True)
class PathForecast:
    """Expected path of the mid from a record's instant to the end of its order.

    Attributes:
        end_bps, end_sd_bps: move to the end, signed to the order, mean and deviation.
        filled_fraction: share of the order that was done at the record's instant.
    """

    end_bps: float
    end_sd_bps: float
    filled_fraction: float = 0.0

    @classmethod
    def of(cls, record: ForecastRecord) -> PathForecast:
        """What a record says of the path.

        Raises:
            ModelError: the record says nothing.
        """
        if record.path_end_bps is None or record.path_end_sd_bps is None:
            raise ModelError(f"record {record.id} gives no path: {'; '.join(record.reasons)}")
        return cls(record.path_end_bps, record.path_end_sd_bps, record.filled / record.quantity)

    def expected_bps(self, filled_fraction: np.ndarray) -> np.ndarray:
        """Expected move since the record's instant when that share of the whole order is done, same shape."""
        start = self.filled_fraction**EXPONENT
        return self.end_bps * (np.maximum(filled_fraction, self.filled_fraction) ** EXPONENT - start) / (1.0 - start)

    def steps(self, moves_bps: np.ndarray, filled_fraction: np.ndarray) -> np.ndarray:
        """Unexpected move between one reading and the next, in deviations of the whole move to the end.

        Args:
            moves_bps: move of the mid since the record's instant at each reading, signed to the order, shape (..., n).
            filled_fraction: share of the whole order done then, shape (..., n).
        """
        return np.diff(moves_bps - self.expected_bps(filled_fraction), axis=-1, prepend=0.0) / self.end_sd_bps


def steps_since(record: ForecastRecord, order: ParentOrder, progress: Progress) -> np.ndarray:
    """`PathForecast.steps` of the readings after a record's instant, shape (n,).

    The first of them is compared with the last reading at or before that instant, or with the arrival mid.
    """
    path_s, mids = np.array(progress.path_s), np.array(progress.path_mids)
    since_s = (record.as_of_ns - order.arrival_ns) / NS_PER_SECOND
    after = path_s > since_s
    known = mids[~after]
    start = known[-1] if len(known) else progress.arrival_mid
    moves_bps = order.side * (mids[after] - start) / progress.arrival_mid * BPS
    return PathForecast.of(record).steps(moves_bps, np.array(progress.path_filled)[after] / order.quantity)
