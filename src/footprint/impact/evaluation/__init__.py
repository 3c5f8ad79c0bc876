"""How forecasts are judged: splits, protocol, scoring rules, the scoreboard."""
