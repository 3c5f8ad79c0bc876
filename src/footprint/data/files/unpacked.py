"""Content that is read more than once: packed files are kept while they are small, plain ones read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from footprint.data.files.lines import is_packed, read_chunks
from footprint.errors import DataRefused

KEPT_BYTES = 1 << 28  # of unpacked content, over all files of one `Unpacked`


class Unpacked:
    """Files whose content is wanted several times, in memory that does not grow with them.

    The first packed files read to their end are kept as long as they fit; later and larger ones are unpacked again.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._room = kept_bytes
        self._kept: dict[Path, list[bytes]] = {}
        self._seen: dict[Path, tuple[int, int]] = {}

    def chunks(self, path: Path) -> Iterator[bytes]:
        """The content in pieces of about a megabyte.

        Raises:
            DataRefused: empty, truncated or damaged; or another file than the first time.
        """
        if path in self._kept:
            yield from self._kept[path]
            return
        self._refuse_another(path)
        held: list[bytes] | None = [] if is_packed(path) else None
        size = 0
        for chunk in read_chunks(path):
            size += len(chunk)
            if size > self._room:
                held = None
            if held is not None:
                held.append(chunk)
            yield chunk
        if held is not None:
            self._room -= size
            self._kept[path] = held

    def _refuse_another(self, path: Path) -> None:
        stat = path.stat()
        now = (stat.st_size, stat.st_mtime_ns)
        if self._seen.setdefault(path, now) != now:
            raise changed(path)


def changed(path: Path) -> DataRefused:
    """The refusal of a file that is another one at a later pass."""
    return DataRefused("file changed while it was read", path=path, allowed="a file at rest")
