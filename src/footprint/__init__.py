"""Footprint forecasts what a block order will do to the market, as a probability distribution."""

__version__ = "0.1.0"
