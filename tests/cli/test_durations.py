"""Durations as people write them."""

from __future__ import annotations

import pytest

from mm_fsm.cli.durations import duration_in_words, parse_duration, without_colons
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
    ("seconds", "words"),
    [
        (1, "1 second"),
        (0.5, "0.5 seconds"),
        (60, "1 minute"),
        (90, "1 minute 30 seconds"),
        (1_200, "20 minutes"),
        (3_600, "1 hour"),
        (5_405.5, "1 hour 30 minutes 5.5 seconds"),
        (172_800, "2 days"),
        (0, "0 seconds"),
    ],
)
def test_a_duration_is_said(seconds: float, words: str) -> None:
    assert duration_in_words(seconds) == words


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "-1h", "inf", "nan", "h", "1x", "1h1h", "30m1h", "1h30", "1,5h", "0s", "one hour"]
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    assert parse_duration(text) is None
    refused = run("run", f"--duration={text}")
    assert refused.status == 2
    assert "such as 90, 90s, 30m" in " ".join(refused.messages.replace("│", " ").split())


@pytest.mark.parametrize(
    ("printed", "written"),
    [("1:05", "1m5s"), ("15:00", "15m"), ("1:01:05", "1h1m5s"), ("0:07.5", "7.5s"), ("1h", None), ("0:00", None)],
)
def test_a_duration_with_colons_could_be_a_time_of_day_and_is_told_as_it_is_to_be_written(
    printed: str, written: str | None
) -> None:
    assert without_colons(printed) == written
    if written is not None:
        assert parse_duration(written) is not None
        refused = run("run", "--duration", printed)
        assert refused.status == 2
        assert f"Write {written}." in " ".join(refused.messages.replace("│", " ").split())
