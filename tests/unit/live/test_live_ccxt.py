"""The adapter for ccxt.pro against a local server that speaks like one of its venues; no outside network."""

import asyncio
import json

import pytest

pytest.importorskip("ccxt")

import numpy as np
from websockets.asyncio.server import serve

from footprint.adapters.ccxt_feed import CcxtConnector, ccxt_exchanges, new_exchange
from footprint.data.feeds.normaliser import Normaliser
from footprint.data.feeds.protocols import protocol
from footprint.data.feeds.recording import read_recording
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame
from footprint.data.readers.frames import FramesReader
from footprint.errors import UsageError
from footprint.live.connection import ConnectionLost
from footprint.live.folder import FRAMES_FILE, RecordingFolder
from footprint.live.recorder import Recorder
from footprint.live.segments import read_segments
from footprint.market.events import EventKind

MARKET = {"id": "ETHBTC", "symbol": "ETH/BTC", "base": "ETH", "quote": "BTC", "baseId": "ETH", "quoteId": "BTC"}
SNAPSHOT = {"t": 1626866578796, "s": 1, "a": [["0.0605", "2"], ["0.06061", "1.5"]], "b": [["0.0604", "4.4"]]}
UPDATE = {"t": 1626866578896, "s": 2, "a": [["0.0605", "0"]], "b": [["0.0604", "3"], ["0.0603", "0.00000001"]]}
PRINT = {"t": 1626861109494, "i": 7, "p": "0.0605", "q": "2", "s": "buy"}
SAID = [
    {"ch": "orderbook/full", "snapshot": {"ETHBTC": SNAPSHOT}},
    {"ch": "trades", "update": {"ETHBTC": [PRINT]}},
    {"ch": "orderbook/full", "update": {"ETHBTC": UPDATE}},
]


def local(url):
    """The library's object of one venue with its address and its market on this machine."""

    def make(name):
        exchange = new_exchange(name)
        exchange.enableRateLimit = False
        exchange.urls["api"]["ws"]["public"] = url
        exchange.set_markets([{**exchange.safe_market_structure(), **MARKET, "type": "spot", "spot": True}])
        return exchange

    return make


async def venue(connection):
    """Says everything once both channels are asked for, a little apart, then stays."""
    for _ in range(2):
        asked = json.loads(await connection.recv())
        await connection.send(
            json.dumps({"result": {"ch": asked["ch"], "subscriptions": ["ETHBTC"]}, "id": asked["id"]})
        )
    for frame in SAID:
        await asyncio.sleep(0.05)
        await connection.send(json.dumps(frame))
    await connection.wait_closed()


def test_a_recording_through_the_library_holds_its_book_its_prints_and_the_raw_frames(tmp_path):
    async def run():
        async with serve(venue, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            normaliser = Normaliser(protocol("ccxt-1-hitbtc"))
            sink = RecordingFolder(tmp_path / "r", normaliser.protocol, normaliser.units)
            generator = np.random.default_rng(0)
            connector = CcxtConnector(local(url))
            recorder = Recorder(normaliser, ["ETH/BTC"], connector, None, sink, generator)
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(1.0, stop.set)
            await recorder.run(stop)
            sink.close({})
            return recorder

    new_exchange("hitbtc")  # the first import of the library takes seconds
    recorder = asyncio.run(run())
    units, events = read_segments(tmp_path / "r", "ETH/BTC")
    book = events[events["kind"] == EventKind.LEVEL]
    levels = {}
    for event in book:
        key = (int(event["side"]), event["price_ticks"] / units.price_units_per_one)
        levels[key] = event["size_lots"] / units.size_units_per_one
    held = {key: size for key, size in levels.items() if size}
    assert held == {(1, 0.0604): 3.0, (1, 0.0603): 1e-8, (-1, 0.06061): 1.5}
    # a print from before the connection is history and makes no event
    assert recorder.normaliser.report().counts["past_trade"] == 1
    (session,) = FramesReader().sessions([tmp_path / "r" / FRAMES_FILE])
    assert len(session.events) == len(events)
    raw = [f.payload for f in read_recording(tmp_path / "r" / FRAMES_FILE) if f.origin.startswith("ws://")]
    assert [json.loads(payload) for payload in raw if b'"ch"' in payload and b"result" not in payload] == SAID


async def everything(connection):
    while True:
        await connection.receive()


def test_a_lost_connection_of_the_library_is_ours_too():
    async def leaves(connection):
        await connection.recv()
        await connection.close()

    async def run():
        async with serve(leaves, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            connection = await CcxtConnector(local(url)).connect("ccxt:hitbtc")
            await connection.send(b'{"watch": "ETH/BTC"}')
            with pytest.raises(ConnectionLost):
                await asyncio.wait_for(everything(connection), 5)
            await connection.close()

    asyncio.run(run())


def test_an_unknown_symbol_ends_the_connection_with_the_librarys_words():
    async def run():
        connection = await CcxtConnector(local("ws://127.0.0.1:1")).connect("ccxt:hitbtc")
        await connection.send(b'{"watch": "NO/SUCH"}')
        with pytest.raises(ConnectionLost, match="NO/SUCH"):
            await asyncio.wait_for(connection.receive(), 5)
        await connection.close()

    asyncio.run(run())


def test_an_exchange_that_the_library_does_not_stream_is_misuse():
    assert "hitbtc" in ccxt_exchanges()
    with pytest.raises(UsageError, match="'nowhere', known: "):
        new_exchange("nowhere")


def decode(body, origin="ccxt:hitbtc"):
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return protocol("ccxt-1-hitbtc").decode(RawFrame(1, 1, FrameKind.RECEIVED, payload, origin), {})


def test_every_frame_of_our_own_form_is_read_field_by_field():
    (book,) = decode(
        {"book": "eth/btc", "snapshot": False, "time_ms": 1626866578796, "bids": [["1e-07", "0.0"]], "asks": []}
    )
    assert (book.symbol, book.exchange_time_ns, book.snapshot) == ("ETH/BTC", 1626866578796 * 10**6, False)
    assert [(level.side, level.price, level.size) for level in book.levels] == [(1, 10**5, 0)]
    body = {"time_ms": None, "side": None, "price": "2.5", "amount": "3"}
    (trade,) = decode({"trades": "ETH/BTC", "prints": [body]})
    assert trade[:5] == ("ETH/BTC", -1, 0, 25 * 10**11, 3 * 10**8)
    (raw,) = decode(b"not even JSON", "wss://venue")
    assert raw.what == "ignored"
    with pytest.raises(BadFrame):
        decode({"nothing": 1})
    with pytest.raises(BadFrame):
        decode({"book": "A", "snapshot": 1, "time_ms": None, "bids": [], "asks": []})


def test_a_connector_that_is_stopped_while_it_loads_closes_the_library():
    closed = []

    class Slow:
        async def load_markets(self):
            await asyncio.sleep(60)

        async def close(self):
            closed.append(True)

    async def stop_while_loading():
        connecting = asyncio.create_task(CcxtConnector(lambda name: Slow()).connect("ccxt:slow"))
        await asyncio.sleep(0.01)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)

    asyncio.run(stop_while_loading())
    assert closed == [True]
