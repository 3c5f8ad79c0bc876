"""Small files of the equity, futures and table formats with every kind of row that the formats know."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import polars as pl

# ---- B3 orders ------------------------------------------------------------------------------------------------------

B3_DAY = date(2015, 11, 3)
B3_UTC_OFFSET_HOURS = 2  # of that day, summer in Sao Paulo
_ORDER_COLUMNS = (
    "OrderSide",
    "SequentialOrderNumber",
    "SecondaryOrderID",
    "ExecutionType",
    "PriorityTime",
    "OrderPrice",
    "TotalQuantity",
    "TradedQuantity",
    "AgressorIndicator",
    "Member",
)
# every execution type; a trade is two rows. Numbers 1..n are the order of the events.
B3_ORDER_ROWS: tuple[tuple[object, ...], ...] = (
    ("Buy", 900, 1, "Update", "10:00:01.000000", 9.50, 100, 0, 0, 3),  # born before the file
    ("Sell", 501, 2, "New", "10:00:02.000000", 10.02, 300, 0, 0, 8),
    ("Buy", 502, 3, "New", "10:00:03.000000", 9.99, 200, 0, 0, 21),
    ("Buy", 502, 4, "Update", "10:00:04.000000", 10.00, 150, 0, 0, 21),
    ("Sell", 503, 6, "New", "10:00:05.000000", 9.97, 250, 0, 0, 72),  # takes all of 502, rests with 100
    ("Buy", 502, 7, "Trade", "10:00:05.000000", 10.00, 150, 150, 2, 21),
    ("Sell", 503, 8, "Trade", "10:00:05.000000", 9.97, 250, 150, 1, 72),
    ("Buy", 504, 10, "New", "10:00:06.000000", 0.0, 130, 0, 0, 90),  # a market order: 30 stay at its last price
    ("Buy", 504, 11, "Trade", "10:00:06.000000", 0.0, 130, 100, 1, 90),
    ("Sell", 503, 12, "Trade", "10:00:06.000000", 9.97, 250, 250, 2, 72),
    ("Buy", 504, 14, "Cancel", "10:00:07.000000", 9.97, 130, 100, 0, 90),
    ("Buy", 505, 15, "New Stop Price", "10:00:08.000000", 10.05, 40, 0, 0, 3),
    ("Buy", 505, 16, "Stop Price Triggered", "10:00:09.000000", 10.01, 40, 0, 0, 3),
    ("Buy", 505, 17, "Reentry", "10:00:10.000000", 10.01, 60, 0, 0, 3),
    ("Buy", 505, 18, "Eliminated", "10:00:11.000000", 10.01, 60, 0, 0, 3),
    ("Sell", 506, 19, "New", "10:00:12.000000", 10.09, 10, 0, 0, 8),
    ("Sell", 506, 20, "Expired", "10:00:13.000000", 10.09, 10, 0, 0, 8),
    ("Sell", 507, 21, "New", "10:00:14.000000", 10.08, 10, 0, 0, 8),
    ("Sell", 507, 22, "Removed", "10:00:15.000000", 10.08, 10, 0, 0, 8),
    ("Sell", 508, 23, "Rejected", "10:00:16.000000", 10.08, 10, 0, 0, 8),  # never was in the book
    ("Buy", 900, 24, "Cancel", "10:00:17.000000", 9.50, 100, 0, 0, 3),
    ("Sell", 901, 25, "Cancel", "10:00:18.000000", 10.50, 100, 0, 0, 3),  # born before the file, never seen
    ("Buy", 510, 30, "New", "16:55:01.000000", 11.00, 100, 0, 0, 3),  # the closing call crosses on purpose
)


def b3_orders(path: Path, rows: Sequence[tuple[object, ...]] = B3_ORDER_ROWS, **changed: Sequence[object]) -> Path:
    """Rows as tuples of `_ORDER_COLUMNS`; `changed` replaces whole columns."""
    columns = {name: [row[at] for row in rows] for at, name in enumerate(_ORDER_COLUMNS)}
    utc = [
        datetime.combine(B3_DAY, datetime.strptime(str(text), "%H:%M:%S.%f").time()) for text in columns["PriorityTime"]
    ]
    frame = pl.DataFrame(
        {
            "SessionDate": [B3_DAY] * len(rows),
            "InstrumentSymbol": ["ABCD3F"] * len(rows),
            **columns,
            "PriorityDateTime": pl.Series(utc).dt.offset_by(f"{B3_UTC_OFFSET_HOURS}h").cast(pl.Datetime("ns")),
            **changed,
        },
        schema_overrides={
            **dict.fromkeys(("SequentialOrderNumber", "OrderPrice", "TotalQuantity", "TradedQuantity"), pl.Float64),
            "AgressorIndicator": pl.Int32,
        },
        strict=False,
    )
    frame.write_parquet(path)
    return path


# ---- B3 option trades -----------------------------------------------------------------------------------------------


def b3_option_trade(
    symbol: str,
    number: int,
    price: str,
    quantity: int,
    time: str,
    *,
    indicator: int = 1,
    buyer: int = 1,
    cross: int = 0,
    brokers: tuple[int, int] = (114, 735),
    orders: tuple[int, int] = (7001, 7002),
) -> str:
    """One line; `buyer` 1 means that the buyer was the aggressor, 2 the seller, 0 that both were passive."""
    day, buyer, seller = "2015-11-26", buyer or 2, 3 - buyer if buyer else 2
    return ";".join(
        (
            day,
            f"{symbol:<50}",
            f"{number:010d}",
            f" {float(price):019.6f}",
            f"{quantity:018d}",
            time,
            str(indicator),
            *(day, f"{orders[0]:015d}", f"{number:015d}", str(buyer)),
            *(day, f"{orders[1]:015d}", f"{number + 1:015d}", str(seller)),
            str(cross),
            f"{brokers[0]:08d}",
            f"{brokers[1]:08d}",
        )
    )


B3_OPTION_LINES = (
    b3_option_trade("PETRL80", 20, "0.44", 500, "10:01:38.229", buyer=2),  # shuffled within its millisecond
    b3_option_trade("PETRL80", 10, "0.45", 300, "10:01:38.229"),
    b3_option_trade("PETRL80", 30, "0.46", 100, "10:01:39.000", indicator=2),  # cancelled
    b3_option_trade("PETRL80", 40, "0.46", 100, "17:18:03.600", buyer=0),  # closing call
    b3_option_trade("ABEVA20", 10, "0.32", 900, "13:29:05.765", cross=1, brokers=(23, 23)),
    b3_option_trade("ABEVA20", 20, "0.31", 800, "13:29:06.765", buyer=2),
)


def b3_options(path: Path, lines: Sequence[str] = B3_OPTION_LINES, announced: int | None = None) -> Path:
    """Header, lines, trailer; gz by suffix."""
    count = len(lines) if announced is None else announced
    ends = [f"R{kind} NEG                 2015-11-26 2015-11-26 {count:09d}" for kind in "HT"]
    return write(path, "\n".join((ends[0], *lines, ends[1])) + "\n")


# ---- LEAN -----------------------------------------------------------------------------------------------------------

FUTURES = {
    "20131007_gc_tick_trade_201312.csv": (
        "276,1313.7,1,usa,,0\n276,1313.6,0,usa,,0\n311,1313,4,usa,,0\n400,1,9,usa,,1\n"
    ),
    "20131007_gc_tick_trade_201402.csv": "50000,1314.2,2,usa,,0\n",
    "20131007_gc_tick_trade_201404.csv": "60000,1315.2,0,usa,,0\n",
}
FUTURES_INTEREST = {
    "20131007_gc_tick_openinterest_201312.csv": "22068531,224928\n49678487,221395\n49678487,221395\n",
    "20131007_gc_tick_openinterest_201402.csv": "22068536,39062\n",
}
_CALL, _PUT = "american_call_7500000_20151224", "american_put_7505000_20160115"
OPTION_QUOTES = {
    f"20151224_goog_minute_quote_{_CALL}.csv": (
        "34200000,15000,18000,14000,17000,2,16000,19000,15000,18000,3\n"
        "34260000,,,,,0,16000,16000,16000,16000,5\n"
        "34320000,15000,15000,15000,15000,4,,,,,0\n"
    ),
    f"20151224_goog_minute_quote_{_PUT}.csv": "34200000,90000,90000,90000,90000,1,90000,90000,90000,90000,1\n",
}
OPTION_TRADES = {f"20151224_goog_minute_trade_{_CALL}.csv": "34200000,15000,18000,15000,18000,2\n"}
OPTION_INTEREST = {
    f"20151224_goog_minute_openinterest_{_CALL}.csv": "23520000,3316\n",
    f"20151224_goog_minute_openinterest_{_PUT}.csv": "23520000,0\n",
}
CRYPTO_TRADES = {
    "20161007_btcusd_second_trade.csv": "4000,611.78,611.87,611.78,611.87,0.60046\n30000,612,612,612,612,1\n"
}
CRYPTO_QUOTES = {
    "20161007_btcusd_minute_quote.csv": "60000,611.7,611.8,611.6,611.75,2,611.8,611.9,611.7,611.85,1.5\n",
}


def lean(root: Path, below: str, name: str, members: Mapping[str, str]) -> Path:
    """An archive at `<root>/<below>/<name>`."""
    folder = root / below
    folder.mkdir(parents=True, exist_ok=True)
    return zipped(folder / name, members)


def zipped(path: Path, members: Mapping[str, str]) -> Path:
    """A zip of texts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    path.write_bytes(packed.getvalue())
    return path


# ---- SGX, TAQ -------------------------------------------------------------------------------------------------------


def sgx(path: Path, *blocks: tuple[str, Sequence[str]]) -> Path:
    """Blocks of (local time, rows `bid,size,ask,size`); gz by suffix."""
    parts = ["Bid,Bid_Quantity,Ask,Ask_Quantity"]
    for time, rows in blocks:
        parts += [f"TimeStamp,2014-01-09D{time}", *rows]
    return write(path, "\n\n".join(parts) + "\n\n")


SGX_BLOCKS = (
    ("08:59:00.000000000", ("680000.0,5.0,680000.0,7.0",)),  # the pre-open may be locked
    ("09:00:00.000000100", ("679500.0,1.0,680000.0,2.0", "679000.0,3.0,680500.0,4.0", "678500.0,5.0,681000.0,6.0")),
    ("09:00:01.000000000", ("679500.0,1.0,680000.0,2.0", "679000.0,3.0,680500.0,4.0", "678500.0,5.0,681000.0,6.0")),
    ("09:00:02.000000000", ("679000.0,8.0,680000.0,2.0", "678500.0,5.0,NaN,NaN")),
    ("15:55:00.000000000", ("680000.0,5.0,680000.0,7.0",)),
)

TAQ_DAY = datetime(2018, 1, 2)
TAQ_TRADES = (
    # hours after midnight UTC, venue, conditions, size, price, correction
    (10.0, "P", "FTI", 2, 157.80, 0),  # before the open
    (14.6, "N", "", 100, 158.00, 0),
    (14.7, "T", "F I", 7, 158.0125, 0),
    (14.8, "D", "", 300, 158.01, 0),  # off exchange
    (14.9, "N", "", 200, 158.02, 8),  # cancelled
    (15.0, "N", "", 0, 158.02, 0),
    (15.1, "N", "O", 5000, 158.00, 0),  # auction
    (15.2, "N", "Z", 100, 158.50, 0),  # out of sequence
    (15.3, "K", "@", 100, 158.03, 1),  # corrected, this is the right one
)
TAQ_QUOTES = (
    # hours, venue, bid, bid size, ask, ask size (round lots)
    (14.55, "N", 157.99, 2, 158.01, 3),
    (14.60, "N", 158.00, 2, 158.01, 3),
    (14.65, "T", 150.00, 1, 190.00, 1),  # a venue that quotes seldom
    (14.75, "N", 158.00, 5, 0.00, 0),
    (14.95, "N", 158.01, 5, 158.03, 1),
)


def taq_trades(path: Path, rows: Sequence[tuple[object, ...]] = TAQ_TRADES) -> Path:
    """Rows as in TAQ_TRADES."""
    hours, venue, condition, size, price, correction = zip(*rows, strict=True)
    ints = {"SIZE": pl.Int32, "CORR": pl.Int32}
    columns = {"EX": venue, "SYMBOL": ["XXX"] * len(rows), "COND": condition, "SIZE": size, "PRICE": price}
    pl.DataFrame({"DT": _utc(hours), **columns, "CORR": correction}, schema_overrides=ints).write_parquet(path)
    return path


def taq_quotes(path: Path, rows: Sequence[tuple[object, ...]] = TAQ_QUOTES) -> Path:
    """Rows as in TAQ_QUOTES."""
    hours, venue, bid, bid_size, ask, ask_size = zip(*rows, strict=True)
    sizes = {"BIDSIZ": pl.Int32, "OFRSIZ": pl.Int32}
    columns = {"EX": venue, "BID": bid, "BIDSIZ": bid_size, "OFR": ask, "OFRSIZ": ask_size}
    frame = pl.DataFrame({"DT": _utc(hours), **columns, "SYMBOL": ["XXX"] * len(rows)}, schema_overrides=sizes)
    frame.write_parquet(path)
    return path


def _utc(hours: Sequence[object]) -> pl.Series:
    """Times of TAQ_DAY that went through a double of seconds: 9.2e-8 s too late."""
    ns = [round(float(str(hour)) * 3600 * 10**9) + 92 for hour in hours]
    return pl.Series([TAQ_DAY] * len(ns)).cast(pl.Datetime("ns")) + pl.Series(ns).cast(pl.Duration("ns"))


# ---- tables ---------------------------------------------------------------------------------------------------------

CHAIN_HEADER = (
    "timestamp,instrument_name,underlying,underlying_name,option_type,strike,expiry_datetime,time_to_maturity,bid_price,"
    "ask_price,mark_price,mid_price,futures_price,futures_instrument_name,implied_volatility,delta,vega,open_interest,"
    "volume,bid_ask_spread,currency,index_price,volume_usd"
)


def chain_row(
    name: str = "BTC-3JAN26-88000-C",
    *,
    time: str = "2026-01-01T09:18:35.173006+00:00",
    kind: str = "call",
    bid: str = "0.0085",
    ask: str = "0.009",
    volatility: str = "0.3337",
    expiry: str = "2026-01-03T08:00:00+00:00",
    future: str = "87834.3",
) -> str:
    """One option of a snapshot."""
    return (
        f"{time},{name},87834.3,SYN.BTC-3JAN26,{kind},88000.0,{expiry},0.0053,{bid},{ask},0.00882,0.00875,{future},"
        f"SYN.BTC-3JAN26,{volatility},0.47434,25.52,255.3,217.4,0.0005,BTC,87799.1,182765.59"
    )


def chain(path: Path, *rows: str) -> Path:
    """A csv of one snapshot; gz by suffix."""
    return write(path, "\n".join((CHAIN_HEADER, *(rows or (chain_row(),)))) + "\n")


FUNDING = ("20200325 16:00:00,0.0001", "20200326 00:00:00,-0.00375", "20200326 08:00:00,0.000123")


def funding(root: Path, *rows: str, name: str = "btcusdt.csv.gz") -> Path:
    """A csv in its folder; gz by suffix."""
    folder = root / "cryptofuture" / "bybit" / "margin_interest"
    folder.mkdir(parents=True, exist_ok=True)
    return write(folder / name, "\n".join(rows or FUNDING) + "\n")


def auctions(path: Path, **changed: Sequence[object]) -> Path:
    """Two days of two tickers."""
    columns: dict[str, Sequence[object]] = {
        "date": [datetime(2024, 3, 8), datetime(2024, 3, 8), datetime(2024, 3, 11), datetime(2024, 3, 11)],
        "ticker": ["BRK.B", "True", "BRK.B", "True"],
        "price": [401.123456, 3.0, 402.5, 3.01],
        "volume": [1000, 20, 1100, 30],
    }
    pl.DataFrame(columns | changed).write_parquet(path)
    return path


FX_ORDER_HEADER = (
    "date,account_id,algo_id,algo_settings,arrival_price,benchmark_date_end,benchmark_date_start,broker_id,broker_sub_id,"
    "id,notional,notional_currency,portfolio_id,portfolio_manager_id,price_limit,side,ticker,trader_id"
)
FX_TRADE_HEADER = (
    "date,account_id,algo_id,algo_settings,ancestor_pointer_id,broker_id,broker_sub_id,event_type,executed_notional,"
    "executed_price,id,market_ask,market_bid,market_mid,notional_currency,order_notional,portfolio_id,"
    "portfolio_manager_id,price_limit,side,ticker,trader_id,venue"
)
_RUN = "2018-06-17 22:42:44.253123_9418"
FX_ORDER = f"order_EURUSD2017-04-25 07:09:31.804000+00:00_{_RUN}"


def fx_orders(path: Path, *, side: str = "-1", notional: str = "18517881", currency: str = "EUR") -> Path:
    """Two orders; gz by suffix."""
    rows = [
        f"2017-04-25 07:09:31.804000+00:00,account3,algo4,default,1.0879,2017-04-25 10:40:16.5+00:00,x,broker5,sub1,"
        f"{FX_ORDER},{notional},{currency},p4,pm2,1.0879650115,{side},EURUSD,trader1",
        f"2017-04-25 06:09:31+00:00,account3,algo4,default,119.1,x,x,broker1,sub1,"
        f"order_EURJPY2017-04-25 06:09:31.000000+00:00_{_RUN},500,JPY,p4,pm2,119.1,1,EURJPY,trader1",
    ]
    return write(path, "\n".join((FX_ORDER_HEADER, *rows)) + "\n")


def fx_trades(path: Path, **changed: str) -> Path:
    """Every event of one order; gz by suffix. `changed` replaces the first cell with that text."""
    rows = []
    for second, event, executed, price, order in (
        (31, "placement", "0", "0.0", "18517881"),
        (32, "cancel/replace", "0", "0.0", "17000000"),
        (33, "trade", "17000000", "1.0881", "17000000"),
        (34, "cancel", "0", "0.0", "0"),
    ):
        own = f"execution_EURUSD2017-04-25 07:09:{second}.804000+00:00_{_RUN}"
        rows.append(
            f"2017-04-25 07:09:{second}.804000+00:00,account3,algo4,default,{FX_ORDER},broker5,sub1,{event},{executed},"
            f"{price},{own},1.0880,1.0879,1.08795,EUR,{order},p4,pm2,1.0879,-1,EURUSD,trader1,venue4"
        )
    text = "\n".join((FX_TRADE_HEADER, *rows)) + "\n"
    for old, new in changed.items():
        text = text.replace(old, new, 1)
    return write(path, text)


def write(path: Path, text: str) -> Path:
    """A text, packed when the name ends with gz."""
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
    return path
