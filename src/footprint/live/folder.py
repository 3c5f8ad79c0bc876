"""The folder of one recording.

    frames.frames    every raw frame, byte for byte (`data.feeds.recording`); everything else can be made from it
    events/          the events, by symbol (`live.segments`)
    report.json      what was seen and what went wrong; written anew while recording, complete at the end

A recorder that is killed leaves whole segments and a recording whose cut tail its reader reports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from footprint.data.feeds.recording import RecordingWriter
from footprint.data.feeds.wire import RawFrame, WireProtocol
from footprint.errors import UsageError
from footprint.live.segments import EventSegments, replace_with

FRAMES_FILE = "frames.frames"
REPORT_FILE = "report.json"
SEGMENT_EVENTS = 200_000  # 14 MB


class RecordingFolder:
    """Writes one recording; a `recorder.Sink`."""

    def __init__(
        self,
        folder: Path,
        protocol: WireProtocol,
        units: Callable[[str], tuple[int, int]],
        segment_events: int = SEGMENT_EVENTS,
    ) -> None:
        """Make the folder; `units` gives the units of a symbol (`Normaliser.units`).

        Raises:
            UsageError: it exists and holds something: a recording is never overwritten.
            OSError: it cannot be made.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder}: exists, allowed: a new or empty folder")
        self._made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.discarded = False
        self._frames = RecordingWriter(folder / FRAMES_FILE, protocol.name)
        self._segments = EventSegments(folder, protocol.venue, units, segment_events)

    def frame(self, frame: RawFrame) -> None:
        """One raw frame."""
        self._frames.append(frame)

    def events(self, symbol: str, events: np.ndarray) -> None:
        """Events of one symbol."""
        self._segments.append(symbol, events)

    def flush(self, report: Mapping[str, Any]) -> None:
        """Hand the frames to the operating system and write the report as it is now."""
        self._frames.flush()
        self._write(report)

    def close(self, report: Mapping[str, Any]) -> None:
        """End the recording, write the events that wait and the report."""
        self._frames.close()
        self._segments.flush()
        self._write(report)

    def discard(self) -> None:
        """Remove a recording in which nothing happened."""
        self._frames.close()
        (self.folder / FRAMES_FILE).unlink()
        if self._made:
            self.folder.rmdir()
        self.discarded = True

    def _write(self, report: Mapping[str, Any]) -> None:
        text = json.dumps(report, indent=1, allow_nan=False) + "\n"
        replace_with(self.folder / REPORT_FILE, text.encode())
