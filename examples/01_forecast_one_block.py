"""Forecast one block from Python: a tape, what was known at the decision, a calibrated baseline, three styles.

The tape is planted here so that the example needs no data. With files of your own:

    from footprint.data import formats
    sessions = formats.sessions(["path/to/files"], symbol="BAC")
"""

from __future__ import annotations

import numpy as np

from footprint import __version__
from footprint.app.history import read_history
from footprint.data.planted import PlantedLaw
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import fit_baseline
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.styles import style_plan
from footprint.market.orders import ParentOrder, Style
from footprint.units import BUY, NS_PER_HOUR

QUANTITY = 5_000.0
HORIZON_S = 600.0


def main() -> None:
    sessions = list(planted_sessions(PlantedLaw(), 3, np.random.default_rng(7)))
    decision_ns = sessions[-1].close_ns - 2 * NS_PER_HOUR

    # nothing at or after the decision is read: neither by the features nor by the model's calibration
    history = read_history(sessions, decision_ns, Protocol())
    market = history.market
    forecaster = fit_baseline(history.tapes, str(history.last.session.day), __version__, Protocol().seed)

    order = ParentOrder("EXAMPLE-1", history.instrument.symbol, BUY, QUANTITY, decision_ns)
    pace, child = market.feature("volume_per_s_30m"), market.feature("typical_trade")
    print(f"buy {QUANTITY:,.0f} {order.symbol} at mid {market.mid:.2f}, costs in bps, positive hurts")
    columns = ("temporary", "permanent", "slippage", "5 %", "50 %", "95 %")
    print("style     " + "".join(f"{name:>11}" for name in columns) + "  P(> 10 bps)  confidence")
    for style in Style:
        plan = style_plan(style, QUANTITY, HORIZON_S, pace, child)
        print(row(forecast(forecaster, ImpactRequest(order, plan, market))))


def row(record: ForecastRecord) -> str:
    quantiles = record.slippage_quantiles_bps
    if quantiles is None:
        return f"{record.style:<10}  N/A: {'; '.join(record.reasons)}"
    means = (record.temporary_cost_bps, record.permanent_cost_bps, record.slippage_bps)
    numbers = "".join(f"{cost:>11.2f}" for cost in (*means, quantiles[4], quantiles[49], quantiles[94]))
    return f"{record.style:<10}{numbers}{record.prob_exceed[0]:>13.1%}  {record.confidence}"


if __name__ == "__main__":
    main()
