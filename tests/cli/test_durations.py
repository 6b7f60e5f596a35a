"""Durations as people write them."""

from __future__ import annotations

import pytest

from mm_fsm.cli.durations import parse_duration
from tests.cli.command_line import run


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("0.5", 0.5),
        ("90s", 90),
        ("30m", 1_800),
        ("1h", 3_600),
        ("1.5h", 5_400),
        ("1h30m", 5_400),
        ("1h 30m 5s", 5_405),
        ("1D", 86_400),
        ("1e3", 1_000),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "-1h", "inf", "nan", "h", "1x", "1h1h", "30m1h", "1h30", "1,5h", "0s", "one hour"]
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    assert parse_duration(text) is None
    refused = run("run", f"--duration={text}")
    assert refused.status == 2
    assert "such as 90, 90s, 30m" in " ".join(refused.messages.replace("│", " ").split())
