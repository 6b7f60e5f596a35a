"""Orders that reduce the position never wait behind quotes."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.core.messages import OrderPurpose
from mm_fsm.core.rate_rules import KRAKEN_CANCELS
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from tests.money.markets import SECOND, START, book, calm, configuration, play


def test_a_wind_down_begins_at_once_although_quotes_used_their_allowance() -> None:
    """Six orders are allowed in 10 s, and a moving market uses what quotes may: the first reduction had waited 10 s."""
    mids = [Decimal("2500.05") + n * Decimal("1.0") for n in range(16)]
    moving = [book(120 + n / 2, f"{mid - Decimal('0.05')}", f"{mid + Decimal('0.05')}") for n, mid in enumerate(mids)]
    settings = configuration(
        max_orders_per_interval=6, order_reserve_share=0.34, session_seconds=127.0, target_base=Decimal("3.4")
    )
    outcome = play([*calm(0, 120, "2499.95", "2500.05"), *moving, *calm(128, 300, "2515.00", "2515.10")], settings)
    quotes = [intent for intent in outcome.placed(117.1, 127.1) if intent.purpose is OrderPurpose.QUOTE]
    assert len(quotes) >= 3, "quotes used their allowance"
    times = [
        (result.time - START) / SECOND
        for result in outcome.results
        if any(getattr(intent, "purpose", None) is OrderPurpose.WIND_DOWN for intent in result.intents)
    ]
    assert min(times) < 128.5


def test_a_wind_down_waits_for_no_counter_that_the_cancels_of_its_quotes_have_raised() -> None:
    """Six young quotes cost 48 of 125 points to cancel: quotes that use all of their share leave no room for that."""
    mids = [Decimal("2500.05") + abs(n % 4 - 2) * Decimal("1.5") for n in range(120)]
    moving = [book(120 + n / 2, f"{mid - Decimal('0.05')}", f"{mid + Decimal('0.05')}") for n, mid in enumerate(mids)]
    settings = configuration(
        session_seconds=179.0,
        target_base=Decimal("3.4"),
        rate_counter_limit=125.0,
        rate_counter_decay_per_second=2.34,
        rate_counter_cancel_points=KRAKEN_CANCELS,
    )
    most = 0.0

    def watch(_result: StepResult, machine: MarketMakingStateMachine) -> None:
        nonlocal most
        most = max(most, machine.context.request_rates.points(machine.context.now))

    last = mids[-1]
    after = calm(180, 300, f"{last - Decimal('0.05')}", f"{last + Decimal('0.05')}")
    outcome = play([*calm(0, 120, "2499.95", "2500.05"), *moving, *after], settings, watch)
    times = [
        (result.time - START) / SECOND
        for result in outcome.results
        if any(getattr(intent, "purpose", None) is OrderPurpose.WIND_DOWN for intent in result.intents)
    ]
    assert min(times) < 181
    assert 100 < most <= 125
