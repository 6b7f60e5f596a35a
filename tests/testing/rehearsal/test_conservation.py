"""What must hold at the exchange whatever is asked of it and whatever the market does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.testing.rehearsal.refusals import RefusedError
from mm_fsm.testing.rehearsal.terms import RehearsalMarket
from mm_fsm.testing.rehearsal.venue_orders import InForce, OrderType
from tests.testing.rehearsal.hall import MARKET, Hall
from tests.testing.rehearsal.stage import book, instrument, trade

START = {"ETH": Decimal(3), "USDT": Decimal(9000), "BNB": Decimal("0.01")}


@frozen
class Book:
    bid: int
    spread: int
    sizes: tuple[int, int]

    def act(self, hall: Hall) -> None:
        bids, asks = (self.bid, self.sizes[0]), (self.bid + self.spread, self.sizes[1])
        hall.engine.on_market(book((_level(*bids),), (_level(*asks),)))


@frozen
class Trade:
    side: Side
    price: int
    size: int

    def act(self, hall: Hall) -> None:
        hall.engine.on_market(trade(*_level(self.price, self.size), self.side))


@frozen
class Place:
    side: Side
    price: int
    size: int
    kind: OrderType
    in_force: InForce

    def act(self, hall: Hall) -> None:
        price, size = _level(self.price, self.size)
        is_limit = self.kind is OrderType.LIMIT
        is_market = self.kind is OrderType.MARKET
        with suppress(RefusedError):
            hall.place(
                self.side,
                size,
                None if is_market else price,
                self.kind,
                in_force=self.in_force if is_limit else InForce.GTC,
            )


@frozen
class Cancel:
    number: int

    def act(self, hall: Hall) -> None:
        orders = hall.engine.open_orders()
        if orders:
            hall.engine.cancel(orders[self.number % len(orders)], "cancel")


def _level(price: int, size: int) -> tuple[str, str]:
    """Prices around 2000 in steps of half a unit, sizes in tenths."""
    return str(Decimal(price) / 2), str(Decimal(size) / 10)


sides, sizes = st.sampled_from(Side), st.integers(1, 12)
prices = st.integers(3990, 4010)
acts = st.one_of(
    st.builds(Book, bid=prices, spread=st.integers(1, 4), sizes=st.tuples(sizes, sizes)),
    st.builds(Trade, sides, prices, sizes),
    st.builds(Place, sides, prices, sizes, st.sampled_from(OrderType), st.sampled_from(InForce)),
    st.builds(Place, sides, prices, sizes, st.just(OrderType.LIMIT_MAKER), st.just(InForce.GTC)),
    st.builds(Cancel, st.integers(0, 5)),
)
histories = st.lists(acts, min_size=3, max_size=30)


def played(history: list[Book | Trade | Place | Cancel], check: Callable[[Hall], None]) -> None:
    markets = tuple(RehearsalMarket(instrument=instrument(symbol)) for symbol in ("ETH/USDT", "BNB/USDT"))
    hall = Hall({"markets": markets, "balances": START, "pays_fees_in_bnb": True})
    hall.engine.on_market(book((("599", "1"),), (("601", "1"),), "BNB/USDT"))
    hall.engine.on_market(book())
    for act in history:
        hall.now += 100
        act.act(hall)
        check(hall)


@given(histories)
def test_money_is_moved_and_never_made(history: list[Book | Trade | Place | Cancel]) -> None:
    """Every balance is the first one and what the trades brought, less their fees."""

    def check(hall: Hall) -> None:
        fills = hall.log.fills()
        base = sum((fill.side.sign * fill.quantity for fill in fills), Decimal(0))
        quote = sum((fill.side.sign * fill.quantity * fill.price for fill in fills), Decimal(0))
        assert hall.total("ETH") == START["ETH"] + base - hall.fees("ETH")
        assert hall.total("USDT") == START["USDT"] - quote - hall.fees("USDT")
        assert hall.total("BNB") == START["BNB"] - hall.fees("BNB")
        assert hall.log.balances() == {currency: hall.total(currency) for currency in START}

    played(history, check)


@given(histories)
def test_what_is_held_is_what_open_orders_may_cost(history: list[Book | Trade | Place | Cancel]) -> None:
    def check(hall: Hall) -> None:
        orders = hall.engine.open_orders()
        bids = [order for order in orders if order.request.side is Side.BID]
        asks = [order for order in orders if order.request.side is Side.ASK]
        wallet = hall.engine.wallet
        assert wallet.locked("USDT") == sum(order.remaining * order.resting.price for order in bids)
        assert wallet.locked("ETH") == sum(order.remaining for order in asks)
        assert min(wallet.free(currency) for currency in START) >= 0

    played(history, check)


@given(histories)
def test_the_log_and_the_exchange_agree(history: list[Book | Trade | Place | Cancel]) -> None:
    """Open orders, filled quantities and ends, as the log tells them and as the exchange answers."""

    def check(hall: Hall) -> None:
        assert {order.order_id for order in hall.log.open_orders()} == {o.order_id for o in hall.engine.open_orders()}
        for order in hall.engine.orders.values():
            filled = sum(fill.quantity for fill in hall.log.fills() if fill.order_id == order.order_id)
            assert order.filled == filled <= order.resting.quantity
            assert (order.status == "FILLED") is (filled == order.resting.quantity)
        assert hall.log.post_only_takes() == ()

    played(history, check)


@given(histories)
def test_the_published_book_is_never_crossed(history: list[Book | Trade | Place | Cancel]) -> None:
    """And whoever follows its changes from the start has the same book."""
    followed: dict[Side, dict[Decimal, Decimal]] = {side: {} for side in Side}
    last = {"update": 1000}

    def check(hall: Hall) -> None:
        depth = hall.engine.market(MARKET).depth
        bid, ask = depth.best(Side.BID), depth.best(Side.ASK)
        assert bid is None or ask is None or bid[0] < ask[0]
        change = depth.take_change()
        if change is not None:
            assert change.first_update == last["update"] + 1
            last["update"] = change.last_update
            for side, levels in ((Side.BID, change.bids), (Side.ASK, change.asks)):
                followed[side].update(levels)
        for side, levels in followed.items():
            shown = {price: size for price, size in levels.items() if size}
            assert shown == dict(depth.top(side, 1000))

    played(history, check)


@given(histories)
def test_no_fill_is_worse_than_its_limit(history: list[Book | Trade | Place | Cancel]) -> None:
    def check(hall: Hall) -> None:
        for order in hall.engine.orders.values():
            limit = order.request.price
            for own in order.trades:
                is_maker = own.liquidity is Liquidity.MAKER
                assert limit is None or (limit - own.price) * own.side.sign >= 0
                assert not is_maker or own.price == limit

    played(history, check)
