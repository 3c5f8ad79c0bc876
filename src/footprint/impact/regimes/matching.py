"""The same state keeps its name and place when the states are fitted again on newer data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from footprint.errors import ModelError
from footprint.impact.regimes.hidden_states import HiddenStates


def match_states(found: HiddenStates, earlier: HiddenStates) -> HiddenStates:
    """`found` in the order and with the names of `earlier`.

    Pairs minimise the sum of squared distances between centres, on the earlier scores (Hungarian method, Kuhn 1955).
    With more states than before, those left over come last, named "new", "new 2", ...; with fewer, the names of those
    that nothing resembles are gone.

    Raises:
        ModelError: the two observe different numbers of columns.
    """
    if found.centres.shape[1] != earlier.centres.shape[1]:
        raise ModelError(
            f"states of {found.centres.shape[1]} columns cannot be matched to states of {earlier.centres.shape[1]}"
        )
    difference = earlier.centres[:, None, :] - earlier.scale.of(found.log_centres)[None, :, :]
    old, new = linear_sum_assignment(np.nansum(difference**2, axis=2))  # nan: a column that one of the two never knew
    left = np.setdiff1d(np.arange(len(found)), new)
    names = [earlier.names[i] for i in old] + [f"new {i + 1}" if i else "new" for i in range(len(left))]
    return replace(found.take(np.concatenate([new, left])), names=tuple(names))
