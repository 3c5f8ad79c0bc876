"""The forecast record: made before the order, remade while it works, scored afterwards. One immutable value."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from footprint.errors import ModelError

VERSION = "forecast-record-2"


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
        parent_record_id: the record that this one remakes; None at arrival.
        elapsed_s: seconds since arrival.
        cost_so_far_bps, move_so_far_bps: of the fills and of the mid against the arrival mid; None at arrival.
        others_flow: net flow of everyone else since arrival as a share of their volume, positive with the order.
        remaining_quantiles_bps, remaining_cost_bps: cost of the rest against the mid now, quantiles and mean.
        permanent_paid_bps: lasting part of the expected impact of what is done, 0 at arrival.
        temporary_to_decay_bps: part that goes back within ten minutes of the end (negative: the price goes on); at
            arrival of the impact expected at the order's end, in flight of what is done and still in the price now.
        decay_half_life_s: until half of it is gone, from the end at arrival, from now in flight.
        path_end_bps, path_end_sd_bps: move of the mid from now to the end of the order, mean and deviation.
        path_e_value: evidence that the path has left the records that this one remakes; 20 is an alarm at 5 %.
        path_alarm: "none", "adverse" or "favourable", once raised it stays; None without a parent record and a path.
        uncertainty_model_bps, uncertainty_market_bps, uncertainty_execution_bps: deviations of slippage because the
            model is uncertain, the market moves, and the fills are not known.
        regime, regime_probabilities: market state now and the probability of each.
        confidence: "high", "medium", "low" or "none"; `reasons` say why.
    """

    id: str
    parent_id: str
    parent_record_id: str | None
    as_of_ns: int
    instrument: str
    side: str
    quantity: float
    filled: float
    elapsed_s: float
    cost_so_far_bps: float | None
    move_so_far_bps: float | None
    others_flow: float | None
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
    remaining_quantiles_bps: tuple[float, ...] | None
    remaining_cost_bps: float | None
    permanent_paid_bps: float | None
    temporary_to_decay_bps: float | None
    decay_half_life_s: float | None
    path_end_bps: float | None
    path_end_sd_bps: float | None
    path_e_value: float | None
    path_alarm: str | None
    uncertainty_model_bps: float | None
    uncertainty_market_bps: float | None
    uncertainty_execution_bps: float | None
    regime: str | None
    regime_probabilities: dict[str, float] | None
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
        """The record that `to_json` wrote.

        Raises:
            ModelError: not such a text, or of another version: what an older record did not say cannot be made up.
        """
        try:
            raw: Any = json.loads(text)
        except ValueError as error:
            raise ModelError(f"not a forecast record: {error}") from None
        version = raw.get("version") if isinstance(raw, dict) else None
        if version != VERSION:
            raise ModelError(f"a forecast record of version {version!r} cannot be read, allowed: {VERSION}")
        wrong = {f.name for f in fields(cls)} ^ raw.keys()
        if wrong:
            raise ModelError(f"a forecast record with missing or unknown fields: {', '.join(sorted(wrong))}")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return cls(**values)


def inputs_hash(features: np.ndarray, *parts: object) -> str:
    """SHA-256 of the feature values bit by bit and of the other inputs by their exact text.

    Args:
        features: float64, shape (p,); every nan counts as the same.
        parts: frozen values whose `repr` is exact (numbers, text, tuples and dataclasses of them).
    """
    digest = hashlib.sha256(np.where(np.isnan(features), np.nan, features).tobytes())
    digest.update(repr(parts).encode())
    return digest.hexdigest()
