"""How good one day of events is: measured the same way for every format."""
