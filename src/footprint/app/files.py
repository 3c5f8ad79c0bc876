"""Outputs that are whole or absent: written under a temporary name beside the target and moved when complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from footprint.errors import UsageError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`; what was written there becomes `path` when the block ends well.

    When the block raises, the temporary file is removed and `path` is as it was.

    Raises:
        UsageError: the folder of `path` does not exist, or `path` is a folder or a device.
    """
    target, partial = _target_and_partial(path)
    if target.exists() and not target.is_file():
        raise UsageError(f"{path}: is no file and cannot be replaced, allowed: the name of a new or existing file")
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path, marker: str) -> Iterator[Path]:
    """The same for a folder, which exists (empty) when the block starts.

    An existing folder is replaced only when it is empty or holds a file named `marker`, which every folder of this
    kind holds: a slip of `--out` must not remove somebody's documents.

    Raises:
        UsageError: the parent of `path` does not exist, or `path` is something that must not be replaced.
    """
    target, partial = _target_and_partial(path)
    if target.exists() and not _replaceable(target, marker):
        raise UsageError(f"{path}: exists and holds no {marker}, allowed: a new or empty folder, or an earlier result")
    old = partial.with_suffix(".old")
    partial.mkdir()
    try:
        yield partial
        # two moves: a folder that holds files cannot be replaced in one
        if target.exists():
            target.rename(old)
        partial.rename(target)
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _replaceable(target: Path, marker: str) -> bool:
    return target.is_dir() and ((target / marker).is_file() or not any(target.iterdir()))


def _target_and_partial(path: Path) -> tuple[Path, Path]:
    target = path.resolve()
    if not target.parent.is_dir():
        raise UsageError(f"{path}: cannot be written, the folder {path.parent} does not exist")
    return target, target.with_name(f".{target.name}.{os.getpid()}.partial")
