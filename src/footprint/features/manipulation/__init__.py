"""Layering, spoofing, quote stuffing, momentum ignition: scores, the alarm on them, the episodes of a session."""
