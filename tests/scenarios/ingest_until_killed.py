"""Runs `footprint ingest` in this process and kills it (SIGKILL) at the N-th touch of the store.

Usage: python ingest_until_killed.py N PATH STORE [--replace]. A touch is the moment before or after a file is written
or a commit made; N beyond the last one lets the ingest end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from deltalake import DeltaTable

from footprint.adapters import deltalake_history
from footprint.app import ingesting
from footprint.app.progress import NullProgress


class Touches:
    """Counts touches, and kills at the last one that is allowed."""

    def __init__(self, allowed: int) -> None:
        self._left = allowed

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def touched(*arguments: Any, **options: Any) -> Any:
            self._one()
            result = call(*arguments, **options)
            self._one()
            return result

        return touched

    def _one(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    touches = Touches(int(sys.argv[1]))
    deltalake_history.write_deltalake = touches.around(deltalake_history.write_deltalake)
    deltalake_history.pyarrow.parquet.write_table = touches.around(deltalake_history.pyarrow.parquet.write_table)
    for name in ("create_write_transaction", "delete"):
        setattr(DeltaTable, name, touches.around(getattr(DeltaTable, name)))
    DeltaTable.create = touches.around(DeltaTable.create)
    ingesting.run(
        [sys.argv[2]], sys.argv[3], symbol=None, replace="--replace" in sys.argv, as_json=True, progress=NullProgress()
    )


if __name__ == "__main__":
    main()
