"""Lists of names as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 3


def first_of(names: Sequence[str]) -> str:
    """The names, the first MOST_NAMED of many.

    >>> first_of(["A", "B", "C", "D", "E"])
    'A, B, C and 2 more'
    """
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
