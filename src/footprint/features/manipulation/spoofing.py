"""Spoofing: one large order shown near the touch, gone untouched within seconds, trades on the other side meanwhile.

Lee, Eom, Park, "Microstructure-based manipulation: strategic behavior and performance of spoofing traders", J.
Financial Markets 16 (2013): orders much larger than usual with little chance of a fill, an order of the other side,
withdrawal. Cartea, Jaimungal, Wang, "Spoofing and price manipulation in order-driven markets" (Appl. Math. Finance 27,
2020) and Tao, Day, Ling, Drapeau (arXiv 2009.14818) give why it pays: the imbalance moves the price.

score = log(the lesser of size / usual touch size and net trading on the other side / typical market order)
"""

from __future__ import annotations

import math

from numba import njit

from footprint.features.manipulation.candidate import Kind, write
from footprint.features.manipulation.placements import other_side_lots
from footprint.features.windows import Record

_KIND = int(Kind.SPOOFING)


@njit(cache=True)
def score_spoofing(log: Record, board: Record, row: Record, now_ns: int, usual: float, typical_lots: float) -> float:
    """Judge one fleeting placement as it settles; its score, 0 when there is none."""
    multiple = row.lots / usual
    trading = other_side_lots(board, row) / typical_lots
    if min(multiple, trading) <= 1.0:
        return 0.0
    score = math.log(min(multiple, trading))
    write(log, _KIND, row.side, row.placed_ns, row.gone_ns, now_ns, score, row.lots, multiple, trading, 1)
    return score
