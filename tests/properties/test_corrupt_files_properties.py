"""Whatever bytes are changed in a file, an audit answers with a verdict, and a refused file gives no session."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footprint.data import formats
from footprint.data.verdict import Verdict
from footprint.errors import DataRefused

B3 = (
    "symbol,rpt_seq,network_received_time,event_type,md_entry_px,md_entry_size,aggressor,en_s_px_1,en_b_px_1\n"
    "ABCD3,1,2025-04-07 13:30:01.000000001+00:00,book,,,,10.01,9.99\n"
    + "".join(
        f"ABCD3,{i},2025-04-07 13:30:{i:02d}.000000001+00:00,trade,10.01,100.0,4.0,10.01,9.99\n" for i in range(2, 9)
    )
)
LEAN_TRADES = "".join(f"{34_200_000 + i},100000,100,P,20000020,0\n" for i in range(9))
LEAN_QUOTES = "".join(f"{34_200_000 + i},100000,300,0,0,P,1,0\n{34_200_000 + i},0,0,100200,4,Q,1,0\n" for i in range(5))

edits = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.sampled_from([0, 1, 2, 5, 30]),
        st.sampled_from(
            ["NaN", "-1", "", "inf", "9" * 20, "1e400", '"', "\n", "\r\n", ",", "trade", "0.005", " ", "\0"]
        )
        | st.text(max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ABCD3_2025-04-07.csv", B3),
        ("20131007_abc_Trade_Tick.csv", LEAN_TRADES),
        ("20131007_abc_Quote_Tick.csv", LEAN_QUOTES),
    ],
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=edits)
def test_an_edited_file_gets_a_verdict(tmp_path: Path, name: str, content: str, edits: list) -> None:
    text = content
    for at, length, inserted in edits:
        at %= len(text) + 1
        text = text[:at] + inserted + text[at + length :]
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "replace"))
    (verdict,) = formats.audit([path])
    if verdict.verdict is Verdict.REFUSED:
        with pytest.raises(DataRefused) as caught:
            formats.sessions([path])
        assert str(path) in str(caught.value)
    else:
        sessions = list(formats.sessions([path]))
        assert sum(len(s.events) for s in sessions) <= verdict.counts.get("trades", 0) + verdict.counts.get("quotes", 0)
