"""Every rule of completeness, message by message."""

from __future__ import annotations

import pytest

from footprint.data.feeds.messages import BookMessage
from footprint.data.feeds.sequence import MAX_HELD, Sequencer, Step
from footprint.data.feeds.wire import Sequencing


def update(first: int, last: int, previous: int = -1) -> BookMessage:
    return BookMessage("X", 0, False, (), first, last, previous)


def snapshot(last: int) -> BookMessage:
    return BookMessage("X", 0, True, (), last_id=last)


def joined(rule: Sequencing, last: int) -> Sequencer:
    sequencer = Sequencer(rule)
    assert sequencer.snapshot(snapshot(last), requested=True) == []
    return sequencer


@pytest.mark.parametrize("rule", [Sequencing.RANGE, Sequencing.PREVIOUS, Sequencing.NEXT])
def test_a_hole_is_found_once_and_the_book_waits(rule: Sequencing) -> None:
    sequencer = joined(rule, 10)
    assert sequencer.update(update(11, 11, 10)) is Step.APPLY
    assert sequencer.update(update(14, 14, 13)) is Step.GAP
    assert not sequencer.joined
    expected = {Sequencing.RANGE: (11, 14, 2), Sequencing.NEXT: (11, 14, 2), Sequencing.PREVIOUS: (11, 13, -1)}
    assert tuple(sequencer.missing) == expected[rule]
    assert sequencer.update(update(15, 15, 14)) is Step.HELD
    assert sequencer.snapshot(snapshot(12), requested=True) is None  # 13 is still missing
    newer = sequencer.snapshot(snapshot(14), requested=True)
    assert newer is not None
    assert [m.last_id for m in newer] == [15]
    assert sequencer.update(update(16, 16, 15)) is Step.APPLY


@pytest.mark.parametrize("rule", [Sequencing.RANGE, Sequencing.PREVIOUS, Sequencing.NEXT])
def test_a_snapshot_may_be_older_or_newer_than_what_came(rule: Sequencing) -> None:
    sequencer = Sequencer(rule)
    for number in range(11, 16):
        assert sequencer.update(update(number, number, number - 1)) is Step.HELD
    newer = sequencer.snapshot(snapshot(13), requested=True)
    assert newer is not None
    assert [m.last_id for m in newer] == [14, 15]
    ahead = Sequencer(rule)
    assert ahead.update(update(11, 11, 10)) is Step.HELD
    assert ahead.snapshot(snapshot(13), requested=True) == []
    assert [ahead.update(update(n, n, n - 1)) for n in (12, 13, 14)] == [Step.OLD, Step.OLD, Step.APPLY]


def test_ranges_may_straddle_the_snapshot() -> None:
    sequencer = Sequencer(Sequencing.RANGE)
    assert sequencer.update(update(10, 20)) is Step.HELD
    newer = sequencer.snapshot(snapshot(15), requested=True)
    assert newer is not None
    assert len(newer) == 1


@pytest.mark.parametrize("rule", [Sequencing.RANGE, Sequencing.PREVIOUS, Sequencing.NEXT])
def test_twice_and_late_change_nothing(rule: Sequencing) -> None:
    sequencer = joined(rule, 10)
    assert sequencer.update(update(11, 11, 10)) is Step.APPLY
    assert sequencer.update(update(11, 11, 10)) is Step.DUPLICATE
    assert sequencer.update(update(10, 10, 9)) is Step.LATE
    assert sequencer.update(update(12, 12, 11)) is Step.APPLY


def test_a_message_that_repeats_its_own_id_as_previous_is_a_heartbeat() -> None:
    sequencer = joined(Sequencing.PREVIOUS, 10)
    assert sequencer.update(update(11, 11, 10)) is Step.APPLY
    assert sequencer.update(update(11, 11, 11)) is Step.OLD  # OKX sends it when nothing changed
    assert sequencer.update(update(12, 12, 11)) is Step.APPLY


def test_order_alone_shows_no_hole_but_notices_what_comes_late() -> None:
    sequencer = joined(Sequencing.ORDER, 10)
    assert sequencer.update(update(10, 10)) is Step.OLD
    assert sequencer.update(update(20, 20)) is Step.APPLY
    assert sequencer.update(update(20, 20)) is Step.APPLY  # several messages may carry one time
    assert sequencer.update(update(19, 19)) is Step.LATE
    assert not sequencer.joined


def test_requested_snapshots_are_not_needed_while_the_book_follows() -> None:
    sequencer = joined(Sequencing.RANGE, 10)
    assert sequencer.snapshot(snapshot(20), requested=True) is None
    assert sequencer.joined


def test_a_snapshot_of_the_stream_replaces_the_book_unless_it_is_old() -> None:
    sequencer = joined(Sequencing.NEXT, 10)
    assert sequencer.update(update(11, 11)) is Step.APPLY
    assert sequencer.snapshot(snapshot(11), requested=False) is None
    assert sequencer.snapshot(snapshot(20), requested=False) == []
    assert sequencer.update(update(21, 21)) is Step.APPLY


def test_without_ids_the_newest_snapshot_counts() -> None:
    sequencer = Sequencer(Sequencing.NONE)
    assert sequencer.update(update(-1, -1)) is Step.HELD
    assert sequencer.snapshot(snapshot(-1), requested=False) == []
    assert sequencer.update(update(-1, -1)) is Step.APPLY
    assert sequencer.snapshot(snapshot(-1), requested=False) == []


def test_what_is_held_is_bounded() -> None:
    sequencer = Sequencer(Sequencing.NEXT)
    for number in range(1, MAX_HELD + 10):
        sequencer.update(update(number, number))
    assert sequencer.snapshot(snapshot(2), requested=True) is None  # what would join it was let go
    newer = sequencer.snapshot(snapshot(9), requested=True)
    assert newer is not None
    assert len(newer) == MAX_HELD


def test_reset_forgets_the_stream() -> None:
    sequencer = joined(Sequencing.NEXT, 10)
    sequencer.reset()
    assert sequencer.update(update(3, 3)) is Step.HELD
    assert sequencer.snapshot(snapshot(2), requested=True) is not None
