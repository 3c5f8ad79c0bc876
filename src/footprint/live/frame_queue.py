"""Frames that wait to be processed: bounded, so that a slow consumer is noticed and never fills the memory."""

from __future__ import annotations

import asyncio
from collections import deque

from footprint.data.feeds.wire import RawFrame


class FrameQueue:
    """First in, first out, with at most `max_frames` frames and `max_bytes` bytes of received frames.

    Attributes:
        waiting_bytes: payload bytes inside.
        deepest: the most frames that ever waited.
    """

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self.max_frames, self.max_bytes = max_frames, max_bytes
        self.waiting_bytes = 0
        self.deepest = 0
        self._frames: deque[RawFrame] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._frames)

    def offer(self, frame: RawFrame) -> bool:
        """Take a frame of the venue; False when there is no room, the frame is not taken then."""
        full = len(self._frames) >= self.max_frames or self.waiting_bytes + len(frame.payload) > self.max_bytes
        if full and self._frames:
            return False
        self.put(frame)
        return True

    def put(self, frame: RawFrame) -> None:
        """Take a frame of our own making (a connection made or lost, something sent), whatever waits already."""
        self._frames.append(frame)
        self.waiting_bytes += len(frame.payload)
        self.deepest = max(self.deepest, len(self._frames))
        self._filled.set()
        self._empty.clear()

    async def get(self) -> RawFrame | None:
        """The oldest frame, or None when the queue is closed and empty."""
        while not self._frames:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        frame = self._frames.popleft()
        self.waiting_bytes -= len(frame.payload)
        if not self._frames:
            self._empty.set()
        return frame

    async def drained(self) -> None:
        """Wait until nothing waits."""
        await self._empty.wait()

    def close(self) -> None:
        """No frame will follow."""
        self._closed = True
        self._filled.set()
