"""What an audit says of the two clocks of a file."""

from __future__ import annotations

import numpy as np

from footprint.data.verdict import Analysis, Finding
from footprint.market.events import UNKNOWN_TIME
from footprint.units import NS_PER_SECOND

NO_EXCHANGE_TIME = Finding(
    "no_exchange_time", "receive time only: latency cannot be measured", voids=(Analysis.LATENCY,)
)
NO_RECEIVE_TIME = Finding(
    "no_receive_time", "exchange time only: latency cannot be measured", voids=(Analysis.LATENCY,)
)


def clock_findings(events: np.ndarray) -> list[Finding]:
    """Missing clocks, messages received before they happened, an exchange clock that goes back; EVENT_DTYPE (n,)."""
    exchange, received = events["exchange_time_ns"], events["receive_time_ns"]
    if (exchange == UNKNOWN_TIME).all():
        return [NO_EXCHANGE_TIME]
    findings = []
    back = np.diff(exchange[exchange != UNKNOWN_TIME])
    if (received == UNKNOWN_TIME).all():
        findings.append(NO_RECEIVE_TIME)
    elif (back < 0).any():
        text = f"the exchange clock goes back {(back < 0).sum()} times, by up to {-back.min() / NS_PER_SECOND:g} s, "
        findings.append(
            Finding("exchange_clock_back", text + "in order of receipt (kept as it is)", int((back < 0).sum()))
        )
    both = (exchange != UNKNOWN_TIME) & (received != UNKNOWN_TIME)
    latency = received[both] - exchange[both]
    if (latency < 0).any():
        early, median_s = int((latency < 0).sum()), float(np.median(latency)) / NS_PER_SECOND
        text = f"{early} of {len(latency)} events received before they happened; receive minus exchange time is "
        text += f"{median_s:.6f} s in the median, allowed: at least 0 (kept as they are)"
        findings.append(Finding("receive_before_exchange", text, early, voids=(Analysis.LATENCY,)))
    return findings
