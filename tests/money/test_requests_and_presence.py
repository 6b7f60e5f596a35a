"""Presets fit the request rules of their venues and of the tightest one, and presence is told as the venue sees it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest
from attrs import evolve

from mm_fsm.core.messages import OrderPurpose, Side
from mm_fsm.core.rate_rules import KRAKEN_TIERS
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.search.trading import trade as trade_on
from mm_fsm.services.orders import DefaultOrderService
from mm_fsm.services.spreads import DefaultSpreadService
from mm_fsm.venues.base import MarketEvent
from tests.money.markets import book, calm, configuration, play
from tests.services.situation import Situation

OF_VENUES = ("gemini_ethusd", "binance_spot_ethusdt", "binance_usdm_btcusdt")


def hurried(mid: Decimal, seconds: int, deviation_bps: float) -> Iterator[MarketEvent]:
    """A market that moves by some basis points each second."""
    random = Random(5)
    for second in range(seconds):
        mid *= 1 + Decimal(random.gauss(0, deviation_bps)) / 10_000
        bid = mid.quantize(Decimal("0.1"))
        yield book(second, str(bid), str(bid + Decimal("0.1")))


@pytest.mark.parametrize("preset", OF_VENUES)
def test_the_counter_of_the_tightest_venue_refuses_nothing_of_a_presets_orders(preset: str) -> None:
    """In ten minutes of a market that asks for new prices every second, counted by an account of the venue's own."""
    settings = read_preset(preset)
    market = [evolve(event, symbol=settings.symbol) for event in hurried(Decimal(3_000), 600, 4)]
    figures = trade_on(settings, market)
    assert figures.orders > 100
    assert figures.refused == 0
    assert settings.strategy.rate_counter == KRAKEN_TIERS["intermediate"]
    free = evolve(settings, strategy=evolve(settings.strategy, rate_counter_limit=None))
    assert trade_on(free, market).refused > 0, "the market is one in which it matters"


def test_without_room_for_another_quote_one_that_lies_further_away_stays_and_one_that_lies_nearer_goes() -> None:
    for bid, ask, goes in (("99.95", "100.05", False), ("100.45", "100.55", False), ("99.45", "99.55", True)):
        situation = Situation(max_orders_per_interval=3, market_spread_share=0.0, num_price_levels=1)
        context = situation.context
        plan = DefaultSpreadService().price_quotes(context)
        order = situation.rest(Side.BID, str(plan.bids[0].price), str(plan.bids[0].quantity))
        for _ in range(3):
            context.request_rates.note_placement(context.now)
        situation.book(bid, ask)
        changes = DefaultOrderService().plan_changes(context, DefaultSpreadService().price_quotes(context))
        assert (order.client_order_id in changes.cancels) is goes


def test_presence_at_the_venue_lasts_from_acknowledgement_to_end() -> None:
    """Ours ends when a cancel is sent, the venue's when it has acted: a tenth of a second later, at each repricing."""
    outcome = play([*calm(0, 120, "2499.95", "2500.05"), *hurried(Decimal(2_500), 300, 3)])
    uptime = outcome.machine.uptime
    for side in Side:
        assert uptime.live[side] < uptime.resting[side] <= uptime.total
    assert uptime.both_live <= uptime.both_resting
    assert 0 < uptime.both_resting_share < 1


def test_presence_by_hand() -> None:
    """Every step: an order that the venue acknowledged and has not ended counts for the time until the next step."""
    resting = dict.fromkeys(Side, 0)
    last: list[int] = []
    present: list[set[Side]] = []

    def watch(_result: StepResult, machine: MarketMakingStateMachine) -> None:
        now = machine.context.now
        if last and now > last[-1]:
            for side in present[-1]:
                resting[side] += now - last[-1]
        last.append(now)
        orders = [*machine.context.active_bid_orders, *machine.context.active_ask_orders]
        present.append(
            {o.side for o in orders if o.acknowledged and not o.is_unknown and o.purpose is OrderPurpose.QUOTE}
        )

    outcome = play([*calm(0, 120, "2499.95", "2500.05"), *hurried(Decimal(2_500), 60, 3)], watch=watch)
    assert dict(outcome.machine.uptime.resting) == resting


def test_a_quote_beyond_the_distance_that_is_asked_for_is_not_present() -> None:
    """Quotes lie 2 to 6 bps from the mid."""
    market = [*calm(0, 200, "2499.95", "2500.05")]
    near, none = (play(market, configuration(presence_distance_bps=bps)).machine.uptime for bps in (10.0, 1.0))
    assert near.both_resting_share == play(market).machine.uptime.both_resting_share > 0.5
    assert none.both_resting_share == 0
    assert none.both_live_share > 0.5
