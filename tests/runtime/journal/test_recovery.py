"""Every case that a restart can find has a declared outcome; nothing is quoted before the venue has confirmed it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields

from mm_fsm.books.context import SURVIVING, MarketMakingContext
from mm_fsm.books.facts import (
    BalancesReported,
    ConnectionRestored,
    MarketBook,
    MarketTrade,
    OpenOrdersReported,
    OrderFilled,
    OwnTradesReported,
    StopRequested,
)
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOwnTrades,
    Side,
)
from mm_fsm.errors import JournalError
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import verify_run
from tests.runtime.journal.scenario import (
    SECOND,
    SYMBOL,
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
    unheard,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


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
    world.run(run, until=lambda result: any(isinstance(i, PlaceOrder) for i in result.intents))
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


def test_the_venues_counter_goes_on_through_a_restart(path: Path) -> None:
    """It counts the account's requests: 1 point a placement and 8 a young cancel, and a quarter goes each second."""
    changes = {"rate_counter_decay_per_second": 0.25, "rate_counter_cancel_points": ((5.0, 8.0), (60.0, 1.0))}
    plan = plan_at(path, settings=settings_with(rate_counter_limit=1000.0, **changes))
    world, run = World(), begin(plan)
    world.run(run, 20)
    context = run.machine.machine.context
    before, at = context.request_rates.points(context.now), context.now
    assert before > 3
    kill(run)
    with begin(evolve(plan, settings=settings_with(rate_counter_limit=500.0, **changes))) as again:
        context = again.machine.machine.context
        assert context.request_rates.points(at + 2 * SECOND) == pytest.approx(before - 0.5)
        assert context.request_rates.orders_in_interval(at) > 0
        assert context.request_rates.counter is not None
        assert context.request_rates.counter.limit == 500, "the rules are those of the settings now"


BEGINS_ANEW = {
    "settings", "instrument", "fees", "current_state",  # as the new process has them
    "market", "reference",  # the next book begins anew
    "plan", "last_spread_calculation", "sides", "needs_requote", "was_near_limit",  # nothing is quoted
    "reduction", "was_over_limit", "missing_base", "missing_quote", "remarks",
    "balances_reported_at", "balances_query_due", "trades_query_due",  # the venue is asked at once
    "questions",  # what was asked before the restart is asked again
    "account_feed_loss", "signals",  # the new process has a feed of its own, and estimates from it
    "unhandled_fills", "next_order_number",  # ids have a part of their own in every process
    "session_ends_at", "is_stopping", "keeps_position", "stop_reason", "is_late",  # a session of its own
    "pending_fault", "rejections_in_a_row", "fault", "latched", "recovery_attempts", "recover_at", "healthy_since",
    "has_wound_down",
}  # fmt: skip


def test_of_every_field_it_is_said_whether_a_restart_keeps_it() -> None:
    """A new field of the context is marked with ``SURVIVES``, or is here with the reason why it can be forgotten."""
    names = {each.name for each in fields(MarketMakingContext) if not each.metadata.get("is_derived")}
    assert {*SURVIVING} | BEGINS_ANEW == names
    assert not {*SURVIVING} & BEGINS_ANEW
