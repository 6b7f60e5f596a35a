"""Drives a paper exchange from a test: times in milliseconds, books and trades as short texts."""

from decimal import Decimal

from mm_fsm.books.facts import MarketBook, MarketTrade, OrderFilled, TradingStatusChanged
from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import (
    BookLevel,
    CancelOrder,
    Fact,
    OrderPurpose,
    PlaceOrder,
    QueryBalances,
    QueryOrder,
    QueryOwnTrades,
    Side,
    TimeInForce,
)
from mm_fsm.venues.paper import OpenOrder, PaperExchange, PaperSettings, QueueModel

SYMBOL = "BTC/USD"
MILLISECOND = 1_000_000


def instrument(
    kind: InstrumentKind = InstrumentKind.SPOT,
    *,
    tick: str = "1",
    lot: str = "1",
    minimum_quantity: str = "0",
    minimum_notional: str = "0",
    maximum_quantity: str | None = None,
    maximum_notional: str | None = None,
    contract_size: str = "1",
) -> Instrument:
    return Instrument(
        symbol=SYMBOL,
        base_currency="BTC",
        quote_currency="USD",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
        minimum_quantity=Decimal(minimum_quantity),
        minimum_notional=Decimal(minimum_notional),
        maximum_quantity=None if maximum_quantity is None else Decimal(maximum_quantity),
        maximum_notional=None if maximum_notional is None else Decimal(maximum_notional),
        contract_size=Decimal(contract_size),
        kind=kind,
    )


def levels(text: str) -> tuple[BookLevel, ...]:
    """``"100x5 99x3"``: price x size, best first."""
    pairs = (level.split("x") for level in text.split())
    return tuple(BookLevel(Decimal(price), Decimal(size)) for price, size in pairs)


class Scenario:
    """One exchange and everything it has said so far. Order, response and market data take ``latency`` ms each."""

    def __init__(
        self,
        rules: Instrument | None = None,
        *,
        base: str = "1000",
        quote: str = "1000000",
        leverage: str = "1",
        maker_bps: str = "0",
        taker_bps: str = "0",
        queue: QueueModel = QueueModel.PESSIMISTIC,
        latency: float = 1,
        latency_jitter_seconds: float = 0,
        history_seconds: float = 3600,
        seed: int = 0,
    ) -> None:
        self.exchange = PaperExchange(
            rules or instrument(),
            Fees(maker_bps=Decimal(maker_bps), taker_bps=Decimal(taker_bps)),
            Balances(base=Decimal(base), quote=Decimal(quote), leverage=Decimal(leverage)),
            PaperSettings(
                order_latency_seconds=latency / 1000,
                response_latency_seconds=latency / 1000,
                market_data_latency_seconds=latency / 1000,
                queue=queue,
                latency_jitter_seconds=latency_jitter_seconds,
                history_seconds=history_seconds,
                seed=seed,
            ),
        )
        self.facts: list[Fact] = []
        self._orders = 0
        self._trades = 0

    def book(self, at: float, bids: str, asks: str) -> None:
        time = self._until_just_before(at)
        self.exchange.on_market(
            MarketBook(received_at=time, symbol=SYMBOL, bids=levels(bids), asks=levels(asks), exchange_time=time)
        )

    def trade(self, at: float, taker: Side, price: str, size: str) -> None:
        time = self._until_just_before(at)
        self._trades += 1
        self.exchange.on_market(
            MarketTrade(
                received_at=time,
                symbol=SYMBOL,
                price=Decimal(price),
                size=Decimal(size),
                taker_side=taker,
                trade_id=str(self._trades),
                exchange_time=time,
            )
        )

    def sell(self, at: float, price: str, size: str) -> None:
        """A public trade whose taker sold."""
        self.trade(at, Side.ASK, price, size)

    def buy(self, at: float, price: str, size: str) -> None:
        """A public trade whose taker bought."""
        self.trade(at, Side.BID, price, size)

    def halt(self, at: float, *, trading: bool = False) -> None:
        time = self._until_just_before(at)
        self.exchange.on_market(TradingStatusChanged(received_at=time, symbol=SYMBOL, trading=trading))

    def place(
        self,
        at: float,
        side: Side,
        price: str,
        quantity: str,
        *,
        post_only: bool = True,
        immediate: bool = False,
        reduce_only: bool = False,
        order_id: str | None = None,
        symbol: str = SYMBOL,
    ) -> str:
        self._orders += 1
        order_id = order_id or f"order-{self._orders}"
        intent = PlaceOrder(
            symbol=symbol,
            client_order_id=order_id,
            side=side,
            price=Decimal(price),
            quantity=Decimal(quantity),
            purpose=OrderPurpose.QUOTE,
            level=0,
            post_only=post_only,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL if immediate else TimeInForce.GOOD_TILL_CANCELLED,
            reduce_only=reduce_only,
        )
        self.exchange.submit(intent, self._until(at))
        return order_id

    def cancel(self, at: float, order_id: str) -> None:
        intent = CancelOrder(symbol=SYMBOL, client_order_id=order_id, venue_order_id=None)
        self.exchange.submit(intent, self._until(at))

    def query(self, at: float, order_id: str) -> None:
        intent = QueryOrder(symbol=SYMBOL, client_order_id=order_id, venue_order_id=None)
        self.exchange.submit(intent, self._until(at))

    def query_own_trades(self, at: float, since: float = 0) -> None:
        intent = QueryOwnTrades(symbol=SYMBOL, since=round(since * MILLISECOND))
        self.exchange.submit(intent, self._until(at))

    def query_balances(self, at: float) -> None:
        self.exchange.submit(QueryBalances(symbol=SYMBOL), self._until(at))

    def settle(self, at: float = 10_000_000) -> list[Fact]:
        """Let everything due by ``at`` happen and return all facts so far."""
        self._until(at)
        return self.facts

    def own(self) -> list[Fact]:
        """Facts so far that are not about the market."""
        market = MarketBook | MarketTrade | TradingStatusChanged
        return [fact for fact in self.settle() if not isinstance(fact, market)]

    def fills(self) -> list[tuple[str, str, str]]:
        """Every fill received so far: order, price, quantity."""
        fills = (fact for fact in self.facts if isinstance(fact, OrderFilled))
        return [(fill.client_order_id, f"{fill.price:f}", f"{fill.quantity:f}") for fill in fills]

    def open(self) -> dict[str, OpenOrder]:
        return {order.client_order_id: order for order in self.exchange.open_orders}

    def queue_ahead(self, order_id: str) -> Decimal | None:
        return self.open()[order_id].queue_ahead

    def _until(self, at: float) -> int:
        time = round(at * MILLISECOND)
        self.facts.extend(self.exchange.advance(time))
        return time

    def _until_just_before(self, at: float) -> int:
        time = round(at * MILLISECOND)
        self.facts.extend(self.exchange.advance(time - 1))
        return time
