"""Small Binance recordings, written frame by frame."""

from __future__ import annotations

import gzip
import json

START_NS = 1_723_161_255_000_000_000
MS = 1_000_000


def depth(last, previous, bids=(), asks=(), *, first=None, symbol="BTCUSDT", **more):
    """A USD-M depthUpdate; levels are (price, size) texts."""
    body = {"e": "depthUpdate", "E": 0, "T": 0, "s": symbol, "U": first or previous + 1, "u": last, "pu": previous}
    return {"stream": "depth", "data": body | {"b": [list(x) for x in bids], "a": [list(x) for x in asks]} | more}


def spot(message):
    """The same message as the spot market words it."""
    body = {
        k: v for k, v in message["data"].items() if k not in ("pu", "T", "X") or (k == "T" and "t" in message["data"])
    }
    if "t" in body:
        body["M"] = True
    return message | {"data": body}


def quote(update_id, bid, ask, bid_size="1", ask_size="1", symbol="BTCUSDT"):
    body = {"e": "bookTicker", "u": update_id, "s": symbol, "b": bid, "B": bid_size, "a": ask, "A": ask_size, "T": 0}
    return {"stream": "bookTicker", "data": body | {"E": 0}}


def trade(trade_id, price, size, *, buyer_is_maker, kind="MARKET", symbol="BTCUSDT"):
    body = {"e": "trade", "E": 0, "T": 0, "s": symbol, "t": trade_id, "p": price, "q": size, "X": kind}
    return {"stream": "trade", "data": body | {"m": buyer_is_maker}}


def snapshot(last_id, bids=(("100.0", "1"),), asks=(("101.0", "1"),)):
    return {"lastUpdateId": last_id, "bids": [list(x) for x in bids], "asks": [list(x) for x in asks]}


def good_tape():
    """Snapshot, two updates, a quote at a shared id, two trades."""
    return [
        snapshot(10),
        depth(12, 10, bids=[("100.5", "2")]),
        depth(15, 12, asks=[("101.0", "0"), ("101.5", "3")]),
        quote(15, "100.5", "101.5", "2", "3"),
        trade(7, "101.5", "1", buyer_is_maker=False),
        trade(8, "100.5", "0.5", buyer_is_maker=True),
    ]


def write(path, messages, start_ns=START_NS, step_ns=100 * MS):
    """Write messages as gz lines, `step_ns` apart; exchange times of 0 become 5 ms before the local time."""
    lines = []
    for i, message in enumerate(messages):
        local_ns = start_ns + i * step_ns
        body = message.get("data", message)
        stamped = {k: (local_ns // MS - 5 if k in ("E", "T") and v == 0 else v) for k, v in body.items()}
        lines.append(f"{local_ns} {json.dumps(message | {'data': stamped} if 'data' in message else stamped)}\n")
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return path
