"""All members of a zip, unpacked in memory."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple

from footprint.data.files.compressed import DAMAGED, MAX_UNPACKED_PER_BYTE
from footprint.errors import DataRefused

# End of central directory record, APPNOTE.TXT section 4.3.16
_END, _COUNT_AT = b"PK\x05\x06", 10
_COUNT_ELSEWHERE = 0xFFFF  # zip64 has it in a record of its own


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
            _refuse_lost_members(raw, len(archive.infolist()), path)
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


def _refuse_lost_members(raw: bytes, found: int, path: Path) -> None:
    """A damaged length in the directory swallows entries; the end of the archive says how many there are."""
    at = raw.rfind(_END)
    (count,) = struct.unpack_from("<H", raw, at + _COUNT_AT)
    if count not in (found, _COUNT_ELSEWHERE):
        raise DataRefused("truncated or damaged archive", path=path, found=f"{found} files", allowed=f"{count} files")
