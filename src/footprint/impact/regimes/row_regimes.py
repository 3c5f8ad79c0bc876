"""Regimes read from what a row knows by itself: for rows without a tape, pooled over symbols."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.regimes.hidden_states import HiddenStates, Kind
from footprint.impact.regimes.observations import STRESS, row_observations
from footprint.impact.regimes.online_filter import filtered
from footprint.impact.regimes.selection import select_states, time_blocks
from footprint.impact.rows import Rows

_BLOCKS = 4
_LEAST_FOR_SYMBOL = 50  # rows from which a symbol's own level is taken


@dataclass(frozen=True, slots=True)
class FittedRowRegimes:
    """A mixture of what rows know, in units of each symbol's own level and spread of values.

    Attributes:
        states: fitted to standardised logs.
        symbols: those with a level of their own, sorted.
        centres, sds: of their logs, shape (len(symbols), 5); nan where the symbol never knows the value.
    """

    states: HiddenStates
    symbols: tuple[str, ...]
    centres: np.ndarray
    sds: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """Of the regimes."""
        return self.states.names

    def probabilities(self, rows: Rows) -> np.ndarray:
        """Shape (len(rows), K); the shares of time for a symbol without a level of its own."""
        observations = _standardised(rows, self.symbols, self.centres, self.sds)
        return filtered(self.states, observations, np.ones(len(rows), bool))


@dataclass(frozen=True, slots=True)
class RowRegimes:
    """A Gaussian mixture on what each row knows by itself; needs nothing beside the rows.

    Its columns remember for minutes (`row_observations`), which takes the place of the chain.

    Args:
        counts: numbers of regimes to choose from on later rows, increasing.
        rows_per_tape: rows of each tape, evenly spaced in time, to which the mixture is fitted.
        seed: of the fit's starts.
    """

    counts: tuple[int, ...] = (1, 2, 3, 4)
    rows_per_tape: int = 600
    seed: int = 7

    def fit(self, rows: Rows) -> FittedRowRegimes:
        """Levels by symbol, number of regimes by time-ordered blocks of every tape, then the mixture.

        Raises:
            ModelError: too few rows.
        """
        symbol, logs = rows.symbol, row_observations(rows)
        symbols, seen = np.unique(symbol, return_counts=True)
        symbols = symbols[seen >= _LEAST_FOR_SYMBOL]
        moments = [_level(logs[symbol == name]) for name in symbols]
        centres, sds = (np.array([m[i] for m in moments]).reshape(-1, logs.shape[1]) for i in (0, 1))
        names = tuple(symbols.tolist())
        kept, block = _thinned(rows, self.rows_per_tape)
        observations = _standardised(rows.take(kept), names, centres, sds)
        choices: list[tuple[Kind, int]] = [("mixture", count) for count in self.counts]
        begins = np.ones(len(kept), bool)
        states = select_states(observations, begins, block, choices, STRESS, 0.0, self.seed).states
        return FittedRowRegimes(states, names, centres, sds)


def _level(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of the known values of each column; nan where there are none or all are equal."""
    known = np.isfinite(logs)
    count = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.where(known, logs, 0.0).sum(axis=0) / count
        sd = np.sqrt(np.where(known, (logs - centre) ** 2, 0.0).sum(axis=0) / count)
    return centre, np.where(sd > 0.0, sd, np.nan)


def _standardised(rows: Rows, symbols: tuple[str, ...], centres: np.ndarray, sds: np.ndarray) -> np.ndarray:
    """Logs less the symbol's mean over its sd, shape (n, 5); nan for symbols that are not listed."""
    out = np.full((len(rows), centres.shape[1]), np.nan)
    symbol, logs = rows.symbol, row_observations(rows)
    for name, centre, sd in zip(symbols, centres, sds, strict=True):
        mine = symbol == name
        out[mine] = (logs[mine] - centre) / sd
    return out


def _thinned(rows: Rows, per_tape: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of at most `per_tape` rows of each tape, by (block, tape, time), and their block of the tape's time."""
    positions, blocks = [], []
    for name in np.unique(rows.tape):
        mine = np.flatnonzero(rows.tape == name)
        mine = mine[np.argsort(rows.start_ns[mine], kind="stable")]
        mine = mine[np.unique(np.linspace(0, len(mine) - 1, min(per_tape, len(mine))).astype(np.int64))]
        positions.append(mine)
        blocks.append(time_blocks(len(mine), _BLOCKS))
    kept, block = np.concatenate(positions), np.concatenate(blocks)
    order = np.argsort(block, kind="stable")
    return kept[order], block[order]
