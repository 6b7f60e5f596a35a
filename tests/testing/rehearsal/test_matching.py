"""The exchange's own matching and money, by hand-counted cases."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.core.instrument import Fees
from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.testing.rehearsal.refusals import RefusedError
from mm_fsm.testing.rehearsal.terms import RehearsalMarket
from mm_fsm.testing.rehearsal.venue_orders import InForce, OrderType
from tests.testing.rehearsal.hall import Hall
from tests.testing.rehearsal.stage import book, instrument, trade

BUY, SELL = Side.BID, Side.ASK


@pytest.fixture
def hall() -> Hall:
    """A market of 2 at 1999 and 3 at 1998 against 2 at 2001 and 3 at 2002."""
    hall = Hall()
    hall.engine.on_market(book())
    return hall


def test_an_own_order_queues_behind_what_is_displayed_at_its_price(hall: Hall) -> None:
    order = hall.place(BUY, "1", "1999")
    hall.engine.on_market(trade("1999", "1.5", SELL))
    assert order.filled == 0  # 0.5 of the 2 displayed are still ahead
    hall.engine.on_market(trade("1999", "0.7", SELL))
    assert order.filled == Decimal("0.2")


def test_a_better_price_trades_before_the_market(hall: Hall) -> None:
    order = hall.place(BUY, "1", "1999.01")
    hall.engine.on_market(trade("1999", "0.4", SELL))
    (fill,) = hall.log.fills()
    assert (order.filled, fill.price, fill.liquidity) == (Decimal("0.4"), Decimal("1999.01"), Liquidity.MAKER)


def test_own_orders_trade_by_price_then_by_time(hall: Hall) -> None:
    for price in ("1999.10", "1999.20", "1999.20"):
        hall.place(BUY, "0.1", price)
    hall.engine.on_market(trade("1999.05", "0.25", SELL))
    assert [(fill.client_order_id, fill.quantity) for fill in hall.log.fills()] == [
        ("order-2", Decimal("0.1")),
        ("order-3", Decimal("0.1")),
        ("order-1", Decimal("0.05")),
    ]


def test_a_book_that_reaches_an_order_fills_it_at_its_price(hall: Hall) -> None:
    order = hall.place(BUY, "1", "1999.50")
    hall.engine.on_market(book(bids=(("1998", "1"),), asks=(("1999.40", "0.3"), ("1999.60", "9"))))
    (fill,) = hall.log.fills()
    assert (order.filled, fill.price) == (Decimal("0.3"), Decimal("1999.50"))


def test_a_limit_order_takes_level_by_level_and_rests_with_the_rest(hall: Hall) -> None:
    order = hall.place(BUY, "4", "2001")
    assert [(fill.price, fill.quantity) for fill in hall.log.fills()] == [(Decimal(2001), Decimal(2))]
    assert (order.status, order.remaining) == ("PARTIALLY_FILLED", Decimal(2))
    # 2 * 2001 were paid, 2 * 2001 are held; the fee of 10 bps is in ETH
    assert hall.engine.wallet.locked("USDT") == 4002
    assert hall.total("USDT") == 10_000 - 4002
    assert hall.total("ETH") == Decimal("6.998")


def test_a_better_price_than_the_limit_gives_the_difference_back(hall: Hall) -> None:
    hall.place(BUY, "1", "2002")
    assert hall.engine.wallet.locked("USDT") == 0
    assert hall.engine.wallet.free("USDT") == 10_000 - 2001


def test_displayed_size_is_taken_once(hall: Hall) -> None:
    hall.place(BUY, "2", "2001")
    assert not hall.engine.market("ETHUSDT").can_take(BUY, Decimal(2001))
    assert hall.place(BUY, "0.5", "2001", OrderType.LIMIT_MAKER).status == "NEW"


@pytest.mark.parametrize(
    ("in_force", "quantity", "filled"),
    [(InForce.IOC, "2.5", 2), (InForce.FOK, "2.5", 0), (InForce.FOK, "2", 2)],
)
def test_immediate_orders_never_rest(hall: Hall, in_force: InForce, quantity: str, filled: int) -> None:
    order = hall.place(BUY, quantity, "2001", in_force=in_force)
    assert order.filled == filled
    assert order.status == ("FILLED" if order.remaining == 0 else "EXPIRED")
    assert hall.engine.wallet.locked("USDT") == 0


def test_market_orders_take_what_they_can_get(hall: Hall) -> None:
    sold = hall.place(SELL, "3", None, OrderType.MARKET)
    assert [trade.quantity for trade in sold.trades] == [2, 1]  # 2 at 1999, 1 at 1998
    bought = hall.place(BUY, None, None, OrderType.MARKET, quote_quantity=Decimal(2001))
    assert bought.filled == 1
    with pytest.raises(RefusedError, match="insufficient balance"):
        hall.place(SELL, "100", None, OrderType.MARKET)


def test_a_market_order_for_more_than_there_is_expires(hall: Hall) -> None:
    hall.engine.on_market(book(bids=(("1999", "1"),)))
    order = hall.place(SELL, "3", None, OrderType.MARKET)
    assert (order.filled, order.status) == (1, "EXPIRED")
    assert hall.engine.wallet.locked("ETH") == 0


def test_an_own_order_in_the_way_of_a_taker_expires(hall: Hall) -> None:
    resting = hall.place(SELL, "1", "2000.50")
    behind = hall.place(SELL, "1", "2001.50")
    taker = hall.place(BUY, "1", "2001")
    assert (resting.status, behind.status) == ("EXPIRED_IN_MATCH", "NEW")
    assert [trade.price for trade in taker.trades] == [2001]
    assert ("TRADE_PREVENTION", "EXPIRED_IN_MATCH") in hall.executions()


def test_a_post_only_order_never_takes_not_even_from_the_account(hall: Hall) -> None:
    hall.place(SELL, "1", "2000.50")
    with pytest.raises(RefusedError, match="immediately match"):
        hall.place(BUY, "1", "2000.50", OrderType.LIMIT_MAKER)
    assert len(hall.log.open_orders()) == 1


def test_an_open_orders_client_id_is_taken_and_a_finished_ones_is_free(hall: Hall) -> None:
    first = hall.place(BUY, "1", "1990", client_order_id="mine")
    with pytest.raises(RefusedError, match="Duplicate order"):
        hall.place(BUY, "1", "1990", client_order_id="mine")
    hall.engine.cancel(first, "cancel")
    hall.place(BUY, "1", "1990", client_order_id="mine")
    assert hall.log.duplicates() == {"mine": 2}


def test_only_so_many_orders_may_be_open() -> None:
    hall = Hall({"markets": (RehearsalMarket(instrument=instrument(), most_open_orders=2),)})
    hall.engine.on_market(book())
    hall.place(BUY, "0.1", "1990")
    hall.place(BUY, "0.1", "1990")
    with pytest.raises(RefusedError, match="MAX_NUM_ORDERS"):
        hall.place(BUY, "0.1", "1990")


def test_a_market_that_has_shown_nothing_is_closed() -> None:
    with pytest.raises(RefusedError, match="Market is closed"):
        Hall().place(BUY, "0.1", "1990")


def test_fees_are_rounded_to_eight_digits() -> None:
    hall = Hall({"fees": Fees(maker_bps=Decimal("7.5"), taker_bps=Decimal(10))})
    hall.engine.on_market(book())
    hall.place(SELL, "0.0123", "2000.57")
    hall.engine.on_market(trade("2000.57", "1", BUY))
    (fill,) = hall.log.fills()
    # 0.0123 * 2000.57 * 0.00075 = 0.018455258250
    assert (fill.fee, fill.fee_currency) == (Decimal("0.01845526"), "USDT")


def test_fees_are_taken_in_bnb_while_there_is_enough() -> None:
    markets = tuple(RehearsalMarket(instrument=instrument(symbol)) for symbol in ("ETH/USDT", "BNB/USDT"))
    balances = {"ETH": Decimal(5), "USDT": Decimal(10_000), "BNB": Decimal("0.003")}
    hall = Hall({"markets": markets, "balances": balances, "pays_fees_in_bnb": True})
    hall.engine.on_market(book())
    hall.engine.on_market(book(bids=(("599", "10"),), asks=(("601", "10"),), symbol="BNB/USDT"))
    hall.place(BUY, "1", "2001")
    hall.place(BUY, "1", "2001")
    # 2001 * 0.001 * 0.75 / 600 = 0.00250125: enough once
    assert [(fill.fee, fill.fee_currency) for fill in hall.log.fills()] == [
        (Decimal("0.00250125"), "BNB"),
        (Decimal("0.001"), "ETH"),
    ]
    assert hall.total("BNB") == Decimal("0.00049875")


def test_two_markets_share_one_account() -> None:
    markets = tuple(RehearsalMarket(instrument=instrument(symbol)) for symbol in ("ETH/USDT", "SOL/USDT"))
    hall = Hall({"markets": markets, "balances": {"USDT": Decimal(1000)}})
    hall.engine.on_market(book())
    hall.engine.on_market(book(symbol="SOL/USDT"))
    hall.place(BUY, "0.3", "1990")
    with pytest.raises(RefusedError, match="insufficient balance"):
        hall.place(BUY, "0.3", "1990", symbol="SOLUSDT")


def test_the_published_book_contains_own_orders_and_not_what_was_taken(hall: Hall) -> None:
    market = hall.engine.market("ETHUSDT")
    first = market.depth.last_update
    hall.place(BUY, "0.5", "1999")
    hall.place(BUY, "1.5", "2001")
    market.refresh()
    assert market.depth.top(BUY, 1) == [(Decimal(1999), Decimal("2.5"))]
    assert market.depth.top(SELL, 1) == [(Decimal(2001), Decimal("0.5"))]
    change = market.depth.take_change()
    assert change is not None
    assert change.last_update == first + 2
    assert market.depth.take_change() is None


def test_events_say_what_happened_in_order(hall: Hall) -> None:
    order = hall.place(BUY, "1", "1999.50")
    hall.engine.on_market(trade("1999.40", "0.4", SELL))
    hall.engine.cancel(order, "the-cancel")
    assert hall.executions() == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("CANCELED", "CANCELED")]
    last = hall.events[-2][1]
    assert (last["C"], last["c"], last["z"]) == ("order-1", "the-cancel", "0.40000000")
