"""What a person meets who types something: help, exit statuses, one-line messages."""

import resource
import signal
import subprocess
import sys
import time

import pytest

from footprint.app.cli import main as command_line
from footprint.errors import DataRefused, UsageError

FORECAST = ["forecast", "--data", "tape", "--symbol", "S", "--side", "buy", "--quantity", "100"]


def footprint(*arguments, **options):
    command = [sys.executable, "-m", "footprint.app.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def test_help_imports_no_heavy_library():
    code = """
import sys
from footprint.app.cli.main import run
status = run(["--help"])
heavy = {"numpy", "numba", "scipy", "polars", "lightgbm", "plotly", "joblib"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else status)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in (
        "audit",
        "ingest",
        "record",
        "fit",
        "forecast",
        "frontier",
        "leakage",
        "models",
        "benchmark",
        "demo",
    ):
        assert command in done.stdout


def test_help_takes_at_most_half_a_second_of_cpu():
    footprint("--help")  # compiles the modules once
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    footprint("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) <= 0.5


@pytest.mark.parametrize(
    "command",
    [
        ["audit"],
        ["ingest"],
        ["record"],
        ["fit"],
        ["forecast"],
        ["frontier"],
        ["regimes"],
        ["leakage"],
        ["models"],
        ["benchmark"],
        ["benchmark", "impact"],
        ["demo"],
    ],
)
def test_every_command_explains_itself(command, capsys):
    assert command_line.run([*command, "--help"]) == 0
    assert "Usage: footprint " + " ".join(command) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], ["Missing command"]),
        (["forcast"], ["forcast"]),
        (["forecast", "--data", "x"], ["Missing option", "--symbol"]),
        (["audit"], ["Missing argument", "PATH"]),
        (["audit", "x", "--colour"], ["No such option", "--colour"]),
        (["benchmark", "impact", "x"], ["Missing option", "--out"]),
        ([*FORECAST, "--side", "hold"], ["--side", "'hold'", "allowed: buy, sell"]),
        ([*FORECAST, "--quantity", "-5"], ["--quantity", "'-5'", "allowed: a positive number"]),
        ([*FORECAST, "--horizon", "30"], ["--horizon", "'30'", "allowed:"]),
        ([*FORECAST, "--at", "2024-03-01T10:00"], ["--at", "'2024-03-01T10:00'", "has no zone", "allowed:"]),
        ([*FORECAST, "--threshold-bps", "nan"], ["--threshold-bps", "'nan'", "allowed:"]),
        (["demo", "--seed", "-1"], ["--seed"]),
    ],
)
def test_misuse_is_one_line_and_status_2(arguments, named, capsys):
    assert command_line.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("footprint: ")
    assert err.count("\n") == 1
    for part in named:
        assert part in err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UsageError("no symbol X"), 2, "footprint: no symbol X\n"),
        (
            DataRefused("negative size", path="a.csv", row=3, field="size", found=-1, allowed="a positive number"),
            3,
            "footprint: a.csv, row 3, field size: negative size, found '-1', allowed: a positive number\n",
        ),
        (PermissionError(13, "Permission denied", "a.csv"), 2, "footprint: a.csv: Permission denied\n"),
        (OSError(28, "No space left on device"), 2, "footprint: No space left on device\n"),
        (KeyboardInterrupt(), 130, "footprint: interrupted\n"),
        (UsageError("two\nlines"), 2, "footprint: two lines\n"),
    ],
)
def test_expected_failures_become_one_line_and_their_status(error, status, line, monkeypatch, capsys):
    def fail(**_):
        raise error

    monkeypatch.setattr(command_line, "app", fail)
    assert command_line.run(["audit", "x"]) == status
    assert capsys.readouterr().err == line


def test_a_defect_of_ours_is_not_hidden(monkeypatch):
    def fail(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(command_line, "app", fail)
    with pytest.raises(ZeroDivisionError):
        command_line.run(["audit", "x"])


def test_an_interrupt_inside_a_command_is_one_line_and_status_130(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("footprint.app.progress.progress_on_stderr", interrupted)
    assert command_line.run(["audit", "x"]) == 130
    assert capsys.readouterr().err == "footprint: interrupted\n"


def test_nobody_is_told_when_the_reader_of_the_output_left():
    process = subprocess.Popen(
        [sys.executable, "-m", "footprint.app.cli.main", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.wait(timeout=60) == 1
    assert process.stderr.read() == b""


def test_termination_unwinds_and_removes_partial_outputs(tmp_path):
    code = f"""
import sys, time
from pathlib import Path
from footprint.app.cli import main
from footprint.app.files import replacing

def work(**_):
    with replacing(Path({str(tmp_path / "out.json")!r})) as partial:
        partial.write_text("half")
        print("started", flush=True)
        time.sleep(60)

main.app = work
main.main()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert time.monotonic() - started < 30
    assert list(tmp_path.iterdir()) == []


def test_version(capsys):
    from footprint import __version__

    assert command_line.run(["--version"]) == 0
    assert capsys.readouterr().out == __version__ + "\n"
