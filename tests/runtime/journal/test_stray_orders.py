"""Orders that are open and not in the books: of this run, of another one, of somebody else."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.books.facts import OpenOrdersReported
from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import CancelOrder, Side
from tests.runtime.journal.scenario import (
    World,
    assert_books_equal_account,
    begin,
    is_quoting,
    is_reconciled,
    kill,
    place,
    plan_at,
    quote_for,
    settings_with,
    take,
)
from tests.strategies import ANY_BOOK_IS_SOUND


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def test_an_order_of_ours_that_the_books_do_not_know_is_cancelled(path: Path) -> None:
    """The journal's end was lost: the order carries our run's prefix, so it is ours."""
    world, plan = quote_for(path, 20)
    place(world, "mm-t00000-lost00-1")
    run = begin(plan)
    world.run(run, until=is_reconciled(run))
    assert world.exchange.open_orders == ()
    run.close()


def test_fills_of_an_order_of_ours_that_the_books_do_not_know_are_booked(path: Path) -> None:
    world, plan = quote_for(path, 20)
    ask = world.exchange._displayed.best(Side.ASK)
    assert ask is not None
    place(world, "mm-t00000-lost00-2", str(ask - Decimal("0.01")))
    world.pass_time(60)
    trades = [fill for fill in world.exchange._own_trades if fill.client_order_id == "mm-t00000-lost00-2"]
    assert trades
    run = begin(plan)
    world.run(run, until=is_reconciled(run))
    assert_books_equal_account(run, world)
    run.close()


def test_trades_of_an_order_of_this_run_that_is_taken_over_are_all_booked(path: Path) -> None:
    """The journal's end was lost; the order is open with a part filled, and fills on."""
    world, plan = quote_for(path, 20)
    name = "mm-t00000-lost00-3"
    place(world, name, price="1990")
    take(world, name, Decimal("0.004"))
    world.pass_time(1)
    run = begin(plan)
    world.run(run, until=lambda result: isinstance(result.fact, OpenOrdersReported))
    take(world, name, Decimal("0.002"))
    world.run(run, until=is_reconciled(run))
    order = run.machine.machine.context.orders.get(name)
    assert order is not None
    assert order.filled_quantity == Decimal("0.006")
    assert_books_equal_account(run, world)
    run.close()


def test_trades_of_an_order_of_another_run_count_from_when_it_is_taken_over(path: Path) -> None:
    """What it traded before is part of the balances that this run begins with; what it trades from now on is booked."""
    world = World()
    world.pass_time(2)
    name = "mm-older0-older0-1"
    place(world, name)
    take(world, name, Decimal("0.004"))
    world.pass_time(1)
    balances = world.exchange.balances
    plan = plan_at(path, balances=Balances(base=balances.base_total, quote=balances.quote_total))
    run = begin(plan)
    world.run(run, until=lambda result: isinstance(result.fact, OpenOrdersReported))
    take(world, name, Decimal("0.002"))
    world.run(run, until=is_reconciled(run))
    context = run.machine.machine.context
    order = context.orders.get(name)
    assert order is not None
    assert order.filled_quantity == Decimal("0.006")
    assert len(context.ledger._trades) == 2  # the two parts of the second take
    assert context.base_position == world.exchange.balances.base_total == balances.base_total + Decimal("0.002")
    assert context.ledger.cash == world.exchange.balances.quote_total
    run.close()


@pytest.mark.parametrize("seconds_before", [0, 20])
def test_orders_of_somebody_else_are_never_touched_and_no_concern(path: Path, seconds_before: int) -> None:
    """At the first look of a new run, and when they appeared while a run was away: quoting goes on beside them."""
    plan = plan_at(path)
    world, run = World(), begin(plan)
    world.run(run, seconds_before)
    kill(run)
    world.pass_time(1)
    place(world, "another-1")
    run = begin(plan)
    world.run(run, until=is_quoting)
    world.run(run, 10)
    context = run.machine.machine.context
    assert context.orders.get("another-1") is None
    assert not context.latched
    assert "another-1" in {order.client_order_id for order in world.exchange.open_orders}
    assert not any(isinstance(i, CancelOrder) and i.client_order_id == "another-1" for i in world.sent)
    run.close()


@pytest.mark.parametrize("policy", ["cancel", "adopt"])
def test_an_order_of_an_earlier_run_joins_the_books_and_leaves_before_the_first_quote(path: Path, policy: str) -> None:
    world = World()
    world.pass_time(2)
    place(world, "mm-older0-older0-1")
    run = begin(plan_at(path, settings=settings_with(stray_order_policy=policy)))
    world.run(run, until=lambda result: isinstance(result.fact, OpenOrdersReported))
    order = run.machine.machine.context.orders.get("mm-older0-older0-1")
    assert order is not None
    assert order.cancel_in_flight
    world.run(run, until=is_reconciled(run))
    assert world.exchange.open_orders == ()
    run.close()


@pytest.mark.parametrize(("policy", "stays"), [("cancel", False), ("adopt", True)])
def test_an_order_found_while_quoting_leaves_or_counts_as_a_quote_as_the_setting_says(
    path: Path, policy: str, *, stays: bool
) -> None:
    """An order of this run whose placement only the venue remembers, right where a quote of ours rests."""
    tolerant = {"requote_tolerance_away_share": 1.0, "requote_tolerance_towards_share": 1.0, **ANY_BOOK_IS_SOUND}
    settings = settings_with(stray_order_policy=policy, num_price_levels=1, **tolerant)
    world, run = World(), begin(plan_at(path, settings=settings))
    world.run(run, until=is_quoting)
    own = next(order for order in world.exchange.open_orders if order.side is Side.BID)
    orders = run.machine.machine.context.orders
    lost = orders._live.pop(own.client_order_id)  # the books forget it
    orders.changed(Side.BID)
    world.run(run, until=lambda result: isinstance(result.fact, OpenOrdersReported))
    found = orders.get(lost.client_order_id)
    assert found is not None
    assert found.cancel_wanted is not stays
    run.close()


def test_an_order_that_another_process_sends_with_our_prefix_is_a_fault(path: Path) -> None:
    """Two processes, two runs, one account: the order appears long after the first look, so somebody else is alive."""
    world, run = World(), begin(plan_at(path))
    world.run(run, 15)
    place(world, "mm-other0-other0-1")
    world.run(run, until=lambda result: bool(result.faults))
    assert FaultCode.OWNERSHIP in run.machine.machine.context.latched
    world.run(run)
    assert run.machine.is_final
    left = {order.client_order_id for order in world.exchange.open_orders}
    assert left == {"mm-other0-other0-1"}
    run.close()


def test_an_order_of_another_run_that_appeared_while_this_one_was_away_is_a_fault(path: Path) -> None:
    """Somebody has quoted here since: their order stays, ours leave, and nothing is quoted beside them."""
    world, plan = quote_for(path, 20)
    place(world, "mm-other0-other0-1")
    placed = len(world.placements)
    run = begin(plan)
    world.run(run)
    assert run.machine.is_final
    assert FaultCode.OWNERSHIP in run.machine.machine.context.latched
    assert len(world.placements) == placed
    assert {order.client_order_id for order in world.exchange.open_orders} == {"mm-other0-other0-1"}
    assert_books_equal_account(run, world)
    run.close()
