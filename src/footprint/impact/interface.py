"""What an impact model is: a frozen description that fits rows and gives something that answers with quantiles."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from footprint.impact.rows import Rows


class FittedImpact(Protocol):
    """A fitted model of one target."""

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Predictive quantiles in bps, positive when the move or cost hurts.

        Returns:
            float64 array of shape (len(rows), 99), non-decreasing along the last axis, on `distribution.LEVELS`.
            A forecast of a row depends on that row alone.
        """
        ...


class ImpactModel(Protocol):
    """A model before it has seen data: frozen, comparable, its parameters are its fields.

    `fit` uses the rows whose outcome of that target is known, gives every tape the same weight, changes neither itself
    nor the rows, and is deterministic. It raises `ModelError` when the rows are too few.
    """

    @property
    def name(self) -> str:
        """Name in scoreboards and stored models."""
        ...

    def fit(self, rows: Rows, target: str) -> FittedImpact:
        """Fit one target (one of `rows.TARGETS`)."""
        ...


class FittedStaged(FittedImpact, Protocol):
    """A fitted model that can be stopped earlier."""

    def at(self, stage: int) -> FittedImpact:
        """The same model after fewer steps of its fit."""
        ...


@runtime_checkable
class Epistemic(Protocol):
    """A fitted model that knows how unsure it is of its own mean."""

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        """Deviation of the mean forecast that more data would remove, bps, shape (n,)."""
        ...


@runtime_checkable
class Explained(Protocol):
    """A fitted model that says what each column of the rows does."""

    def contributions(self, rows: Rows) -> np.ndarray:
        """What each column adds to the mean forecast, bps, shape (n, p) for p columns of `Rows.x`."""
        ...

    def importance(self) -> np.ndarray:
        """Share of each column in what the fit explains, shape (p,), summing to 1 (all 0 when it explains nothing)."""
        ...


@runtime_checkable
class Local(Protocol):
    """A model that learns from its rows what no law says; far from them it is not to be trusted."""

    @property
    def is_local(self) -> bool:
        """True."""
        ...


@runtime_checkable
class StagedModel(Protocol):
    """A model whose amount of fitting is chosen on held-out folds of the past (early stopping)."""

    @property
    def name(self) -> str:
        """Name in scoreboards and stored models."""
        ...

    @property
    def stages(self) -> tuple[int, ...]:
        """Numbers of steps to choose from, increasing; `fit` goes to the last."""
        ...

    def fit(self, rows: Rows, target: str) -> FittedStaged:
        """Fit one target to the last stage."""
        ...
