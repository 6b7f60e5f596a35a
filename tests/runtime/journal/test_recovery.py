"""Every case that a restart can find has a declared outcome; nothing is quoted before the venue has confirmed it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.core.decisions import FaultCode, HoldReason
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import (
    BalancesReported,
    CancelOrder,
    ConnectionRestored,
    Fact,
    Liquidity,
    MarketBook,
    MarketTrade,
    OpenOrdersReported,
    OrderFilled,
    OrderPurpose,
    OwnTradesReported,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOwnTrades,
    Side,
    StopRequested,
)
from mm_fsm.core.order_lifecycle import OrderStatus
from mm_fsm.core.reconciliation import ReconciliationStage
from mm_fsm.errors import JournalError
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import verify_run
from mm_fsm.runtime.recovery import OpenRun
from mm_fsm.venues.paper.matching import Execution
from tests.runtime.journal.scenario import (
    SYMBOL,
    World,
    assert_books_equal_account,
    begin,
    is_quoting,
    kill,
    plan_at,
    settings_with,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def is_reconciled(run: OpenRun) -> Any:
    return lambda _: run.machine.machine.context.reconciliation.is_complete


def quote_for(path: Path, seconds: float, **changes: Any) -> tuple[World, Any]:
    """A run that has quoted for a while and was then killed; its world goes on."""
    plan = plan_at(path, **changes)
    world, run = World(), begin(plan)
    world.run(run, seconds)
    world.run(run, until=is_quoting)
    kill(run)
    return world, plan


def place(world: World, client_order_id: str, price: str = "1900", side: Side = Side.BID) -> None:
    """Somebody with access to the account sends an order."""
    world.venue.submit(
        PlaceOrder(
            symbol=SYMBOL,
            client_order_id=client_order_id,
            side=side,
            price=Decimal(price),
            quantity=Decimal("0.01"),
            purpose=OrderPurpose.QUOTE,
            level=0,
        ),
        world.now,
    )
    world.pass_time(1)


def test_a_new_run_asks_three_questions_in_order_before_its_first_quote(path: Path) -> None:
    """Starting up is the same path as recovering: open orders, own trades, balances, and only then quotes."""
    world, run = World(), begin(plan_at(path))
    with run:
        world.run(run, until=lambda result: any(isinstance(i, PlaceOrder) for i in result.intents))
    asked = [type(i) for i in world.sent if not isinstance(i, PlaceOrder)][:3]
    assert asked == [QueryOpenOrders, QueryOwnTrades, QueryBalances]


def test_orders_known_and_open_are_found_and_cancelled_and_the_books_stay_right(path: Path) -> None:
    world, plan = quote_for(path, 20)
    assert world.exchange.open_orders
    run = begin(plan)
    assert {order.status for order in run.machine.machine.context.orders.live()} == {OrderStatus.UNKNOWN}
    world.run(run, until=is_reconciled(run))
    assert world.exchange.open_orders == ()
    assert_books_equal_account(run, world)
    run.close()
    assert verify_run(path).is_clean


def test_fills_while_away_are_booked_from_trades(path: Path) -> None:
    """Orders that filled, in full or in part, while nobody listened: every trade once, at the venue's own figures."""
    world, plan = quote_for(path, 20)
    before = len(world.exchange._own_trades)
    world.pass_time(120)
    assert len(world.exchange._own_trades) > before
    run = begin(plan)
    world.run(run, until=is_reconciled(run))
    assert_books_equal_account(run, world)
    run.close()


GONE = {
    "filled": (OrderStatus.FILLED, "all"),
    "partly filled, then cancelled": (OrderStatus.CANCELED, "half"),
    "cancelled": (OrderStatus.CANCELED, "nothing"),
    "partly filled, then expired": (OrderStatus.EXPIRED, "half"),
    "expired": (OrderStatus.EXPIRED, "nothing"),
}


@pytest.mark.parametrize("fate", GONE)
def test_a_known_order_that_is_gone_is_settled_as_what_became_of_it(path: Path, fate: str) -> None:
    """Filled, partly filled, cancelled, expired while nobody listened: status by query, quantity by its trades."""
    world, plan = quote_for(path, 20)
    order = next(order for order in world.exchange.open_orders if order.side is Side.BID)
    expected, traded = GONE[fate]
    remaining = order.quantity - order.filled_quantity
    quantity = {"all": remaining, "half": remaining / 2, "nothing": Decimal(0)}[traded]
    take(world, order.client_order_id, quantity)
    if expected is OrderStatus.CANCELED:
        world.venue.submit(
            CancelOrder(symbol=SYMBOL, client_order_id=order.client_order_id, venue_order_id=None), world.now
        )
    elif expected is OrderStatus.EXPIRED:
        found = world.exchange._orders.find_open(order.client_order_id)
        assert found is not None
        world.exchange._expire(found)
    world.pass_time(0.2)
    run = begin(plan)
    world.run(run, until=is_reconciled(run))
    settled = run.machine.machine.context.orders.get(order.client_order_id)
    assert settled is not None
    assert settled.status is expected
    assert settled.filled_quantity == order.filled_quantity + quantity
    assert_books_equal_account(run, world)
    run.close()


def take(world: World, client_order_id: str, quantity: Decimal) -> None:
    """Somebody takes so much of one order, in two trades."""
    order = world.exchange._orders.find_open(client_order_id)
    assert order is not None
    parts = [quantity / 4, quantity - quantity / 4]
    world.exchange._book([Execution(order, order.price, part, Liquidity.MAKER) for part in parts if part])


def test_a_cancel_that_never_left_is_found_out_and_sent_again(path: Path) -> None:
    """On record but never sent: the order is still open, so it is cancelled; nothing is taken for confirmed."""
    plan = plan_at(path)
    world, run = World(), begin(plan)
    lost: set[str] = set()

    def cancels_what_is_open(result: StepResult) -> bool:
        cancels = {intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)}
        lost.update(cancels & {order.client_order_id for order in world.exchange.open_orders})
        return bool(lost)

    world.run(run, until=cancels_what_is_open)
    kill(run)
    world.exchange._requests.clear()
    sent = len(world.sent)
    run = begin(plan)
    world.run(run, until=is_reconciled(run))
    assert lost <= {i.client_order_id for i in world.sent[sent:] if isinstance(i, CancelOrder)}
    assert world.exchange.open_orders == ()
    assert_books_equal_account(run, world)
    run.close()


def test_quoting_goes_on_after_a_restart_with_ids_never_used_before(path: Path) -> None:
    world, plan = quote_for(path, 20)
    run = begin(plan)
    world.run(run, until=is_quoting)
    run.close()
    ids = [placement.client_order_id for placement in world.placements]
    assert len(ids) == len(set(ids))
    assert all(len(each) <= 36 and each.replace("-", "").isalnum() for each in ids)
    prefixes = {tuple(each.split("-")[:3]) for each in ids}
    assert {prefix[:2] for prefix in prefixes} == {("mm", "t00000")}  # strategy and run
    assert len(prefixes) == 2  # one for each process


def test_a_placement_that_never_left_is_settled_by_two_clean_looks_and_not_guessed(path: Path) -> None:
    """On record but never sent: UNKNOWN through the validity window of 3 s, then REJECTED."""
    plan = plan_at(path)
    world, run = World(), begin(plan)
    world.run(run, until=lambda result: any(isinstance(i, PlaceOrder) for i in result.intents))
    kill(run)
    lost = {placement.client_order_id for placement in world.placements}
    world.exchange._requests.clear()
    began = world.now
    run = begin(plan)
    world.run(run, until=is_reconciled(run))
    orders = run.machine.machine.context.orders
    found = [orders.get(each) for each in lost]
    assert {order.status for order in found if order is not None} == {OrderStatus.REJECTED}
    assert world.now - began >= 3 * 1_000_000_000
    assert_books_equal_account(run, world)
    run.close()


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


def test_orders_of_somebody_else_are_never_touched(path: Path) -> None:
    world, plan = quote_for(path, 20)
    place(world, "another-1")
    run = begin(plan)
    world.run(run, 30)
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
    world, run = World(), begin(plan_at(path, settings=settings_with(stray_order_policy=policy, num_price_levels=1)))
    world.run(run, until=is_quoting)
    own = next(order for order in world.exchange.open_orders if order.side is Side.BID)
    orders = run.machine.machine.context.orders
    lost = orders._live.pop(own.client_order_id)  # the books forget it
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


def unheard(kind: type[Fact]) -> Any:
    return lambda fact: not isinstance(fact, kind)


@pytest.mark.parametrize("silent", [OpenOrdersReported, OwnTradesReported, BalancesReported])
def test_while_the_venue_does_not_answer_nothing_is_quoted(path: Path, silent: type[Fact]) -> None:
    world, plan = quote_for(path, 20)
    world.hears = unheard(silent)
    before = len(world.placements)
    run = begin(plan)
    world.run(run, 60)
    assert len(world.placements) == before
    statuses = {state.status.reason for state in run.machine.machine.context.sides.values() if state.status}
    assert statuses == {HoldReason.RECONCILING}
    world.hears = lambda _: True
    world.run(run, until=is_quoting)
    run.close()


def test_an_answer_about_later_trades_only_ends_no_question(path: Path) -> None:
    """Trades since a moment ago say nothing of those before it: what was asked for is still to come."""
    world, plan = quote_for(path, 20)
    world.hears = unheard(OwnTradesReported)
    run = begin(plan)
    state = run.machine.machine.context.reconciliation
    world.run(run, until=lambda _: state.stage is ReconciliationStage.TRADES and state.is_answer_awaited)
    known_until = state.trades_known_until
    later = OwnTradesReported(received_at=0, symbol=SYMBOL, fills=(), since=world.now - 1, until=world.now)
    world.tell(run, later)
    assert state.stage is ReconciliationStage.TRADES
    assert state.is_answer_awaited
    assert state.trades_known_until == known_until
    run.close()


def lose_a_trade(world: World) -> None:
    """The account changes by something that no report ever tells: as a manual trade would."""
    world.exchange._account.base_total += Decimal("0.5")


def test_a_position_that_differs_is_refused_until_it_agrees_again(path: Path) -> None:
    world, plan = quote_for(path, 20)
    lose_a_trade(world)
    before = len(world.placements)
    run = begin(plan)
    world.run(run, 60)
    assert len(world.placements) == before
    assert "+0.5" in run.machine.machine.context.reconciliation.detail
    world.exchange._account.base_total -= Decimal("0.5")
    world.run(run, until=is_quoting)
    assert_books_equal_account(run, world)
    run.close()


def test_a_position_that_differs_once_is_looked_at_again_and_nothing_is_refused(path: Path) -> None:
    """A trade that the balances know before the trades' own report does: the second look finds it booked."""
    world, plan = quote_for(path, 20)
    lose_a_trade(world)
    reasons: list[str] = []

    def agree_after_a_look(result: StepResult) -> bool:
        reasons.extend(result.reasons)
        if isinstance(result.fact, BalancesReported) and world.exchange._account.base_total != before:
            world.exchange._account.base_total = before
        return run.machine.machine.context.reconciliation.is_complete

    before = world.exchange._account.base_total - Decimal("0.5")
    run = begin(plan)
    world.run(run, until=agree_after_a_look)
    assert not any("refusing" in reason for reason in reasons)
    assert_books_equal_account(run, world)
    run.close()


@pytest.mark.parametrize(("difference", "agrees"), [("0.00009", True), ("-0.00009", True), ("0.0001", False)])
def test_a_position_differs_from_one_lot_on(path: Path, difference: str, *, agrees: bool) -> None:
    """The lot is 0.0001: less cannot be traded, so dust is no difference."""
    world, plan = quote_for(path, 20)
    world.exchange._account.base_total += Decimal(difference)
    run = begin(plan)
    world.run(run, 30)
    assert run.machine.machine.context.reconciliation.is_complete is agrees
    run.close()


def test_what_the_account_holds_beside_the_run_is_noted_once_and_left_alone(path: Path) -> None:
    """Two ETH more than the run began with are somebody's own; two more that come later are a difference."""
    plan = plan_at(path)
    world, run = World(), begin(plan)
    world.exchange._account.base_total += 2
    world.run(run, until=is_quoting)
    kill(run)
    run = begin(plan)
    world.run(run, until=is_quoting)
    assert run.machine.machine.context.base_position == world.exchange.balances.base_total - 2
    kill(run)
    world.exchange._account.base_total += 2
    run = begin(plan)
    world.run(run, 30)
    assert not run.machine.machine.context.reconciliation.is_complete
    run.close()


def test_a_position_that_differs_is_adopted_on_record_where_the_setting_says_so(path: Path) -> None:
    settings = settings_with(position_mismatch_policy="adopt")
    world, plan = quote_for(path, 20, settings=settings)
    lose_a_trade(world)
    reasons: list[str] = []

    def note(result: StepResult) -> bool:
        reasons.extend(result.reasons)
        return run.machine.machine.context.reconciliation.is_complete

    run = begin(plan)
    world.run(run, until=note)
    assert_books_equal_account(run, world)
    assert any("adopted the venue's position: +0.5" in reason for reason in reasons)
    assert run.machine.machine.context.ledger.identity_gap() == 0
    run.close()
    assert verify_run(path).is_clean


def test_a_position_that_changes_by_itself_while_quoting_stops_it(path: Path) -> None:
    """The timer's round finds it, a second one confirms it, and the quotes leave."""
    world, run = World(), begin(plan_at(path))
    world.run(run, until=is_quoting)
    lose_a_trade(world)
    world.run(run, 40)
    assert not run.machine.machine.context.reconciliation.is_complete
    assert world.exchange.open_orders == ()
    run.close()


def test_after_a_reconnection_quotes_leave_until_everything_is_confirmed_again(path: Path) -> None:
    """Facts were lost meanwhile; the round books what happened, on a fresh book."""
    world, run = World(), begin(plan_at(path))
    world.run(run, until=is_quoting)
    world.pass_time(30)  # nobody hears anything
    world.tell(run, ConnectionRestored(received_at=0, symbol=SYMBOL, reason="websocket closed"))
    assert run.machine.machine.chart_state == "idle"
    world.run(run, until=is_reconciled(run))
    assert_books_equal_account(run, world)
    world.run(run, until=is_quoting)
    run.close()
    assert verify_run(path).is_clean


def test_the_peak_and_the_figures_survive(path: Path) -> None:
    """The kill switch measures from the best profit of the run, not of the process."""
    plan = plan_at(path)
    world, run = World(), begin(plan)
    world.run(run, 60)
    before = run.machine.machine.context
    figures = (
        before.ledger.peak_net_pnl,
        before.fill_count,
        before.fees_paid,
        before.realized_pnl,
        before.total_trades,
    )
    run.close()
    world.pass_time(1)
    run = begin(plan)
    after = run.machine.machine.context
    assert (
        after.ledger.peak_net_pnl,
        after.fill_count,
        after.fees_paid,
        after.realized_pnl,
        after.total_trades,
    ) == figures
    run.close()


def test_without_market_data_books_are_rebuilt_from_the_records_alone(path: Path) -> None:
    """The tail after the last snapshot is booked at the reference prices on record: exactly what the process had."""
    from mm_fsm.runtime.journal import JournalSettings

    plan = plan_at(path, journal_settings=JournalSettings(record_market_data=False))
    world, run = World(), begin(plan)
    world.run(run, 60)
    world.run(run, until=lambda result: isinstance(result.fact, OrderFilled))
    before = run.machine.machine.context.ledger
    expected = (before.position, before.cash, before.fees_paid, before.realized_pnl, before.peak_net_pnl)
    trades = dict(before._trades)
    kill(run)
    run = begin(plan)
    after = run.machine.machine.context.ledger
    assert (after.position, after.cash, after.fees_paid, after.realized_pnl) == expected[:4]
    assert after.peak_net_pnl == expected[4]
    assert after._trades == trades
    run.close()


def test_a_stop_during_recovery_confirms_the_book_empty_first(path: Path) -> None:
    world, plan = quote_for(path, 20)
    run = begin(plan)
    world.tell(run, StopRequested(received_at=0, flatten=False, reason="redeploy"))
    world.run(run)
    assert run.machine.is_final
    assert world.exchange.open_orders == ()
    assert_books_equal_account(run, world)
    run.close()


def test_a_stop_waits_until_the_venue_has_said_which_orders_are_open(path: Path) -> None:
    """The journal's end may have been lost with a placement in it: without an answer nothing is called confirmed."""
    world, run = World(), begin(plan_at(path))
    world.run(run, until=is_reconciled(run))
    kill(run)
    place(world, "mm-t00000-lost00-3")
    world.hears = unheard(OpenOrdersReported)
    run = begin(plan_at(path))
    world.tell(run, StopRequested(received_at=0, flatten=False, reason="redeploy"))
    world.run(run, 20)
    assert not run.machine.is_final
    world.hears = lambda _: True
    world.run(run)
    assert run.machine.is_final
    assert world.exchange.open_orders == ()
    run.close()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"settings": settings_with(strategy_id="other")}, "strategy_id"),
        ({"account": "second"}, "account"),
        ({"settings": settings_with(target_base=1)}, "target_base"),
    ],
)
def test_a_journal_of_another_market_is_not_continued(path: Path, change: dict[str, Any], found: str) -> None:
    plan = plan_at(path)
    begin(plan).close()
    with pytest.raises(JournalError, match=found):
        begin(evolve(plan, **change))


def test_market_data_streams_in_while_a_recovery_waits(path: Path) -> None:
    """A market's events do not answer any question."""
    world, plan = quote_for(path, 20)
    world.hears = lambda fact: isinstance(fact, (MarketBook, MarketTrade))
    before = len(world.placements)
    run = begin(plan)
    world.run(run, 30)
    assert len(world.placements) == before
    run.close()
