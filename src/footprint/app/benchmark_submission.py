"""Models from somebody's own files: loaded, held to the contract, then scored like any other."""

from __future__ import annotations

from collections.abc import Sequence

from footprint.errors import ModelError
from footprint.impact.evaluation.submission import Submission
from footprint.testing import check_impact_model


def submissions(texts: Sequence[str]) -> tuple[Submission, ...]:
    """From "path/to/file.py:ClassName", each checked by `check_impact_model`.

    Raises:
        UsageError: a file or class cannot be loaded.
        ModelError: a model breaks the contract; the text says which part.
    """
    given = tuple(Submission.parse(text) for text in texts)
    for one in given:
        try:
            check_impact_model(one.load())
        except Exception as broken:  # somebody's code: whatever it raises is a broken contract, not our own failure
            what = str(broken) if isinstance(broken, AssertionError) else f"{type(broken).__name__}: {broken}"
            raise ModelError(f"{one.path.name}:{one.class_name} breaks the contract of a model: {what}") from broken
    return given
