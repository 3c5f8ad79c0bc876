"""Plans of the three execution styles: conventions about pace, not about cost.

aggressive  crosses the spread, 30 % of all volume, at most half the balanced horizon
balanced    follows volume over the horizon that was asked for, half of it resting
passive     rests, 5 % of all volume, at least twice the balanced horizon

What a style costs comes from the fitted model at that style's horizon and size of slice and, for what rests, from the
passive-fill estimates of the tape (`passive_fill.py`); no cost is multiplied by a constant.
"""

from __future__ import annotations

from footprint.market.orders import Plan, Style

AGGRESSIVE_PARTICIPATION = 0.30
PASSIVE_PARTICIPATION = 0.05
MIN_HORIZON_S = 5.0
_AGGRESSION = {Style.AGGRESSIVE: 1.0, Style.BALANCED: 0.5, Style.PASSIVE: 0.0}


def style_plan(
    style: Style, quantity: float, horizon_s: float, volume_per_s: float, child_quantity: float, venue: str = ""
) -> Plan:
    """The plan of one style for an order.

    Args:
        quantity: to be done, in the instrument's unit.
        horizon_s: of the balanced plan.
        volume_per_s: the market's current volume without the order, quantity per second, positive.
        child_quantity: usual size of one market order here, positive.
    """
    if style is Style.AGGRESSIVE:
        horizon_s = min(0.5 * horizon_s, horizon_at(AGGRESSIVE_PARTICIPATION, quantity, volume_per_s))
    elif style is Style.PASSIVE:
        horizon_s = max(2.0 * horizon_s, horizon_at(PASSIVE_PARTICIPATION, quantity, volume_per_s))
    horizon_s = max(horizon_s, MIN_HORIZON_S)
    return Plan(
        style=style,
        horizon_s=horizon_s,
        participation=quantity / (quantity + volume_per_s * horizon_s),
        children=max(1.0, round(quantity / child_quantity)),
        aggression=_AGGRESSION[style],
        venues=(venue,) if venue else (),
    )


def horizon_at(participation: float, quantity: float, volume_per_s: float) -> float:
    """Seconds in which `quantity` is that share of all volume, its own included.

    >>> horizon_at(0.5, 100.0, 10.0)
    10.0
    """
    return quantity * (1.0 - participation) / (participation * volume_per_s)
