"""All members of a zip, unpacked in memory."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

from footprint.data.files.compressed import DAMAGED, MAX_UNPACKED_PER_BYTE
from footprint.errors import DataRefused


class Member(NamedTuple):
    """One file of an archive."""

    name: str
    content: bytes


def read_members(path: Path) -> list[Member]:
    """The files of a zip, in the order of its directory.

    Raises:
        DataRefused: damaged, empty, or larger unpacked than any real archive of its size.
    """
    raw = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
            unpacked, limit = sum(info.file_size for info in infos), MAX_UNPACKED_PER_BYTE * len(raw)
            if unpacked > limit:
                raise DataRefused(
                    "archive too large unpacked", path=path, found=unpacked, allowed=f"at most {limit} bytes"
                )
            members = [Member(info.filename, archive.read(info)) for info in infos]
    except DAMAGED as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole archive") from error
    if not members:
        raise DataRefused("wrong number of members", path=path, found=0, allowed="at least one")
    return members
