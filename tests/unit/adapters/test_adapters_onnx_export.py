"""Exported networks answer as the fitted ones do, in onnxruntime, without anything of this package."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from footprint.adapters import onnx_export
from footprint.adapters.onnx_export import export_onnx
from footprint.adapters.torch_networks import NeuralImpact
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.network import FittedNetworks
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows

PARITY = 1e-5  # noise scales


@pytest.fixture(scope="module", params=["quantile", "heteroscedastic"])
def fitted(request) -> FittedNetworks:
    model = NeuralImpact(DIFFUSIVE, request.param, stages=(3,), learning_rate=2e-2)
    return model.fit(random_rows(np.random.default_rng(0), 1_000), "shift_600")


def answer(path: Path, fitted: FittedNetworks, rows: Rows) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {
        "x": rows.x,
        "scale_bps": rows.scale_bps(fitted.target)[:, None],
        "start_quantiles_bps": fitted.start.quantiles(rows),
    }
    return session.run(["quantiles_bps"], given)[0]


def test_the_exported_graph_answers_as_the_fitted_networks(fitted: FittedNetworks, tmp_path: Path) -> None:
    export_onnx(fitted, tmp_path / "networks.onnx")
    rng = np.random.default_rng(1)
    usual = random_rows(rng, 500)
    far = replace(usual, x=1e6 * usual.x)
    holed = replace(usual, x=np.where(rng.random(usual.x.shape) < 0.5, np.nan, usual.x))
    unknown = replace(usual, x=np.full_like(usual.x, np.nan))
    for rows in (usual, far, holed, unknown, usual.take(np.array([3]))):
        found, expected = answer(tmp_path / "networks.onnx", fitted, rows), fitted.quantiles(rows)
        assert (np.abs(found - expected) / rows.scale_bps(fitted.target)[:, None]).max() <= PARITY
        assert (np.diff(found, axis=1) >= 0.0).all()
    assert np.abs(fitted.quantiles(usual) - fitted.quantiles(unknown)).max() > 0.1


def test_the_file_says_what_goes_in(fitted: FittedNetworks, tmp_path: Path) -> None:
    export_onnx(fitted, tmp_path / "networks.onnx")
    model = onnx.load(tmp_path / "networks.onnx")
    about = {p.key: json.loads(p.value) for p in model.metadata_props}
    assert (about["target"], tuple(about["x_names"])) == ("shift_600", fitted.x_names)
    assert about["levels"] == pytest.approx(np.arange(1, 100) / 100.0)
    assert [i.name for i in model.graph.input] == ["x", "scale_bps", "start_quantiles_bps"]


def test_a_failed_export_leaves_what_was_there(
    fitted: FittedNetworks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "networks.onnx"
    path.write_bytes(b"earlier")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(onnx_export.os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        export_onnx(fitted, path)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]
