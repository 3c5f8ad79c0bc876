"""`footprint fit` as a service: tapes -> metaorders and features -> fitted, mixed, calibrated, stored models."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from footprint import __version__
from footprint.app.files import replacing_folder
from footprint.app.progress import ProgressDisplay
from footprint.data import formats
from footprint.data.verdict import counted
from footprint.errors import ModelError
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.forecaster import Forecaster, fit_forecaster
from footprint.impact.linear_mean import MIN_ROWS
from footprint.impact.store import MODEL_FILES, save
from footprint.impact.training import TapeRows, tape_rows
from footprint.units import NS_PER_SECOND


def run(paths: Sequence[str | Path], out: Path, *, seed: int, as_json: bool, progress: ProgressDisplay) -> Forecaster:
    """Fit on every tape of the files and store the result.

    Raises:
        ModelError: too few orders with a known spread, volatility and volume.
    """
    protocol = Protocol()
    protocol = replace(protocol, seed=protocol.seed + seed)
    with replacing_folder(out, MODEL_FILES) as folder:
        with progress.step("audit"):
            verdicts = formats.audit(paths)
        sessions = progress.track(formats.sessions(paths, verdicts=verdicts), "reading sessions")
        forecaster = fit(list(tape_rows(sessions, protocol)), protocol, progress)
        save(forecaster, folder)
    _print(forecaster, out, as_json)
    return forecaster


def fit(tapes: Sequence[TapeRows], protocol: Protocol, progress: ProgressDisplay) -> Forecaster:
    """Fit on the tapes that gave orders; today is the calibration date."""
    usable = [t for t in tapes if len(t.arrival) and len(t.in_flight)]
    orders = sum(int(np.isfinite(t.arrival.outcomes).all(axis=1).sum()) for t in usable)
    if orders < MIN_ROWS:
        raise ModelError(f"the tapes hold {orders} orders to learn from, allowed: at least {MIN_ROWS} (quotes needed)")
    today = datetime.now(UTC).date().isoformat()
    return fit_forecaster(
        usable,
        today,
        __version__,
        protocol.seed,
        len(os.sched_getaffinity(0)),
        lambda fits, total: progress.track(fits, "fitting models", total),
    )


def _print(forecaster: Forecaster, out: Path, as_json: bool) -> None:
    card = forecaster.card
    if as_json:
        print(json.dumps({"model": str(out), **asdict(card)}))
        return
    first, last = (
        datetime.fromtimestamp(ns / NS_PER_SECOND, UTC).date() for ns in (card.training_start_ns, card.training_end_ns)
    )
    print(f"stored {card.model_id} {card.model_version} in {out}, calibrated on {card.calibrated_on}")
    symbols = counted(len(card.symbols), "symbols")
    print(f"training: {card.orders} orders of {symbols}, {first} to {last}, {card.feature_version}")
    for symbol, (sessions, orders) in sorted(card.symbols.items()):
        print(f"  {symbol}: {orders} orders of {counted(sessions, 'sessions')}")
