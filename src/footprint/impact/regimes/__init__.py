"""Market regimes: hidden states found without labels, filtered online, and what they change in the forecast."""
