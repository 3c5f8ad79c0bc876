"""The model's columns (`impact/rows.py`) in words that a trader reads; `log` says that the value is a logarithm."""

from __future__ import annotations

COLUMN_WORDS = {
    "log_participation": "size to a usual day's volume, log",
    "log_horizon": "planned seconds, log",
    "log_children": "number of child orders, log",
    "log_pace": "pace to the market's, 30 min, log",
    "log_pace_5m": "pace to the market's, 5 min, log",
    "log_child_rate": "rate of child orders to that of trades, log",
    "log_child_size": "child order to a typical trade, log",
    "log_size_to_touch": "size to the size at the touch, log",
    "log_size_to_depth_10bps": "size to the depth within 10 bps, log",
    "log_volatility": "volatility now, log",
    "volatility_1m_to_30m": "volatility of 1 min to 30 min, log",
    "volatility_5m_to_30m": "volatility of 5 min to 30 min, log",
    "volatility_session_to_30m": "volatility of the session to 30 min, log",
    "volatility_previous_to_30m": "volatility of previous sessions to 30 min, log",
    "log_spread_to_volatility": "spread to volatility, log",
    "spread_to_noise": "spread to the market's noise over the order",
    "spread_to_usual": "spread to its 5-minute mean, log",
    "activity_5m_to_30m": "trades of 5 min to 30 min, log",
    "volume_1m_to_30m": "volume of 1 min to 30 min, log",
    "day_fraction": "share of the session gone",
    "volume_curve": "usual volume at this time of day",
    "volatility_curve": "usual volatility at this time of day",
    "log_since_large_trade": "seconds since a large trade, log",
    "signed_imbalance_touch": "book imbalance at the touch, in the order's direction",
    "signed_imbalance_touch_1m": "book imbalance at the touch, 1 min, in the order's direction",
    "signed_imbalance_depth_5": "book imbalance of 5 levels, in the order's direction",
    "signed_trade_imbalance_1m": "trade imbalance of 1 min, in the order's direction",
    "signed_trade_imbalance_5m": "trade imbalance of 5 min, in the order's direction",
    "signed_trade_imbalance_30m": "trade imbalance of 30 min, in the order's direction",
    "signed_return_1m": "price move of 1 min, in the order's direction",
    "signed_return_5m": "price move of 5 min, in the order's direction",
    "signed_return_30m": "price move of 30 min, in the order's direction",
    "signed_order_flow_1m": "order flow imbalance of 1 min, in the order's direction",
    "signed_order_flow_5m": "order flow imbalance of 5 min, in the order's direction",
    "signed_run": "run of trades of one sign, in the order's direction",
    "sign_autocorrelation_1": "autocorrelation of trade signs, lag 1",
    "sign_autocorrelation_10": "autocorrelation of trade signs, lag 10",
    "trade_through_rate": "share of prints beyond the best price",
    "log_quote_revisions": "moves of a best price a second, log",
    "markout_10s_to_spread": "price move 10 s after trades, in spreads",
    "markout_60s_to_spread": "price move 60 s after trades, in spreads",
    "vpin": "VPIN, imbalance of volume buckets",
    "log_spread_half_life": "seconds in which the spread recovers, log",
    "filled_fraction": "share of the order done",
    "log_elapsed_to_horizon": "time gone to time left, log",
    "realised_move": "price move since arrival, in the order's direction",
    "realised_cost": "cost of the fills so far, to the market's noise",
}


def in_words(column: str) -> str:
    """Plain words of a column; its own name where there are none."""
    return COLUMN_WORDS.get(column, column)
