"""Checks that anyone can run on their own feature, model, reader, table, store, executor or event log."""

from footprint.testing.check_event_log import check_event_log
from footprint.testing.check_executor import check_executor
from footprint.testing.check_feature import check_feature
from footprint.testing.check_feature_table import check_feature_table
from footprint.testing.check_impact_model import check_impact_model
from footprint.testing.check_model_store import check_model_store
from footprint.testing.check_reader import check_reader
from footprint.testing.check_recovery import check_recovery

__all__ = [
    "check_event_log",
    "check_executor",
    "check_feature",
    "check_feature_table",
    "check_impact_model",
    "check_model_store",
    "check_reader",
    "check_recovery",
]
