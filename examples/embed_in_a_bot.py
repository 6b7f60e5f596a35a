"""Embed a market maker in a program that owns the connection: feed it facts, carry out what it asks for.

The machine is synchronous and does no I/O. Whatever you use, threads, asyncio or a loop like this one, three things
are yours: turn what the venue says into facts, turn intents into requests, and send a ``Timer`` at ``wake_at``.
"""

from decimal import Decimal

from mm_fsm import (
    Balances,
    BalancesReported,
    BookLevel,
    CancelOrder,
    Fact,
    Fees,
    Instrument,
    Intent,
    MarketBook,
    MarketMakingSettings,
    MarketMakingStateMachine,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OwnTradesReported,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOwnTrades,
    ReportedOrder,
    StopRequested,
    step_or_report,
)

SYMBOL = "ETH/USD"
SECOND = 1_000_000_000


class YourVenue:
    """Stands for your connection: it takes every order at once and nothing ever trades."""

    def __init__(self) -> None:
        self.book: dict[str, PlaceOrder] = {}

    def carry_out(self, intent: Intent, now: int) -> Fact | None:
        """Do what the machine asks for, and say what came of it."""
        if isinstance(intent, PlaceOrder):
            self.book[intent.client_order_id] = intent
            identity = intent.client_order_id
            return OrderAcknowledged(
                received_at=now, symbol=SYMBOL, client_order_id=identity, venue_order_id=identity, exchange_time=now
            )
        if isinstance(intent, CancelOrder):
            del self.book[intent.client_order_id]
            return OrderCanceled(
                received_at=now,
                symbol=SYMBOL,
                client_order_id=intent.client_order_id,
                exchange_time=now,
                filled_quantity=Decimal(0),
            )
        if isinstance(intent, QueryBalances):
            base, quote = Decimal(10), Decimal(20_000)
            return BalancesReported(
                received_at=now, symbol=SYMBOL, base_total=base, base_free=base, quote_total=quote, quote_free=quote
            )
        if isinstance(intent, QueryOpenOrders):  # asked before the first quote, and again from time to time
            resting = tuple(reported(order) for order in self.book.values())
            return OpenOrdersReported(received_at=now, symbol=SYMBOL, orders=resting, exchange_time=now)
        if isinstance(intent, QueryOwnTrades):
            return OwnTradesReported(received_at=now, symbol=SYMBOL, fills=(), since=intent.since, until=now)
        return None


def reported(order: PlaceOrder) -> ReportedOrder:
    """An order of the book as the venue reports it: nothing ever trades here."""
    return ReportedOrder(
        client_order_id=order.client_order_id,
        venue_order_id=order.client_order_id,
        side=order.side,
        price=order.price,
        quantity=order.quantity,
        filled_quantity=Decimal(0),
    )


def feed(machine: MarketMakingStateMachine, venue: YourVenue, fact: Fact) -> None:
    """Give the machine one fact, carry out what it asks for, and feed back what comes of that.

    ``step_or_report`` rather than ``machine.step``: a message that makes no sense raises there, and must not end your
    program.
    """
    result = step_or_report(machine, fact)
    for intent in result.intents:
        answer = venue.carry_out(intent, result.time)
        if answer is not None:
            feed(machine, venue, answer)


def book(second: int) -> MarketBook:
    """A quiet market around 2000."""
    mid = Decimal(2000) + Decimal(second % 3) / 100
    return MarketBook(
        received_at=second * SECOND,
        symbol=SYMBOL,
        exchange_time=second * SECOND,
        bids=(BookLevel(mid - Decimal("0.10"), Decimal(3)),),
        asks=(BookLevel(mid + Decimal("0.10"), Decimal(3)),),
    )


def main() -> MarketMakingStateMachine:
    """Quote for three minutes, then stop and keep the position."""
    machine = MarketMakingStateMachine(
        MarketMakingSettings(symbol=SYMBOL),
        Instrument(
            symbol=SYMBOL,
            base_currency="ETH",
            quote_currency="USD",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.0001"),
        ),
        Fees(maker_bps=Decimal(1), taker_bps=Decimal(5)),
        Balances(base=Decimal(10), quote=Decimal(20_000)),
    )
    venue = YourVenue()
    for second in range(1, 181):
        feed(machine, venue, book(second))
    resting = sorted(((order.side, order.price, order.quantity) for order in venue.book.values()), key=lambda o: o[1])
    for side, price, quantity in resting:
        print(f"{side} {quantity} at {price}")
    feed(machine, venue, StopRequested(received_at=181 * SECOND, flatten=False))
    print(f"{machine.chart_state}, {len(venue.book)} orders left in the book")
    return machine


if __name__ == "__main__":
    main()
