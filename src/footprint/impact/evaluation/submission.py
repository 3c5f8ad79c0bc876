"""A model from somebody's own file, scored beside the product's.

Its file is run: give only code that you would run yourself. Worker processes load it again, so its digest is part of
what a score depends on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from footprint.errors import FootprintError, UsageError
from footprint.impact.interface import ImpactModel


@dataclass(frozen=True, slots=True)
class Submission:
    """Where a submitted model's class is, and the digest of its file."""

    path: Path
    class_name: str
    sha256: str

    @classmethod
    def parse(cls, text: str) -> Submission:
        """From "path/to/file.py:ClassName".

        Raises:
            UsageError: not of that form, or no such file.
        """
        path, colon, class_name = text.rpartition(":")
        if not (colon and path.endswith(".py") and class_name.isidentifier()):
            raise UsageError(f"{text!r} names no model, allowed: path/to/file.py:ClassName")
        if not Path(path).is_file():
            raise UsageError(f"no such file: {path}")
        return cls(Path(path).resolve(), class_name, hashlib.sha256(Path(path).read_bytes()).hexdigest())

    def load(self) -> ImpactModel:
        """Run the file and make the model with its default parameters.

        Raises:
            UsageError: the file fails, holds no such class, or the class is no model.
        """
        name = f"footprint_submission_{self.sha256[:12]}"
        where = f"{self.path.name}:{self.class_name}"
        try:
            if name not in sys.modules:
                _run_file(name, self.path)
            model = getattr(sys.modules[name], self.class_name)()
        except FootprintError:
            raise
        except Exception as error:  # somebody's code: whatever it raises is named, not shown as our own failure
            raise UsageError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
        if not (isinstance(getattr(model, "name", None), str) and callable(getattr(model, "fit", None))):
            raise UsageError(f"{where} is no impact model, allowed: a class with a name and fit(rows, target)")
        return model


def _run_file(name: str, path: Path) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up by name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
