"""Captures of raw frames on disk -> `RawFrame`s in order of time.

Four formats. Text of the cryptofeed project, one file a connection: `<url> <-> <time>` connected, `<url> <- <time>:
<message>` sent, `<time>: <message>` received, `<url> -> <time>: <body>` answer to a request, `configuration: <json>`;
the files of one venue (`VENUE.ws.N.0`, `VENUE.http.N.0`, `VENUE.0`) belong together. Its later format, JSON lines with
`t` = header, http, connect, send, recv. A JSON list of frames that were received (no times, no addresses). And our own
recordings (`recording.py`).

Times are seconds of the recorder's clock. `origin` of a frame is the address with the name of the connection behind
"#", because one venue may be met on several connections with one address.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from footprint.data.feeds.recording import is_recording, read_recording
from footprint.data.feeds.values import parse_json, time_ns
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame
from footprint.data.files.compressed import head, read_all
from footprint.data.files.lines import read_lines
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME

MAX_PAYLOAD_BYTES = 1 << 26
MAX_CONNECTIONS = 64

_NAME = re.compile(r"(?P<venue>[A-Za-z0-9_-]+?)(\.(ws|http)\.\d+)?\.\d+")
_TIME = rb"(\d{9,11}(?:\.\d{1,9})?)"
_CONNECTED = re.compile(rb"(wss?://\S+) <-> " + _TIME)
_SENT = re.compile(rb"(wss?://\S+) <- " + _TIME + rb": (.*)")
_RESPONSE = re.compile(rb"(https?://\S+) -> " + _TIME + rb": (.*)")
_RECEIVED = re.compile(_TIME + rb": (.*)")
_SPACE = re.compile(r"[\s,]*")
_CONFIGURATION = b"configuration: "
_FIRST_LINE = re.compile(rb"(wss?://\S+ <-> \d{9,11}\.|https?://\S+ -> \d{9,11}\.\d+: |configuration: \{)")
_LIST = re.compile(rb'\s*\[\s*\{.*"channel":\s?"(order_book|trade|market_stats):\d+"', re.DOTALL)
_JSON_HEADER = re.compile(rb'\{"t":\s?"header",')
_JSON_KINDS = {
    "http": FrameKind.RESPONSE,
    "connect": FrameKind.CONNECTED,
    "send": FrameKind.SENT,
    "recv": FrameKind.RECEIVED,
}


@dataclass
class Capture:
    """One venue's files, read together.

    Attributes:
        files: the files, sorted.
        clock_steps_back: frames whose time lies before the one above them in their file; they get its time.
        cuts: recordings that end inside a frame, with the reason.
    """

    name: str
    files: tuple[Path, ...]
    protocol: str = ""
    clock_steps_back: int = field(default=0, init=False)
    cuts: list[str] = field(default_factory=list, init=False)

    def __iter__(self) -> Iterator[RawFrame]:
        """Frames of all files by time; frames of equal time in the order of the files; `row` is the line in its file.

        Raises:
            DataRefused: a file is damaged or a line is not of its format.
        """
        streams = [
            self._keyed(frames, n) for n, frames in enumerate(chain.from_iterable(map(self._streams, self.files)))
        ]
        return (frame for _, _, frame in heapq.merge(*streams, key=lambda item: item[:2]))

    def _keyed(self, frames: Iterator[RawFrame], number: int) -> Iterator[tuple[int, int, RawFrame]]:
        latest = 0
        for frame in frames:
            if frame.time_ns < latest and frame.time_ns != UNKNOWN_TIME:
                self.clock_steps_back += 1
                frame = frame._replace(time_ns=latest)
            latest = max(latest, frame.time_ns)
            yield latest, number, frame

    def _streams(self, path: Path) -> list[Iterator[RawFrame]]:
        """What of a file is in order of time: a converted capture holds its connections one behind the other."""
        if is_recording(path):
            return [self._recorded(path)]
        if _JSON_HEADER.match(head(path).content):
            return [_json_lines(path, connection) for connection in _connections(path)]
        if _LIST.match(head(path).content):
            return [_json_list(path)]
        return [_text(path)]

    def _recorded(self, path: Path) -> Iterator[RawFrame]:
        recording = read_recording(path)
        yield from recording
        if recording.cut:
            self.cuts.append(f"{path.name}: {recording.cut}")


def is_capture(path: Path) -> bool:
    """True when the first bytes are of one of the formats."""
    content = head(path).content
    return is_recording(path) or any(p.match(content) for p in (_FIRST_LINE, _JSON_HEADER, _LIST))


def captures(paths: Sequence[Path]) -> list[Capture]:
    """The files grouped by venue: text files of one folder and venue together, every other file for itself.

    Raises:
        DataRefused: a recording has no header.
    """
    groups: dict[tuple[str, str], list[Path]] = {}
    found = []
    for path in sorted(paths):
        match = _NAME.fullmatch(head(path).name)
        if is_recording(path):
            found.append(Capture(head(path).name, (path,), read_recording(path).protocol))
        elif match and _FIRST_LINE.match(head(path).content):
            groups.setdefault((str(path.parent), match["venue"]), []).append(path)
        else:
            found.append(Capture(head(path).name, (path,)))
    found += [Capture(venue, tuple(files)) for (_, venue), files in groups.items()]
    return sorted(found, key=lambda capture: capture.files)


def _text(path: Path) -> Iterator[RawFrame]:
    """Frames of one text file; a line that starts no frame goes on with the payload of the one above."""
    connection = head(path).name.rpartition(".")[0]  # KRAKEN.ws.48 of KRAKEN.ws.48.0
    address = ""
    pending: RawFrame | None = None
    for row, line in enumerate(read_lines(path), start=1):
        if line.startswith(_CONFIGURATION):
            continue
        try:
            started = _start(line, row, f"{address}#{connection}")
        except BadFrame as error:
            raise DataRefused(
                error.reason, path=path, row=row, field="time", found=error.found, allowed=error.allowed
            ) from None
        if started is None:
            pending = _continued(pending, line, path, row)
            continue
        if pending is not None:
            yield _stripped(pending)
        if started.kind is FrameKind.CONNECTED:
            address = started.origin
            started = started._replace(origin=f"{address}#{connection}")
        pending = started
    if pending is not None:
        yield _stripped(pending)


def _start(line: bytes, row: int, origin: str) -> RawFrame | None:
    if match := _RECEIVED.fullmatch(line):
        return RawFrame(row, _ns(match[1]), FrameKind.RECEIVED, match[2], origin)
    if match := _SENT.fullmatch(line):
        return RawFrame(row, _ns(match[2]), FrameKind.SENT, match[3], origin)
    if match := _RESPONSE.fullmatch(line):
        return RawFrame(row, _ns(match[2]), FrameKind.RESPONSE, match[3], match[1].decode("utf-8", "replace"))
    if match := _CONNECTED.fullmatch(line):
        return RawFrame(row, _ns(match[2]), FrameKind.CONNECTED, b"", match[1].decode("utf-8", "replace"))
    return None


def _continued(pending: RawFrame | None, line: bytes, path: Path, row: int) -> RawFrame | None:
    if pending is None:
        if line.strip():
            allowed = "<url> <-> <time>, <url> <- <time>: ..., <url> -> <time>: ..., <time>: ..."
            raise DataRefused("not a frame", path=path, row=row, found=line[:40], allowed=allowed)
        return None
    if len(pending.payload) + len(line) > MAX_PAYLOAD_BYTES:
        raise DataRefused("frame too large", path=path, row=row, allowed=f"{MAX_PAYLOAD_BYTES} bytes")
    return pending._replace(payload=pending.payload + b"\n" + line)


def _stripped(frame: RawFrame) -> RawFrame:
    """The recorder ends a file with an empty line."""
    return frame._replace(payload=frame.payload.rstrip(b"\n"))


def _ns(seconds: bytes) -> int:
    return time_ns(seconds.decode(), "s")


def _connections(path: Path) -> list[str]:
    """Names of the connections of a capture in JSON lines, in the order they come."""
    found: dict[str, None] = {}
    for row, entry in _json_entries(path):
        found.setdefault(str(entry.get("conn", "")), None)
        if len(found) > MAX_CONNECTIONS:
            raise DataRefused("too many connections", path=path, row=row, field="conn", allowed=str(MAX_CONNECTIONS))
    return list(found)


def _json_lines(path: Path, connection: str) -> Iterator[RawFrame]:
    """The frames of one connection."""
    address = ""
    for row, entry in _json_entries(path):
        if str(entry.get("conn", "")) != connection:
            continue
        try:
            address = entry["addr"] if entry["t"] == "connect" else address
            yield _json_frame(entry, row, address)
        except (BadFrame, KeyError, TypeError, AttributeError):
            raise _not_a_frame(path, row, entry) from None


def _json_entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for row, line in enumerate(read_lines(path), start=1):
        if row == 1 or not line.strip():
            continue
        try:
            entry = parse_json(line)
        except BadFrame:
            raise _not_a_frame(path, row, line) from None
        if not isinstance(entry, dict):
            raise _not_a_frame(path, row, line)
        yield row, entry


def _not_a_frame(path: Path, row: int, found: object) -> DataRefused:
    allowed = "an object with t, conn, ts, and data, url or addr"
    return DataRefused("not a frame", path=path, row=row, found=found, allowed=allowed)


def _json_frame(entry: dict[str, Any], row: int, address: str) -> RawFrame:
    kind = _JSON_KINDS[entry["t"]]
    stamp, payload = time_ns(entry["ts"], "s"), entry.get("data", "").encode()
    origin = entry["url"] if kind is FrameKind.RESPONSE else f"{address}#{entry['conn']}"
    return RawFrame(row, stamp, kind, payload, origin)


def _json_list(path: Path) -> Iterator[RawFrame]:
    """Each element as it is written; `row` is its position in the list."""
    text = read_all(path).decode("utf-8", "replace")
    decoder, at, row = json.JSONDecoder(), text.index("[") + 1, 0
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # matches the empty text too
        if text[at : at + 1] == "]":
            return
        row += 1
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise _not_a_frame(path, row, text[at : at + 40]) from None
        yield RawFrame(row, UNKNOWN_TIME, FrameKind.RECEIVED, text[at:end].encode())
        at = end
