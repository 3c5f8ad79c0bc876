"""Checks that anyone can run on their own feature or model."""

from footprint.testing.check_feature import check_feature

__all__ = ["check_feature"]
