"""The last look at every order: what is refused, why, and what still passes. The mid is 100."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.decisions import OrderDraft, Refusal, RefusalCode
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import OrderPurpose, Side
from mm_fsm.services.risk import DefaultRiskService, check_exposure
from tests.services.situation import Situation, draft, rules

SERVICE = DefaultRiskService()


def verdict(situation: Situation, order: OrderDraft) -> RefusalCode | None:
    refusal = SERVICE.review(situation.context, order)
    if refusal is None:
        return None
    assert refusal.reason
    return refusal.code


def bid(price: str = "99.90", quantity: str = "1", **changes: Any) -> OrderDraft:
    return draft(Side.BID, price, quantity, **changes)


def ask(price: str = "100.10", quantity: str = "1", **changes: Any) -> OrderDraft:
    return draft(Side.ASK, price, quantity, **changes)


def adjustment(side: Side, price: str, quantity: str, **changes: Any) -> OrderDraft:
    return draft(side, price, quantity, OrderPurpose.ADJUSTMENT, post_only=False, **changes)


def test_a_sound_order_is_approved_on_either_side() -> None:
    assert verdict(Situation(), bid()) is None
    assert verdict(Situation(), ask()) is None


# -- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1"])
@pytest.mark.parametrize("name", ["price", "quantity"])
def test_a_number_that_is_not_finite_and_positive_never_leaves(name: str, bad: str) -> None:
    order = bid(**{name: bad})
    assert verdict(Situation(), order) is RefusalCode.NOT_FINITE


def test_a_float_never_leaves() -> None:
    order = OrderDraft(side=Side.BID, price=99.9, quantity=Decimal(1), purpose=OrderPurpose.QUOTE)  # type: ignore[arg-type]
    assert verdict(Situation(), order) is RefusalCode.NOT_FINITE


@pytest.mark.parametrize("order", [bid("99.905"), bid(quantity="1.00005")])
def test_what_is_off_the_venues_grid_never_leaves(order: OrderDraft) -> None:
    assert verdict(Situation(), order) is RefusalCode.OFF_GRID


@pytest.mark.parametrize(
    ("instrument", "quantity", "expected"),
    [
        (rules(minimum_quantity="0.5"), "0.4999", RefusalCode.BELOW_MINIMUM),
        (rules(minimum_quantity="0.5"), "0.5", None),
        (rules(minimum_notional="50"), "0.5006", None),
        (rules(minimum_notional="50"), "0.5005", RefusalCode.BELOW_MINIMUM),  # worth 49.99995 at 99.90
    ],
)
def test_what_is_below_the_venues_minimum_never_leaves(
    instrument: Any, quantity: str, expected: RefusalCode | None
) -> None:
    assert verdict(Situation(instrument), bid(quantity=quantity)) is expected


@pytest.mark.parametrize(
    ("instrument", "quantity", "expected"),
    [
        (rules(maximum_quantity="0.5"), "0.5001", RefusalCode.ABOVE_MAXIMUM),
        (rules(maximum_quantity="0.5"), "0.5", None),
        (rules(maximum_notional="50"), "0.5005", None),  # worth 49.99995 at 99.90
        (rules(maximum_notional="50"), "0.5006", RefusalCode.ABOVE_MAXIMUM),
    ],
)
def test_what_is_above_the_venues_maximum_never_leaves(
    instrument: Any, quantity: str, expected: RefusalCode | None
) -> None:
    assert verdict(Situation(instrument), bid(quantity=quantity)) is expected


# -- market --------------------------------------------------------------------------------------------------------


def test_nothing_leaves_on_old_data() -> None:
    assert verdict(Situation().at(9.9), bid()) is None
    assert verdict(Situation().at(10), bid()) is RefusalCode.STALE_DATA


def test_nothing_leaves_while_the_market_is_halted() -> None:
    assert verdict(Situation().halt(), bid()) is RefusalCode.TRADING_HALTED


def test_nothing_leaves_before_the_first_full_book() -> None:
    situation = Situation()
    situation.context.market = type(situation.context.market)()
    assert verdict(situation, bid()) is RefusalCode.NO_MARKET_DATA


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (bid("98.00"), None),  # 200 bps of 100
        (bid("97.99"), RefusalCode.PRICE_BAND),
        (ask("102.00"), None),
        (ask("102.01"), RefusalCode.PRICE_BAND),
        # reducing orders pass position limits, never the band
        (adjustment(Side.ASK, "97.99", "1", reduce_only=True), RefusalCode.PRICE_BAND),
        (draft(Side.ASK, "97.99", "1", OrderPurpose.WIND_DOWN, post_only=False), RefusalCode.PRICE_BAND),
    ],
)
def test_no_order_leaves_outside_the_price_band(order: OrderDraft, expected: RefusalCode | None) -> None:
    assert verdict(Situation(), order) is expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (bid("100.04"), None),
        (bid("100.05"), RefusalCode.CROSSES_MARKET),
        (ask("99.96"), None),
        (ask("99.95"), RefusalCode.CROSSES_MARKET),
        (adjustment(Side.BID, "100.05", "1"), None),  # it is meant to take
    ],
)
def test_a_passive_order_that_would_take_never_leaves(order: OrderDraft, expected: RefusalCode | None) -> None:
    assert verdict(Situation(), order) is expected


# -- own orders ----------------------------------------------------------------------------------------------------


def test_nothing_is_placed_on_a_side_with_an_order_of_unknown_outcome() -> None:
    situation = Situation()
    situation.lose(situation.rest(Side.BID, "99.80", "1"))
    assert verdict(situation, bid()) is RefusalCode.UNKNOWN_ORDER
    assert verdict(situation, adjustment(Side.BID, "99.90", "1")) is RefusalCode.UNKNOWN_ORDER
    assert verdict(situation, ask()) is None


def test_nothing_is_placed_on_a_side_with_fills_that_have_not_arrived() -> None:
    situation = Situation()
    order = situation.rest(Side.BID, "99.80", "1")
    situation.context.orders.confirm_cancel(order, Decimal("0.5"), situation.context.now)
    assert verdict(situation, bid()) is RefusalCode.UNKNOWN_ORDER


@pytest.mark.parametrize("leaving", [False, True])
def test_an_order_never_meets_an_own_one(leaving: bool) -> None:
    """The own ask may be leaving: until that is confirmed it is there."""
    situation = Situation()
    order = situation.rest(Side.ASK, "100.00", "1")
    if leaving:
        situation.context.orders.request_cancel(order, situation.context.now)
    assert verdict(situation, bid("99.99")) is None
    assert verdict(situation, bid("100.00")) is RefusalCode.SELF_CROSS
    assert verdict(situation, adjustment(Side.BID, "100.20", "1")) is RefusalCode.SELF_CROSS


def test_an_ask_never_meets_an_own_bid() -> None:
    situation = Situation()
    situation.rest(Side.BID, "100.00", "1")
    assert verdict(situation, ask("100.01")) is None
    assert verdict(situation, ask("100.00")) is RefusalCode.SELF_CROSS


def test_no_more_orders_are_live_than_allowed() -> None:
    situation = Situation(max_live_orders=7)
    for level in range(6):
        situation.rest(Side.BID, f"99.{80 - level}", "0.1")
    assert verdict(situation, bid()) is None
    situation.send(Side.ASK, "100.20", "0.1")
    assert verdict(situation, bid()) is RefusalCode.ORDER_COUNT


def test_no_more_orders_are_sent_in_an_interval_than_allowed() -> None:
    situation = Situation(max_orders_per_interval=3, order_reserve_share=0)
    now = situation.context.now
    for sent_at in (now, now + 1, now + 2):
        situation.context.request_rates.note_placement(sent_at)
    situation.at(9).heartbeat()
    assert verdict(situation, bid()) is RefusalCode.ORDER_RATE
    situation.at(10).heartbeat()  # the first of the three is 10 s old
    assert verdict(situation, bid()) is None


# -- what all orders together may do -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "side", "quantity", "expected"),
    [
        ("3", Side.BID, "1", None),
        ("3", Side.BID, "1.0001", RefusalCode.POSITION_LIMIT),
        ("-3", Side.ASK, "1", None),
        ("-3", Side.ASK, "1.0001", RefusalCode.POSITION_LIMIT),
        ("3", Side.ASK, "7", None),  # to -4
        ("3", Side.ASK, "7.0001", RefusalCode.POSITION_LIMIT),
        ("6", Side.BID, "0.1", RefusalCode.POSITION_LIMIT),
        ("6", Side.ASK, "6", None),  # past the limit, reducing still passes
    ],
)
def test_the_position_stays_within_its_limit(
    offset: str, side: Side, quantity: str, expected: RefusalCode | None
) -> None:
    situation = Situation(offset=offset, max_position_size=4)
    order = draft(side, "99.90" if side is Side.BID else "100.10", quantity)
    assert verdict(situation, order) is expected


def test_the_limit_counts_every_order_of_the_side_as_if_it_filled() -> None:
    """On its way, resting, half filled, leaving: 0.5 + 0.5 + 0.5 + 0.5 of 4, with an offset of 1 + 0.5 filled."""
    situation = Situation(offset="1", max_position_size=4)
    situation.send(Side.BID, "99.80", "0.5")
    situation.rest(Side.BID, "99.79", "0.5")
    half = situation.rest(Side.BID, "99.78", "1")
    situation.fill(half, "0.5")
    leaving = situation.rest(Side.BID, "99.77", "0.5")
    situation.context.orders.request_cancel(leaving, situation.context.now)
    assert verdict(situation, bid(quantity="0.5")) is None
    assert verdict(situation, bid(quantity="0.5001")) is RefusalCode.POSITION_LIMIT


def test_the_limit_counts_what_is_unknown_and_what_has_not_arrived() -> None:
    """Looked at without the check that holds the side: 1 unknown, 0.5 of fills that the venue spoke of, offset 1."""
    situation = Situation(offset="1", max_position_size=4)
    situation.lose(situation.rest(Side.BID, "99.80", "1"))
    closed = situation.rest(Side.BID, "99.70", "2")
    situation.context.orders.confirm_cancel(closed, Decimal("0.5"), situation.context.now)
    assert check_exposure(situation.context, bid(quantity="1.5")) is None
    refusal = check_exposure(situation.context, bid(quantity="1.5001"))
    assert refusal is not None
    assert refusal.code is RefusalCode.POSITION_LIMIT


def test_orders_of_the_other_side_are_no_relief() -> None:
    """The asks may fill last."""
    situation = Situation(offset="3", max_position_size=4)
    situation.rest(Side.ASK, "100.20", "5")
    assert verdict(situation, bid(quantity="1.0001")) is RefusalCode.POSITION_LIMIT


def test_a_replacement_leaves_before_its_cancel_is_confirmed_only_where_both_fit() -> None:
    """An order of 1.5 is leaving: with room for 3 its replacement fits beside it, with room for 2.9 it has to wait."""

    def replaced(limit: str) -> RefusalCode | None:
        situation = Situation(max_position_size=limit)
        order = situation.rest(Side.BID, "99.90", "1.5")
        situation.context.orders.request_cancel(order, situation.context.now)
        return verdict(situation, bid("99.85", "1.5"))

    assert replaced("3") is None
    assert replaced("2.9") is RefusalCode.POSITION_LIMIT


def test_the_exposure_in_quote_currency_has_a_limit_of_its_own() -> None:
    """250 at a mid of 100 is 2.5 base units."""
    situation = Situation(max_quote_exposure=250, offset="1")
    assert verdict(situation, bid(quantity="1.5")) is None
    assert verdict(situation, bid(quantity="1.5001")) is RefusalCode.QUOTE_EXPOSURE


def test_the_share_of_equity_limits_the_position() -> None:
    """2 % of 9000 + 10 * 100 is 200, so 2 base units."""
    situation = Situation(quote="9000", max_inventory_pct=0.02)
    assert verdict(situation, bid(quantity="2")) is None
    assert verdict(situation, bid(quantity="2.0001")) is RefusalCode.POSITION_LIMIT


def test_limits_are_in_base_units_whatever_a_contract_is() -> None:
    """4 base units are 40 contracts of 0.1."""
    situation = Situation(rules(InstrumentKind.LINEAR, lot="1", contract_size="0.1"), max_position_size=4)
    assert verdict(situation, bid(quantity="40")) is None
    assert verdict(situation, bid(quantity="41")) is RefusalCode.POSITION_LIMIT


# -- funds ---------------------------------------------------------------------------------------------------------


def test_a_bid_needs_the_cash_and_the_fees() -> None:
    """100 / 1.001 / 99.90 = 1.000001 with a fee of 10 bps; with 20 bps it is 0.999003."""

    def bought(fee: str) -> RefusalCode | None:
        return verdict(Situation(quote="100", taker_bps=fee, max_inventory_pct=10), bid(quantity="1"))

    assert bought("10") is None
    assert bought("20") is RefusalCode.FUNDS


def test_an_ask_needs_the_base_and_a_spot_account_never_goes_short() -> None:
    situation = Situation(target="1", max_position_size=4)
    assert verdict(situation, ask(quantity="1")) is None
    assert verdict(situation, ask(quantity="1.0001")) is RefusalCode.FUNDS


def test_what_own_orders_lock_is_not_free() -> None:
    """300 less 2 * 99.90 leaves 100.20 for 1.0030 at 99.90; 10 less 9 leaves 1."""
    situation = Situation(quote="300", max_inventory_pct=100)
    situation.rest(Side.BID, "99.90", "2")
    situation.rest(Side.ASK, "100.10", "9")
    assert verdict(situation, bid(quantity="1.003")) is None
    assert verdict(situation, bid(quantity="1.0031")) is RefusalCode.FUNDS
    assert verdict(situation, ask(quantity="1")) is None
    assert verdict(situation, ask(quantity="1.0001")) is RefusalCode.FUNDS


def test_what_the_venue_does_not_report_is_not_free() -> None:
    situation = Situation(quote="1000", max_inventory_pct=1).report_balances(base="1", quote="100")
    assert verdict(situation, ask(quantity="1.0001")) is RefusalCode.FUNDS
    assert verdict(situation, bid(quantity="1.0011")) is RefusalCode.FUNDS
    assert verdict(situation, bid(quantity="1.001")) is None


def test_contracts_need_margin() -> None:
    """1000 of margin at leverage 2 carry 2000 / 99.90 = 20.02002, less the 5 held."""
    situation = Situation(
        rules(InstrumentKind.LINEAR),
        offset="5",
        quote="1000",
        leverage="2",
        max_inventory_pct=100,
        max_position_size=50,
    )
    assert verdict(situation, bid(quantity="15.02")) is None
    assert verdict(situation, bid(quantity="15.0201")) is RefusalCode.FUNDS
    assert verdict(situation, ask(quantity="24.98")) is None  # 2000 / 100.10 = 19.98002, and the 5 held


def test_a_position_of_contracts_keeps_its_distance_from_liquidation() -> None:
    """Equity 1000 over a worst case of 100 contracts at 100 is a move of 10 %, the least that is allowed."""
    settings = {"max_inventory_pct": 1000, "max_position_size": 1000, "max_quote_exposure": 1_000_000}
    situation = Situation(rules(InstrumentKind.LINEAR), quote="1000", leverage="50", **settings)
    situation.rest(Side.BID, "99.80", "60")
    assert verdict(situation, bid(quantity="40")) is None
    assert verdict(situation, bid(quantity="40.01")) is RefusalCode.LIQUIDATION_DISTANCE
    assert verdict(situation, ask(quantity="100")) is None
    assert verdict(situation, ask(quantity="100.01")) is RefusalCode.LIQUIDATION_DISTANCE


def test_closing_contracts_passes_however_near_liquidation_is() -> None:
    """100 held and an equity of 400: a move of 4 % would use it up."""
    settings = {"max_inventory_pct": 1000, "max_position_size": 1000, "max_quote_exposure": 1_000_000}
    situation = Situation(rules(InstrumentKind.LINEAR), offset="100", quote="400", leverage="50", **settings)
    assert verdict(situation, adjustment(Side.ASK, "99.90", "100", reduce_only=True)) is None
    situation.rest(Side.ASK, "100.50", "50")  # if this filled too, 50 would be short: the venue lets no order do that
    assert verdict(situation, adjustment(Side.ASK, "99.90", "100", reduce_only=True)) is None
    assert verdict(situation, ask(quantity="100")) is RefusalCode.LIQUIDATION_DISTANCE
    assert verdict(situation, bid(quantity="1")) is RefusalCode.LIQUIDATION_DISTANCE


def test_a_spot_account_has_no_liquidation() -> None:
    assert verdict(Situation(offset="5", quote="100", min_liquidation_distance=1), ask(quantity="1")) is None


# -- the account's end ---------------------------------------------------------------------------------------------


def test_without_equity_only_reducing_orders_leave() -> None:
    """100 of margin and 10 contracts bought at 100: at 89 the equity is -10."""
    situation = Situation(rules(InstrumentKind.LINEAR), offset="10", quote="100", leverage="20")
    situation.book("88.95", "89.05")
    assert verdict(situation, draft(Side.ASK, "89.10", "10")) is None
    assert verdict(situation, draft(Side.BID, "88.90", "0.01")) is RefusalCode.FUNDS
    assert verdict(situation, draft(Side.ASK, "89.10", "10.0001")) is RefusalCode.FUNDS


def test_without_equity_a_position_is_not_taken_further_from_its_target() -> None:
    """The same loss with a target of 20: the 10 that are held could be sold, which is away from the target."""
    situation = Situation(rules(InstrumentKind.LINEAR), target="20", offset="-10", quote="100", leverage="20")
    situation.book("88.95", "89.05")
    assert verdict(situation, draft(Side.ASK, "89.10", "1")) is RefusalCode.EQUITY


def test_after_the_kill_switch_no_quote_leaves_but_reducing_orders_do() -> None:
    """An offset of 5 loses 10 for every 2 that the price falls."""
    situation = Situation(offset="5", max_drawdown=10).book("98.05", "98.15")
    assert verdict(situation, draft(Side.BID, "98.00", "1")) is None
    situation.book("97.95", "98.05")
    assert verdict(situation, draft(Side.BID, "97.90", "1")) is RefusalCode.DRAWDOWN
    assert verdict(situation, adjustment(Side.ASK, "97.95", "5")) is None


# -- extending it --------------------------------------------------------------------------------------------------


def test_a_subclass_adds_a_check_and_the_first_refusal_stands() -> None:

    def no_more_than_half(_context: MarketMakingContext, order: OrderDraft) -> Refusal | None:
        return Refusal(RefusalCode.CUSTOM, "too large") if order.quantity > Decimal("0.5") else None

    class Careful(DefaultRiskService):
        checks = (*DefaultRiskService.checks, no_more_than_half)

    context = Situation().context
    refusal = Careful().review(context, bid(quantity="0.6"))
    assert refusal is not None
    assert refusal.code is RefusalCode.CUSTOM
    assert Careful().review(context, bid(quantity="0.5")) is None
    off_grid = Careful().review(context, bid(quantity="0.60001"))
    assert off_grid is not None
    assert off_grid.code is RefusalCode.OFF_GRID
    assert no_more_than_half not in DefaultRiskService.checks
