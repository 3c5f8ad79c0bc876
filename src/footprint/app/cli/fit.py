"""`footprint fit`: tapes -> metaorders and features -> fitted, calibrated, stored models."""

from __future__ import annotations

from footprint.app.cli.options import Json, OutFolder, Paths, Seed


def fit(paths: Paths, out: OutFolder, seed: Seed = 0, as_json: Json = False) -> None:
    """Build metaorders and features, fit and calibrate the models, and store them in a folder."""
    from footprint.app import fitting
    from footprint.app.progress import progress_on_stderr

    fitting.run(paths, out, seed=seed, as_json=as_json, progress=progress_on_stderr())
