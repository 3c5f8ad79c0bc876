"""The market orders of several sessions as one table: what the trade-by-trade estimators read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data.children import ChildTape
from footprint.units import BPS


@dataclass(frozen=True, slots=True)
class Trades:
    """Signed market orders with a known mid before them, in order of time, arrays of shape (n,).

    Attributes:
        run: number of the stretch without a session's end, halt or gap; differences never cross it.
        sign: +1 buy, -1 sell (float64).
        size: quantity over the mean quantity of its session.
        price_bps, mid_bps: 1e4 x log of the price and of the mid strictly before it.
    """

    time_ns: np.ndarray
    run: np.ndarray
    sign: np.ndarray
    size: np.ndarray
    price_bps: np.ndarray
    mid_bps: np.ndarray

    def __len__(self) -> int:
        return len(self.time_ns)

    def with_past(self, lags: int, ahead: int = 0) -> np.ndarray:
        """Rows that have `lags` rows before and `ahead` rows after them in their run, int64."""
        rows = np.arange(lags, len(self) - ahead)
        return rows[self.run[rows - lags] == self.run[rows + ahead]]


def trades_of(tapes: Sequence[ChildTape]) -> Trades:
    """The table of sessions of one instrument, in order of time."""
    columns, last_run = [], -1
    for tape in tapes:
        known = np.isfinite(tape.mid_before)
        run = last_run + 1 + tape.segment[known] - (tape.segment[known][:1].sum() if known.any() else 0)
        last_run = int(run[-1]) if len(run) else last_run
        quantity = tape.quantity[known]
        columns.append(
            (
                tape.time_ns[known],
                run,
                tape.sign[known].astype(np.float64),
                quantity / quantity.mean() if len(quantity) else quantity,
                BPS * np.log(tape.price[known]),
                BPS * np.log(tape.mid_before[known]),
            )
        )
    return Trades(*(np.concatenate(column) for column in zip(*columns, strict=True)))
