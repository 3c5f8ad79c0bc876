"""How far each group of consumers has come: one small file a group, replaced whole."""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

from footprint.data.event_log.interface import LogDamaged
from footprint.data.event_log.segments import replace_file
from footprint.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CONTENT = re.compile(rb"(\d+) ([0-9a-f]{8})\n")


class ConsumerOffsets:
    """Offsets by group in a folder."""

    def __init__(self, folder: Path, sync: bool) -> None:
        self._folder, self._sync = folder, sync

    def commit(self, group: str, offset: int) -> None:
        """Replace what the group committed before; a killed process leaves the old or the new offset."""
        self._folder.mkdir(exist_ok=True)
        number = str(offset).encode()
        replace_file(self._path(group), b"%s %08x\n" % (number, crc32(number)), self._sync)

    def committed(self, group: str) -> int | None:
        """The offset; None when the group never committed.

        Raises:
            LogDamaged: the file is not what `commit` wrote.
        """
        path = self._path(group)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        match = _CONTENT.fullmatch(content)
        if match is None or crc32(match[1]) != int(match[2], 16):
            raise LogDamaged("not a committed offset", path=path, found=content[:40], allowed="number and checksum")
        return int(match[1])

    def _path(self, group: str) -> Path:
        if not _NAME.fullmatch(group):
            raise UsageError(f"{group!r} is not a name of a group, allowed: letters, digits and ._- after the first")
        return self._folder / group
