"""How many sessions of one file are held at once, where a file holds more than memory should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

MAX_HELD_EVENTS = 1 << 23  # of 64 bytes; a single session may have more
# room behind the events of a group for what one record can make, so that a file which changes between the pass that
# counts and the pass that writes cannot make the second one write past the end
SLACK_EVENTS = 64


class _Sized(Protocol):
    @property
    def events(self) -> int: ...


Planned = TypeVar("Planned", bound=_Sized)


def held_together(plans: Sequence[Planned], limit: int = MAX_HELD_EVENTS) -> Iterator[list[Planned]]:
    """Consecutive sessions whose events are at most `limit` together; one that is larger comes alone.

    >>> from typing import NamedTuple
    >>> Plan = NamedTuple("Plan", [("events", int)])
    >>> [[plan.events for plan in group] for group in held_together([Plan(3), Plan(2), Plan(9), Plan(1)], 5)]
    [[3, 2], [9], [1]]
    """
    group: list[Planned] = []
    held = 0
    for plan in plans:
        if group and held + plan.events > limit:
            yield group
            group, held = [], 0
        group.append(plan)
        held += plan.events
    if group:
        yield group
