"""Where fitted models are kept, and the rules of champion and challenger.

Runs are saved and never changed. The champion of a scope (a set of targets) is what the last line of its promotion
record says; the record is append-only and the only place that says it, so that the two can never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from footprint.errors import UsageError
from footprint.impact.forecaster import Forecaster
from footprint.impact.registry.run import Run

Action = Literal["promote", "rollback"]


@dataclass(frozen=True, slots=True)
class Promotion:
    """One line of the promotion record of a scope.

    Attributes:
        number: 1, 2, ... within the scope; the store takes the next one only, so that of two at once one is refused.
        before: champion until then; None for the first.
        after: champion from then on.
        by, why: a person's name and reason.
        at_ns: when, ns UTC.
    """

    scope: str
    number: int
    action: Action
    before: str | None
    after: str
    by: str
    why: str
    at_ns: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Overtaken(UsageError):
    """Somebody else has promoted since the record was read."""

    def __init__(self, promotion: Promotion) -> None:
        super().__init__(
            f"promotion {promotion.number} of {promotion.scope} is taken: another was made meanwhile, look again"
        )


@dataclass(frozen=True, slots=True)
class Log:
    """All that a store knows beside the models: runs by time, promotions by scope and number."""

    runs: tuple[Run, ...]
    promotions: tuple[Promotion, ...]

    def run(self, run_id: str) -> Run:
        """A run by its id, or by the beginning of it.

        Raises:
            UsageError: none, or more than one.
        """
        exact = [run for run in self.runs if run.run_id == run_id]
        found = exact or [run for run in self.runs if run_id and run.run_id.startswith(run_id)]
        if len(found) == 1:
            return found[0]
        held = ", ".join(run.run_id for run in found or self.runs) or "no run"
        raise UsageError(f"{'more than one' if found else 'no'} run {run_id!r}, there is: {held}")

    def record(self, scope: str) -> tuple[Promotion, ...]:
        """Promotions of a scope, the first one first."""
        return tuple(p for p in self.promotions if p.scope == scope)

    def check_next(self, promotion: Promotion) -> None:
        """Raises `Overtaken` when the promotion is not the next one of its scope."""
        if promotion.number != len(self.record(promotion.scope)) + 1:
            raise Overtaken(promotion)

    def champion(self, scope: str) -> str | None:
        """Run in use; None before the first promotion."""
        record = self.record(scope)
        return record[-1].after if record else None

    def challengers(self, scope: str) -> tuple[Run, ...]:
        """Runs of the scope that were made after the champion, oldest first; all of them when there is none."""
        mine = [run for run in self.runs if run.scope == scope]
        ids = [run.run_id for run in mine]
        champion = self.champion(scope)
        return tuple(mine[ids.index(champion) + 1 :] if champion in ids else mine)

    def scopes(self) -> tuple[str, ...]:
        """All scopes, in alphabetical order."""
        return tuple(sorted({run.scope for run in self.runs}))


class ModelStore(Protocol):
    """Keeps runs and the promotion record. Every write is whole or absent, whatever happens in between."""

    def save(self, forecaster: Forecaster, run: Run) -> None:
        """Keep a model under `run.run_id`.

        Raises:
            UsageError: there is a run of that id.
        """
        ...

    def load(self, run_id: str) -> Forecaster:
        """The model of a run.

        Raises:
            UsageError: there is no such run.
            ModelError: it is damaged, or of another version.
        """
        ...

    def promote(self, promotion: Promotion) -> None:
        """Append to the promotion record (`promotion`, `rollback` make the line).

        Raises:
            Overtaken: its number is not the next one.
            ModelError: the model cannot be read, as one of another version: a champion must answer.
        """
        ...

    def log(self) -> Log:
        """Runs and promotions as they are now."""
        ...


def promotion(log: Log, run_id: str, by: str, why: str, at_ns: int) -> Promotion:
    """The line that makes a run the champion of its scope.

    Raises:
        UsageError: no such run, it is the champion already, or name or reason are empty.
    """
    run = log.run(run_id)
    if log.champion(run.scope) == run.run_id:
        raise UsageError(f"{run.run_id} is the champion of {run.scope} already")
    return _line(log, run.scope, "promote", run.run_id, by, why, at_ns)


def rollback(log: Log, scope: str, by: str, why: str, at_ns: int) -> Promotion:
    """The line that takes back the last promotion that still stands: the champion before it comes back.

    Raises:
        UsageError: there is no earlier champion, or name or reason are empty.
    """
    standing = _standing(log.record(scope))
    if len(standing) < 2:
        raise UsageError(f"no earlier champion of {scope} to go back to, scopes: {', '.join(log.scopes()) or 'none'}")
    return _line(log, scope, "rollback", standing[-2], by, why, at_ns)


def _standing(record: Sequence[Promotion]) -> list[str]:
    """Champions whose promotion was not taken back, the present one last."""
    standing: list[str] = []
    for line in record:
        if line.action == "promote":
            standing.append(line.after)
        else:
            standing.pop()
    return standing


def _line(log: Log, scope: str, action: Action, after: str, by: str, why: str, at_ns: int) -> Promotion:
    if not by.strip() or not why.strip():
        raise UsageError("a promotion needs a name and a reason, allowed: both not empty")
    return Promotion(
        scope, len(log.record(scope)) + 1, action, log.champion(scope), after, by.strip(), why.strip(), at_ns
    )
