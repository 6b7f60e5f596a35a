"""The market maker under generated moves: against its definition, with guards forced and with its own."""

from __future__ import annotations

import pytest

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import market_facts, model_test
from tests.machine.scripted import RecklessOrders, RecklessSpreads, services


def reckless() -> object:
    """Services that quote and place whatever they like."""
    return services(spreads=RecklessSpreads(), orders=RecklessOrders())


test_orders = model_test(OrderLifecycle)
test_guards = model_test(MarketMakingStateMachine, examples=40)
test_facts = model_test(MarketMakingStateMachine, facts=market_facts(), examples=25, steps=40)
test_reckless_services = model_test(
    MarketMakingStateMachine, services=reckless, facts=market_facts(), examples=15, steps=40
)
test_many_guards = pytest.mark.slow(model_test(MarketMakingStateMachine, examples=400, steps=25))
test_many_facts = pytest.mark.slow(model_test(MarketMakingStateMachine, facts=market_facts(), examples=400, steps=80))
