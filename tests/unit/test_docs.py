"""The documents say what is so: commands parse, links lead somewhere, snippets run, lists of names are complete."""

import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import typer

from footprint import errors
from footprint.app.cli.main import app
from footprint.app.forecasting import print_records
from footprint.data import formats, metaorders
from footprint.features.vector import VERSION as features_version
from footprint.features.vector import FeatureVector
from footprint.impact import record, rows
from footprint.impact.evaluation import protocol
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import STACK_ID, Forecaster, ModelCard
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest, MarketSnapshot
from footprint.market.events import EventKind
from footprint.market.orders import ParentOrder, Plan, Style

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
GENERATED = {"docs/scorecard.md"}  # by make scorecard
LOCAL_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shell_commands(text: str) -> list[str]:
    """Lines to type of the fenced shell blocks, continued lines joined."""
    blocks = [body for language, body in FENCED.findall(text) if language in ("sh", "bash", "console")]
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").split("  #")[0] for line in lines]


def command_of(words: list[str]):
    """The command that the words name, and the words after its name."""
    command, rest = typer.main.get_command(app), words
    while rest and hasattr(command, "commands"):
        if rest[0].startswith("-"):
            break
        assert rest[0] in command.commands, f"no command {rest[0]!r}"
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def accepts(command, option: str) -> bool:
    return option == "--help" or any(option in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_commands_to_type_parse(path):
    for line in shell_commands(path.read_text()):
        if line.startswith("footprint "):
            command, arguments = command_of(shlex.split(line)[1:])
            command.make_context(line, arguments)  # parses every value, runs nothing
        elif line.startswith("make "):
            assert_make_target(line.split()[1])


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_commands_in_the_text_exist(path):
    for code in INLINE.findall(FENCED.sub("", path.read_text())):
        if code.startswith("footprint "):
            command, rest = command_of(code.split()[1:])
            for word in rest:
                name = word.strip("[]").split("=")[0]
                assert not name.startswith("--") or accepts(command, name), f"{code}: no option {name}"
        elif re.match(r"make [a-z]", code):
            assert_make_target(code.split()[1])


def assert_make_target(name: str) -> None:
    assert re.search(rf"^{re.escape(name)}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"no make target {name}"


def test_the_readme_shows_commands():
    typed = shell_commands(README.read_text())
    for start in ("make demo", "make test", "footprint audit ", "footprint fit ", "footprint forecast "):
        assert any(line.startswith(start) for line in typed), start


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(path):
    for target in LOCAL_LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_files_named_in_the_text_exist(path):
    package = ROOT / "src" / "footprint"
    for code in INLINE.findall(path.read_text()):
        if re.fullmatch(r"(features|impact|data|book|market|app|tests|testing|examples|docs)/[\w/]+\.(py|md)", code):
            assert code in GENERATED or (ROOT / code).exists() or (package / code).exists(), code


@pytest.mark.parametrize("number", range(3))
def test_snippets_run(number, tmp_path):
    snippets = [
        body for language, body in FENCED.findall((ROOT / "docs/extending.md").read_text()) if language == "python"
    ]
    assert len(snippets) == 3
    file = tmp_path / f"snippet_{number}.py"
    file.write_text(snippets[number])
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr


def table_names(heading: str) -> list[str]:
    """Names in backticks of the first column, in order, of the tables under a heading of the conventions."""
    text = (ROOT / "docs/conventions.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_conventions_list_every_feature():
    assert table_names("Features") == list(FeatureVector().names)


def test_conventions_list_every_field_of_the_record():
    assert sorted(table_names("Forecast record")) == sorted(f.name for f in fields(ForecastRecord))


def test_conventions_list_every_field_of_the_protocol():
    assert sorted(table_names("Benchmark protocol")) == sorted(f.name for f in fields(Protocol))


def test_conventions_quote_the_present_versions():
    text = (ROOT / "docs/conventions.md").read_text()
    for version in (features_version, rows.VERSION, protocol.VERSION, record.VERSION, metaorders.VERSION):
        assert re.search(rf"\b{version}\b", text), version


def test_conventions_give_the_exit_statuses_of_every_error():
    text = (ROOT / "docs/conventions.md").read_text().split("## Exit statuses")[1].split("## ")[0]
    listed = {int(n) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) for n in row.split(", ")}
    kinds = (errors.FootprintError, errors.UsageError, errors.ModelError, errors.DataRefused)
    assert {kind.exit_status for kind in kinds} | {0, 130, 143} == listed


def unanswered() -> list[ForecastRecord]:
    """One record per style by a model that has learned nothing, of a market of which nothing is known."""
    nothing = (0.0, 0.0)
    card = ModelCard(STACK_ID, "0", "2024-01-01", 0, 0, "", "", "", 0, 0, {}, nothing, nothing, nothing)
    silent = Forecaster(card, {}, {}, {}, {})
    names = FeatureVector().names
    market = MarketSnapshot(1, np.nan, 0.0, True, names, np.full(len(names), np.nan), 23_400.0, 3_600.0, 1, None)
    order = ParentOrder("P", "SYNTH", 1, 5_000.0, 1)
    plans = (Plan(style, 600.0, 0.1, 9.0, 1.0) for style in Style)
    return [forecast(silent, ImpactRequest(order, plan, market)) for plan in plans]


def test_the_example_in_the_readme_has_the_columns_that_are_printed(capsys):
    print_records(unanswered())
    printed = capsys.readouterr().out
    assert header(printed) == header(README.read_text())


def test_the_example_in_the_readme_adds_up():
    rows_shown = re.findall(r"^│ (\w+) +│(.+)│$", README.read_text(), re.MULTILINE)
    assert [style for style, _ in rows_shown] == [style.value for style in Style]
    for _, cells in rows_shown:
        temporary, permanent, slippage = (float(cell) for cell in cells.split("│")[:3])
        assert abs(temporary + permanent - slippage) < 0.016  # three rounded figures


def header(text: str) -> list[str]:
    """Cells of the first heavy table header in a text."""
    line = next(line for line in text.splitlines() if line.startswith("┃ style"))
    return [cell.strip() for cell in line.strip("┃").split("┃")]


def test_the_mapping_of_the_data_page_reads_the_file_that_it_describes(tmp_path):
    text = (ROOT / "docs" / "data.md").read_text()
    (body,) = (body for language, body in FENCED.findall(text) if language == "yaml")
    header = re.search(r"header\n`([\w,]+)`", text)[1]
    (tmp_path / "mapping.yaml").write_text(body)
    rows = ["1709649000000,quote,,,,9.99,10.01", "1709649001000,trade,10.01,100,B,9.99,10.01"]
    (tmp_path / "a.csv").write_text("\n".join((header, *rows)) + "\n")
    (session,) = formats.sessions([f"{tmp_path / 'mapping.yaml'}:{tmp_path / 'a.csv'}"])
    (trade,) = session.events[session.events["kind"] == EventKind.TRADE]
    assert (trade["price_ticks"], trade["size_lots"], trade["side"]) == (1001, 100, 1)


def test_every_format_is_described():
    described = set(re.findall(r"`([a-z0-9_-]+)`", (ROOT / "docs" / "data.md").read_text()))
    assert {reader.name for reader in (*formats.READERS, *formats.TABLE_READERS)} <= described
