"""Small Bitstamp logs, line by line."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

MS0 = 1_430_438_404_000


def line(ms: int, event: str, **body: object) -> str:
    return f"{MS0 + ms} {event} {json.dumps(body)}"


def order(ms: int, what: str, order_id: int, price: str, amount: str, *, ask: bool = False, born_s: int = 0) -> str:
    """`what` is created, changed or deleted; `born_s` seconds after MS0."""
    born = str(MS0 // 1000 + born_s)
    body = {"price": price, "amount": amount, "datetime": born, "id": order_id, "order_type": int(ask)}
    return line(ms, f"order_{what}", **body)


def trade(ms: int, trade_id: int, price: float, amount: float) -> str:
    return line(ms, "trade", price=price, amount=amount, id=trade_id)


def book(ms: int, bid: str, ask: str) -> str:
    return line(ms, "order_book", bids=[[bid, "1.0"]] if bid else [], asks=[[ask, "1.0"]] if ask else [])


def write(folder: Path, *lines: str, name: str = "2015-05-01.log.xz") -> Path:
    content = ("\n".join(lines) + "\n").encode()
    path = folder / name
    path.write_bytes(lzma.compress(content) if path.suffix == ".xz" else content)
    return path


def write_life_cycle(folder: Path, *rows: str) -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join(("id,timestamp,exchange.timestamp,price,volume,action,direction", *rows)) + "\n")
    return path
