"""Every acceptance bar, measured by running the product: `python -m scorecard [--issue N] [--only NAME]`."""
