"""A venue's protocol written down as a mapping (TOML) instead of code: where in a frame everything is.

    name, venue, url, hosts       as `wire.WireProtocol`; a frame is recognised by a host in its origin
    sequencing, by_order          `wire.Sequencing` by name; false when missing
    heartbeats                    whole payloads that are no JSON ("pong")
    position                      path of the number that counts the frames of a connection
    fine_sizes                    true: sizes finer than 1e-8 are rounded to the nearest 1e-8 (never to 0)
    payload                       regular expression that recognises a frame which has no origin
    checksum                      "pairs": signed CRC-32 of the 25 best bids and asks in turn, "price:size" as sent
    subscribe, snapshot_url, snapshot_frames     texts with <symbol>

    [[message]]                   the first rule that fits a frame is used; one that fits none is ignored
    kind                          "book", "trade", "quote", or a word of `ControlMessage`
    when                          path = value, list of values, "text*" (begins with), "?" (is there) or "!" (is not)
    origin                        regular expression with one group, the symbol: the rule is for answers to requests
    each                          path of a list: one message an element
    symbol, symbol_after          path; the part behind this text
    time, time_unit               path; s, ms, us, ns, iso
    snapshot                      true, or conditions as in `when`
    first_id, last_id, previous_id, checksum     paths, may be missing in a frame
    side, buy, sell, price, size, trade_id       of a trade; the words for the two sides of the aggressor
    bid, bid_size, ask, ask_size, sequence       of a quote
    [[message.entries]]           list, side ("bid", "ask", or a path with buy and sell), price, size, id, sequence,
                                  removes (true: every entry is a removal)

A path is keys and list positions joined by points, from the element of `each` (or the entry); "^" starts at the frame,
"." is the element itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.checksums import signed_pairs_checksum
from footprint.data.feeds.messages import (
    BookMessage,
    ControlMessage,
    Level,
    Message,
    PositionMessage,
    QuoteMessage,
    TradeMessage,
)
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing
from footprint.errors import UsageError
from footprint.market.events import UNKNOWN_TIME

_MISSING = object()
_BOOK_KINDS = ("book", "trade", "quote")

Path = Callable[[Any, Any], Any]  # (root, element) -> value or _MISSING
Number = Callable[[Any], int]


@lru_cache
def path(text: str) -> Path:
    """A compiled path."""
    from_root, rest = text.startswith("^"), text.removeprefix("^")
    keys = [int(key) if key.isdigit() else key for key in rest.split(".") if key]

    def read(root: Any, element: Any) -> Any:
        value = root if from_root else element
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return _MISSING
        return value

    return read


def _need(text: str, root: Any, element: Any) -> Any:
    value = path(text)(root, element)
    if value is _MISSING or value is None:
        raise BadFrame("missing value", field=text)
    return value


def _id(text: str, root: Any, element: Any) -> int:
    """An id that may be missing; -1 says the same."""
    value = path(text)(root, element) if text else _MISSING
    return -1 if value in (_MISSING, None, -1, "-1") else values.whole(value)


def _checksum(text: str, root: Any, element: Any) -> int | None:
    """A checksum that may be missing."""
    found = path(text)(root, element) if text else _MISSING
    if found is _MISSING:
        return None
    if type(found) is not int:
        raise BadFrame("not a checksum", found, "a whole number", text)
    return int(found)


def _holds(conditions: Mapping[str, Any], root: Any, element: Any) -> bool:
    return all(_fits(path(where)(root, element), wanted) for where, wanted in conditions.items())


def _fits(value: Any, wanted: Any) -> bool:
    if wanted == "?":
        return value is not _MISSING
    if wanted == "!":
        return value is _MISSING
    if isinstance(wanted, list):
        return value in wanted
    if isinstance(wanted, str) and wanted.endswith("*"):
        return isinstance(value, str) and value.startswith(wanted[:-1])
    return type(value) is type(wanted) and value == wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """One list of a book message (or the element itself, "."), and what its entries say."""

    list: str
    side: str
    price: str = ""
    size: str = ""
    id: str = ""
    sequence: str = ""
    buy: Any = "buy"
    sell: Any = "sell"
    removes: bool = False

    def read(self, root: Any, element: Any, with_check: bool, size: Number) -> tuple[Level, ...]:
        """The entries of one message."""
        found = element if self.list == "." else _need_list(self.list, root, element)
        rows = [found] if self.list == "." else found
        return tuple(self._level(root, row, with_check, size) for row in rows)

    def _level(self, root: Any, row: Any, with_check: bool, size: Number) -> Level:
        if self.side in ("bid", "ask"):
            side = 1 if self.side == "bid" else -1
        else:
            side = values.side(_need(self.side, root, row), self.buy, self.sell)
        price_text = path(self.price)(root, row) if self.price else _MISSING
        if price_text is _MISSING and not self.id:
            raise BadFrame("missing value", field=self.price)
        price = 0 if price_text is _MISSING or price_text in ("0", 0) else values.price(price_text)
        size_text = 0 if self.removes else _need(self.size, root, row)
        check = f"{price_text}:{size_text}" if with_check else ""
        order_id = values.whole(_need(self.id, root, row)) if self.id else 0
        return Level(side, price, size(size_text), order_id, check, _id(self.sequence, root, row))


def _need_list(text: str, root: Any, element: Any) -> list[Any]:
    found = path(text)(root, element)
    if found is None:
        return []
    if not isinstance(found, list):
        raise BadFrame("not a list", None if found is _MISSING else found, "a list", text)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of frame."""

    kind: str
    when: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""
    each: str = ""
    symbol: str = ""
    symbol_after: str = ""
    time: str = ""
    time_unit: str = "ms"
    snapshot: bool | Mapping[str, Any] = False
    first_id: str = ""
    last_id: str = ""
    previous_id: str = ""
    checksum: str = ""
    side: str = ""
    buy: Any = "buy"
    sell: Any = "sell"
    price: str = ""
    size: str = ""
    trade_id: str = ""
    bid: str = ""
    bid_size: str = ""
    ask: str = ""
    ask_size: str = ""
    sequence: str = ""
    entries: tuple[Entries, ...] = ()

    def fits(self, root: Any, frame: RawFrame) -> bool:
        """True when the frame is of this kind."""
        if bool(self.origin) != (frame.kind is FrameKind.RESPONSE):
            return False
        return (not self.origin or re.search(self.origin, frame.origin) is not None) and _holds(self.when, root, root)

    def messages(self, root: Any, frame: RawFrame, size: Number) -> list[Message]:
        """What a frame of this kind says."""
        if self.kind not in _BOOK_KINDS:
            return [ControlMessage(self.kind)]
        elements = _need_list(self.each, root, root) if self.each else [root]
        return [self._message(root, element, frame, size) for element in elements]

    def _message(self, root: Any, element: Any, frame: RawFrame, size: Number) -> Message:
        symbol = self._symbol(root, element, frame)
        time_ns = UNKNOWN_TIME
        if self.time and path(self.time)(root, element) is not _MISSING:
            time_ns = values.time_ns(_need(self.time, root, element), self.time_unit)
        match self.kind:
            case "trade":
                return self._trade(root, element, symbol, time_ns, size)
            case "quote":
                return self._quote(root, element, symbol, time_ns, size)
        return self._book(root, element, symbol, time_ns, size)

    def _symbol(self, root: Any, element: Any, frame: RawFrame) -> str:
        if self.origin:
            found = re.search(self.origin, frame.origin)
            return values.symbol(found[1] if found else None)
        text = values.text(_need(self.symbol, root, element))
        return values.symbol(text.partition(self.symbol_after)[2] if self.symbol_after else text)

    def _book(self, root: Any, element: Any, symbol: str, time_ns: int, size: Number) -> BookMessage:
        with_check = bool(self.checksum)
        entries = tuple(chain.from_iterable(part.read(root, element, with_check, size) for part in self.entries))
        checksum = _checksum(self.checksum, root, element)
        last_id = _id(self.last_id, root, element)
        return BookMessage(
            symbol,
            time_ns,
            self.snapshot if isinstance(self.snapshot, bool) else _holds(self.snapshot, root, element),
            entries,
            _id(self.first_id, root, element) if self.first_id else last_id,
            last_id,
            _id(self.previous_id, root, element),
            checksum,
        )

    def _trade(self, root: Any, element: Any, symbol: str, time_ns: int, size: Number) -> TradeMessage:
        side = values.side(_need(self.side, root, element), self.buy, self.sell)
        price = values.price(_need(self.price, root, element))
        amount = size(_need(self.size, root, element))
        if not amount:
            raise BadFrame("size not positive", amount, "more than 0", self.size)
        return TradeMessage(symbol, time_ns, side, price, amount, _id(self.trade_id, root, element))

    def _quote(self, root: Any, element: Any, symbol: str, time_ns: int, size: Number) -> QuoteMessage:
        sides: list[tuple[int, int]] = []
        for price_path, size_path in ((self.bid, self.bid_size), (self.ask, self.ask_size)):
            amount = path(size_path)(root, element)
            empty = amount in (_MISSING, None, 0, "0", "0.0")
            sides.append((0, 0) if empty else (values.price(_need(price_path, root, element)), size(amount)))
        (bid, bid_size), (ask, ask_size) = sides
        return QuoteMessage(symbol, time_ns, bid, bid_size, ask, ask_size, _id(self.sequence, root, element))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Venue:
    name: str
    venue: str
    url: str
    hosts: Sequence[str]
    sequencing: str
    by_order: bool = False
    heartbeats: Sequence[str] = ()
    position: str = ""
    checksum: str = ""
    fine_sizes: bool = False
    payload: str = ""
    subscribe: Sequence[str] = ()
    snapshot_url: str = ""
    snapshot_frames: Sequence[str] = ()
    message: Sequence[Rule] = ()


class MappedProtocol:
    """`wire.WireProtocol` out of a mapping."""

    def __init__(self, text: str) -> None:
        """Read a mapping.

        Raises:
            UsageError: not TOML, an unknown key, or a key that is missing.
        """
        try:
            written = tomllib.loads(text)
            rules = tuple(_rule(rule) for rule in written.pop("message"))
            self._venue = _Venue(**written, message=rules)
            self.sequencing = Sequencing[self._venue.sequencing]
        except (tomllib.TOMLDecodeError, TypeError, KeyError, AttributeError, re.error) as error:
            raise UsageError(f"not a mapping of a venue ({error}), allowed: {_KEYS}") from None
        self.name, self.venue, self.url = self._venue.name, self._venue.venue, self._venue.url
        self.by_order = self._venue.by_order
        self._size: Number = values.noisy_size if self._venue.fine_sizes else values.size
        self._payload = re.compile(self._venue.payload.encode()) if self._venue.payload else None
        self._heartbeats = {text.encode() for text in self._venue.heartbeats}

    def recognise(self, frame: RawFrame) -> bool:
        """By the host, or by the payload when there is no origin."""
        if not frame.origin and self._payload:
            return self._payload.search(frame.payload) is not None
        return any(host in frame.origin for host in self._venue.hosts)

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """The frames of the mapping, for each symbol."""
        return tuple(_filled(text, symbol) for symbol in symbols for text in self._venue.subscribe)

    def snapshot(self, symbol: str) -> Request:
        """The URL or the frames of the mapping."""
        if self._venue.snapshot_url:
            return Request(_filled(self._venue.snapshot_url, symbol).decode())
        return Request(frames=tuple(_filled(text, symbol) for text in self._venue.snapshot_frames))

    def checksum(self, bids: Sequence[str], asks: Sequence[str]) -> int:
        """As the mapping names it."""
        if self._venue.checksum != "pairs":
            raise NotImplementedError(f"{self.name} has no checksum")
        return signed_pairs_checksum(bids, asks)

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.payload in self._heartbeats:
            return (ControlMessage("heartbeat"),)
        root = values.parse_json(frame.payload)
        if not isinstance(root, (dict, list)):
            raise BadFrame("not an object", root, "a JSON object")
        found: list[Message] = []
        if self._venue.position and frame.kind is FrameKind.RECEIVED:
            number = _id(self._venue.position, root, root)
            found += [PositionMessage(number)] if number >= 0 else []
        for rule in self._venue.message:
            if rule.fits(root, frame):
                return [*found, *rule.messages(root, frame, self._size)]
        return [*found, ControlMessage("ignored")]


def _rule(written: dict[str, Any]) -> Rule:
    entries = tuple(Entries(**entry) for entry in written.pop("entries", ()))
    return Rule(**written, entries=entries)


_KEYS = ", ".join(f.name for f in fields(_Venue))


def _filled(text: str, symbol: str) -> bytes:
    return text.replace("<symbol>", symbol).replace("<symbol_lower>", symbol.lower()).encode()


def mapped_protocols() -> tuple[MappedProtocol, ...]:
    """The mappings that come with the package, by name of the file."""
    folder = files("footprint.data.feeds") / "venues"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return tuple(MappedProtocol(entry.read_text(encoding="utf-8")) for entry in found)
