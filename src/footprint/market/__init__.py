"""Vocabulary: events, instruments, orders. Frozen values without behaviour; numpy is the only dependency."""
