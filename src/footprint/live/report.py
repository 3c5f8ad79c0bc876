"""What a recording was like, as plain values for report.json, `--json` and the status table.

Version `recording-report-1`. Times are ns UTC; rows are frames of the recording, counted from 1; ids are update ids of
the venue, -1 where it has none; an unknown number is null.
"""

from __future__ import annotations

import base64
import math
from typing import Any

from footprint.data.feeds.normaliser import FeedReport
from footprint.live.audit import Latency, SymbolAudit
from footprint.live.recorder import Recorder

VERSION = "recording-report-1"
QUARANTINED_BYTES = 256  # shown in the report; the whole frame is in the recording at its row


def recording_report(recorder: Recorder, ended: str) -> dict[str, Any]:
    """Everything that was counted and listed so far; `ended` says why the recording ended, "" while it runs.

    Lists are bounded (10,000 holes a symbol, 10,000 void spells a symbol, 1,000 quarantined frames); counts are not.
    """
    feed = recorder.normaliser.report()
    protocol = recorder.protocol
    return {
        "version": VERSION,
        "venue": protocol.venue,
        "protocol": protocol.name,
        "sequencing": f"{protocol.sequencing.name.lower()}: {protocol.sequencing.value}",
        "requested_symbols": list(recorder.symbols),
        "started_ns": recorder.started_ns,
        "until_ns": recorder.now_ns,
        "ended": ended,
        "counts": dict(sorted((feed.counts | recorder.counts).items())),
        "queue": {"deepest_frames": recorder.queue.deepest, "allowed_frames": recorder.queue.max_frames},
        "symbols": {
            symbol: symbol_report(mine, feed, recorder.normaliser.follows(symbol))
            for symbol, mine in sorted(recorder.audit.symbols.items())
        },
        "gaps": [gap._asdict() for gap in feed.gaps],
        "voids": [v._asdict() for _, s in sorted(recorder.audit.symbols.items()) for v in s.all_voids()],
        "incidents": [incident._asdict() for incident in recorder.incidents],
        "quarantined": [
            {
                "row": q.frame.row,
                "time_ns": q.frame.time_ns,
                "reason": q.reason,
                "bytes": len(q.frame.payload),
                "payload_base64": base64.b64encode(q.frame.payload[:QUARANTINED_BYTES]).decode(),
            }
            for q in feed.quarantined
        ],
    }


def symbol_report(audit: SymbolAudit, feed: FeedReport, follows: bool) -> dict[str, Any]:
    """One symbol; `book` is "good", "void" (waits for a snapshot) or "none" (nothing of it has come)."""
    known = audit.symbol in feed.symbols
    return {
        "events": audit.events,
        "book": "good" if follows else "void" if known else "none",
        "heard_ns": audit.heard_ns,
        "silent": audit.silent,
        "voids": audit.void_count,
        "latency": latency_report(audit.latency()),
        "counts": dict(sorted(feed.symbols.get(audit.symbol, {}).items())),
    }


def latency_report(latency: Latency) -> dict[str, Any]:
    """The same with null for nan."""
    return {name: None if math.isnan(value) else value for name, value in latency._asdict().items()}
