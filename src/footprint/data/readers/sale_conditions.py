"""Sale conditions of US prints, and which of them are ordinary executions against the book.

Source of the bits: QuantConnect Lean, `Common/Data/Auxiliary/TradeConditionFlags.cs` (AlgoSeek's condition flags).
"""

from __future__ import annotations

from enum import IntFlag


class SaleCondition(IntFlag):
    """Bits of the trade condition, as LEAN defines them (`TradeConditionFlags`)."""

    REGULAR = 1 << 0
    CASH = 1 << 1
    NEXT_DAY = 1 << 2
    SELLER = 1 << 3
    YELLOW_FLAG = 1 << 4
    INTERMARKET_SWEEP = 1 << 5
    OPENING_PRINT = 1 << 6
    CLOSING_PRINT = 1 << 7
    REOPENING_PRINT = 1 << 8
    DERIVATIVELY_PRICED = 1 << 9
    FORM_T = 1 << 10
    SOLD = 1 << 11
    STOPPED = 1 << 12
    EXTENDED_HOURS = 1 << 13
    OUT_OF_SEQUENCE = 1 << 14
    SPLIT = 1 << 15
    ACQUISITION = 1 << 16
    BUNCHED = 1 << 17
    STOCK_OPTION = 1 << 18
    DISTRIBUTION = 1 << 19
    AVERAGE_PRICE = 1 << 20
    CROSS = 1 << 21
    PRICE_VARIATION = 1 << 22
    RULE_155 = 1 << 23
    OFFICIAL_CLOSE = 1 << 24
    PRIOR_REFERENCE_PRICE = 1 << 25
    OFFICIAL_OPEN = 1 << 26
    CAP_ELECTION = 1 << 27
    AUTO_EXECUTION = 1 << 28
    TRADE_THROUGH_EXEMPT = 1 << 29
    UNDOCUMENTED = 1 << 30
    ODD_LOT = 1 << 31


# Matched by a single price or reported for the record, not taken from the book.
AUCTION_CONDITIONS = (
    SaleCondition.OPENING_PRINT
    | SaleCondition.CLOSING_PRINT
    | SaleCondition.REOPENING_PRINT
    | SaleCondition.OFFICIAL_OPEN
    | SaleCondition.OFFICIAL_CLOSE
    | SaleCondition.CROSS
)
# An ordinary execution at the moment it is stamped with; anything beside these bits makes a print ineligible.
ELIGIBLE_CONDITIONS = (
    SaleCondition.REGULAR
    | SaleCondition.YELLOW_FLAG
    | SaleCondition.INTERMARKET_SWEEP
    | SaleCondition.AUTO_EXECUTION
    | SaleCondition.TRADE_THROUGH_EXEMPT
    | SaleCondition.UNDOCUMENTED
    | SaleCondition.ODD_LOT
)
