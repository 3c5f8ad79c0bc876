"""The contract of an impact model, as a check that anyone can run on their own."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from typing import Any

import numpy as np

from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS
from footprint.impact.interface import FittedImpact, ImpactModel, StagedModel
from footprint.impact.rows import TARGETS, Rows, concatenate
from footprint.testing.random_rows import random_rows

ROWS = 600
PROBES = 40
_TOO_FEW = 5
_ALONE_TOLERANCE = 1e-12  # relative: one row and many may be summed in another order
_SCALE = 4.0  # a power of two, so that scaling rounds nothing
_SCALE_TOLERANCE = 1e-9
_COPIES = 8
_WEIGHT_TOLERANCE = 0.35  # noise scales by which copies of a tape's rows may move a quantile, on average


def check_impact_model(model: ImpactModel, rows: Rows | None = None, scale_free: bool = False) -> None:
    """Check that `model` is an impact model: repeatable, without side effects, row by row, quantiles that do not cross.

    Args:
        rows: rows to fit, several hundred of two or more tapes with some unknown shifts; made by the check when None.
        scale_free: the quantiles must grow in proportion when everything measured in bps does.

    Raises:
        AssertionError: the contract is broken; the text says which part and which target.
    """
    rows = random_rows(np.random.default_rng(1), ROWS) if rows is None else rows
    _require(isinstance(model.name, str) and model.name != "", "name must be a string that is not empty")
    _require(_through_pickle(model, "the model") == model, "the model must equal its pickled copy")
    for target in TARGETS:
        fitted = _check_fit(model, rows, target)
        _check_alone(fitted, rows, target)
        if scale_free:
            _check_scale(model, rows, target, fitted)
        if isinstance(model, StagedModel):
            _check_stages(model, rows, target)
    _check_too_few(model, rows)
    _check_unknown(model, rows)
    _check_tape_weights(model, rows)


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


def _check_fit(model: ImpactModel, rows: Rows, target: str) -> FittedImpact:
    """Fit twice, look at the quantiles and for traces left on model and rows."""
    model_before, rows_before = pickle.dumps(model), _copy(rows)
    fitted, again = model.fit(rows, target), model.fit(rows, target)
    quantiles = fitted.quantiles(rows)
    _check_shape(quantiles, len(rows), target)
    _require(np.array_equal(quantiles, again.quantiles(rows)), f"{target}: two fits of the same rows differ")
    _require(np.array_equal(quantiles, fitted.quantiles(rows)), f"{target}: two readings of the same rows differ")
    _require(pickle.dumps(model) == model_before, f"{target}: the model changed")
    _require(_same(rows, rows_before), f"{target}: the rows changed")
    stored = _through_pickle(fitted, f"{target}: the fitted model")
    _require(np.array_equal(quantiles, stored.quantiles(rows)), f"{target}: the fitted model changed when pickled")
    return fitted


def _through_pickle(value: Any, what: str) -> Any:
    """The copy that a worker process would get."""
    try:
        return pickle.loads(pickle.dumps(value))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(f"{what} cannot be pickled: {error}") from error


def _check_shape(quantiles: np.ndarray, count: int, target: str) -> None:
    _require(
        isinstance(quantiles, np.ndarray) and quantiles.dtype == np.float64, f"{target}: quantiles must be float64"
    )
    shape = (count, len(LEVELS))
    _require(quantiles.shape == shape, f"{target}: quantiles must have shape {shape}, not {quantiles.shape}")
    _require(bool(np.isfinite(quantiles).all()), f"{target}: quantiles must be finite")
    _require(bool((np.diff(quantiles, axis=1) >= 0).all()), f"{target}: quantiles cross")


def _check_alone(fitted: FittedImpact, rows: Rows, target: str) -> None:
    """A row's forecast must need neither the other rows nor its own outcome."""
    quantiles = fitted.quantiles(rows)
    for i in _probes(rows)[::8]:
        alone = fitted.quantiles(rows.take(np.array([i])))[0]
        near = np.allclose(alone, quantiles[i], rtol=_ALONE_TOLERANCE, atol=_ALONE_TOLERANCE)
        _require(near, f"{target}: a row's forecast depends on the other rows")
    _check_shape(fitted.quantiles(rows.take(np.zeros(0, np.int64))), 0, target)
    blind = replace(rows, outcomes=np.full_like(rows.outcomes, np.nan))
    _require(np.array_equal(fitted.quantiles(blind), quantiles), f"{target}: the forecast looks at the outcomes")


def _check_stages(model: StagedModel, rows: Rows, target: str) -> None:
    """A model that can be stopped earlier must answer at every stage, and at the last one as if it had no stages."""
    stages, fitted = model.stages, model.fit(rows, target)
    _require(len(stages) > 0 and sorted(set(stages)) == list(stages), f"{target}: stages must increase")
    for stage in stages:
        _check_shape(fitted.at(stage).quantiles(rows), len(rows), target)
    last = fitted.at(stages[-1]).quantiles(rows)
    _require(np.array_equal(last, fitted.quantiles(rows)), f"{target}: the fit must end with the last stage")


def _check_too_few(model: ImpactModel, rows: Rows) -> None:
    target = TARGETS[0]
    for few in (rows.take(np.zeros(0, np.int64)), rows.known(target).take(np.arange(_TOO_FEW))):
        try:
            model.fit(few, target)
        except ModelError:
            continue
        raise AssertionError(f"fitting {len(few)} rows must raise ModelError")


def _check_unknown(model: ImpactModel, rows: Rows) -> None:
    """Rows without an outcome may as well be missing."""
    for target in TARGETS:
        known = rows.known(target)
        if len(known) < len(rows):
            with_unknown, without = (model.fit(r, target).quantiles(rows) for r in (rows, known))
            _require(np.array_equal(with_unknown, without), f"{target}: rows without an outcome changed the fit")
            return
    raise AssertionError("the rows must hold some unknown outcomes")


def _check_tape_weights(model: ImpactModel, rows: Rows) -> None:
    """Copies of one tape's rows, moved far from the others, must not give that tape more weight."""
    target = TARGETS[0]
    known = rows.known(target)
    mine = known.tape == known.tape[0]
    _require(not mine.all(), "the rows must be of two tapes or more")
    moved = known.outcomes + 6.0 * known.scale_bps(target)[:, None] * mine[:, None]
    known = replace(known, outcomes=moved)
    many = concatenate([known] + [known.take(mine)] * (_COPIES - 1))
    probes = rows.take(_probes(rows))
    once, copied = (model.fit(r, target).quantiles(probes) for r in (known, many))
    distance = np.abs(copied - once).mean(axis=1) / probes.scale_bps(target)
    _require(
        float(np.median(distance)) <= _WEIGHT_TOLERANCE,
        f"{target}: tapes must weigh the same however many rows they have; copies of one tape moved the quantiles by "
        f"{np.median(distance):.2f} noise scales",
    )


def _check_scale(model: ImpactModel, rows: Rows, target: str, fitted: FittedImpact) -> None:
    scaled = replace(
        rows,
        outcomes=_SCALE * rows.outcomes,
        volatility=_SCALE * rows.volatility,
        spread_bps=_SCALE * rows.spread_bps,
    )
    expected, found = _SCALE * fitted.quantiles(rows), model.fit(scaled, target).quantiles(scaled)
    near = np.allclose(found, expected, rtol=_SCALE_TOLERANCE, atol=_SCALE_TOLERANCE)
    _require(near, f"{target}: quantiles do not grow in proportion to what is measured in bps")


def _probes(rows: Rows) -> np.ndarray:
    return np.linspace(0, len(rows) - 1, PROBES).astype(np.int64)


def _copy(rows: Rows) -> Rows:
    return replace(rows, **{f.name: getattr(rows, f.name).copy() for f in fields(rows) if f.name != "x_names"})


def _same(left: Rows, right: Rows) -> bool:
    return all(
        np.array_equal(getattr(left, f.name), getattr(right, f.name), equal_nan=f.name in ("x", "outcomes"))
        for f in fields(left)
        if f.name != "x_names"
    )
