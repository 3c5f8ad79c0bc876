"""A session made ready for everything after it: book views, trade signs, reference mid, child tape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from footprint.book.replay import views as book_views
from footprint.data.child_tape import child_signs, merge_children
from footprint.data.children import ChildTape
from footprint.data.mid import MidRule, default_mid_rule, reference_views
from footprint.data.session import Session


@dataclass(frozen=True, slots=True)
class PreparedSession:
    """A session with what is derived from it.

    Attributes:
        session: its TRADE events carry the aggressor in `side`, true or inferred.
        views: VIEW_DTYPE, the book after each event with the market's reference mid.
        tape: the market orders.
    """

    session: Session
    views: np.ndarray
    tape: ChildTape

    @property
    def events(self) -> np.ndarray:
        """EVENT_DTYPE with signed trades."""
        return self.session.events


def prepare(session: Session, mid_rule: MidRule | None = None) -> PreparedSession:
    """Replay the book, sign the trades, apply the mid rule (the source's own when None) and merge the children."""
    raw = book_views(session.events)
    rule = mid_rule or default_mid_rule(session)
    signs = child_signs(session, raw)
    events = session.events.copy()
    events["side"] = np.where(signs != 0, signs, events["side"])
    signed = replace(session, events=events)
    views = reference_views(signed, raw, signs, rule)
    return PreparedSession(signed, views, merge_children(signed, signs, views, rule))
