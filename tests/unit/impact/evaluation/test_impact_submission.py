"""A model from a file: loaded by path, with its digest; what is wrong with it is said."""

from pathlib import Path

import pytest

from footprint.errors import UsageError
from footprint.impact.evaluation.line_up import Selection
from footprint.impact.evaluation.submission import Submission

GOOD = """
from dataclasses import dataclass
from footprint.impact.square_root import SquareRoot

@dataclass(frozen=True)
class Mine:
    name: str = "mine"

    def fit(self, rows, target):
        return SquareRoot(half_spread=True).fit(rows, target)

class NoModel:
    pass

class Fails:
    def __init__(self):
        raise RuntimeError("no luck")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    return path


def test_a_class_is_loaded_and_its_file_is_part_of_what_it_is(file: Path) -> None:
    one = Submission.parse(f"{file}:Mine")
    assert one.load().name == "mine"
    assert one.load() == one.load()
    file.write_text(GOOD + "\n")
    assert Submission.parse(f"{file}:Mine") != one


@pytest.mark.parametrize("text", ["mine.py", "mine.txt:Mine", "mine.py:not a name", ":Mine", "absent.py:Mine"])
def test_what_names_no_model_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"names no model|no such file"):
        Submission.parse(text)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NoModel", r"mine.py:NoModel is no impact model"),
        ("Fails", r"mine.py:Fails cannot be loaded: RuntimeError: no luck"),
        ("Absent", r"mine.py:Absent cannot be loaded: AttributeError"),
    ],
)
def test_what_is_wrong_with_a_class_is_said(file: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Submission.parse(f"{file}:{name}").load()


def test_a_file_that_fails_is_named_and_can_be_mended(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import absent_module_of_nobody")
    with pytest.raises(UsageError, match=r"broken.py:Mine cannot be loaded: ModuleNotFoundError"):
        Submission.parse(f"{path}:Mine").load()
    path.write_text(GOOD)
    assert Submission.parse(f"{path}:Mine").load().name == "mine"


def test_a_name_that_is_taken_is_refused(file: Path) -> None:
    file.write_text(GOOD.replace('"mine"', '"linear"'))
    with pytest.raises(UsageError, match=r"called 'linear' like another"):
        Selection(submissions=(Submission.parse(f"{file}:Mine"),)).check()
