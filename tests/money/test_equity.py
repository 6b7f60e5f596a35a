"""Limits count with the smaller of what the books hold and what the venue last reported, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.core.decisions import FaultCode, HoldReason
from mm_fsm.core.instrument import Balances, InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.services.spreads import DefaultSpreadService
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperAccount, PaperExchange
from tests.money.markets import SECOND, START, calm, configuration, trade
from tests.services.situation import Situation, rules

GONE_AT = 200
LEFT = Decimal(1_000)
"""Of a margin of 10,000."""


def sellers(seconds: int) -> Iterator[MarketEvent]:
    """A market that stands still, in which somebody sells what we bid for, and later on buys as well."""
    yield from calm(0, seconds, "2499.95", "2500.05")
    for second in range(100, seconds, 5):
        yield trade(second + 0.5, "2498.50", "0.4", Side.ASK)
        if second > 2 * GONE_AT:
            yield trade(second + 2.5, "2501.00", "0.4", Side.BID)


def contracts(**strategy: Any) -> tuple[MarketMakingStateMachine, SessionRunner, PaperExchange]:
    """A linear contract on a margin of 10,000, of which half may be used, looked at every 5 s."""
    given = {
        "max_inventory_pct": 0.5,
        "max_quote_exposure": Decimal(100_000),
        "base_order_size": Decimal(400),
        "balances_interval_seconds": 5.0,
        "max_drawdown": Decimal(1_000),
        "target_base": Decimal(0),
    }
    settings = configuration(**(given | strategy))
    account = settings.venue
    assert isinstance(account, PaperAccount)
    account = evolve(
        account,
        instrument=evolve(account.instrument, kind=InstrumentKind.LINEAR),
        balances=Balances(base=Decimal(0), quote=Decimal(10_000), leverage=Decimal(5)),
    )
    machine = MarketMakingStateMachine(settings.strategy, account.instrument, account.fees, account.balances)
    venue = account.on(sorted(sellers(600), key=lambda event: event.exchange_time))
    exchange = venue.exchange
    assert isinstance(exchange, PaperExchange)
    return machine, SessionRunner(machine, venue), exchange


def played(watch: Callable[[StepResult, MarketMakingStateMachine], None], **strategy: Any) -> MarketMakingStateMachine:
    """90 % of the margin leaves without a word, but for what the venue says of the balance."""
    machine, runner, exchange = contracts(**strategy)
    is_gone = False
    for result in runner.run():
        if not is_gone and result.time >= START + GONE_AT * SECOND:
            exchange._account.cash -= 9 * LEFT
            is_gone = True
        watch(result, machine)
    return machine


def test_margin_that_has_left_lowers_every_limit_at_once() -> None:
    """Exposure had grown to 4.95 times what was there. Half of 1,000 may be used: nothing is added to what is held."""
    worst, held, reported_at = [Decimal(0)], set(), 0

    def watch(result: StepResult, machine: MarketMakingStateMachine) -> None:
        nonlocal reported_at
        context = machine.context
        if context.missing_quote and not reported_at:
            reported_at = result.time
        if not reported_at or context.mid_price is None:
            return
        assert context.limit_equity is not None
        assert context.position_limit * context.mid_price == pytest.approx(context.limit_equity / 2)
        if result.time > reported_at + SECOND:
            bids = sum((order.remaining for order in context.active_bid_orders), Decimal(0))
            worst.append(context.inventory_offset + bids)
            assert context.inventory_offset + bids <= max(context.inventory_offset, context.position_limit)
        status = context.sides[Side.BID].status
        if status is not None:
            held.add(status.reason)

    machine = played(watch)
    assert START + GONE_AT * SECOND < reported_at < START + (GONE_AT + 6) * SECOND
    assert worst[1] > LEFT / 2 / 2_500, "more was held than the new limit allows"
    assert HoldReason.ADJUSTING_INVENTORY in held or HoldReason.INVENTORY_LIMIT in held
    assert machine.context.inventory_offset * 2_500 <= LEFT / 2
    assert not machine.context.latched


def test_where_the_settings_say_so_missing_equity_is_a_fault_that_reduces_the_position() -> None:
    machine = played(lambda _result, _machine: None, max_missing_equity_share=0.5)
    assert set(machine.context.latched) == {FaultCode.EQUITY}
    assert abs(machine.context.inventory_offset) < Decimal("0.001")


@pytest.mark.parametrize(
    ("base", "quote", "equity"),
    [(None, None, 2_000), ("7", None, 1_700), (None, "400", 1_400), ("7", "400", 1_100), ("90", "9000", 2_000)],
)
def test_of_a_report_the_part_counts_that_this_machine_may_use(
    base: str | None, quote: str | None, equity: int
) -> None:
    """10 at 100 and 1,000 of cash. What is missing of either counts, and more than the part counts for nothing."""
    situation = Situation(quote="1000").report_balances(base, quote)
    context = situation.context
    assert context.limit_equity == equity
    assert context.equity == 2_000
    assert context.position_limit == Decimal(equity) / 1_000


def test_of_a_contract_the_report_of_the_margin_counts() -> None:
    """The position is no part of it: 1,000 of margin, of which 300 are there."""
    situation = Situation(rules(InstrumentKind.LINEAR), quote="1000").report_balances(base="-5", quote="300")
    assert situation.context.limit_equity == 300


def test_a_report_that_lacks_nothing_restores_the_limits() -> None:
    situation = Situation(quote="1000").report_balances(None, "400").report_balances()
    assert situation.context.limit_equity == situation.context.equity == 2_000


def test_quotes_are_priced_again_once_more_is_missing_than_before() -> None:
    service, situation = DefaultSpreadService(), Situation(quote="1000")
    situation.adopt(service.price_quotes(situation.context))
    assert not service.are_quotes_stale(situation.context)
    assert service.are_quotes_stale(situation.report_balances(None, "400").context)


def test_a_report_of_less_than_nothing_leaves_only_reducing() -> None:
    """A margin below zero: the limit is 0."""
    situation = Situation(rules(InstrumentKind.LINEAR), quote="1000").report_balances(quote="-10")
    assert situation.context.position_limit == 0
