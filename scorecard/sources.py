"""Where the measured things lie: the repository, the shared market data beside it, and what this run may write."""

from __future__ import annotations

from pathlib import Path

from scorecard.bar import NotMeasured

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out" / "scorecard"
SHARED_DATA = Path("..") / "shared" / "data"  # relative to the repository root, as in every command that is shown


def shared_data(*parts: str) -> Path:
    """A file or folder of the shared market data.

    Raises:
        NotMeasured: it is absent.
    """
    relative = SHARED_DATA.joinpath(*parts)
    path = (ROOT / relative).resolve()
    if not path.exists():
        raise NotMeasured(f"{relative} is absent")
    return path
