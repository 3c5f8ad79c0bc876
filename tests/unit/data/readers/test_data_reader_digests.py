"""The events of real files to the bit: a faster reader must read the same."""

import hashlib

import numpy as np
import pytest

from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.lobster import LobsterReader

DIGESTS = {
    "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip": "29eb7055989366db",
    "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_1.zip": "bc35bc2e7d8fbf40",
    "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip": "0812130da676dc58",
    "binance_raw/cm/btcusd_perp_20240808.gz": "eb4fd23de87eefa3",
    "binance_raw/cm/ethusd_perp_20240808.gz": "1fe4d0ad340db160",
    "binance_raw/spot/btcusdt_20240808.gz": "eb6b45729d4835e7",
    "binance_raw/spot/ethusdt_20240808.gz": "d4edf3e1b75391b6",
    "binance_raw/spot/nexousdt_20240723.dat.gz": "9a9e675f0aa8bae3",
    "binance_raw/spot/nexousdt_20240724.dat.gz": "a45f207a61524407",
    "binance_raw/usdm/btcusdt_20230404.dat.gz": "7544dc70ee6acea4",
    "binance_raw/usdm/btcusdt_20240718.gz": "41c61ad5008943af",
    "binance_raw/usdm/btcusdt_20240808.gz": "94d2f53c78fc3f81",
    "binance_raw/usdm/ethusdt_20240808.gz": "acc71d46d2368971",
}


def digest(session) -> str:
    """Of tick, lot and every column of the events."""
    found = hashlib.sha256(
        repr((session.instrument.tick_size, session.instrument.lot_size, len(session.events))).encode()
    )
    for name in session.events.dtype.names:
        found.update(np.ascontiguousarray(session.events[name].astype(np.int64)))
    return found.hexdigest()[:16]


@pytest.mark.parametrize("name", DIGESTS)
def test_the_events_of_a_real_file_are_what_they_were(shared_data, name):
    reader = LobsterReader() if name.startswith("lobster") else BinanceReader()
    (session,) = reader.sessions([shared_data / name])
    assert digest(session) == DIGESTS[name]
