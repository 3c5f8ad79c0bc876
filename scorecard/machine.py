"""The condition of the machine and the version of the code at the time of a measurement."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from scorecard.sources import ROOT


def condition() -> dict[str, object]:
    """Cores this process may use, load average over 1, 5 and 15 minutes, processor model, memory in GB (1e9 bytes)."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "cpu_model": _cpu_model(),
        "memory_gb": round(memory_bytes / 1e9, 1),
    }


def commit() -> str | None:
    """The commit that is checked out, with "-dirty" when a tracked or new file differs; None outside a checkout.

    The scorecard's own outputs do not count: writing one bar must not stain the next.
    """
    try:
        head = _git("rev-parse", "HEAD").strip()
        changed = _git("status", "--porcelain", "--", ".", ":!scorecard.json", ":!docs/scorecard.md")
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("-dirty" if changed.strip() else "")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
