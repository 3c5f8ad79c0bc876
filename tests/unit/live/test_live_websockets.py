"""The adapter for WebSockets against a local server."""

import asyncio

import pytest
from websockets.asyncio.server import serve

from footprint.adapters.websockets_connection import WebsocketConnector
from footprint.live.connection import ConnectionLost


def talk(handler, work):
    async def run():
        async with serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            return await work(f"ws://127.0.0.1:{port}/feed")

    return asyncio.run(run())


def test_frames_pass_byte_for_byte_text_or_binary():
    said = ['{"a": "é"}', b"\x00\xff", ""]

    async def handler(connection):
        assert await connection.recv() == "subscribe"
        for frame in said:
            await connection.send(frame)

    async def work(url):
        connection = await WebsocketConnector().connect(url)
        await connection.send(b"subscribe")
        found = [(await connection.receive()).payload for _ in said]
        with pytest.raises(ConnectionLost):
            await connection.receive()
        with pytest.raises(ConnectionLost):
            await connection.send(b"late")
        await connection.close()
        await connection.close()
        return found

    assert talk(handler, work) == ['{"a": "é"}'.encode(), b"\x00\xff", b""]


def test_a_venue_that_answers_no_ping_is_left():
    async def handler(connection):
        connection.transport.pause_reading()
        await asyncio.sleep(2)
        connection.transport.abort()

    async def work(url):
        connection = await WebsocketConnector(ping_s=0.1).connect(url)
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(connection.receive(), 1.9)

    talk(handler, work)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/feed", "http://127.0.0.1:1", "ws://no.such.host.invalid/"])
def test_an_address_that_cannot_be_reached_is_named(url):
    async def work():
        with pytest.raises(ConnectionLost) as lost:
            await WebsocketConnector(open_s=2.0).connect(url)
        assert url in str(lost.value)
        assert "\n" not in str(lost.value)

    asyncio.run(work())
