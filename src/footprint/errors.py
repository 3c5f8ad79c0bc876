"""Everything that Footprint raises, in one tree.

    FootprintError
    ├── UsageError        the caller asked for something that does not exist or does not fit   (exit status 2)
    ├── DataRefused       a file or an event stream cannot be trusted                          (exit status 3)
    └── ModelError        a model was asked for what it cannot give (not fitted, other version)

Market outcomes (a rejected order, a halt, a partial fill) are reports, never exceptions.
"""

from __future__ import annotations

from pathlib import Path


class FootprintError(Exception):
    """Base of every error that Footprint raises on purpose; its text is one line for a person."""

    exit_status = 1


class UsageError(FootprintError):
    """The caller asked for something that does not exist or does not fit."""

    exit_status = 2


class ModelError(FootprintError):
    """A model was asked for what it cannot give: it is not fitted, or stored by another version."""

    exit_status = 2


class DataRefused(FootprintError):
    """Data cannot be trusted. The message names file, row, field, the value found and what is allowed.

    Args:
        reason: what is wrong, a few words ("wrong columns", "negative size").
        path: the file, when there is one.
        row: 1-based row (or line, or frame) in that file.
        field: the column or key.
        found: the value that was found.
        allowed: what would have been accepted.
    """

    exit_status = 3

    def __init__(
        self,
        reason: str,
        *,
        path: Path | str | None = None,
        row: int | None = None,
        field: str | None = None,
        found: object = None,
        allowed: str | None = None,
    ) -> None:
        self.reason, self.path, self.row = reason, path, row
        self.field, self.found, self.allowed = field, found, allowed
        place = [str(path)] if path is not None else []
        if row is not None:
            place.append(f"row {row}")
        if field is not None:
            place.append(f"field {field}")
        text = ", ".join(place) + ": " + reason if place else reason
        if found is not None:
            text += f", found {str(found)[:80]!r}"
        if allowed is not None:
            text += f", allowed: {allowed}"
        super().__init__(text)
