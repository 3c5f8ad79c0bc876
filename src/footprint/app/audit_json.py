"""An audit as plain values, for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from footprint.data.quality.day import Coverage, DayQuality


def quality_json(quality: DayQuality) -> dict[str, Any]:
    """Every figure of a day under its own name; nan is null, arrays are lists, spells are named columns.

    Of the bins of the coverage those are left out that hold no event and the `mid_share` of the bin before: most of
    a day of most instruments.
    """
    plain = {f.name: _plain(getattr(quality, f.name)) for f in fields(quality) if f.name != "coverage"}
    return plain | {"coverage": _coverage(quality.coverage)}


def _coverage(coverage: Coverage) -> dict[str, Any]:
    share = coverage.mid_share
    same = (share[1:] == share[:-1]) | (np.isnan(share[1:]) & np.isnan(share[:-1]))
    told = np.flatnonzero(np.append(True, ~same) | (coverage.events > 0))
    plain = {"start_ns": coverage.start_ns, "width_ns": coverage.width_ns, "bins": len(share), "bin": told}
    series = {"events": coverage.events, "prints": coverage.prints, "mid_share": share}
    return {name: _plain(value) for name, value in (plain | {n: v[told] for n, v in series.items()}).items()}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        if value.dtype.names:
            return {name: _plain(value[name]) for name in value.dtype.names}
        return [_plain(item) for item in value.tolist()]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Path | date):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    return value.value if isinstance(value, Enum) else value
