"""The demo as a newcomer runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from footprint.app.cli.main import run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("demo") / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "footprint.app.cli.main", "demo", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_it_prints_the_forecast_and_where_things_are(demo: tuple[Path, str]) -> None:
    out, printed = demo
    for word in ("aggressive", "balanced", "passive", "planted exponent", "90 % band covers", str(out / "report.html")):
        assert word in printed


def test_the_planted_exponent_is_found(demo: tuple[Path, str]) -> None:
    line = next(line for line in demo[1].splitlines() if line.startswith("planted exponent"))
    planted, fitted = (float(word.strip(",")) for word in line.split() if word.strip(",").replace(".", "").isdigit())
    assert abs(planted - fitted) < 0.03


def test_the_report_is_whole_and_offline(demo: tuple[Path, str]) -> None:
    text = (demo[0] / "report.html").read_text()
    assert "<script src=" not in text
    for title in ("In short", "Audit", "The planted law", "Scores out of sample", "The forecast while the order works"):
        assert title in text


def test_its_tape_and_model_can_be_used_again(demo: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    tape, model = demo[0] / "tape", demo[0] / "model"
    assert run(["audit", str(tape)]) == 0
    capsys.readouterr()
    order = ["--symbol", "SYNTH", "--side", "sell", "--quantity", "5000", "--at", "2024-01-15T18:00:00Z"]
    assert run(["forecast", "--data", str(tape), *order, "--model", str(model), "--json"]) == 0
    assert all(r["slippage_bps"] is not None for r in json.loads(capsys.readouterr().out)["forecasts"])
