"""Random messages give the same books, queues and fills as the plain-Python twins."""

import pytest
from reference_books import compare_levels, compare_matching, compare_orders

MESSAGES = 100_000
MANY = 10_000_000


@pytest.mark.parametrize(
    ("compare", "at_least"), [(compare_orders, 300), (compare_levels, 100), (compare_matching, 10_000)]
)
def test_a_hundred_thousand_messages_without_a_difference(compare, at_least):
    differences, occupied = compare(20240809, MESSAGES)
    assert differences == 0
    assert occupied > at_least


@pytest.mark.nightly
@pytest.mark.parametrize("compare", [compare_orders, compare_levels, compare_matching])
def test_ten_million_messages_without_a_difference(compare):
    assert compare(20240808, MANY)[0] == 0
