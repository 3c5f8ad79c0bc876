"""Digests of what a result depends on, so that nothing kept from an earlier run is used after a change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np

import footprint
from footprint.impact.rows import Rows

_PACKAGE = Path(footprint.__file__).parent


@cache
def source_digest(*names: str) -> str:
    """SHA-256 of the Python source of parts of the package ("impact", "features/vector.py"), their names included."""
    digest = hashlib.sha256()
    for name in names:
        part = _PACKAGE / name
        for file in sorted(part.rglob("*.py")) if part.is_dir() else [part]:
            digest.update(str(file.relative_to(_PACKAGE)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def file_digest(files: Iterable[Path]) -> str:
    """SHA-256 of the names and bytes of files; folders stand for the files in them."""
    digest = hashlib.sha256()
    for path in files:
        for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
            digest.update(f"{file.name} {file.stat().st_size}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def rows_digest(rows: Rows) -> str:
    """SHA-256 of every column of the rows."""
    digest = hashlib.sha256(repr(rows.x_names).encode())
    for field in fields(rows):
        if field.name != "x_names":
            digest.update(np.ascontiguousarray(getattr(rows, field.name)).tobytes())
    return digest.hexdigest()
