"""`footprint demo`: the main job end to end on an embedded synthetic tape whose impact law is planted."""

from __future__ import annotations

from pathlib import Path

from footprint.app.cli.options import OutFolder, Seed


def demo(out: OutFolder = Path("out/demo"), seed: Seed = 7) -> None:
    """Audit, book, features, metaorders, fit, score, forecast and report, on a tape with a planted law."""
    from footprint.app import demo as service
    from footprint.app.progress import progress_on_stderr

    service.run(out, seed=seed, progress=progress_on_stderr())
