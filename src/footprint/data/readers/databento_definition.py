"""Instrument definitions of Databento: tick, multiplier, currency, expiry, by instrument id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from footprint.data.files.unpacked import Unpacked
from footprint.data.readers.databento_file import PRICE_UNITS, UNDEF_PRICE, DbnHeader, record_blocks
from footprint.errors import DataRefused

if TYPE_CHECKING:
    from databento_dbn import InstrumentDefMsg

_UNDEF_TIME = (1 << 64) - 1
_UNDEF_I32 = (1 << 31) - 1
_CONTRACTS = ("F", "C", "P")  # futures, calls, puts


@dataclass(frozen=True, slots=True)
class Definition:
    """One instrument as a venue defined it at a time.

    Attributes:
        known_at_ns: when it was received, ns UTC.
        tick: smallest price step in 1e-9 units, 0 when the venue names none.
        multiplier: value of one contract per unit of price.
        kind: instrument class letter ("F" future, "K" stock, "C" call, "P" put, "S" spread, ...).
        expiry_ns: ns UTC, None for what does not expire.
    """

    dataset: str
    instrument_id: int
    known_at_ns: int
    symbol: str
    tick: int
    multiplier: float
    currency: str
    kind: str
    expiry_ns: int | None


class DefinitionBook:
    """Definitions of all files, by dataset and instrument id; ids are used again on other days."""

    def __init__(self, definitions: Sequence[Definition] = ()) -> None:
        self._held: dict[tuple[str, int], list[Definition]] = {}
        for definition in sorted(definitions, key=lambda d: d.known_at_ns):
            self._held.setdefault((definition.dataset, definition.instrument_id), []).append(definition)

    def at(self, dataset: str, instrument_id: int, time_ns: int) -> Definition | None:
        """The newest definition known at a time, else the first one after it, None when there is none."""
        held = self._held.get((dataset, instrument_id), [])
        return next((d for d in reversed(held) if d.known_at_ns <= time_ns), held[0] if held else None)


def read_definitions(header: DbnHeader, content: Unpacked) -> list[Definition]:
    """All definitions of a file.

    Raises:
        DataRefused: a record is cut or does not decode.
    """
    import databento_dbn

    # the library brings records of older versions to its newest one
    decoder = databento_dbn.DBNDecoder(has_metadata=False, ts_out=header.ts_out, input_version=header.version)
    found: list[Definition] = []
    for block in record_blocks(header, content):
        try:
            decoder.write(block.raw.tobytes())
            found += [_definition(record, header.dataset) for record in decoder.decode()]
        except (databento_dbn.DBNError, ValueError, TypeError, OverflowError) as error:
            raise DataRefused(
                f"damaged definition ({str(error)[:80]})",
                path=header.path,
                row=int(block.row[0]),
                allowed="a definition record",
            ) from error
    return found


def _definition(record: Any, dataset: str) -> Definition:
    definition: InstrumentDefMsg = record
    tick = definition.min_price_increment
    expiry = definition.expiration
    return Definition(
        dataset=dataset,
        instrument_id=definition.instrument_id,
        known_at_ns=min(definition.ts_recv, UNDEF_PRICE),
        symbol=definition.raw_symbol,
        tick=tick if 0 < tick < UNDEF_PRICE else 0,
        multiplier=_multiplier(definition),
        currency=definition.currency,
        kind=str(definition.instrument_class),
        expiry_ns=None if expiry == _UNDEF_TIME else expiry,
    )


def _multiplier(definition: InstrumentDefMsg) -> float:
    """Units of the underlying in a contract: `contract_multiplier` if given, else the unit of measure."""
    if definition.contract_multiplier not in (0, _UNDEF_I32):
        return float(definition.contract_multiplier)
    quantity = definition.unit_of_measure_qty
    if str(definition.instrument_class) in _CONTRACTS and 0 < quantity < UNDEF_PRICE:
        return quantity / PRICE_UNITS
    return 1.0
