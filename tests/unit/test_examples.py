"""The examples run as a newcomer runs them, and print what they promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NUMBER = r"\s+(-?\d+\.\d\d)"
ROW = re.compile(r"(aggressive|balanced|passive)\s" + 6 * NUMBER + r"\s+(\d+\.\d)%\s+(high|medium|low)")


@pytest.fixture(scope="module")
def forecast_one_block() -> list[str]:
    """Lines that the first example prints."""
    command = [sys.executable, str(ROOT / "examples" / "01_forecast_one_block.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_example_is_run_here():
    assert [p.name for p in sorted((ROOT / "examples").glob("*.py"))] == ["01_forecast_one_block.py"]


def test_forecast_one_block_prints_a_row_per_style(forecast_one_block):
    assert forecast_one_block[0].startswith("buy 5,000 SYNTH at mid ")
    rows = [ROW.fullmatch(line) for line in forecast_one_block[2:]]
    assert all(rows), forecast_one_block
    assert [row[1] for row in rows] == ["aggressive", "balanced", "passive"]
    for row in rows:
        temporary, permanent, slippage, low, median, high, above = map(float, row.groups()[1:8])
        assert abs(temporary + permanent - slippage) < 0.016  # three rounded figures
        assert low < median < high
        assert (high > 10.0) == (above > 5.0)


def test_forecast_one_block_is_less_certain_over_longer_horizons(forecast_one_block):
    rows = [ROW.fullmatch(line) for line in forecast_one_block[2:]]
    widths = [float(row[7]) - float(row[5]) for row in rows]
    assert widths == sorted(widths)
