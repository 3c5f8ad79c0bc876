"""The embedded event log keeps the public contract, and the contract catches logs that break it."""

from __future__ import annotations

from functools import partial

import pytest

from footprint.data.event_log.segmented import SegmentedLog, SegmentedReader
from footprint.testing.check_event_log import check_event_log


@pytest.mark.parametrize("segment_bytes", [1, 6_000, 64 << 20])
@pytest.mark.parametrize("sync", [False, True])
def test_segmented_log_keeps_the_contract(tmp_path, segment_bytes, sync):
    writer = partial(SegmentedLog, tmp_path, segment_bytes=segment_bytes, sync=sync)
    check_event_log(writer, partial(SegmentedReader, tmp_path, sync=sync))


class CountsFromOne(SegmentedLog):
    def append(self, record):
        return super().append(record) + 1


class Delays(SegmentedLog):
    """Acknowledges the last record before it is written."""

    held = b""

    def append(self, record):
        self.held, before = record, self.held
        return super().append(before) if before else super().end()


class DropsEmpty(SegmentedLog):
    def append_many(self, records):
        return super().append_many([r for r in records if r])


class TruncatesLong(SegmentedLog):
    def append(self, record):
        return super().append(record[:500])


class ManyWriters(SegmentedLog):
    def __init__(self, folder, **options):
        (folder / "writer.lock").unlink(missing_ok=True)
        super().__init__(folder, **options)


class OneForAll(SegmentedLog):
    """All groups share one offset."""

    def commit(self, group, offset):
        super().commit("all" if group == "slow.one" else group, offset)


class TrimsAll(SegmentedLog):
    def trim(self, offset):
        return super().trim(self.end())


class ReadsBeyond(SegmentedReader):
    def read(self, offset, limit):
        return super().read(min(offset, self.end()), limit)


class ReadsTooMuch(SegmentedReader):
    def read(self, offset, limit):
        return super().read(offset, limit + 1)


class RemovedIsEmpty(SegmentedReader):
    def read(self, offset, limit):
        return [] if 0 <= offset < self.start() else super().read(offset, limit)


@pytest.mark.parametrize(
    ("writer", "reader", "complaint"),
    [
        (CountsFromOne, SegmentedReader, "without holes"),
        (Delays, SegmentedReader, "must see a record"),
        (DropsEmpty, SegmentedReader, "batch|nothing|come back|offset of its first"),
        (TruncatesLong, SegmentedReader, "as they were written"),
        (ManyWriters, SegmentedReader, "second writer"),
        (OneForAll, SegmentedReader, "must not share"),
        (TrimsAll, SegmentedReader, "trim must keep"),
        (SegmentedLog, ReadsBeyond, "beyond the end"),
        (SegmentedLog, ReadsTooMuch, "at most `limit`"),
        (SegmentedLog, RemovedIsEmpty, "OffsetGone"),
    ],
)
def test_broken_logs_are_caught(tmp_path, writer, reader, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_event_log(partial(writer, tmp_path, segment_bytes=6_000), partial(reader, tmp_path))
