"""Fitted models on disk: structure in JSON, arrays in npz. No pickle, so a model file cannot run code."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from footprint.errors import ModelError
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact.almgren import Almgren2005
from footprint.impact.averaged import FittedAverage
from footprint.impact.bayesian_ridge import Design, FittedBayesianRidge
from footprint.impact.boosted_scale import FittedBoostedScale
from footprint.impact.boosting import FittedBoosting
from footprint.impact.calibration.conformal import FittedConformal
from footprint.impact.flight.relaxation import Relaxation
from footprint.impact.forecaster import Forecaster, ModelCard
from footprint.impact.istar import FittedIStar
from footprint.impact.linear import Linear
from footprint.impact.linear_mean import FittedLinearMean
from footprint.impact.logarithmic import Logarithmic
from footprint.impact.network import (
    FittedNetworks,
    LocationScaleHead,
    MonotoneHead,
    Network,
    NetworkInputs,
    NetworkMember,
)
from footprint.impact.obizhaeva_wang import ObizhaevaWang
from footprint.impact.pooled_law import Effects, FittedPooledLaw
from footprint.impact.power_law import PowerLaw
from footprint.impact.propagator import Propagator
from footprint.impact.random_forest import FittedRandomForest
from footprint.impact.regimes.hidden_states import HiddenStates
from footprint.impact.regimes.normal_scores import NormalScores
from footprint.impact.regimes.row_regimes import FittedRowRegimes
from footprint.impact.rows import VERSION as ROWS_VERSION
from footprint.impact.shaped_mean import FittedShapedMean
from footprint.impact.square_root import SquareRoot
from footprint.impact.stacking import FittedStack
from footprint.impact.training_range import TrainingRange
from footprint.impact.trees import Forest

FORMAT = "footprint-model-2"
MODEL_FILE, _ARRAYS = "model.json", "arrays.npz"
MODEL_FILES = (MODEL_FILE, _ARRAYS)
_TYPES: dict[str, type] = {
    t.__name__: t
    for t in (
        Almgren2005,
        Design,
        Effects,
        FittedAverage,
        FittedBayesianRidge,
        FittedBoostedScale,
        FittedBoosting,
        FittedConformal,
        FittedIStar,
        FittedLinearMean,
        FittedNetworks,
        FittedPooledLaw,
        FittedRandomForest,
        FittedRowRegimes,
        FittedShapedMean,
        FittedStack,
        Forecaster,
        Forest,
        HiddenStates,
        Linear,
        LocationScaleHead,
        Logarithmic,
        ModelCard,
        MonotoneHead,
        Network,
        NetworkInputs,
        NetworkMember,
        NormalScores,
        ObizhaevaWang,
        PowerLaw,
        Propagator,
        Relaxation,
        SquareRoot,
        TrainingRange,
    )
}


def save(forecaster: Forecaster, folder: Path) -> None:
    """Write into an existing folder; the caller makes the write atomic by moving the folder."""
    arrays: dict[str, np.ndarray] = {}
    structure = {"format": FORMAT, "model": _encode(forecaster, arrays)}
    np.savez(folder / _ARRAYS, **arrays)  # type: ignore[arg-type]
    (folder / MODEL_FILE).write_text(json.dumps(structure, indent=1))


def load(folder: Path) -> Forecaster:
    """Read a stored model.

    Raises:
        ModelError: the folder is missing, incomplete, damaged, or of another format version.
    """
    try:
        structure = json.loads((folder / MODEL_FILE).read_text())
        with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
            arrays = dict(stored)
        if not isinstance(structure, dict):
            raise ValueError("no model structure")
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"{folder} holds no readable model ({error}); make one with: footprint fit PATH --out DIR"
        ) from None
    if structure.get("format") != FORMAT:
        raise ModelError(
            f"{folder} has format {structure.get('format')!r}, this version reads {FORMAT!r}; fit it again"
        )
    try:
        model = _decode(structure["model"], arrays)
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder} is damaged ({error!r}); fit it again") from None
    if not isinstance(model, Forecaster):
        raise ModelError(f"{folder} does not hold a forecaster; fit it again")
    found, expected = (model.card.feature_version, model.card.rows_version), (FEATURE_VERSION, ROWS_VERSION)
    if found != expected:
        raise ModelError(f"{folder} was fitted on {' and '.join(found)}, this version makes {' and '.join(expected)}")
    return model


def _encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        if name not in _TYPES:
            raise ModelError(f"a model part of type {name} cannot be stored")
        return {"type": name, "fields": {f.name: _encode(getattr(value, f.name), arrays) for f in fields(value)}}
    if isinstance(value, np.ndarray):
        key = f"a{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if isinstance(value, tuple):
        return {"tuple": [_encode(v, arrays) for v in value]}
    if isinstance(value, dict):
        return {"map": {k: _encode(v, arrays) for k, v in value.items()}}
    return value.item() if isinstance(value, np.generic) else value


def _decode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    if "type" in value:
        return _TYPES[value["type"]](**{k: _decode(v, arrays) for k, v in value["fields"].items()})
    if "array" in value:
        return arrays[value["array"]]
    if "tuple" in value:
        return tuple(_decode(v, arrays) for v in value["tuple"])
    return {k: _decode(v, arrays) for k, v in value["map"].items()}
