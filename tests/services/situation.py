"""Puts a market maker's context into a situation: a book, a volatility, a position, own orders.

Facts go through the booking, so that the books are as they are in a running machine. Times are seconds since the
first fact, prices and quantities short texts. The mid is 100 unless a test says otherwise.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from mm_fsm.books import booking
from mm_fsm.books.context import MarketMakingContext, Reduction
from mm_fsm.books.facts import (
    BalancesReported,
    Heartbeat,
    MarketBook,
    OrderAcknowledged,
    OrderCanceled,
    OrderFilled,
    Timer,
    TradingStatusChanged,
)
from mm_fsm.books.markouts import MakerFill
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.decisions import OrderDraft, Quote, QuotePlan
from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import BookLevel, Fact, Liquidity, OrderPurpose, PlaceOrder, Side
from mm_fsm.core.settings import MarketMakingSettings
from tests.strategies import ANY_BOOK_IS_SOUND

SYMBOL = "BTC/USD"
SECOND = 1_000_000_000
START = 1_000_000 * SECOND
"""The time that tests call 0: on the grid of volatility samples, and long after the epoch."""


def rules(
    kind: InstrumentKind = InstrumentKind.SPOT,
    *,
    tick: str = "0.01",
    lot: str = "0.0001",
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


def take(context: MarketMakingContext, fact: Fact) -> None:
    booking.book(context, fact, booking.admit(context, fact))


def prices(quotes: tuple[Quote, ...]) -> list[Decimal]:
    return [quote.price for quote in quotes]


def sizes(quotes: tuple[Quote, ...]) -> list[Decimal]:
    return [quote.quantity for quote in quotes]


def exactly(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def levels(text: str | None) -> tuple[BookLevel, ...]:
    """``"99.96x2 99.90"``: price and size, best first; a size that own orders never have where none is given."""
    pairs = (level.partition("x") for level in (text or "").split())
    return tuple(BookLevel(Decimal(price), Decimal(size or 1000)) for price, _, size in pairs)


def draft(
    side: Side, price: str, quantity: str, purpose: OrderPurpose = OrderPurpose.QUOTE, **changes: Any
) -> OrderDraft:
    return OrderDraft(side=side, price=Decimal(price), quantity=Decimal(quantity), purpose=purpose, **changes)


class Situation:
    """One context, ready to quote: volatility ``sigma`` over a quote's life, a book, reported balances.

    ``offset`` is the position less its target; the target is 10 for spot and 0 for contracts, unless ``target`` says.
    """

    def __init__(
        self,
        instrument: Instrument | None = None,
        *,
        offset: str = "0",
        target: str | None = None,
        quote: str = "100000",
        leverage: str = "1",
        maker_bps: str = "0",
        taker_bps: str = "0",
        sigma: float = 0.0,
        bid: str = "99.95",
        ask: str = "100.05",
        **settings: Any,
    ) -> None:
        instrument = instrument or rules()
        target = target or ("10" if instrument.kind is InstrumentKind.SPOT else "0")
        self.context = MarketMakingContext(
            settings=MarketMakingSettings(symbol=SYMBOL, target_base=target, **(ANY_BOOK_IS_SOUND | settings)),
            instrument=instrument,
            fees=Fees(maker_bps=Decimal(maker_bps), taker_bps=Decimal(taker_bps)),
            balances=Balances(base=Decimal(target) + Decimal(offset), quote=Decimal(quote), leverage=Decimal(leverage)),
        )
        self._numbers = iter(range(1, 100_000))
        self._warm_up(sigma, (float(bid) + float(ask)) / 2)
        self.at(0)
        self.book(bid, ask)
        self.report_balances()

    def _warm_up(self, sigma: float, mid: float) -> None:
        """Mids every 5 s that go up and down by one log return of ``sigma``: their deviation over 5 s is ``sigma``."""
        samples = self.context.settings.warm_up_samples + 1
        for sample in range(samples):
            back = samples - sample
            self.context.volatility_estimator.observe(START - back * 5 * SECOND, mid * math.exp(sigma * (back % 2)))

    # -- time and market --------------------------------------------------------------------------------------------

    def at(self, seconds: float) -> Situation:
        take(self.context, Timer(received_at=START + round(seconds * SECOND)))
        return self

    def book(self, bids: str | None, asks: str | None, *, includes_own_orders: bool = False) -> Situation:
        """A new book; None for an empty side."""
        now = self.context.now
        fact = MarketBook(
            received_at=now,
            symbol=SYMBOL,
            bids=levels(bids),
            asks=levels(asks),
            exchange_time=now,
            includes_own_orders=includes_own_orders,
        )
        take(self.context, fact)
        return self

    def heartbeat(self) -> Situation:
        take(self.context, Heartbeat(received_at=self.context.now, symbol=SYMBOL))
        return self

    def halt(self, *, trading: bool = False) -> Situation:
        take(self.context, TradingStatusChanged(received_at=self.context.now, symbol=SYMBOL, trading=trading))
        return self

    def report_balances(self, base: str | None = None, quote: str | None = None) -> Situation:
        """What the venue says there is; by default what the ledger holds."""
        context = self.context
        base_total = context.base_position if base is None else Decimal(base)
        quote_total = context.ledger.cash if quote is None else Decimal(quote)
        take(
            context,
            BalancesReported(
                received_at=context.now,
                symbol=SYMBOL,
                base_total=base_total,
                base_free=base_total,
                quote_total=quote_total,
                quote_free=quote_total,
            ),
        )
        return self

    # -- own orders -------------------------------------------------------------------------------------------------

    def send(
        self,
        side: Side,
        price: str,
        quantity: str,
        purpose: OrderPurpose = OrderPurpose.QUOTE,
        level: int = 0,
        **changes: Any,
    ) -> OwnOrder:
        """An own order on its way to the venue."""
        intent = PlaceOrder(
            symbol=SYMBOL,
            client_order_id=f"mm-{next(self._numbers)}",
            side=side,
            price=Decimal(price),
            quantity=Decimal(quantity),
            purpose=purpose,
            level=level,
            **changes,
        )
        return self.context.orders.register(intent, self.context.now)

    def rest(
        self,
        side: Side,
        price: str,
        quantity: str,
        purpose: OrderPurpose = OrderPurpose.QUOTE,
        level: int = 0,
        **changes: Any,
    ) -> OwnOrder:
        """An own order in the venue's book."""
        order = self.send(side, price, quantity, purpose, level, **changes)
        now = self.context.now
        fact = OrderAcknowledged(
            received_at=now,
            symbol=SYMBOL,
            client_order_id=order.client_order_id,
            venue_order_id=f"v{order.client_order_id}",
            exchange_time=now,
        )
        take(self.context, fact)
        return order

    def fill(self, order: OwnOrder, quantity: str, *, fee: str = "0", price: str | None = None) -> Situation:
        """A trade of an own order."""
        fact = OrderFilled(
            received_at=self.context.now,
            symbol=SYMBOL,
            client_order_id=order.client_order_id,
            trade_id=f"t{next(self._numbers)}",
            price=order.price if price is None else Decimal(price),
            quantity=Decimal(quantity),
            fee=Decimal(fee),
            fee_currency="USD",
            liquidity=Liquidity.MAKER,
            exchange_time=self.context.now,
        )
        take(self.context, fact)
        return self

    def cancel(self, order: OwnOrder) -> Situation:
        """The venue says that an own order is out of the book."""
        now = self.context.now
        fact = OrderCanceled(
            received_at=now,
            symbol=SYMBOL,
            client_order_id=order.client_order_id,
            exchange_time=now,
            filled_quantity=order.filled_quantity,
        )
        take(self.context, fact)
        return self

    def lose(self, order: OwnOrder) -> Situation:
        """Nobody knows what became of an own order."""
        self.context.orders.lose_track(order, self.context.now)
        return self

    def buy(self, quantity: str, *, price: str = "100") -> Situation:
        """The position changes by a trade."""
        return self.fill(self.rest(Side.BID, price, quantity, OrderPurpose.ADJUSTMENT), quantity)

    def sell(self, quantity: str, *, price: str = "100") -> Situation:
        """The position changes by a trade."""
        return self.fill(self.rest(Side.ASK, price, quantity, OrderPurpose.ADJUSTMENT), quantity)

    # -- decisions --------------------------------------------------------------------------------------------------

    def adopt(self, plan: QuotePlan) -> Situation:
        """Prices were calculated, and every wanted quote rests in the venue's book."""
        context = self.context
        context.plan = plan
        context.last_spread_calculation = context.now
        context.was_near_limit = plan.inventory_use >= context.settings.inventory_reprice_share
        context.is_widened_for_adverse_selection = plan.is_widened
        for quote in (*plan.bids, *plan.asks):
            self.rest(quote.side, str(quote.price), str(quote.quantity), level=quote.level)
        return self

    def reduce(self, goal: str, *, stopping: bool = False) -> Situation:
        """An adjustment down to ``goal``, or a wind-down, has begun."""
        self.context.reduction = Reduction(goal=Decimal(goal), started_at=self.context.now)
        self.context.is_stopping = stopping
        return self

    def losing_fills(self, count: int, loss_bps: float, *, spread_bps: float = 0.0, **fill: Any) -> Situation:
        """``count`` quotes filled at the mid of 100, after which the price goes ``loss_bps`` against us.

        Markouts are exact: each fill buys at 100 when the mid is 100, and the mid is 100 * (1 - loss) from then on. The
        fills come in two batches of the judged horizon, one losing ``spread_bps`` more and the other as much less.
        """
        tracker = self.context.markouts
        horizon = round(tracker.judged_seconds * SECOND)
        for number, more in enumerate((spread_bps, -spread_bps)):
            now = (max(self.context.now, tracker._observed_at) // (4 * horizon) + 1) * 4 * horizon
            tracker.observe(now, 100.0)
            self.record_quotes(now, (count + number) // 2, **fill)
            tracker.observe(now + 1, 100.0 * (1 - (loss_bps + more) / 10_000))
            tracker.observe(now + horizon + 1, 100.0)
        self.context.maker_fill_count += count
        return self

    def record_quotes(self, time: int, count: int, **fill: Any) -> None:
        """Follow innermost bids that were filled at the mid of 100."""
        known: dict[str, Any] = {"side": Side.BID, "price": 100.0, "quantity": 1.0, "mid": 100.0, "level": 0}
        for _ in range(count):
            self.context.markouts.record_fill(MakerFill(time=time, **(known | fill)))
