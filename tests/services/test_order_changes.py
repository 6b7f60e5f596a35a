"""Which own orders stay, which are cancelled and which are placed when quotes are priced again.

One level a side; the mid is 100. A wanted bid at 99.90 is 0.10 from the mid: an order may differ by a fifth of that,
0.02, where it would have to move away from the market, and by half of that, 0.01, where it would move towards it.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any

import pytest

from mm_fsm.core.decisions import OrderChanges, Quote, QuotePlan
from mm_fsm.core.messages import OrderPurpose, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.services.orders import DefaultOrderService
from tests.services.situation import Situation, rules
from tests.strategies import EXACT_QUOTES


def wanted(*quotes: tuple[Side, str, str]) -> QuotePlan:
    """Quotes as side, price and quantity, inner levels first."""
    made = [
        Quote(side=side, level=level, price=Decimal(price), quantity=Decimal(quantity))
        for level, (side, price, quantity) in enumerate(quotes)
    ]
    return QuotePlan(
        priced_at=0,
        reference_price=Decimal(100),
        half_spread=Decimal("0.1"),
        inventory_skew=0.0,
        inventory_use=0.0,
        bid_spread_bps=20.0,
        ask_spread_bps=20.0,
        bid_was_clamped=False,
        ask_was_clamped=False,
        bids=tuple(quote for quote in made if quote.side is Side.BID),
        asks=tuple(quote for quote in made if quote.side is Side.ASK),
    )


def changes_for(situation: Situation, plan: QuotePlan) -> OrderChanges:
    return DefaultOrderService().plan_changes(situation.context, plan)


def stays(situation: Situation, plan: QuotePlan) -> bool:
    changes = changes_for(situation, plan)
    assert bool(changes.cancels) == bool(changes.placements)
    return not changes.cancels


def resting(side: Side, price: str, quantity: str = "1", filled: str | None = None, **settings: Any) -> Situation:
    situation = Situation(settings.pop("instrument", None), **settings)
    order = situation.rest(side, price, quantity)
    if filled is not None:
        situation.fill(order, filled)
    return situation


def test_wanted_quotes_are_placed_on_an_empty_book_with_their_level() -> None:
    plan = wanted((Side.BID, "99.90", "1"), (Side.BID, "99.85", "0.7"), (Side.ASK, "100.10", "1"))
    changes = changes_for(Situation(), plan)
    assert changes.cancels == ()
    assert [(d.side, d.price, d.quantity, d.level) for d in changes.placements] == [
        (Side.BID, Decimal("99.90"), Decimal(1), 0),
        (Side.ASK, Decimal("100.10"), Decimal(1), 2),
        (Side.BID, Decimal("99.85"), Decimal("0.7"), 1),
    ]
    assert all(d.purpose is OrderPurpose.QUOTE and d.post_only and not d.reduce_only for d in changes.placements)


def test_orders_that_are_not_wanted_any_more_are_cancelled() -> None:
    situation = Situation()
    bid, ask = situation.rest(Side.BID, "99.90", "1"), situation.rest(Side.ASK, "100.10", "1")
    changes = changes_for(situation, wanted())
    assert set(changes.cancels) == {bid.client_order_id, ask.client_order_id}
    assert changes.placements == ()


@pytest.mark.parametrize(
    ("side", "price", "to", "expected"),
    [
        # away from the market: up to 6 % of the wanted distance of 0.50
        (Side.BID, "99.53", "99.50", True),
        (Side.BID, "99.54", "99.50", False),
        (Side.ASK, "100.47", "100.50", True),
        (Side.ASK, "100.46", "100.50", False),
        # towards the market: up to 60 % of 0.10
        (Side.BID, "99.84", "99.90", True),
        (Side.BID, "99.83", "99.90", False),
        (Side.ASK, "100.16", "100.10", True),
        (Side.ASK, "100.17", "100.10", False),
    ],
)
def test_an_order_stays_while_its_wanted_price_moved_less_than_the_tolerance(
    side: Side,
    price: str,
    to: str,
    expected: bool,
) -> None:
    assert stays(resting(side, price), wanted((side, to, "1"))) is expected


def test_a_level_further_out_has_a_tolerance_that_much_larger() -> None:
    """6 % of 1.00 is 0.06."""
    assert stays(resting(Side.BID, "99.06"), wanted((Side.BID, "99.00", "1")))
    assert not stays(resting(Side.BID, "99.07"), wanted((Side.BID, "99.00", "1")))


def test_a_level_may_have_tolerances_of_its_own() -> None:
    """Level 0 tolerates 1 % of 0.50 away from the market and 2 % towards it; further levels have the general one."""
    own: dict[str, Any] = {
        "level_requote_tolerance_away_shares": (0.01,),
        "level_requote_tolerance_towards_shares": (0.02,),
    }
    plan = wanted((Side.BID, "99.50", "1"))
    assert not stays(resting(Side.BID, "99.51", **own), plan)
    assert stays(resting(Side.BID, "99.49", **own), plan)
    assert not stays(resting(Side.BID, "99.48", **own), plan)
    settings = MarketMakingSettings(symbol="BTC/USD", **own)
    assert [settings.requote_tolerance_share(level, towards_market=False) for level in (0, 1)] == [0.01, 0.06]


@pytest.mark.parametrize(("sent", "tolerated"), [(0, "0.06"), (5, "0.33"), (9, "0.546"), (10, "0.6"), (20, "0.6")])
def test_the_scarcer_the_venues_requests_the_later_an_order_moves_away(sent: int, tolerated: str) -> None:
    """Of 10 points, with one kept: 6 % in front, and 54 % more with the share used; wanted is 1.00 from the mid."""
    edge = Decimal("99.00") + Decimal(tolerated)
    for price, expected in ((edge, True), (edge + Decimal("0.01"), False)):
        given = {"rate_counter_limit": 11.0, "order_reserve_share": 0.0}
        situation = resting(Side.BID, str(price.quantize(Decimal("0.01"), ROUND_FLOOR)), **given)
        for _ in range(sent):
            situation.context.request_rates.note_placement(situation.context.now)
        assert stays(situation, wanted((Side.BID, "99.00", "1"))) is expected


def test_without_room_for_another_an_order_anywhere_behind_stays() -> None:
    far = resting(Side.BID, "98.10", rate_counter_limit=10.0)
    assert not stays(far, wanted((Side.BID, "99.90", "1")))
    for _ in range(10):
        far.context.request_rates.note_placement(far.context.now)
    assert stays(far, wanted((Side.BID, "99.90", "1")))


def test_without_a_tolerance_only_the_very_price_stays() -> None:
    assert stays(resting(Side.BID, "99.90", **EXACT_QUOTES), wanted((Side.BID, "99.90", "1")))
    assert not stays(resting(Side.BID, "99.91", **EXACT_QUOTES), wanted((Side.BID, "99.90", "1")))


@pytest.mark.parametrize(
    ("quantity", "expected"), [("0.75", True), ("0.7499", False), ("1", True), ("1.25", True), ("1.2501", False)]
)
def test_an_order_stays_while_its_wanted_size_moved_less_than_a_quarter(
    quantity: str,
    expected: bool,
) -> None:
    assert stays(resting(Side.BID, "99.90", quantity), wanted((Side.BID, "99.90", "1"))) is expected


@pytest.mark.parametrize(("filled", "expected"), [("0.3", True), ("0.75", True), ("0.7501", False), ("0.9", False)])
def test_a_partly_filled_order_keeps_its_place_until_a_quarter_is_left(
    filled: str,
    expected: bool,
) -> None:
    assert stays(resting(Side.BID, "99.90", filled=filled), wanted((Side.BID, "99.90", "1"))) is expected


def test_an_order_that_was_never_filled_has_no_such_privilege() -> None:
    assert not stays(resting(Side.BID, "99.90", "0.7"), wanted((Side.BID, "99.90", "1")))


def test_a_partly_filled_order_goes_once_the_rest_is_below_the_venues_minimum() -> None:
    """0.4 at 99.90 is worth 39.96, and the venue takes 40."""
    instrument = rules(minimum_notional="40")
    kept = resting(Side.BID, "99.90", filled="0.5", instrument=instrument)
    gone = resting(Side.BID, "99.90", filled="0.6", instrument=instrument)
    assert stays(kept, wanted((Side.BID, "99.90", "1")))
    assert not stays(gone, wanted((Side.BID, "99.90", "1")))


def test_a_wide_size_tolerance_never_treats_a_partly_filled_order_worse() -> None:
    """With 0.9, a tenth of the wanted size is enough of an untouched order, so it is of a filled one."""
    settings = {"size_tolerance_share": 0.9}
    assert stays(resting(Side.BID, "99.90", "0.2", **settings), wanted((Side.BID, "99.90", "1")))
    assert stays(resting(Side.BID, "99.90", filled="0.8", **settings), wanted((Side.BID, "99.90", "1")))


def test_an_order_that_the_market_has_reached_does_not_stay() -> None:
    """Our bid of 99.52 may fill any moment by the market's ask: it must not be counted on as a passive quote.

    The tolerance of a bid wanted at 99.50 is 0.03 away from the market.
    """
    plan = wanted((Side.BID, "99.50", "1"))
    assert stays(resting(Side.BID, "99.52").book("99.40", "99.53"), plan)
    assert not stays(resting(Side.BID, "99.52").book("99.40", "99.52"), plan)


def test_an_order_off_a_new_price_grid_does_not_stay() -> None:
    situation = resting(Side.BID, "99.91")
    situation.context.instrument = rules(tick="0.05")
    assert not stays(situation, wanted((Side.BID, "99.90", "1")))


def test_every_wanted_quote_takes_one_order_and_no_order_serves_two() -> None:
    situation = resting(Side.BID, "99.90")
    changes = changes_for(situation, wanted((Side.BID, "99.90", "1"), (Side.BID, "99.89", "1")))
    assert changes.cancels == ()
    assert [d.price for d in changes.placements] == [Decimal("99.89")]


def test_of_two_orders_where_one_is_wanted_one_goes() -> None:
    situation = Situation()
    first, second = situation.rest(Side.BID, "99.90", "1"), situation.rest(Side.BID, "99.90", "1")
    changes = changes_for(situation, wanted((Side.BID, "99.90", "1")))
    assert changes.placements == ()
    assert len(changes.cancels) == 1
    assert changes.cancels[0] in {first.client_order_id, second.client_order_id}


def test_an_order_that_is_leaving_is_neither_kept_nor_cancelled_again() -> None:
    situation = resting(Side.BID, "99.90")
    (order,) = situation.context.orders.live()
    situation.context.orders.request_cancel(order, situation.context.now)
    changes = changes_for(situation, wanted((Side.BID, "99.90", "1")))
    assert changes.cancels == ()
    assert len(changes.placements) == 1


def test_an_order_of_unknown_outcome_is_left_to_its_query() -> None:
    situation = resting(Side.BID, "99.90")
    (order,) = situation.context.orders.live()
    situation.lose(order)
    assert changes_for(situation, wanted()).cancels == ()


def test_an_order_on_its_way_counts_as_there() -> None:
    situation = Situation()
    situation.send(Side.BID, "99.90", "1")
    assert stays(situation, wanted((Side.BID, "99.90", "1")))


def test_orders_that_are_no_quotes_are_left_alone() -> None:
    situation = Situation()
    situation.rest(Side.BID, "99.90", "1", OrderPurpose.ADJUSTMENT)
    assert changes_for(situation, wanted()).cancels == ()


def test_beyond_the_position_limit_in_the_worst_case_no_order_may_be_larger_than_wanted() -> None:
    """A bid of 1.2 where 1 is wanted: with an offset of 3 it stays below the limit of 4.2, with 3.1 it does not."""
    plan = wanted((Side.BID, "99.90", "1"))
    assert stays(resting(Side.BID, "99.90", "1.2", offset="3", max_position_size="4.2"), plan)
    assert not stays(resting(Side.BID, "99.90", "1.2", offset="3.1", max_position_size="4.2"), plan)
