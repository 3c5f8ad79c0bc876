"""Books rebuilt from raw Binance frames agree with the exchange's own best quotes wherever both describe one id."""

from __future__ import annotations

from footprint.data.readers.binance_check import check_binance_frames
from scorecard.bar import Bar, Limit
from scorecard.sources import shared_data

# files of one line are one chain, joined by update id
_CHAINS = (
    ("spot/btcusdt_20240808.gz",),
    ("spot/ethusdt_20240808.gz",),
    ("spot/nexousdt_20240723.dat.gz", "spot/nexousdt_20240724.dat.gz"),
    ("usdm/btcusdt_20230404.dat.gz",),
    ("usdm/btcusdt_20240718.gz",),
    ("usdm/btcusdt_20240808.gz",),
    ("usdm/ethusdt_20240808.gz",),
    ("cm/btcusd_perp_20240808.gz",),
    ("cm/ethusd_perp_20240808.gz",),
)
_COMMAND = "python -m scorecard --only binance_frames"

_EQUAL = Bar(2, "Binance: shared ids with equal best quotes", "%", Limit(at_least=100), None, _COMMAND)
_SHARED = Bar(2, "Binance: shared ids, smallest chain", "ids", Limit(at_least=100), None, _COMMAND)
_GAPS = Bar(2, "Binance: gaps in update ids", "gaps", Limit(at_most=0), None, _COMMAND)
_CROSSED = Bar(2, "Binance: crossed or locked books", "updates", Limit(at_most=0), None, _COMMAND)
BARS = (_EQUAL, _SHARED, _GAPS, _CROSSED)


def measure() -> list[Bar]:
    counts = [check_binance_frames([shared_data("binance_raw", *f.split("/")) for f in chain]) for chain in _CHAINS]
    total = {name: sum(c[name] for c in counts) for name in counts[0]}
    smallest = min(range(len(counts)), key=lambda k: counts[k]["shared_ids"])
    equal = 100.0 * (1.0 - total["mismatches"] / total["shared_ids"])
    return [
        _EQUAL.measured(equal, n=total["shared_ids"], note=f"{len(_CHAINS)} chains"),
        _SHARED.measured(counts[smallest]["shared_ids"], n=len(_CHAINS), note=_CHAINS[smallest][0]),
        _GAPS.measured(total["gaps"], n=total["updates"]),
        _CROSSED.measured(total["crossed"], n=total["updates"]),
    ]
