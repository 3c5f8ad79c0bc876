"""`footprint frontier --orders FILE --portfolio`: what the orders of a file cost together."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from footprint.app.frontier_batch import Answered, Pasts, SymbolPast, answer, as_dict, read_orders
from footprint.app.order_in_flight import bps_text
from footprint.app.progress import ProgressDisplay
from footprint.errors import UsageError
from footprint.impact.forecast import request_rows
from footprint.impact.portfolio import PortfolioCost, PortfolioOrder, correlation_of, in_currency, portfolio
from footprint.impact.uncertainty import variance
from footprint.units import BPS, NS_PER_MINUTE, NS_PER_SECOND


def run(
    paths: Sequence[str],
    orders: Path,
    symbol: str | None,
    *,
    model: Path | None,
    at_ns: int | None,
    threshold_bps: float,
    cross_impact: bool,
    as_json: bool,
    progress: ProgressDisplay,
) -> PortfolioCost:
    """Cost the orders one by one and together; one that is refused or N/A refuses the whole, because a sum needs all.

    Raises:
        UsageError: an order without a number, several currencies, or too few common returns.
        ModelError, DataRefused: with the exit status of the command line.
    """
    pasts = Pasts(paths, model, at_ns, progress)
    found: list[Answered] = []
    for number, row in enumerate(progress.track(read_orders(orders), "orders"), 1):
        one = answer(row, number, symbol, pasts, threshold_bps)
        if isinstance(one, str):
            raise UsageError(f"--orders {orders}, row {number}: {one}; a portfolio needs every order")
        if one.record.slippage_bps is None:
            raise UsageError(f"--orders {orders}, row {number}: N/A, {one.record.reasons[0]}")
        found.append(one)
    _one_kind([one.past for one in found])
    names = [one.past.instrument.symbol for one in found]
    correlation = correlation_between([one.past for one in found])
    total = portfolio([_priced(one) for one in found], correlation, cross_impact)
    if as_json:
        answers = [as_dict({"id": one.request.order.parent_id}, i, one) for i, one in enumerate(found, 1)]
        print(json.dumps({"orders": answers, "portfolio": _as_dict(total, found, correlation)}, allow_nan=False))
    else:
        _print(total, found, names, correlation)
    return total


def correlation_between(pasts: Sequence[SymbolPast]) -> np.ndarray:
    """Correlation of one-minute returns of the mids in the last sessions, where they overlap; by order, shape (n, n).

    Raises:
        UsageError: too few common minutes.
    """
    distinct = {past.instrument.symbol: past for past in pasts}
    if len(distinct) == 1:
        return np.ones((len(pasts), len(pasts)))
    start = max(int(p.tape.mid_time_ns[0]) if len(p.tape.mid_time_ns) else p.market.as_of_ns for p in distinct.values())
    end = min(p.market.as_of_ns for p in distinct.values())
    grid = np.arange(start, end, NS_PER_MINUTE)
    found = correlation_of(np.array([p.tape.mid_at(grid) for p in distinct.values()]).reshape(len(distinct), -1))
    places = [list(distinct).index(past.instrument.symbol) for past in pasts]
    return np.asarray(found[np.ix_(places, places)])


def _one_kind(pasts: Sequence[SymbolPast]) -> None:
    currencies = sorted({past.instrument.currency for past in pasts})
    if len(currencies) > 1:
        raise UsageError(f"a portfolio in {', '.join(currencies)}, allowed: one currency")
    inverse = sorted({past.instrument.symbol for past in pasts if past.instrument.inverse})
    if inverse:
        raise UsageError(f"a portfolio with inverse contracts ({', '.join(inverse)}), allowed: linear ones")


def _priced(one: Answered) -> PortfolioOrder:
    record, past, order = one.record, one.past, one.request.order
    rows = request_rows(one.request)
    price = past.market.mid * past.instrument.multiplier
    sd_bps = math.sqrt(float(variance(np.array(record.slippage_quantiles_bps))))
    assert record.slippage_bps is not None  # asked by the caller
    half_spread_bps = 0.5 * float(rows.spread_bps[0]) * one.request.plan.aggression
    day_volume = float(rows.quantity[0] / rows.participation[0])
    return PortfolioOrder(
        symbol=order.symbol,
        side=order.side,
        notional=order.quantity * price,
        horizon_s=one.request.plan.horizon_s,
        mean_bps=record.slippage_bps,
        sd_bps=sd_bps,
        impact_bps=max(record.slippage_bps - half_spread_bps, 0.0),
        market_sd_bps=min(record.uncertainty_market_bps or 0.0, sd_bps),
        day_risk=float(rows.volatility_day_bps[0]) / BPS * day_volume * price,
    )


def _as_dict(total: PortfolioCost, found: Sequence[Answered], correlation: np.ndarray) -> dict[str, Any]:
    return {
        "currency": found[0].past.instrument.currency,
        "notional": total.notional,
        "mean_bps": total.mean_bps,
        "mean": in_currency(total.mean_bps, total.notional),
        "sd_bps": total.sd_bps,
        "sd": in_currency(total.sd_bps, total.notional),
        "independent_sd_bps": total.independent_sd_bps,
        "cross_impact": total.cross_impact_bps is not None,
        "cross_impact_bps": total.cross_impact_bps,
        "order_mean_bps": total.order_mean_bps.tolist(),
        "risk_share": total.risk_share.tolist(),
        "correlation": correlation.tolist(),
    }


def _print(total: PortfolioCost, found: Sequence[Answered], names: Sequence[str], correlation: np.ndarray) -> None:
    from rich.table import Table

    from footprint.app.console import stdout_console

    console, past = stdout_console(), found[0].past
    moment = datetime.fromtimestamp(past.market.as_of_ns / NS_PER_SECOND, UTC).isoformat(timespec="milliseconds")
    table = Table("order", "symbol", "side", "quantity", "mean", "95 %", "share of risk", "confidence",
                  title=f"{len(found)} orders, as of {moment}; bps, positive is a cost")  # fmt: skip
    for one, mean_bps, share in zip(found, total.order_mean_bps.tolist(), total.risk_share.tolist(), strict=True):
        r = one.record
        high = bps_text(None if r.slippage_quantiles_bps is None else r.slippage_quantiles_bps[94])
        table.add_row(r.parent_id, r.instrument, r.side, f"{r.quantity:g}", bps_text(mean_bps), high, f"{share:.1%}",
                      r.confidence)  # fmt: skip
    console.print(table)
    money = past.instrument.currency
    console.print(
        f"together {total.notional:,.0f} {money}: mean {total.mean_bps:.2f} bps "
        f"({in_currency(total.mean_bps, total.notional):,.0f} {money}), deviation {total.sd_bps:.2f} bps "
        f"(uncorrelated it would be {total.independent_sd_bps:.2f})"
    )
    if total.cross_impact_bps is None:
        console.print("cross-impact: off; only the market's moves are correlated")
    else:
        console.print(
            f"cross-impact: {total.cross_impact_bps:+.2f} bps of the mean, a multivariate Kyle model with the measured "
            "correlations; modelled, not estimated"
        )
    pairs = [(i, j) for i in range(len(names)) for j in range(i) if names[i] != names[j]]
    if pairs:
        values = [correlation[i, j] for i, j in pairs]
        console.print(f"correlation of one-minute returns: {min(values):.2f} to {max(values):.2f}")
