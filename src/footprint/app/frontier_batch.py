"""`footprint frontier --orders`: many orders, answered one after the other; a bad one does not stop the rest."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from footprint.app.cli.frontier import parse_share
from footprint.app.cli.options import parse_duration, parse_quantity, parse_side
from footprint.app.forecasting import history_of
from footprint.app.frontier import baseline_of
from footprint.app.models import load_model
from footprint.app.progress import ProgressDisplay
from footprint.data.children import ChildTape
from footprint.errors import DataRefused, FootprintError, UsageError
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import Forecaster
from footprint.impact.frontier import pace, plan_at
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest, MarketSnapshot
from footprint.impact.styles import horizon_at, style_plan
from footprint.impact.uncertainty import variance
from footprint.market.instruments import Instrument
from footprint.market.orders import ParentOrder, Plan, Style

COLUMNS = ("id", "symbol", "side", "quantity", "horizon", "participation", "style", "aggression")
NEEDED = ("side", "quantity")
BALANCED_HORIZON_S = 1_800.0
_AGGRESSION = {Style.AGGRESSIVE: 1.0, Style.BALANCED: 0.5, Style.PASSIVE: 0.0}

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SymbolPast:
    """What one symbol's data say at the decision; read once."""

    instrument: Instrument
    market: MarketSnapshot
    tape: ChildTape
    forecaster: Forecaster


@dataclass(frozen=True, slots=True)
class Answered:
    """One order with its record."""

    past: SymbolPast
    request: ImpactRequest
    record: ForecastRecord


class Pasts:
    """The past of each symbol that is asked for, read at its first order and kept, failures included."""

    def __init__(self, paths: Sequence[str], model: Path | None, at_ns: int | None, progress: ProgressDisplay) -> None:
        self._paths, self._at_ns, self._progress = paths, at_ns, progress
        self._forecaster = load_model(model) if model is not None else None
        self._found: dict[str, SymbolPast | FootprintError] = {}

    def of(self, symbol: str) -> SymbolPast:
        """The past of a symbol.

        Raises:
            FootprintError: its data cannot be read; the same for every order of it.
        """
        if symbol not in self._found:
            try:
                self._found[symbol] = self._read(symbol)
            except FootprintError as error:
                self._found[symbol] = error
        found = self._found[symbol]
        if isinstance(found, FootprintError):
            raise found
        return found

    def _read(self, symbol: str) -> SymbolPast:
        history = history_of(self._paths, symbol, self._at_ns, self._progress, with_rows=self._forecaster is None)
        forecaster = self._forecaster or baseline_of(history, self._progress)
        return SymbolPast(history.instrument, history.market, history.last.tape, forecaster)


def run(
    paths: Sequence[str],
    orders: Path,
    symbol: str | None,
    *,
    model: Path | None,
    at_ns: int | None,
    threshold_bps: float,
    as_json: bool,
    progress: ProgressDisplay,
) -> None:
    """Answer every order of a file as JSON lines or CSV, in the file's order, each as soon as it is known.

    Raises:
        UsageError: the file has no readable shape.
        DataRefused: every order was refused, with the first reason.
    """
    rows = read_orders(orders)
    pasts = Pasts(paths, model, at_ns, progress)
    refused, count, first = 0, 0, ""
    write = LineWriter(sys.stdout, as_json)
    for number, row in enumerate(progress.track(rows, "orders"), 1):
        found = answer(row, number, symbol, pasts, threshold_bps)
        write(as_dict(row, number, found))
        count += 1
        if isinstance(found, str):
            refused, first = refused + 1, first or f"row {number}: {found}"
    if refused and refused == count:
        raise DataRefused(f"all {count} orders were refused; {first}", path=orders)
    if refused:
        print(f"{refused} of {count} orders were refused, the first in {first}", file=sys.stderr)


def read_orders(path: Path) -> Iterator[Mapping[str, Any] | str]:
    """Rows of a csv, Parquet or JSON-lines file, one at a time; text where a line is no order.

    Raises:
        UsageError: a file that cannot be read, or without the columns side and quantity.
    """
    if not path.is_file():
        raise UsageError(f"--orders {path}: no such file")
    kinds = {".csv": _csv_rows, ".parquet": _parquet_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    if path.suffix.lower() not in kinds:
        raise UsageError(f"--orders {path}: allowed: a name that ends in {', '.join(kinds)}")
    rows = kinds[path.suffix.lower()](path)
    # the first row is read now, so that a file of the wrong shape fails before the data are read
    first = next(rows, None)
    return iter(()) if first is None else chain([first], rows)


def _csv_rows(path: Path) -> Iterator[Mapping[str, Any] | str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            reader = csv.DictReader(file, skipinitialspace=True)
            _check_columns(path, reader.fieldnames or ())
            for row in reader:
                yield "more fields than columns" if None in row else row
        except (UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"--orders {path}: no csv ({error})") from None


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any] | str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise UsageError(f"--orders {path}: no Parquet ({error})") from None
    _check_columns(path, file.schema_arrow.names)
    for batch in file.iter_batches(1_024):
        yield from batch.to_pylist()


def _json_rows(path: Path) -> Iterator[Mapping[str, Any] | str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in filter(str.strip, file):
            try:
                row = json.loads(line)
            except ValueError as error:
                yield f"no JSON ({error})"
                continue
            unknown = sorted(row.keys() - set(COLUMNS)) if isinstance(row, dict) else []
            if not isinstance(row, dict):
                yield f"found {line.strip():.40}, allowed: one object a line"
            elif unknown:
                yield f"unknown {', '.join(unknown)}, allowed: {', '.join(COLUMNS)}"
            else:
                yield row


def _check_columns(path: Path, names: Sequence[str]) -> None:
    unknown, missing = [n for n in names if n not in COLUMNS], [n for n in NEEDED if n not in names]
    if unknown or missing:
        wrong = f"unknown {', '.join(unknown)}" if unknown else f"missing {', '.join(missing)}"
        raise UsageError(f"--orders {path}: columns {wrong}, allowed: {', '.join(COLUMNS)}")


def answer(
    row: Mapping[str, Any] | str, number: int, symbol: str | None, pasts: Pasts, threshold_bps: float
) -> Answered | str:
    """The record of one row, or why it is refused; it depends on that row alone."""
    if isinstance(row, str):
        return row
    try:
        name = _text(row, "symbol") or symbol
        if not name:
            return "field symbol: missing, and no --symbol for all"
        side, quantity = parse_side(_text(row, "side")), parse_quantity(_text(row, "quantity"))
        past = pasts.of(name.upper())
        plan = _plan(row, quantity, past)
        parent_id = _text(row, "id") or f"row-{number}"
        order = ParentOrder(parent_id, past.instrument.symbol, side, quantity, past.market.as_of_ns)
        request = ImpactRequest(order, plan, past.market, None, (threshold_bps,))
        return Answered(past, request, forecast(past.forecaster, request))
    except (FootprintError, ValueError) as error:
        return " ".join(str(error).split())


def _plan(row: Mapping[str, Any], quantity: float, past: SymbolPast) -> Plan:
    """As the row says; without horizon and participation the style's own plan, as `footprint forecast` makes it."""
    horizon, share = _text(row, "horizon"), _text(row, "participation")
    style, crossing = _text(row, "style"), _text(row, "aggression")
    if horizon and share:
        raise UsageError("field participation: horizon is given too, allowed: one of them")
    if style and crossing:
        raise UsageError("field aggression: style is given too, allowed: one of them")
    chosen = _style(style) if style else Style.BALANCED
    aggression = _share("aggression", crossing) if crossing else _AGGRESSION[chosen]
    venue, (volume_per_s, child) = past.instrument.venue, pace(past.market)
    if horizon:
        return plan_at(past.market, quantity, _seconds(horizon), aggression, venue)
    if not volume_per_s > 0:
        return plan_at(past.market, quantity, BALANCED_HORIZON_S, aggression, venue)
    if share:
        fraction = _share("participation", share)
        if not 0.0 < fraction < 1.0:
            raise UsageError(f"field participation: found {share!r}, allowed: between 0 and 1")
        return plan_at(past.market, quantity, horizon_at(fraction, quantity, volume_per_s), aggression, venue)
    if crossing:
        return plan_at(past.market, quantity, BALANCED_HORIZON_S, aggression, venue)
    return style_plan(chosen, quantity, BALANCED_HORIZON_S, volume_per_s, child, venue)


def _style(text: str) -> Style:
    try:
        return Style(text.lower())
    except ValueError:
        raise UsageError(f"field style: found {text!r}, allowed: {', '.join(s.value for s in Style)}") from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return parse_duration(text)


def _share(field: str, text: str) -> float:
    try:
        return parse_share(text)
    except ValueError as error:
        raise UsageError(f"field {field}: {error}") from None


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    return "" if value is None else str(value).strip()


def as_dict(row: Mapping[str, Any] | str, number: int, found: Answered | str) -> Answer:
    """One line of the output, the same fields for an answer and for a refusal."""
    given = {} if isinstance(row, str) else row
    told = {"row": number, "id": _text(given, "id") or f"row-{number}"}
    if isinstance(found, str):
        return {**told, **dict.fromkeys(_FIELDS), "error": found}
    return {**told, **_answer(found), "error": None}


def _answer(found: Answered) -> Answer:
    r = found.record
    q = r.slippage_quantiles_bps
    return {
        "symbol": r.instrument,
        "side": r.side,
        "quantity": r.quantity,
        "as_of_ns": r.as_of_ns,
        "horizon_s": r.plan["horizon_s"],
        "participation": r.plan["participation"],
        "aggression": r.plan["aggression"],
        "slippage_bps": r.slippage_bps,
        "temporary_cost_bps": r.temporary_cost_bps,
        "permanent_cost_bps": r.permanent_cost_bps,
        "sd_bps": None if q is None else float(np.sqrt(variance(np.array(q)))),
        "slippage_5_bps": None if q is None else q[4],
        "slippage_50_bps": None if q is None else q[49],
        "slippage_95_bps": None if q is None else q[94],
        "var95_bps": r.var95_bps,
        "cvar95_bps": r.cvar95_bps,
        "threshold_bps": r.thresholds_bps[0],
        "prob_exceed": r.prob_exceed[0],
        "uncertainty_model_bps": r.uncertainty_model_bps,
        "model_id": r.model_id,
        "record_id": r.id,
        "confidence": r.confidence,
        "reasons": list(r.reasons),
    }


_FIELDS = (
    "symbol", "side", "quantity", "as_of_ns", "horizon_s", "participation", "aggression", "slippage_bps",
    "temporary_cost_bps", "permanent_cost_bps", "sd_bps", "slippage_5_bps", "slippage_50_bps", "slippage_95_bps",
    "var95_bps", "cvar95_bps", "threshold_bps", "prob_exceed", "uncertainty_model_bps", "model_id", "record_id",
    "confidence", "reasons",
)  # fmt: skip


class LineWriter:
    """One line an answer."""

    def __init__(self, stream: TextIO, as_json: bool) -> None:
        self._stream, self._csv = stream, None if as_json else csv.writer(stream, lineterminator="\n")
        if self._csv is not None:
            self._csv.writerow(("row", "id", *_FIELDS, "error"))

    def __call__(self, answer: Answer) -> None:
        """Write one."""
        if self._csv is None:
            print(json.dumps(answer, allow_nan=False), file=self._stream)
        else:
            reasons = "; ".join(answer["reasons"] or ())
            self._csv.writerow({**answer, "reasons": reasons}.values())
