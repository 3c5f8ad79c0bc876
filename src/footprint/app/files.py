"""Outputs that are whole or absent: written under a temporary name beside the target and moved when complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from footprint.errors import UsageError


def check_writable(path: Path) -> None:
    """Fail before the work, not after it, when a file could not be written there.

    Raises:
        UsageError: the folder of `path` does not exist or is not writable, or `path` is a folder or a device.
    """
    target, _ = _target_and_partial(path)
    if target.exists() and not target.is_file():
        raise UsageError(f"{path}: is no file and cannot be replaced, allowed: the name of a new or existing file")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`; what was written there becomes `path` when the block ends well.

    When the block raises, the temporary file is removed and `path` is as it was.

    Raises:
        UsageError: the folder of `path` does not exist, or `path` is a folder or a device.
    """
    check_writable(path)
    target, partial = _target_and_partial(path)
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path, own: Collection[str]) -> Iterator[Path]:
    """The same for a folder, which exists (empty) when the block starts.

    An existing folder is replaced only when everything in it has one of the names in `own`, those that the caller
    writes: a slip of `--out` must not remove somebody's documents.

    Raises:
        UsageError: the parent of `path` does not exist, or `path` is something that must not be replaced.
    """
    target, partial = _target_and_partial(path)
    foreign = _foreign(target, own)
    if foreign:
        raise UsageError(f"{path}: holds {foreign}, allowed: a new or empty folder, or an earlier result alone")
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


def _foreign(target: Path, own: Collection[str]) -> str:
    """What a replacement would destroy that is not its own; empty when nothing."""
    if not target.exists():
        return ""
    if not target.is_dir():
        return "no folder but a file"
    return ", ".join(sorted(entry.name for entry in target.iterdir() if entry.name not in own)[:3])


def _target_and_partial(path: Path) -> tuple[Path, Path]:
    target = path.resolve()
    if not target.parent.is_dir():
        raise UsageError(f"{path}: cannot be written, the folder {path.parent} does not exist")
    if not os.access(target.parent, os.W_OK):
        raise UsageError(f"{path}: cannot be written, the folder {path.parent} is not writable")
    return target, target.with_name(f".{target.name}.{os.getpid()}.partial")
