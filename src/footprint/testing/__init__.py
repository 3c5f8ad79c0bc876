"""Checks that anyone can run on their own feature or model."""

from footprint.testing.check_feature import check_feature
from footprint.testing.check_impact_model import check_impact_model

__all__ = ["check_feature", "check_impact_model"]
