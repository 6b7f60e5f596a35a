"""Prices and sizes of every level, against tables worked out by hand.

The mid is 100. With a target of 20 bps and nothing added, half-spreads are 0.10, 0.15 and 0.225: bids at 99.90, 99.85
and 99.775, asks mirrored.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.core.decisions import HoldReason, QuotePlan
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import Situation, exactly, prices, rules, sizes

NOTHING_ADDED = {"target_spread_bps": 20, "market_spread_share": 0, "max_inventory_pct": 100}


def plan_for(*arguments: object, **changes: object) -> QuotePlan:
    situation = Situation(*arguments, **(NOTHING_ADDED | changes))  # type: ignore[arg-type]
    return DefaultSpreadService().price_quotes(situation.context)


def reasons(plan: QuotePlan) -> list[tuple[Side, int, HoldReason]]:
    return [(level.side, level.level, level.hold.reason) for level in plan.dropped]


# -- the whole table -----------------------------------------------------------------------------------------------


def test_a_long_position_gives_the_table_done_by_hand() -> None:
    """Given s = 1/4, sigma_h = 5 bps, market 10 bps wide, target 10.6, shares 0.5: base 10.6 + 10 + 5 = 25.6 bps.

    Both sides shift by -100 * 0.25 * 0.001 = -0.025, to 99.975. The bid widens by 12.5 to 38.1 bps: half is 0.1905,
    0.28575 and 0.428625, so 99.7845, 99.68925, 99.546375, floored. The ask stays at 25.6: 0.128, 0.192, 0.288, so
    100.103, 100.167, 100.263, ceiled. Sizes in quote currency: bid 87.5, 61.25, 42.875; ask 112.5, 78.75, 55.125.
    """
    plan = DefaultSpreadService().price_quotes(
        Situation(offset="1", sigma=0.0005, target_spread_bps=10.6, max_position_size=4).context
    )
    assert prices(plan.bids) == exactly("99.78", "99.68", "99.54")
    assert prices(plan.asks) == exactly("100.11", "100.17", "100.27")
    assert sizes(plan.bids) == exactly("0.8769", "0.6144", "0.4307")
    assert sizes(plan.asks) == exactly("1.1237", "0.7861", "0.5497")


# -- prices --------------------------------------------------------------------------------------------------------


def test_levels_lie_further_out_by_the_multiplier_with_bids_floored_and_asks_ceiled() -> None:
    plan = plan_for()
    assert prices(plan.bids) == exactly("99.90", "99.85", "99.77")
    assert prices(plan.asks) == exactly("100.10", "100.15", "100.23")


def test_the_number_of_levels_is_a_setting() -> None:
    plan = plan_for(num_price_levels=1)
    assert (prices(plan.bids), prices(plan.asks)) == (exactly("99.90"), exactly("100.10"))


def test_levels_lie_at_least_one_tick_apart() -> None:
    """Half-spreads of 0.10, 0.15 and 0.225 all round to the next grid price of 0.5: 99.5 and 100.5."""
    plan = plan_for(rules(tick="0.5"), bid="99.5", ask="100.5")
    assert prices(plan.bids) == exactly("99.5", "99.0", "98.5")
    assert prices(plan.asks) == exactly("100.5", "101.0", "101.5")


def test_levels_without_a_multiplier_still_lie_a_tick_apart() -> None:
    plan = plan_for(level_spread_multiplier=1)
    assert prices(plan.bids) == exactly("99.90", "99.89", "99.88")
    assert prices(plan.asks) == exactly("100.10", "100.11", "100.12")


@pytest.mark.parametrize(
    ("offset", "bid", "ask"),
    [
        ("2", "99.85", "100.05"),  # s = 1/2: -100 * 0.5 * 0.001 = -0.05
        ("-2", "99.95", "100.15"),  # +0.05
        ("0", "99.90", "100.10"),
    ],
)
def test_long_lowers_both_quotes_and_short_raises_both(offset: str, bid: str, ask: str) -> None:
    plan = plan_for(offset=offset, max_position_size=4, inventory_adjustment_factor=0)
    assert [plan.bids[0].price, plan.asks[0].price] == exactly(bid, ask)


def test_an_ask_that_the_skew_pushes_through_the_best_bid_stops_one_tick_above_it() -> None:
    """An s just below 1 shifts by nearly -0.1: with a spread of 5 bps the ask would be at 99.93, below the 99.99."""
    plan = plan_for(
        offset="3.9999",
        max_position_size=4,
        target_spread_bps=5,
        inventory_adjustment_factor=0,
        bid="99.99",
        ask="100.01",
    )
    assert prices(plan.asks) == exactly("100.00", "100.01", "100.02")


def test_a_bid_that_the_skew_pushes_through_the_best_ask_stops_one_tick_below_it() -> None:
    plan = plan_for(
        offset="-3.9999",
        max_position_size=4,
        target_spread_bps=5,
        inventory_adjustment_factor=0,
        bid="99.99",
        ask="100.01",
    )
    assert prices(plan.bids) == exactly("100.00", "99.99", "99.98")


def test_rounding_comes_before_the_passive_clamp() -> None:
    """The ask's 99.93 would be ceiled to 100.0 on a grid of 0.5, which is the best bid: one tick above is 100.5."""
    plan = plan_for(
        rules(tick="0.5"),
        offset="3.9999",
        max_position_size=4,
        target_spread_bps=5,
        inventory_adjustment_factor=0,
        bid="100.0",
        ask="100.5",
    )
    assert plan.asks[0].price == Decimal("100.5")


def test_own_orders_are_taken_out_of_the_book_before_quotes_are_kept_off_it() -> None:
    """Our own bid of 99.96 is no reason to keep the ask above it: the market's bid is 99.88, so the mid is 99.94.

    s just below 1 moves the middle to 99.84006; half of 5 bps above is 99.865, below the market's bid: 99.89.
    """
    situation = Situation(
        offset="3.9999",
        max_position_size=4,
        target_spread_bps=5,
        market_spread_share=0,
        inventory_adjustment_factor=0,
        bid="99.88",
        ask="100.00",
    )
    situation.rest(Side.BID, "99.96", "2")
    situation.book("99.96x2 99.88x5", "100.00x5", includes_own_orders=True)
    plan = DefaultSpreadService().price_quotes(situation.context)
    assert plan.reference_price == Decimal("99.94")
    assert plan.asks[0].price == Decimal("99.89")


def test_a_level_below_the_lowest_price_on_the_grid_is_dropped_with_a_reason() -> None:
    """On a grid of 40 with a mid of 100 bids lie at 80 and 40; the third would be at 0, and the third ask at 200."""
    plan = plan_for(rules(tick="40"), bid="80", ask="120", max_market_spread_bps=5000, price_band_bps=9000)
    assert prices(plan.bids) == exactly("80", "40")
    assert reasons(plan) == [(Side.BID, 2, HoldReason.BELOW_MINIMUM), (Side.ASK, 2, HoldReason.RISK)]


def test_a_side_without_any_price_above_zero_is_held_and_not_stale() -> None:
    """With s = 0.99, a skew factor of 0.1 puts the middle at 135.15; half of 50 % below that is 97.65, floored to 0."""
    situation = Situation(
        rules(tick="100"),
        offset="0.99",
        max_position_size=1,
        skew_price_factor=0.1,
        min_spread_bps=5000,
        max_spread_bps=5000,
        max_market_spread_bps=10_000,
        bid="100",
        ask="200",
    )
    service = DefaultSpreadService()
    plan = service.price_quotes(situation.context)
    assert plan.bids == ()
    assert plan.bid_hold is not None
    assert plan.bid_hold.reason is HoldReason.BELOW_MINIMUM
    assert not service.are_quotes_stale(situation.adopt(plan).context)


# -- sizes ---------------------------------------------------------------------------------------------------------


def test_the_order_size_is_an_amount_of_quote_currency() -> None:
    """Bids: 100 / 99.90 = 1.001001, 70 / 99.85 = 0.701051, 49 / 99.77 = 0.491129.

    Asks: 100 / 100.10 = 0.999000, 70 / 100.15 = 0.698951, 49 / 100.23 = 0.488875.
    """
    plan = plan_for()
    assert sizes(plan.bids) == exactly("1.0010", "0.7010", "0.4911")
    assert sizes(plan.asks) == exactly("0.9990", "0.6989", "0.4888")


def test_a_price_five_hundred_times_as_high_gives_a_size_that_much_smaller() -> None:
    """100 / 49 950 = 0.002002."""
    plan = plan_for(bid="49975", ask="50025", num_price_levels=1)
    assert prices(plan.bids) == exactly("49950.00")
    assert sizes(plan.bids) == exactly("0.0020")


def test_sizes_of_contracts_are_counted_in_contracts() -> None:
    """One contract is 0.01 base: 100 / 99.90 / 0.01 = 100.1 contracts, floored to whole ones."""
    plan = plan_for(rules(InstrumentKind.LINEAR, lot="1", contract_size="0.01"))
    assert sizes(plan.bids) == exactly("100", "70", "49")


@pytest.mark.parametrize(
    ("offset", "bid", "ask"),
    [
        ("2", "0.7507", "1.2487"),  # s = 1/2: 75 / 99.90 = 0.750750 and 125 / 100.10 = 1.248751
        ("-2", "1.2512", "0.7492"),  # 125 / 99.90 = 1.251251 and 75 / 100.10 = 0.749250
    ],
)
def test_the_side_that_adds_to_the_position_shrinks_and_the_other_grows(offset: str, bid: str, ask: str) -> None:
    plan = plan_for(offset=offset, max_position_size=4, inventory_adjustment_factor=0, skew_price_factor=0)
    assert [plan.bids[0].quantity, plan.asks[0].quantity] == exactly(bid, ask)


# -- what there is -------------------------------------------------------------------------------------------------


def test_asks_are_capped_by_the_base_that_is_held_inner_levels_first() -> None:
    """Wanted 1000 / 100.10 = 9.9900 and 6.9895; the account holds 10."""
    plan = plan_for(base_order_size=1000)
    assert sizes(plan.asks) == exactly("9.9900", "0.0100")
    assert reasons(plan) == [(Side.ASK, 2, HoldReason.FUNDS)]


def test_bids_are_capped_by_the_cash_inner_levels_first() -> None:
    """10.0100 at 99.90 cost 999.999 of 1500; 500.001 / 99.85 = 5.00752; what is left buys less than a lot."""
    plan = plan_for(base_order_size=1000, quote="1500")
    assert sizes(plan.bids) == exactly("10.0100", "5.0075")
    assert (Side.BID, 2, HoldReason.FUNDS) in reasons(plan)


def test_bids_leave_cash_for_the_higher_of_the_two_fees() -> None:
    """1500 / 1.001 = 1498.501498 less 999.999 is 498.502498; / 99.85 = 4.992514."""
    plan = plan_for(base_order_size=1000, quote="1500", maker_bps="5", taker_bps="10")
    assert sizes(plan.bids) == exactly("10.0100", "4.9925")


def test_a_rebate_is_not_spent_beforehand() -> None:
    plan = plan_for(base_order_size=1000, quote="1500", maker_bps="-5", taker_bps="-1")
    assert sizes(plan.bids) == exactly("10.0100", "5.0075")


def test_what_own_quotes_lock_counts_as_free_because_they_are_what_is_replaced() -> None:
    situation = Situation(base_order_size=1000, quote="1500", **NOTHING_ADDED)
    situation.rest(Side.BID, "99.90", "10.0100")
    situation.rest(Side.BID, "99.85", "5.0075")
    situation.rest(Side.ASK, "100.10", "9.9900")
    plan = DefaultSpreadService().price_quotes(situation.context)
    assert sizes(plan.bids) == exactly("10.0100", "5.0075")
    assert sizes(plan.asks) == exactly("9.9900", "0.0100")


def test_money_that_the_venue_does_not_report_is_not_quoted_with() -> None:
    """The ledger holds 10 and 1500, the venue reports 4 and 500: 500 / 99.90 = 5.005005."""
    situation = Situation(base_order_size=1000, quote="1500", **NOTHING_ADDED).report_balances("4", "500")
    plan = DefaultSpreadService().price_quotes(situation.context)
    assert sizes(plan.bids) == exactly("5.0050")
    assert sizes(plan.asks) == exactly("4.0000")


def test_a_spot_account_without_base_has_no_asks_and_says_why() -> None:
    plan = plan_for(target="0")
    assert plan.asks == ()
    assert plan.ask_hold is not None
    assert plan.ask_hold.reason is HoldReason.FUNDS
    assert plan.bids


def test_contracts_may_be_sold_short_up_to_equity_times_leverage() -> None:
    """Margin 500 at leverage 2 carries 1000 of notional: 1000 / 100.10 = 9.990009 contracts, and nothing is left."""
    plan = plan_for(rules(InstrumentKind.LINEAR), base_order_size=2000, quote="500", leverage="2")
    assert sizes(plan.asks) == exactly("9.9900")
    assert {reason for _, _, reason in reasons(plan)} == {HoldReason.FUNDS}


def test_a_side_is_capped_by_the_room_below_the_position_limit() -> None:
    """With s = 4/16: 875 / 99.90 = 8.758758 of a room of 12; 3.2413 are left for the second level, then none."""
    plan = plan_for(
        base_order_size=1000, offset="4", max_position_size=16, inventory_adjustment_factor=0, skew_price_factor=0
    )
    assert sizes(plan.bids) == exactly("8.7587", "3.2413")
    assert reasons(plan)[0] == (Side.BID, 2, HoldReason.INVENTORY_LIMIT)


# -- maximums ------------------------------------------------------------------------------------------------------


def test_a_level_above_the_maximum_quantity_is_the_maximum() -> None:
    plan = plan_for(rules(maximum_quantity="0.6"))
    usual = plan_for()
    for side in (plan.bids, plan.asks):
        assert side[0].quantity == Decimal("0.6")
    assert prices(plan.bids) == prices(usual.bids)
    assert [min(quote.quantity, Decimal("0.6")) for quote in usual.bids] == [quote.quantity for quote in plan.bids]


def test_a_level_above_the_maximum_notional_is_the_largest_that_the_venue_takes() -> None:
    plan = plan_for(rules(maximum_notional="60"))
    for quote in (*plan.bids, *plan.asks):
        assert quote.quantity * quote.price <= 60
    assert (plan.bids[0].quantity + Decimal("0.0001")) * plan.bids[0].price > 60
    assert plan.dropped == ()


# -- minimums ------------------------------------------------------------------------------------------------------


def test_a_level_below_the_minimum_notional_is_dropped_and_not_raised() -> None:
    """Levels are worth 100, 70 and 49; the venue takes 60."""
    plan = plan_for(rules(minimum_notional="60"))
    assert sizes(plan.bids) == exactly("1.0010", "0.7010")
    assert sizes(plan.asks) == exactly("0.9990", "0.6989")
    assert reasons(plan) == [(Side.BID, 2, HoldReason.BELOW_MINIMUM), (Side.ASK, 2, HoldReason.BELOW_MINIMUM)]


def test_a_level_below_the_minimum_quantity_is_dropped_and_not_raised() -> None:
    plan = plan_for(rules(minimum_quantity="0.7"))
    assert sizes(plan.bids) == exactly("1.0010", "0.7010")
    assert sizes(plan.asks) == exactly("0.9990")


def test_a_level_that_flooring_takes_below_the_minimum_is_dropped() -> None:
    """70 / 99.85 floors to 0.7010, which is worth 69.99485: less than 70."""
    plan = plan_for(rules(minimum_notional="70"))
    assert sizes(plan.bids) == exactly("1.0010")


def test_a_level_that_funds_take_below_the_minimum_names_the_funds() -> None:
    """After the first level 50.001 of 150 are left for the second, and the venue takes 60."""
    plan = plan_for(rules(minimum_notional="60"), quote="150")
    assert sizes(plan.bids) == exactly("1.0010")
    assert reasons(plan)[0] == (Side.BID, 1, HoldReason.FUNDS)


def test_a_level_beyond_the_price_band_is_dropped_and_not_moved_to_it() -> None:
    """Levels lie 10, 15 and 22.5 bps from the mid, the last one rounded to 23."""
    plan = plan_for(rules(), price_band_bps=15, max_slippage_bps=15)
    assert reasons(plan) == [(Side.BID, 2, HoldReason.RISK), (Side.ASK, 2, HoldReason.RISK)]
    assert len(plan.bids) == len(plan.asks) == 2


def test_a_side_whose_levels_are_all_too_small_is_held_for_that_reason() -> None:
    plan = plan_for(rules(minimum_notional="1000"))
    assert plan.bids == plan.asks == ()
    for hold in (plan.bid_hold, plan.ask_hold):
        assert hold is not None
        assert hold.reason is HoldReason.BELOW_MINIMUM


def test_dropped_levels_say_their_level_size_and_price() -> None:
    plan = plan_for(rules(minimum_notional="60"))
    assert "level 2" in plan.dropped[0].hold.detail
    assert "0.4911 at 99.77" in plan.dropped[0].hold.detail
