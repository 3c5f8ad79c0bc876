"""The forecast record: made before the order, remade while it works, scored afterwards. One immutable value."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

VERSION = "forecast-record-1"


@dataclass(frozen=True, slots=True)
class ForecastRecord:
    """What Footprint says of one order worked in one way.

    Costs are positive when they hurt. A field that the data cannot support is None, with the reason in `reasons`; the
    means satisfy temporary + permanent = slippage to 1e-9, the quantiles need not add.

    Attributes:
        id: hash of the record's inputs; the same inputs and version give the same id and the same bytes.
        style: "aggressive", "balanced" or "passive".
        plan: style, horizon_s, participation, children, aggression, venues.
        features: value of every order-free feature known at `as_of_ns`, None where unknown.
        quantile_levels: 0.01 ... 0.99; the three quantile lists follow it.
        includes_market_move: True: the market's own move is inside the distribution.
        prob_exceed: P(slippage > threshold) for each of `thresholds_bps`.
        temporary_to_decay_bps: part of the move at the order's end that is expected to go back within ten minutes
            (negative: the price goes on), with its half-life in seconds where one can be read.
        confidence: "high", "medium", "low" or "none"; `reasons` say why.
    """

    id: str
    parent_id: str
    as_of_ns: int
    instrument: str
    side: str
    quantity: float
    filled: float
    style: str
    plan: dict[str, Any]
    feature_version: str
    features: dict[str, float | None]
    inputs_hash: str
    model_id: str
    model_version: str
    calibrated_on: str | None
    quantile_levels: tuple[float, ...]
    temporary_quantiles_bps: tuple[float, ...] | None
    permanent_quantiles_bps: tuple[float, ...] | None
    slippage_quantiles_bps: tuple[float, ...] | None
    temporary_cost_bps: float | None
    permanent_cost_bps: float | None
    slippage_bps: float | None
    includes_market_move: bool
    relaxation_horizon_s: float
    thresholds_bps: tuple[float, ...]
    prob_exceed: tuple[float | None, ...]
    var95_bps: float | None
    cvar95_bps: float | None
    temporary_to_decay_bps: float | None
    decay_half_life_s: float | None
    regime: str | None
    confidence: str
    reasons: tuple[str, ...]
    valid_until_ns: int
    version: str = VERSION

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and None, in a fixed order."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values}

    def to_json(self) -> str:
        """One line; equal records give equal bytes. Numbers are never nan or infinite."""
        return json.dumps(self.as_dict(), allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ForecastRecord:
        """The record that `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        for key, value in raw.items():
            raw[key] = tuple(value) if isinstance(value, list) else value
        return cls(**raw)


def inputs_hash(features: np.ndarray, *parts: object) -> str:
    """SHA-256 of the feature values bit by bit and of the other inputs by their exact text.

    Args:
        features: float64, shape (p,); every nan counts as the same.
        parts: frozen values whose `repr` is exact (numbers, text, tuples and dataclasses of them).
    """
    digest = hashlib.sha256(np.where(np.isnan(features), np.nan, features).tobytes())
    digest.update(repr(parts).encode())
    return digest.hexdigest()
