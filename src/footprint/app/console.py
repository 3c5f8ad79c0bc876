"""Where tables are printed: stdout, as wide as the terminal, or wide enough for a table when there is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPE_COLUMNS = 160  # a pipe or a file has no width; 80 would fold every row


def stdout_console() -> Console:
    """A rich console on stdout."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
