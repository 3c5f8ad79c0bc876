"""Files of NASDAQ ITCH 5.0 messages: every type by name and fields, packed with the standard library alone."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

NAME = "01302019.NASDAQ_ITCH50"
NOON = 43_200 * 10**9  # ns since midnight in New York

# after type, stock locate, tracking number and 6 bytes of time; the names are those of `itch_messages`
BODIES = {
    "S": ("c", "event"),
    "R": (
        "8sccIcc2scccccIc",
        "stock market_category financial_status round_lot_size round_lots_only issue_classification issue_sub_type "
        "authenticity short_sale_threshold ipo_flag luld_tier etp_flag etp_leverage inverse",
    ),
    "H": ("8scc4s", "stock state reserved reason"),
    "Y": ("8sc", "stock action"),
    "L": ("4s8sccc", "mpid stock primary mode state"),
    "V": ("QQQ", "level_1 level_2 level_3"),
    "W": ("c", "level"),
    "K": ("8sIcI", "stock release_time_s qualifier price"),
    "J": ("8sIIII", "stock reference_price upper lower extension"),
    "h": ("8scc", "stock market action"),
    "A": ("QcI8sI", "reference side shares stock price"),
    "F": ("QcI8sI4s", "reference side shares stock price attribution"),
    "E": ("QIQ", "reference shares match_number"),
    "C": ("QIQcI", "reference shares match_number printable price"),
    "X": ("QI", "reference shares"),
    "D": ("Q", "reference"),
    "U": ("QQII", "reference new_reference shares price"),
    "P": ("QcI8sIQ", "reference side shares stock price match_number"),
    "Q": ("Q8sIQc", "shares stock price match_number cross_type"),
    "B": ("Q", "match_number"),
    "I": (
        "QQc8sIIIcc",
        "paired_shares imbalance_shares direction stock far_price near_price reference_price cross_type variation",
    ),
    "N": ("8sc", "stock interest"),
    "O": (
        "8scIIIQII",
        "stock open_eligible minimum_price maximum_price near_price near_time_ns lower_collar upper_collar",
    ),
}  # fmt: skip
DEFAULTS = {
    "stock": "ABC",
    "side": "B",
    "shares": 100,
    "price": 100_000,
    "printable": "Y",
    "reserved": "",
    "reason": "",
}


def fields_of(letter: str) -> list[tuple[str, str]]:
    """Name and struct code of each field of a body."""
    codes, names = BODIES[letter]
    parts, count = [], ""
    for code in codes:
        if code.isdigit():
            count += code
        else:
            parts.append(count + code)
            count = ""
    return list(zip(names.split(), parts, strict=True))


def message(letter: str, at: int = NOON, locate: int = 1, tracking: int = 0, **fields: object) -> bytes:
    """One message without its length; text may be str, fields that are not named take plausible values."""
    values = []
    for name, code in fields_of(letter):
        value = fields.pop(name, DEFAULTS.get(name, "" if code.endswith(("c", "s")) else 0))
        if code.endswith(("c", "s")):
            width = int(code[:-1] or 1) if code.endswith("s") else 1
            value = str(value).encode().ljust(width)
        values.append(value)
    assert not fields, f"{letter} has no {fields}"
    head = struct.pack(">cHHHI", letter.encode(), locate, tracking, at >> 32, at & 0xFFFFFFFF)
    return head + struct.pack(">" + BODIES[letter][0], *values)


def framed(messages: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(m)) + m for m in messages)


def write(folder: Path, messages: list[bytes], name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(framed(messages))
    return path


def random_values(letter: str, rng: np.random.Generator) -> dict[str, object]:
    """Values over the whole range of each field: printable text without blanks at its end, any number."""
    values: dict[str, object] = {}
    for name, code in fields_of(letter):
        if code.endswith(("c", "s")):
            width = int(code[:-1] or 1) if code.endswith("s") else 1
            values[name] = "".join(chr(c) for c in rng.integers(33, 127, width))
        else:
            values[name] = int(rng.integers(0, 1 << (64 if code == "Q" else 32), dtype=np.uint64))
    return values


def random_day(rng: np.random.Generator, stocks: int, count: int) -> list[bytes]:
    """A consistent flow of orders over several stocks: every message on an order names one that rests."""
    messages = [message("R", at=NOON - 1, locate=k + 1, stock=f"S{k}") for k in range(stocks)]
    resting: list[list[tuple[int, int]]] = [[] for _ in range(stocks)]  # (reference, shares left)
    reference = 0
    for step in range(count):
        k = int(rng.integers(stocks))
        where = {"at": NOON + step * 1000, "locate": k + 1}
        held = resting[k]
        letter = str(rng.choice(list("AFECXDUPQ"))) if held else "A"
        shares = int(rng.integers(1, 500))
        price = int(rng.integers(90, 110)) * 100
        side = "BS"[int(rng.integers(2))]
        if letter in "AF":
            reference += 1
            held.append((reference, shares))
            messages.append(
                message(letter, stock=f"S{k}", reference=reference, side=side, shares=shares, price=price, **where)
            )
        elif letter in "PQ":
            messages.append(message(letter, stock=f"S{k}", shares=shares, price=price, **where))
        else:
            at = int(rng.integers(len(held)))
            old, left = held.pop(at)
            if letter == "D":
                messages.append(message("D", reference=old, **where))
            elif letter == "U":
                reference += 1
                held.append((reference, shares))
                messages.append(
                    message("U", reference=old, new_reference=reference, shares=shares, price=price, **where)
                )
            else:
                done = int(rng.integers(1, left + 1))
                if done < left:
                    held.append((old, left - done))
                more = {"price": price, "printable": "YN"[int(rng.integers(2))]} if letter == "C" else {}
                messages.append(message(letter, reference=old, shares=done, **more, **where))
    return messages
