"""A side that could not be quoted is quoted as soon as it can, not when quotes are next refreshed."""

from __future__ import annotations

from mm_fsm import DefaultOrderService, MarketMakingContext
from mm_fsm.core.decisions import OrderChanges, QuotePlan
from mm_fsm.core.messages import CancelOrder, PlaceOrder, Side
from mm_fsm.core.rate_rules import KRAKEN_CANCELS
from tests.machine.bench import Bench, settings_with
from tests.machine.scripted import services

SECOND = 1_000_000_000


def test_a_side_whose_unknown_order_never_arrived_is_quoted_when_the_venue_says_so() -> None:
    settings = settings_with(stale_data_seconds=300.0, refresh_interval_seconds=250.0)
    bench = Bench(settings, is_watched=False).start_quoting()
    bench.later(1)
    bench.book("100.10", "100.12")
    lost = None
    while bench.outbox:
        intent = bench.outbox.popleft()
        if isinstance(intent, PlaceOrder) and intent.side is Side.BID and lost is None:
            lost = intent.client_order_id
            bench.lose(lost)
        else:
            bench.answer(intent)
    assert lost is not None
    assert bench.state == "monitoring_orders"
    assert bench.hold(Side.BID) == "unknown_order"
    bench.run_until(lambda: lost not in bench.live(Side.BID), 60, step=0.1)
    bench.settle()
    assert bench.hold(Side.BID) is None
    assert bench.live(Side.BID)


def test_a_side_refused_for_rate_is_quoted_once_there_is_room() -> None:
    """12 points have room for one order, which needs 1 + 8 + 1. A second has room when the first is 45 s old.

    Before, its cancel costs 4 or more: 1 for the second order, 4 for the cancel of the first, 8 and 1 are 14.
    From 45 s on they are 1 + 2 + 8 + 1 = 12.
    """
    settings = settings_with(
        rate_counter_limit=12.0,
        rate_counter_decay_per_second=1.0,
        rate_counter_cancel_points=KRAKEN_CANCELS,
        order_reserve_share=0.0,
        num_price_levels=1,
        stale_data_seconds=300.0,
        refresh_interval_seconds=250.0,
    )
    bench = Bench(settings, is_watched=False)
    bench.run_until(bench.live, 60)
    bench.settle()
    (silent,) = (side for side in Side if not bench.live(side))
    (placed,) = bench.live()
    due = bench.own(placed).placed_at + 45 * SECOND
    assert bench.last.wake_at is not None
    assert bench.last.wake_at <= due
    while bench.now < due - SECOND:
        bench.later(0.5)
        bench.book()
        assert not bench.live(silent)
    bench.later((due - bench.now) / SECOND)
    bench.book()
    assert len(bench.live(silent)) == 1


class CancelsFirst(DefaultOrderService):
    """Takes all quotes out, and places anew once they are gone."""

    def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
        live = context.orders.live()
        staying = tuple(order.client_order_id for order in live if order.is_staying)
        return OrderChanges(cancels=staying) if live else super().plan_changes(context, plan)


class PlacesNoAsk(DefaultOrderService):
    """Places no ask, whatever is wanted."""

    def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
        changes = super().plan_changes(context, plan)
        kept = tuple(draft for draft in changes.placements if draft.side is Side.BID)
        return OrderChanges(cancels=changes.cancels, placements=kept)


def test_an_order_service_that_cancels_first_is_asked_again_when_its_quotes_are_gone() -> None:
    settings = settings_with(refresh_interval_seconds=250.0, stale_data_seconds=300.0)
    bench = Bench(settings, services=services(orders=CancelsFirst()), is_watched=False)
    bench.start_quoting()
    before, since = bench.live(), len(bench.results)
    bench.later(1)
    bench.book("100.40", "100.42")
    assert sorted(cancel.client_order_id for cancel in bench.sent(CancelOrder, since)) == sorted(before)
    assert bench.sent(PlaceOrder, since) == []
    bench.settle()
    assert bench.state == "monitoring_orders"
    assert {bench.own(order).side for order in bench.live()} == set(Side)
    assert not {*before} & {*bench.live()}


def test_a_side_for_which_the_order_service_places_nothing_says_so_and_is_priced_once_a_refresh() -> None:
    settings = settings_with(refresh_interval_seconds=5.0)
    bench = Bench(settings, services=services(orders=PlacesNoAsk()), is_watched=False)
    bench.run_until(bench.live, 60)
    bench.settle()
    assert bench.hold(Side.ASK) == "custom"
    priced = bench.context.spread_calculations
    for _ in range(20):
        bench.later(1)
        bench.book()
    bench.settle()
    assert bench.context.spread_calculations - priced <= 5  # a refresh each 5 s, and one more at the edge
    assert bench.state == "monitoring_orders"
