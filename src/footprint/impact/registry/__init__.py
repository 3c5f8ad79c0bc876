"""Fitted models on record: what each run was, what it scored, which one is in use and who decided so."""
