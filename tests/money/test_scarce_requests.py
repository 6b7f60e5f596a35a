"""A market that asks for more changes than the venue's counter has room for: neither side is left silent for the other.

Ten minutes in which the mid moves by a basis point each half second, up or down as drawn, and the same mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest

from mm_fsm.core.messages import Side
from mm_fsm.core.rate_rules import KRAKEN_CANCELS
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.venues.base import MarketEvent
from tests.money.markets import SECOND, START, book, calm, configuration, play


def hurried(sign: int) -> Iterator[MarketEvent]:
    random, mid = Random(3), 2500.05
    for number in range(1200):
        mid *= 1 + sign * random.gauss(0, 1e-4)
        price = Decimal(str(round(mid, 2)))
        yield book(120 + number / 2, str(price - Decimal("0.05")), str(price + Decimal("0.05")))


@pytest.mark.parametrize("sign", [1, -1])
def test_neither_side_is_silent_for_long_while_the_counter_is_nearly_full(sign: int) -> None:
    silent, before = dict.fromkeys(Side, 0), START + 120 * SECOND
    quoted = dict.fromkeys(Side, True)

    def watch(result: StepResult, machine: MarketMakingStateMachine) -> None:
        nonlocal before, quoted
        for side in Side:
            silent[side] += 0 if quoted[side] else max(result.time - before, 0)
        before = max(result.time, before)
        quoted = {side: machine.context.orders.has_quote(side) for side in Side}

    settings = configuration(
        rate_counter_limit=125.0, rate_counter_decay_per_second=2.34, rate_counter_cancel_points=KRAKEN_CANCELS
    )
    play([*calm(0, 120, "2499.95", "2500.05"), *hurried(sign)], settings, watch)
    assert max(silent.values()) < 30 * SECOND
