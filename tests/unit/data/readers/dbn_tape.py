"""DBN files written by the vendor's own library: small markets of every schema that is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import databento_dbn as dbn
import zstandard

DAY = date(2024, 7, 1)
START = 1_719_792_000_000_000_000  # 2024-07-01T00:00:00Z
PRICE = 1_000_000_000
UNDEF = dbn.UNDEF_PRICE
A, C, M, T, F, R, N = (
    dbn.Action.ADD,
    dbn.Action.CANCEL,
    dbn.Action.MODIFY,
    dbn.Action.TRADE,
    dbn.Action.FILL,
    dbn.Action.CLEAR,
    dbn.Action.NONE,
)
BID, ASK, NONE = dbn.Side.BID, dbn.Side.ASK, dbn.Side.NONE
LAST, SNAPSHOT = 128, 32


def metadata(
    schema: str | None, symbols: dict[int, str] | None = None, *, dataset: str = "GLBX.MDP3", version: int = 3,
    ts_out: bool = False, days: tuple[date, date] = (DAY, date(2024, 7, 3)),
) -> bytes:  # fmt: skip
    names = {77: "ESU4"} if symbols is None else symbols
    mappings = [
        SimpleNamespace(
            raw_symbol=name,
            intervals=[
                SimpleNamespace(start_date=days[0], end_date=days[1], symbol=str(key))
                for key, held in names.items()
                if held == name
            ],
        )
        for name in sorted(set(names.values()))
    ]
    return bytes(
        dbn.Metadata(
            dataset=dataset,
            start=START,
            stype_in=dbn.SType.RAW_SYMBOL,
            stype_out=dbn.SType.INSTRUMENT_ID,
            schema=None if schema is None else dbn.Schema.from_str(schema),
            symbols=list(names.values()),
            mappings=mappings,
            ts_out=ts_out,
            version=version,
        )
    )


def order(
    at: int, action: dbn.Action, side: dbn.Side, price: float | None, size: int, order_id: int, **more: Any
) -> bytes:
    """An MBO record `at` microseconds after START, received a microsecond later; price None is undefined."""
    fields = {
        "publisher_id": 1,
        "instrument_id": 77,
        "flags": LAST,
        "sequence": at % (1 << 32),
        "ts_recv": START + at * 1000 + 1000,
    }
    return bytes(
        dbn.MBOMsg(
            ts_event=START + at * 1000, order_id=order_id, price=UNDEF if price is None else round(price * PRICE),
            size=size, action=action, side=side, **(fields | more),
        )
    )  # fmt: skip


Level = tuple[float | None, int, float | None, int]  # bid price and size, ask price and size


def pairs(levels: Sequence[Level]) -> list[dbn.BidAskPair]:
    return [
        dbn.BidAskPair(
            UNDEF if bid is None else round(bid * PRICE),
            UNDEF if ask is None else round(ask * PRICE),
            bid_size,
            ask_size,
        )
        for bid, bid_size, ask, ask_size in levels
    ]


def window(
    at: int, action: dbn.Action, side: dbn.Side, price: float, size: int, levels: Sequence[Level], **more: Any
) -> bytes:
    """An MBP-1 record for one level, MBP-10 for more."""
    fields = {
        "publisher_id": 1,
        "instrument_id": 77,
        "flags": LAST,
        "sequence": at % (1 << 32),
        "ts_recv": START + at * 1000 + 1000,
    }
    kind = dbn.MBP1Msg if len(levels) == 1 else dbn.MBP10Msg
    padded = [*levels, *[(None, 0, None, 0)] * (10 - len(levels))] if len(levels) > 1 else levels
    return bytes(
        kind(
            ts_event=START + at * 1000, price=round(price * PRICE), size=size, action=action, side=side, depth=0,
            levels=pairs(padded)[0] if len(levels) == 1 else pairs(padded), **(fields | more),
        )
    )  # fmt: skip


def trade(at: int, side: dbn.Side, price: float, size: int, **more: Any) -> bytes:
    fields = {
        "publisher_id": 1,
        "instrument_id": 77,
        "flags": 0,
        "sequence": at % (1 << 32),
        "ts_recv": START + at * 1000 + 1000,
    }
    return bytes(
        dbn.TradeMsg(
            ts_event=START + at * 1000, price=round(price * PRICE), size=size, action=T, side=side, depth=0,
            **(fields | more),
        )
    )  # fmt: skip


def sample(at: int, level: Level, price: float, size: int, side: dbn.Side) -> bytes:
    """A BBO-1s record."""
    return bytes(
        dbn.BBOMsg(
            rtype=195, publisher_id=1, instrument_id=77, ts_event=START + at * 1000 - 5, price=round(price * PRICE),
            size=size, side=side, ts_recv=START + at * 1000, flags=LAST, levels=pairs([level])[0],
        )
    )  # fmt: skip


def definition(at: int, symbol: str, tick: float | None, kind: dbn.InstrumentClass, **more: Any) -> bytes:
    fields = {"publisher_id": 1, "instrument_id": 77, "currency": "EUR", "asset": "ES", "security_type": "FUT"}
    return bytes(
        dbn.InstrumentDefMsg(
            ts_event=START + at * 1000,
            ts_recv=START + at * 1000,
            min_price_increment=UNDEF if tick is None else round(tick * PRICE),
            display_factor=PRICE,
            raw_symbol=symbol,
            instrument_class=kind,
            security_update_action=dbn.SecurityUpdateAction.ADD,
            **(fields | more),
        )
    )


def write(path: Path, head: bytes, records: Sequence[bytes]) -> Path:
    content = head + b"".join(records)
    path.write_bytes(zstandard.ZstdCompressor().compress(content) if path.suffix == ".zst" else content)
    return path


def decoded(content: bytes) -> list[Any]:
    """Every record as the vendor's library reads it, metadata first."""
    decoder = dbn.DBNDecoder()
    decoder.write(content)
    return list(decoder.decode())
