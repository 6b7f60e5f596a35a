"""Takers who know where the price goes: quotes widen until they pay, and only hopeless markets are left."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import Side
from mm_fsm.venues.base import MarketEvent
from tests.money.markets import Outcome, book, calm, configuration, play, trade

NEVER_JUDGED = {"adverse_selection_minimum_fills": 1_000_000}


def takers(knowing_bps: float, *, reach_bps: float = 8.0, seconds: int = 2_000, seed: int = 3) -> Iterator[MarketEvent]:
    """Every 10 s a taker trades ``reach_bps`` deep, and the price then goes ``knowing_bps`` his way for good."""
    random, mid = Random(seed), Decimal(2_500)
    yield from calm(0, 120, "2499.95", "2500.05")
    for second in range(120, seconds):
        if second % 10 == 0:
            buys = random.random() < 0.5
            sign = 1 if buys else -1
            price = mid * (1 + sign * Decimal(reach_bps) / 10_000)
            yield trade(second + 0.4, f"{price:.2f}", "0.3", Side.BID if buys else Side.ASK)
            mid *= 1 + sign * Decimal(knowing_bps) / 10_000
        bid = (mid - Decimal("0.05")).quantize(Decimal("0.01"))
        yield book(second + 0.5, str(bid), str(bid + Decimal("0.10")))


def played(knowing_bps: float, **strategy: Any) -> Outcome:
    return play(takers(knowing_bps), configuration(max_drawdown=Decimal(5_000), **strategy))


def held_for_losses(outcome: Outcome) -> bool:
    return any(HoldReason.ADVERSE_SELECTION.value in held for held in outcome.machine.uptime.held.values())


def test_quotes_that_lose_after_fees_widen_and_lose_less() -> None:
    """The price goes 10 bps the takers' way, who trade 8 bps deep, and the fee is 2: no quote in their reach pays."""
    blind, judging = played(10, **NEVER_JUDGED), played(10)
    assert blind.net < 0
    assert judging.net > blind.net / 2
    assert judging.machine.context.fill_count < blind.machine.context.fill_count / 2
    assert judging.machine.context.is_widened_for_adverse_selection
    assert not held_for_losses(judging)


def test_takers_who_know_nothing_change_nothing() -> None:
    """The price does not move: fills at 2.5 bps earn 0.5 each after the fee, which is the goal."""
    blind, judging = played(0, **NEVER_JUDGED), played(0)
    assert judging.net == blind.net
    assert not judging.machine.context.is_widened_for_adverse_selection


def test_quoting_is_held_where_the_widest_spread_is_not_enough() -> None:
    """40 bps against each fill: 80 a round trip, where quotes are at most 40 wide."""
    outcome = played(40)
    assert held_for_losses(outcome)
    assert outcome.net > played(40, **NEVER_JUDGED).net


@pytest.mark.parametrize("unsound", [("1250.00", "2500.05"), ("1250.00", "1250.10")])
def test_books_that_are_not_believed_mark_no_fill(unsound: tuple[str, str]) -> None:
    """A book of half the price where the horizon of 5 s ends: the next one that is believed counts, at 127 s."""
    filled = [*calm(0, 120, "2499.95", "2500.05"), trade(120.5, "2498.00", "0.3", Side.ASK)]
    jump = [book(second, *unsound) for second in (124, 125, 126)]
    outcome = play([*filled, *calm(121, 124, "2499.95", "2500.05"), *jump, *calm(127, 160, "2499.95", "2500.05")])
    for horizon in (1.0, 5.0, 30.0):
        figures = outcome.machine.context.markouts.figures(horizon)
        assert figures.count > 0
        assert figures.volume_weighted_bps is not None
        assert 0 < figures.volume_weighted_bps < 10  # what the quotes' distance earned, and no 5,000
