"""The embedded event log: what lies on disk, what is repaired, what is refused, who may do what."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from zlib import crc32

import numpy as np
import pytest

from footprint.data.event_log import segmented, segments
from footprint.data.event_log.frames import HEADER, MAX_RECORD_BYTES, frame, frames, holds_whole_frame
from footprint.data.event_log.interface import LogDamaged, OffsetGone
from footprint.data.event_log.segmented import SegmentedLog, SegmentedReader
from footprint.data.event_log.segments import START, Segment
from footprint.errors import UsageError

RECORDS = [b"first", b"", b"third record", b"4", b"the fifth one"]


def written(folder, records=RECORDS, **options):
    log = SegmentedLog(folder, **options)
    for record in records:
        log.append(record)
    log.close()
    return sorted(folder.glob("*.log"))


def everything(folder):
    reader = SegmentedReader(folder)
    try:
        return reader.read(reader.start(), 10_000)
    finally:
        reader.close()


def test_bytes_on_disk_are_as_documented(tmp_path):
    (path,) = written(tmp_path, [b"abc"])
    header = b"\x03\0\0\0" + crc32(b"abc").to_bytes(4, "little")
    check = (3 ^ crc32(b"abc") ^ 0x46505231).to_bytes(4, "little")
    assert path.name == "00000000000000000000.log"
    assert path.read_bytes() == b"FPLOG\0\0\1" + bytes(8) + header + check + b"abc"


def test_frames_of_many_are_those_of_each():
    assert b"".join(frames(RECORDS)) == b"".join(map(frame, RECORDS))


def test_log_cut_anywhere_gives_the_whole_records_before_the_cut(tmp_path):
    (path,) = written(tmp_path)
    data = path.read_bytes()
    ends = START.size + np.cumsum([HEADER.size + len(r) for r in RECORDS])
    for size in range(START.size, len(data)):
        for leftover in tmp_path.glob("*.torn"):
            leftover.unlink()
        path.write_bytes(data[:size])
        whole = int((ends <= size).sum())
        at = int(ends[whole - 1]) if whole else START.size
        reader = SegmentedReader(tmp_path)  # a reader never repairs
        assert reader.read(0, 99) == RECORDS[:whole]
        assert path.stat().st_size == size
        log = SegmentedLog(tmp_path)
        assert log.end() == whole
        assert bool(log.repaired) == (size > at)
        if log.repaired:
            assert f"{size - at} bytes" in log.repaired
            assert f"at byte {at}" in log.repaired
            assert (tmp_path / f"{path.stem}.{at}.torn").read_bytes() == data[at:size]
        assert log.append(b"next") == whole
        log.close()
        assert reader.read(0, 99) == everything(tmp_path) == [*RECORDS[:whole], b"next"]
        reader.close()


def test_any_flipped_bit_is_an_error_or_cuts_off_the_last_record(tmp_path):
    (path,) = written(tmp_path)
    data = path.read_bytes()
    ends = START.size + np.cumsum([HEADER.size + len(r) for r in RECORDS])
    last = ends[-2]
    for byte in range(len(data)):
        flipped = bytearray(data)
        flipped[byte] ^= 1 << byte % 8
        path.write_bytes(flipped)
        if byte >= last:
            log = SegmentedLog(tmp_path)
            assert log.repaired
            assert log.read(0, 99) == RECORDS[:-1]
            log.close()
            continue
        with pytest.raises(LogDamaged, match=f"{path.name}.*byte"):
            SegmentedLog(tmp_path)
        assert path.read_bytes() == flipped  # evidence is left as it is
        if byte >= START.size:
            damaged = int((ends <= byte).sum())
            reader = SegmentedReader(tmp_path)
            assert damaged == 0 or reader.read(0, 99) == RECORDS[:damaged]
            with pytest.raises(LogDamaged, match=f"record {damaged} at byte"):
                reader.read(damaged, 1)
            reader.close()


def test_error_names_segment_and_byte(tmp_path):
    (path,) = written(tmp_path)
    data = bytearray(path.read_bytes())
    at = START.size + HEADER.size + len(b"first") + HEADER.size  # where the third record's header begins
    data[at + HEADER.size] ^= 255
    path.write_bytes(data)
    with pytest.raises(LogDamaged) as caught:
        SegmentedLog(tmp_path)
    assert str(caught.value).startswith(f"{path}: record 2 at byte {at} cannot be read")


@pytest.mark.parametrize("tail", [bytes(5_000), b"\xff" * 5_000, bytes(range(256)) * 20])
def test_blocks_that_never_reached_the_disk_are_cut_off(tmp_path, tail):
    """After a loss of power a file can be longer than what was written."""
    (path,) = written(tmp_path)
    with path.open("ab") as file:
        file.write(tail)
    log = SegmentedLog(tmp_path)
    assert "5000 bytes" in log.repaired or "5120 bytes" in log.repaired
    assert log.read(0, 99) == RECORDS
    log.close()


def test_a_torn_record_that_contains_records_is_still_torn(tmp_path):
    """What is inside an unfinished record must not pass for records after a damaged one."""
    inner = b"".join(frames(RECORDS))
    (path,) = written(tmp_path, [b"a", inner + b"rest"])
    path.write_bytes(path.read_bytes()[:-2])
    log = SegmentedLog(tmp_path)
    assert log.repaired
    assert log.read(0, 9) == [b"a"]
    log.close()


def test_whole_frames_are_found_at_any_byte():
    for shift in range(9):
        assert holds_whole_frame(b"\x01" * shift + frame(b"abc"), 0)
        assert not holds_whole_frame(b"\x01" * shift + frame(b"abc")[:-1], 0)
    assert not holds_whole_frame(frame(b"abc"), 1)
    assert not holds_whole_frame(b"", 1)


def test_segments_are_bounded_and_follow_each_other(tmp_path):
    records = [bytes([i]) * 100 for i in range(100)]
    paths = written(tmp_path, records, segment_bytes=1_000)
    assert len(paths) > 10
    assert all(path.stat().st_size <= 1_000 for path in paths)
    assert everything(tmp_path) == records
    offsets = [int(path.stem) for path in paths]
    assert offsets[:3] == [0, 8, 16]
    reader = SegmentedReader(tmp_path)
    for i in np.random.default_rng(0).permutation(100):
        assert reader.read(int(i), 3) == records[i : i + 3]
    reader.close()


def test_records_longer_than_every_buffer_come_back(tmp_path):
    rng = np.random.default_rng(0)
    records = [rng.bytes(n) for n in (3 << 20, 10, 200_000, 0, 1 << 20, 70_000)]
    written(tmp_path, records, segment_bytes=1 << 20)
    assert everything(tmp_path) == records
    log = SegmentedLog(tmp_path)
    assert (log.end(), log.repaired) == (6, "")
    with pytest.raises(UsageError, match="allowed: at most 16777216"):
        log.append(bytes(MAX_RECORD_BYTES + 1))
    assert log.append_many([bytes(MAX_RECORD_BYTES)]) == 6
    log.close()
    assert len(everything(tmp_path)[6]) == MAX_RECORD_BYTES


def test_index_is_used_when_it_fits_and_made_again_when_not(tmp_path, monkeypatch):
    records = [i.to_bytes(4, "little") * 250 for i in range(600)]
    written(tmp_path, records, segment_bytes=300_000)
    index = tmp_path / "00000000000000000000.index"
    looked = []
    monkeypatch.setattr(Segment, "look", lambda self, look=Segment.look: (looked.append(self.next_offset), look(self)))
    assert everything(tmp_path) == records
    assert 0 not in looked  # the full first segment was known from its index
    good = index.read_bytes()
    for bad in (b"", good[:-1], good[:-5] + bytes([good[-5] ^ 1]) + good[-4:], bytes(len(good))):
        index.write_bytes(bad)
        looked.clear()
        assert everything(tmp_path) == records
        assert 0 in looked


def test_records_lost_in_the_middle_are_an_error(tmp_path):
    records = [bytes([i]) * 100 for i in range(40)]
    paths = written(tmp_path, records, segment_bytes=1_000)
    for victim in (paths[2], paths[2].with_suffix(".index")):
        victim.unlink(missing_ok=True)
    reader = SegmentedReader(tmp_path)
    assert reader.read(0, 99) == records[:16]
    with pytest.raises(LogDamaged, match=r"record 16 .*records missing before the next segment"):
        reader.read(16, 1)
    paths[0].write_bytes(paths[0].read_bytes()[:-10])  # the end of a full segment
    reader.close()
    reader = SegmentedReader(tmp_path)
    assert reader.read(0, 99) == records[:7]
    with pytest.raises(LogDamaged, match="record 7 "):
        reader.read(7, 1)
    reader.close()


def test_retention_removes_whole_segments_and_their_index(tmp_path):
    log = SegmentedLog(tmp_path, segment_bytes=1_000)
    log.append_many([b"x" * 500])
    for i in range(30):
        log.append(bytes([i]) * 100)
    reader = SegmentedReader(tmp_path)
    assert reader.read(0, 2) == [b"x" * 500, bytes([0]) * 100]
    start = log.trim(20)
    assert 12 < start <= 20
    assert (
        min(int(p.stem) for p in tmp_path.glob("*.log")) == min(int(p.stem) for p in tmp_path.glob("*.index")) == start
    )
    with pytest.raises(OffsetGone, match=f"record 0 was removed, allowed: {start} and later"):
        reader.read(0, 1)
    assert reader.read(start, 1) == [bytes([start - 1]) * 100]
    reader.close()
    log.close()


def test_idle_reader_finds_its_way_when_its_segments_are_gone(tmp_path):
    log = SegmentedLog(tmp_path, segment_bytes=1_000)
    log.append(b"a")
    reader = SegmentedReader(tmp_path)
    assert reader.end() == 1
    for i in range(50):
        log.append(bytes([i]) * 300)
    log.trim(log.end())
    assert reader.end() == 51
    assert reader.read(50, 5) == [bytes([49]) * 300]
    reader.close()
    log.close()


def test_failed_write_leaves_no_trace(tmp_path):
    """The disk is full in the middle of a batch: none of it is in the log, and the log goes on."""
    code = """
import resource, sys
from footprint.data.event_log.segmented import SegmentedLog
log = SegmentedLog(sys.argv[1])
log.append(b"kept")
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
try:
    log.append_many([b"x" * 100] * 100)
except OSError as error:
    print(error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(log.end(), log.append(b"after"), log.read(0, 9))
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "27\n1 1 [b'kept', b'after']\n"
    assert everything(tmp_path) == [b"kept", b"after"]


def test_interrupted_write_leaves_no_trace(tmp_path, monkeypatch):
    log = SegmentedLog(tmp_path, sync=True)
    log.append(b"kept")

    def interrupted(handle):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(segmented.os, "fdatasync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.append(b"half")
    assert log.append(b"after") == 1
    log.close()
    assert everything(tmp_path) == [b"kept", b"after"]


def test_kernel_that_writes_in_pieces_is_followed(tmp_path, monkeypatch):
    log = SegmentedLog(tmp_path)
    write = segmented.os.write
    with monkeypatch.context() as patch:
        patch.setattr(segmented.os, "write", lambda handle, data: write(handle, data[:7]))
        log.append_many(RECORDS)
    log.close()
    assert everything(tmp_path) == RECORDS


@pytest.mark.parametrize(("sync", "flushes"), [(False, 0), (True, 4)])
def test_sync_flushes_once_a_call(tmp_path, monkeypatch, sync, flushes):
    flushed = []
    log = SegmentedLog(tmp_path, sync=sync)
    monkeypatch.setattr(segmented.os, "fdatasync", flushed.append)
    for record in RECORDS[:3]:
        log.append(record)
    log.append_many(RECORDS[3:])
    assert len(flushed) == flushes
    log.close()


def test_another_process_follows_a_live_log(tmp_path):
    """A reader in another process sees every record once, in order, over many segments."""
    code = """
import sys
from footprint.data.event_log.segmented import SegmentedReader
reader, offset = SegmentedReader(sys.argv[1]), 0
while offset < 5_000:
    for record in reader.read(offset, 100):
        assert record == str(offset).encode() * (offset % 30), (offset, record)
        offset += 1
    reader.commit("follower", offset)
print(offset)
"""
    log = SegmentedLog(tmp_path, segment_bytes=20_000)
    follower = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    for offset in range(5_000):
        log.append(str(offset).encode() * (offset % 30))
        if offset % 100 == 0:
            time.sleep(0.002)
    assert follower.communicate(timeout=60)[0] == "5000\n"
    assert log.committed("follower") == 5_000
    log.close()


def test_lock_is_held_against_other_processes_and_goes_with_its_holder(tmp_path):
    code = "import sys, time; from footprint.data.event_log.segmented import SegmentedLog as L; "
    code += "log = L(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(UsageError, match="another process is writing this log, allowed: one at a time"):
        SegmentedLog(tmp_path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    SegmentedLog(tmp_path).close()


def test_half_made_segment_is_forgotten(tmp_path):
    written(tmp_path)
    (tmp_path / "00000000000000000005.partial").write_bytes(b"FPL")
    log = SegmentedLog(tmp_path)
    assert (log.end(), log.repaired) == (5, "")
    log.close()
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("content", [b"", b"7", b"7 00000000\n", b"x 12345678\n"])
def test_damaged_offset_of_a_group_is_an_error(tmp_path, content):
    written(tmp_path)
    reader = SegmentedReader(tmp_path)
    reader.commit("g", 3)
    assert (tmp_path / "groups" / "g").read_bytes() == b"3 %08x\n" % crc32(b"3")
    (tmp_path / "groups" / "g").write_bytes(content)
    with pytest.raises(LogDamaged, match="not a committed offset"):
        reader.committed("g")
    reader.close()


def test_folder_without_a_log_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no event log"):
        SegmentedReader(tmp_path)


def test_memory_of_a_reader_does_not_grow_with_the_log(tmp_path):
    log = SegmentedLog(tmp_path, segment_bytes=1 << 20)
    for _ in range(20):
        log.append_many([bytes(1_000)] * 1_000)
    tracemalloc.start()
    reader = SegmentedReader(tmp_path)
    for offset in range(0, 20_000, 100):
        assert len(reader.read(offset, 100)) == 100
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6
    reader.close()
    log.close()


def test_closing_twice_closes_no_file_of_anyone_else(tmp_path):
    log = SegmentedLog(tmp_path / "log")
    log.close()
    others = [(tmp_path / f"{k}").open("w") for k in range(8)]  # take the numbers that were just given back
    log.close()
    for file in others:
        file.write("x")
        file.close()


def test_a_segment_that_could_not_be_begun_leaves_nothing_in_front_of_later_records(tmp_path, monkeypatch):
    log = SegmentedLog(tmp_path, segment_bytes=100, sync=True)
    log.append(b"a" * 60)
    calls = []

    def fails(folder):
        calls.append(folder)
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(segments, "sync_folder", lambda folder: fails(folder) if calls or _begun(folder) else None)
        with pytest.raises(OSError, match="no space"):
            log.append(b"b" * 60)
    assert calls
    assert log.append(b"") == 1  # still fits the first segment
    assert log.append(b"d" * 60) == 2
    log.close()
    assert everything(tmp_path) == [b"a" * 60, b"", b"d" * 60]
    reader = SegmentedReader(tmp_path)
    assert reader.read(1, 10) == [b"", b"d" * 60]
    reader.close()


def _begun(folder):
    return len(list(folder.glob("*.log"))) > 1


def test_a_segment_removed_in_the_instant_it_is_followed_is_no_error(tmp_path, monkeypatch):
    log = SegmentedLog(tmp_path, segment_bytes=50)
    log.append(b"a" * 30)
    reader = SegmentedReader(tmp_path)
    for letter in (b"b", b"c", b"d"):
        log.append(letter * 30)
    opened = Segment.open.__func__

    def trimmed_first(cls, folder, base):
        monkeypatch.undo()
        log.trim(3)
        return opened(cls, folder, base)

    monkeypatch.setattr(Segment, "open", classmethod(trimmed_first))
    assert reader.end() == 4
    assert reader.read(3, 10) == [b"d" * 30]
    reader.close()
    log.close()
