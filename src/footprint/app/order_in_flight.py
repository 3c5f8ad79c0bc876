"""An order in flight as a person tells it: the file of `--progress`, and what the tape says since arrival."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from footprint.app.cli.options import parse_time
from footprint.app.history import History
from footprint.errors import ModelError, UsageError
from footprint.impact.record import ForecastRecord
from footprint.market.orders import ParentOrder, Progress
from footprint.units import NS_PER_SECOND, side_name

_READINGS = 720  # of the path since arrival at most; never closer than
_EVERY_S = 5.0
_ALLOWED = '{"fills": [{time, price, quantity}]} and, where wanted, parent_record, path, others_flow, own_on_tape'
_KEYS = {"fills", "parent_record", "path", "others_flow", "own_on_tape"}


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of the order in flight."""

    time_ns: int
    price: float
    quantity: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The mid at an instant, from the caller's own feed."""

    time_ns: int
    mid: float


@dataclass(frozen=True, slots=True)
class OrderInFlight:
    """What the file says.

    Attributes:
        fills: in time order, at least one.
        parent: the record that the order was worked by; it is remade.
        path: mids since arrival; read from the tape when empty.
        others_flow: net share of everyone else's volume, -1 to 1; measured on the tape when None.
        own_on_tape: the tape's prints hold the order's own fills, which are taken out of the flow of others.
    """

    fills: tuple[Fill, ...]
    parent: ForecastRecord | None = None
    path: tuple[Reading, ...] = ()
    others_flow: float | None = None
    own_on_tape: bool = False

    @property
    def filled(self) -> float:
        """Quantity done."""
        return sum(f.quantity for f in self.fills)

    @property
    def arrival_ns(self) -> int:
        """Decision instant of the parent record's order, else the first fill."""
        if self.parent is None:
            return self.fills[0].time_ns
        return self.parent.as_of_ns - round(self.parent.elapsed_s * NS_PER_SECOND)

    def order(self, symbol: str, side: int, quantity: float) -> ParentOrder:
        """The whole order.

        Raises:
            UsageError: nothing of it is left.
        """
        if self.filled >= quantity:
            raise UsageError(
                f"--progress: {self.filled:g} is filled, --quantity {quantity:g} must be more: nothing is left"
            )
        name = f"{symbol}-{side_name(side)}-{quantity:g}-{self.arrival_ns}"
        return ParentOrder(self.parent.parent_id if self.parent else name, symbol, side, quantity, self.arrival_ns)

    def progress(self, history: History, order: ParentOrder) -> Progress:
        """Where the order stands at the decision.

        Raises:
            UsageError: a fill after the decision, or an arrival before the session of the decision.
        """
        as_of_ns, last = history.market.as_of_ns, self.fills[-1].time_ns
        if last > as_of_ns:
            raise UsageError(f"--progress: the last fill at {last} lies after the decision at {as_of_ns}")
        arrival_mid = history.mid_at(order.arrival_ns)
        if math.isnan(arrival_mid):
            raise UsageError(
                f"--progress: the first fill at {order.arrival_ns} lies before the session of the decision"
            )
        times_ns, mids = self._path(history, order.arrival_ns, as_of_ns)
        done = np.concatenate(([0.0], np.cumsum([f.quantity for f in self.fills])))
        count = np.searchsorted([f.time_ns for f in self.fills], times_ns, side="right")
        return Progress(
            filled=self.filled,
            average_price=sum(f.price * f.quantity for f in self.fills) / self.filled,
            arrival_mid=arrival_mid,
            mid=history.market.mid,
            elapsed_s=(as_of_ns - order.arrival_ns) / NS_PER_SECOND,
            idle_s=(as_of_ns - last) / NS_PER_SECOND,
            others_flow=self._flow(history, order),
            path_s=tuple(((times_ns - order.arrival_ns) / NS_PER_SECOND).tolist()),
            path_mids=tuple(mids.tolist()),
            path_filled=tuple(done[count].tolist()),
        )

    def _path(self, history: History, arrival_ns: int, as_of_ns: int) -> tuple[np.ndarray, np.ndarray]:
        """Times after arrival and before the decision, and the mids then."""
        if self.path:
            times_ns, mids = np.array([r.time_ns for r in self.path]), np.array([r.mid for r in self.path])
        else:
            every_s = max(_EVERY_S, (as_of_ns - arrival_ns) / NS_PER_SECOND / _READINGS)
            times_ns = np.arange(arrival_ns, as_of_ns, int(every_s * NS_PER_SECOND))[1:]
            mids = history.last.tape.mid_at(times_ns)
        inside = (times_ns > arrival_ns) & (times_ns < as_of_ns) & np.isfinite(mids)
        return times_ns[inside], mids[inside]

    def _flow(self, history: History, order: ParentOrder) -> float | None:
        if self.others_flow is not None:
            return self.others_flow
        tape = history.last.tape
        since = (tape.time_ns >= order.arrival_ns) & (tape.time_ns < history.market.as_of_ns)
        own = self.filled if self.own_on_tape else 0.0
        volume = float(tape.quantity[since].sum()) - own
        net = float((tape.sign[since] * tape.quantity[since]).sum()) - order.side * own
        return min(1.0, max(-1.0, net / volume)) if volume > 0.0 else None


def read_order_in_flight(path: Path) -> OrderInFlight:
    """CSV with the columns time, price, quantity, or JSON with fills and more.

    Raises:
        UsageError: naming file, row, field, the value found and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--progress {path}: cannot be read ({error})") from None
    if not text.lstrip().startswith("{"):
        return OrderInFlight(_fills(path, [dict(row) for row in csv.DictReader(StringIO(text))]))
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--progress {path}: {error}, allowed: {_ALLOWED}") from None
    unknown = raw.keys() - _KEYS
    if unknown or "fills" not in raw:
        found = f"unknown {', '.join(sorted(unknown))}" if unknown else "no fills"
        raise UsageError(f"--progress {path}: {found}, allowed: {_ALLOWED}")
    return OrderInFlight(
        fills=_fills(path, raw["fills"]),
        parent=_parent(path, raw.get("parent_record")),
        path=tuple(sorted(_readings(path, raw.get("path", [])), key=lambda r: r.time_ns)),
        others_flow=_flow_share(path, raw.get("others_flow")),
        own_on_tape=bool(raw.get("own_on_tape", False)),
    )


def _fills(path: Path, rows: Any) -> tuple[Fill, ...]:
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"--progress {path}: holds no fill, allowed: rows of time, price, quantity")
    fills = (
        Fill(_time(path, i, row), _positive(path, i, row, "price"), _positive(path, i, row, "quantity"))
        for i, row in enumerate(rows, 1)
    )
    return tuple(sorted(fills, key=lambda f: f.time_ns))


def _readings(path: Path, rows: Any) -> Sequence[Reading]:
    if not isinstance(rows, list):
        raise UsageError(f"--progress {path}: path is {rows!r:.40}, allowed: rows of time, mid")
    return [Reading(_time(path, i, row), _positive(path, i, row, "mid")) for i, row in enumerate(rows, 1)]


def _parent(path: Path, raw: Any) -> ForecastRecord | None:
    try:
        return None if raw is None else ForecastRecord.from_json(json.dumps(raw))
    except ModelError as error:
        raise UsageError(f"--progress {path}, parent_record: {error}") from None


def _flow_share(path: Path, value: Any) -> float | None:
    if value is None or (isinstance(value, int | float) and -1.0 <= value <= 1.0):
        return None if value is None else float(value)
    raise UsageError(f"--progress {path}: others_flow is {value!r}, allowed: a number from -1 to 1")


def _time(path: Path, number: int, row: object) -> int:
    found = row.get("time") if isinstance(row, dict) else None
    try:
        return parse_time(str(found))
    except ValueError as error:
        raise UsageError(f"--progress {path}, row {number}, field time: {error}") from None


def _positive(path: Path, number: int, row: object, field: str) -> float:
    found = row.get(field) if isinstance(row, dict) else None
    try:
        value = float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"--progress {path}, row {number}, field {field}: found {found!r}, allowed: a number > 0")
    return value


def flight_lines(records: Sequence[ForecastRecord]) -> list[str]:
    """What is special to an order in flight, in words; nothing at arrival."""
    first = records[0]
    if first.cost_so_far_bps is None or first.move_so_far_bps is None:
        return []
    lines = [
        f"{r.style}: the rest costs {bps_text(r.remaining_cost_bps)} bps against the mid now, "
        f"90 % between {bps_text(r.remaining_quantiles_bps[4])} and {bps_text(r.remaining_quantiles_bps[94])}"
        for r in records
        if r.remaining_quantiles_bps is not None
    ]
    done = f"so far: cost {bps_text(first.cost_so_far_bps)} bps, the mid moved {bps_text(first.move_so_far_bps)} bps"
    if first.others_flow is not None:
        done += f", net flow of the others {first.others_flow:+.1%} of their volume"
    lines.append(done)
    if first.permanent_paid_bps is not None:
        half_life = "" if first.decay_half_life_s is None else f", half of it in {first.decay_half_life_s:.0f} s"
        lines.append(
            f"of the impact of what is done {bps_text(first.permanent_paid_bps)} bps are paid for good, "
            f"{bps_text(first.temporary_to_decay_bps)} bps go back{half_life}"
        )
    if first.path_alarm is not None:
        lines.append(f"path against the parent record: alarm {first.path_alarm}, e-value {first.path_e_value:.2g}")
    return lines


def bps_text(value: float | None) -> str:
    """Two places, or N/A."""
    return "N/A" if value is None else f"{value:.2f}"
