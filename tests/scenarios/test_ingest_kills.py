"""An ingest that is killed at any moment leaves whole sessions, and the next one makes good."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable

import footprint
from footprint.app.ingesting import ingest
from footprint.app.progress import NullProgress
from footprint.data import formats
from footprint.data.history import columns, content_hash, open_history
from footprint.data.planted import PlantedLaw
from footprint.data.readers.lean_writer import write_lean
from footprint.data.synthetic import planted_sessions
from footprint.errors import UsageError

SCRIPT = Path(__file__).with_name("ingest_until_killed.py")
DAYS = 2
ALL_TOUCHES = 100  # more than there are


def hashes(sessions):
    return {s.day: content_hash(s, columns(s)) for s in sessions}


@pytest.fixture(scope="module")
def tapes(tmp_path_factory) -> tuple[Path, Path]:
    """The same days twice, with other content."""
    folders = []
    for seed in (1, 2):
        folder = tmp_path_factory.mktemp(f"tape{seed}")
        for session in planted_sessions(PlantedLaw(), DAYS, np.random.default_rng(seed)):
            write_lean(session, folder)
        folders.append(folder)
    return folders[0], folders[1]


@pytest.fixture(scope="module")
def expected(tapes):
    return tuple(hashes(formats.sessions([tape])) for tape in tapes)


def put(tape, store, **options):
    return ingest([tape], open_history(store), formats.audit([tape]), NullProgress(), **options)


def start(touches, tape, store, *options):
    return subprocess.Popen(
        [sys.executable, SCRIPT, str(touches), tape, store, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def check_whole_and_mended(store, before, after, tape, replace):
    """Every session is the old or the new one, in order of the ingest; the next ingest stores the rest."""
    try:
        found = hashes(footprint.read(store))
    except UsageError:  # killed before there was a store, or before anything was in it
        found = {}
    assert found.keys() >= before.keys()
    new = [found.get(day) == after[day] for day in sorted(after)]
    assert all(value in (before.get(day), after[day]) for day, value in found.items())
    assert new == sorted(new, reverse=True)
    outcomes = [one.word for one in put(tape, store, replace=replace)]
    assert outcomes == ["unchanged" if done else "replaced" if before else "stored" for done in new]
    assert hashes(footprint.read(store)) == after
    live = {path["session"] for path in DeltaTable(Path(store, "events")).partitions()}
    assert live == set(after.values())  # nothing that no session names
    return sum(new)


@pytest.mark.parametrize("replace", [False, True])
def test_kill_at_every_touch_of_the_store(tmp_path, tapes, expected, replace):
    old, new = tapes
    started = tmp_path / "started"
    if replace:
        put(old, started)
    stored_at_kill = []
    for touches in range(1, ALL_TOUCHES):
        store = tmp_path / f"store{touches}"
        if replace:
            shutil.copytree(started, store)
        writer = start(touches, new, store, *(["--replace"] if replace else []))
        error = writer.communicate()[1].decode()
        assert writer.returncode in (0, -signal.SIGKILL), error
        before = expected[0] if replace else {}
        stored_at_kill.append(check_whole_and_mended(store, before, expected[1], new, replace))
        if writer.returncode == 0:
            break
    assert stored_at_kill == sorted(stored_at_kill)
    assert set(stored_at_kill) == set(range(DAYS + 1))
    assert len(stored_at_kill) > 6 * DAYS


@pytest.mark.nightly
def test_kill_at_random_moments(tmp_path, tapes, expected):
    rng = np.random.default_rng(3)
    old, new = tapes
    put(old, tmp_path / "started")
    for number in range(60):
        store = tmp_path / f"store{number}"
        shutil.copytree(tmp_path / "started", store)
        log = store / "sessions" / "_delta_log"
        before = len(list(log.iterdir()))
        writer = start(10**6, new, store, "--replace")
        while not list((store / "events").rglob("*.parquet")) and writer.poll() is None:
            time.sleep(0.001)
        deadline = time.monotonic() + float(rng.uniform(0, 4))
        while time.monotonic() < deadline and len(list(log.iterdir())) < before + DAYS:
            time.sleep(0.001)
        writer.kill()
        writer.wait()
        check_whole_and_mended(store, expected[0], expected[1], new, replace=True)
