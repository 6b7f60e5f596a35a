"""Books that are filled already go by other settings: their rules change, what was counted and estimated stays."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve, fields

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.settings_in_books import STAYS, apply_settings
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.beginnings import quoting
from tests.machine.bench import FEES, RICH, SPOT, settings_with


def context_with(settings: MarketMakingSettings) -> MarketMakingContext:
    """Books as they begin."""
    return MarketMakingStateMachine(settings, SPOT, FEES, RICH).context


def another(settings: MarketMakingSettings, name: str) -> Any:
    """Another sound value of a setting; None where there is none to try."""
    value = getattr(settings, name)
    match value:
        case bool():
            return not value
        case int() | float() | Decimal():
            tried = (value * 2, value / 2 if not isinstance(value, int) else max(value // 2, 1), 1, value)
            return next(each for each in tried if is_sound(settings, name, each))
    return None


def is_sound(settings: MarketMakingSettings, name: str, value: object) -> bool:
    try:
        evolve(settings, **{name: value})
    except ValueError:
        return False
    return True


EVERY_RULE = settings_with(rate_counter_limit=100.0, max_orders_per_fill=50.0, max_position_size=5)
NAMES = [
    each.name
    for each in fields(MarketMakingSettings)
    if each.name not in STAYS and another(EVERY_RULE, each.name) is not None
]


@pytest.mark.parametrize("name", NAMES)
def test_books_that_have_seen_nothing_become_those_of_the_other_settings(name: str) -> None:
    """Whatever a part of the books has taken from a setting when it was made, it takes anew."""
    other = evolve(EVERY_RULE, **{name: another(EVERY_RULE, name)})
    context = context_with(EVERY_RULE)
    apply_settings(context, other)
    assert context.settings is other
    assert context.reference.settings is other
    assert context.digest() == context_with(other).digest()


def test_what_was_counted_and_estimated_stays() -> None:
    """The volatility measured so far is the same; how many samples it takes to be known is not."""
    bench, *_ = quoting()
    context = bench.context
    estimate, sent, cash = context.volatility_estimator.per_sqrt_second, context.next_order_number, context.ledger.cash
    assert context.volatility_estimator.is_warm
    apply_settings(context, evolve(context.settings, warm_up_samples=500, max_orders_per_interval=7))
    assert not context.volatility_estimator.is_warm
    assert context.request_rates.most_orders == 7
    apply_settings(context, evolve(context.settings, warm_up_samples=2))
    assert context.volatility_estimator.per_sqrt_second == estimate
    assert (context.next_order_number, context.ledger.cash) == (sent, cash)
    assert len(context.orders.live()) == 2


def test_a_run_keeps_its_name_its_target_and_its_end() -> None:
    context = context_with(settings_with())
    target = context.target_base
    apply_settings(context, settings_with(target_base=Decimal(3), strategy_id="other", session_seconds=5.0))
    assert context.target_base == target
    assert context.settings.target_base is None
    assert context.settings.strategy_id == "mm"
    assert context.settings.session_seconds is None
