"""A history store read through the protocol of a reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from footprint.data.history import columns, content_hash, open_history
from footprint.data.planted import PlantedLaw
from footprint.data.readers.store import StoreReader, instruments
from footprint.data.session import Reader
from footprint.data.synthetic import planted_sessions
from footprint.data.verdict import Analysis, Finding, Verdict

LIMITING = Finding("gap", "a gap", voids=(Analysis.QUEUE,))


def stored(folder: Path):
    """Two days of one symbol, one of another on a venue with an awkward name."""
    sessions = list(planted_sessions(PlantedLaw(), 3, np.random.default_rng(0)))
    odd = replace(sessions[2].instrument, symbol="A/B", venue="b c")
    sessions = [*sessions[:2], replace(sessions[2], instrument=odd)]
    with open_history(folder).writing() as writer:
        for session in sessions:
            writer.put(session, (LIMITING,) if session.day == date(2024, 1, 9) else ())
    return sessions


def test_sessions_are_those_that_were_stored(tmp_path):
    sessions = stored(tmp_path)
    reader = StoreReader()
    assert isinstance(reader, Reader)
    paths = instruments(tmp_path)
    assert [p.name for p in paths] == ["symbol=A%2FB", "symbol=SYNTH"]
    assert all(reader.recognise(path) for path in paths)
    found = list(reader.sessions(paths))
    assert [content_hash(s, columns(s)) for s in found] == [
        content_hash(s, columns(s)) for s in (sessions[2], *sessions[:2])
    ]
    assert [s.source for s in found] == ["synthetic"] * 3


def test_verdict_is_that_of_the_files(tmp_path):
    stored(tmp_path)
    odd, synthetic = StoreReader().audit(instruments(tmp_path))
    assert (odd.verdict, odd.symbol, odd.counts["sessions"]) == (Verdict.ACCEPTED, "A/B", 1)
    assert (synthetic.verdict, synthetic.findings, synthetic.counts["sessions"]) == (Verdict.LIMITED, (LIMITING,), 2)


def test_damage_is_found_by_the_audit(tmp_path):
    stored(tmp_path)
    (file,) = (tmp_path / "events").rglob("symbol=A%2FB/**/*.parquet")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 255
    file.write_bytes(data)
    odd, synthetic = StoreReader().audit(instruments(tmp_path))
    assert (odd.verdict, synthetic.verdict) == (Verdict.REFUSED, Verdict.LIMITED)
    assert "A/B 2024-01-10" in odd.findings[-1].text


def test_other_folders_are_no_store(tmp_path):
    assert instruments(tmp_path) == []
    assert not StoreReader().recognise(tmp_path / "events" / "venue=a" / "symbol=b")
    stored(tmp_path)
    assert not StoreReader().recognise(tmp_path / "events" / "a" / "b")
    assert not StoreReader().recognise(tmp_path)


def test_a_damaged_log_is_a_refusal(tmp_path):
    stored(tmp_path)
    paths = instruments(tmp_path)
    for log in (tmp_path / "events" / "_delta_log").glob("*.json"):
        log.write_bytes(log.read_bytes()[:-40])
    for verdict in StoreReader().audit(paths):
        assert verdict.verdict is Verdict.REFUSED
        assert str(verdict.path) in verdict.findings[-1].text
