"""Embed a market maker in a program that owns the connection: give it facts, carry out what it asks for.

Three things are yours: turn what the venue says into facts, turn intents into requests, and let the clock wake it.
"""

from decimal import Decimal

from mm_fsm import (
    AcceptingBook,
    Balances,
    BookLevel,
    Fees,
    HostedMaker,
    Instrument,
    MarketBook,
    MarketMakingSettings,
    MarketMakingStateMachine,
)

INSTRUMENT = Instrument(
    symbol="ETH/USD", base_currency="ETH", quote_currency="USD", tick_size=Decimal("0.01"), lot_size=Decimal("0.0001")
)
BALANCES = Balances(base=Decimal(10), quote=Decimal(20_000))
SECOND = 1_000_000_000


def main() -> None:
    """Quote for three minutes, then stop and keep the position."""
    settings = MarketMakingSettings(symbol=INSTRUMENT.symbol)
    machine = MarketMakingStateMachine(settings, INSTRUMENT, Fees(maker_bps=Decimal(1), taker_bps=Decimal(5)), BALANCES)
    clock = {"now": 0}  # leave it out, and the wall's clock is used
    venue = AcceptingBook(BALANCES)  # stands for your connection: it takes every order and nothing ever trades
    maker = HostedMaker(machine, lambda intent: maker.take(venue.answer(intent, clock["now"])), lambda: clock["now"])
    for second in range(1, 181):
        clock["now"] = now = second * SECOND
        mid = Decimal(2000) + Decimal(second % 3) / 100
        bids, asks = (BookLevel(mid - Decimal("0.10"), Decimal(3)),), (BookLevel(mid + Decimal("0.10"), Decimal(3)),)
        maker.take(MarketBook(received_at=now, symbol=INSTRUMENT.symbol, bids=bids, asks=asks, exchange_time=now))
        maker.wake()  # does nothing before maker.wake_at
    for order in sorted(venue.orders.values(), key=lambda order: order.price):
        print(f"{order.side} {order.quantity} at {order.price}")
    maker.request_stop(flatten=False, reason="the host has had enough")
    print(f"{machine.chart_state}, {len(venue.orders)} orders left in the book")


if __name__ == "__main__":
    main()
