"""Regimes of one symbol's minutes, and the road by which they reach a forecast: columns of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from footprint.errors import ModelError
from footprint.impact.regimes.hidden_states import HiddenStates, Kind
from footprint.impact.regimes.matching import match_states
from footprint.impact.regimes.observations import STRESS, Minutes
from footprint.impact.regimes.online_filter import filtered
from footprint.impact.regimes.selection import Selection, select_states, time_blocks
from footprint.impact.rows import Rows
from footprint.units import NS_PER_MINUTE

PREFIX = "regime_"
# the simplest first; a chain of one state is a mixture of one
CHOICES: tuple[tuple[Kind, int], ...] = (
    ("mixture", 1),
    ("mixture", 2),
    ("markov", 2),
    ("mixture", 3),
    ("markov", 3),
    ("mixture", 4),
    ("markov", 4),
)
_BLOCKS = 4
_LEAST_STAY = 5.0  # minutes; what changes faster is the noise of a regime


def find_regimes(minutes: Minutes, earlier: HiddenStates | None = None, seed: int = 7) -> Selection:
    """Choose and fit the states of one symbol's past minutes.

    Args:
        earlier: states of a fit before this one, whose names and order the new ones take (`match_states`).
        seed: of the fits' starts.

    Raises:
        ModelError: too few minutes.
    """
    blocks = time_blocks(len(minutes), _BLOCKS)
    selection = select_states(minutes.logs, minutes.begins, blocks, CHOICES, STRESS, _LEAST_STAY, seed)
    return selection if earlier is None else replace(selection, states=match_states(selection.states, earlier))


def with_regimes(rows: Rows, states: HiddenStates, minutes: Minutes) -> Rows:
    """The rows with a column `regime_<name>` a state: filtered probabilities of the last minute that had ended.

    Args:
        rows: of the symbol of `minutes`.
        minutes: the sessions of the rows, in order of time. A row that follows no minute within one, as at an open,
            gets the states' shares of time.
    """
    probabilities = filtered(states, minutes.logs, minutes.begins)
    last = np.searchsorted(minutes.end_ns, rows.start_ns, side="right") - 1
    is_fresh = (last >= 0) & (rows.start_ns - minutes.end_ns[last] < NS_PER_MINUTE)
    columns = np.where(is_fresh[:, None], probabilities[last], states.start)
    names = tuple(f"{PREFIX}{name}" for name in states.names)
    return replace(rows, x=np.column_stack([rows.x, columns]), x_names=rows.x_names + names)


@dataclass(frozen=True, slots=True)
class CarriedRegimes:
    """The columns that `with_regimes` wrote. Nothing is fitted but the names."""

    names: tuple[str, ...] = ()

    def fit(self, rows: Rows) -> CarriedRegimes:
        """Remember which regimes the rows carry.

        Raises:
            ModelError: they carry none.
        """
        names = tuple(name.removeprefix(PREFIX) for name in rows.x_names if name.startswith(PREFIX))
        if not names:
            raise ModelError(f"the rows carry no {PREFIX}* column; make them with with_regimes")
        return CarriedRegimes(names)

    def probabilities(self, rows: Rows) -> np.ndarray:
        """Shape (len(rows), K).

        Raises:
            ModelError: the rows carry other regimes than those of the fit.
        """
        if missing := [f"{PREFIX}{name}" for name in self.names if f"{PREFIX}{name}" not in rows.x_names]:
            raise ModelError(f"the rows have no column {', '.join(missing)}")
        return rows.x[:, [rows.x_names.index(f"{PREFIX}{name}") for name in self.names]]
