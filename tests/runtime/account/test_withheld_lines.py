"""A spent allowance withholds many placements a second; whoever reads the log is told now and then, and how many."""

from __future__ import annotations

from typing import Any

from loguru import logger

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import OrderPurpose
from mm_fsm.runtime.account.withheld_lines import LINE_SECONDS, WithheldLines
from tests.runtime.account.account_desk import place


def test_the_first_is_told_at_once_and_then_how_many_every_so_often() -> None:
    records: list[Any] = []
    sink = logger.add(lambda message: records.append(message.record["extra"]), level="INFO")
    lines, order = WithheldLines(), place("one")
    for time in (0.0, 0.1, LINE_SECONDS - 0.001, LINE_SECONDS, LINE_SECONDS + 1):
        lines.note(order, "no room", nanoseconds(time))
    logger.remove(sink)
    assert [each["placements"] for each in records] == [1, 3]
    assert all(each["symbol"] == order.symbol and each["reason"] == "no room" for each in records)


def test_what_is_done_is_said_of_each_purpose() -> None:
    """A wind-down that waits has no quotes to price."""
    records: list[Any] = []
    sink = logger.add(lambda message: records.append(message.record["extra"]), level="INFO")
    lines = WithheldLines()
    for purpose in OrderPurpose:
        lines.note(place("one", purpose=purpose), "no room", 0)
    logger.remove(sink)
    assert [each["placements"] for each in records] == [1, 1, 1]
    assert ["quotes" in each["doing"] for each in records] == [
        purpose is OrderPurpose.QUOTE for purpose in OrderPurpose
    ]
