"""What one step costs, in units of the engine's bare self transition: a quiet book, and a fill with its new intents.

Processor time, so that waiting does not count. Each round measures the unit, quiet steps and fills one after the other,
and gives a ratio of each; what is printed are the medians of the rounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Sequence
from decimal import Decimal

from engine_unit import EngineUnit, median

from mm_fsm import (
    Balances,
    BalancesReported,
    BookLevel,
    CancelOrder,
    Fees,
    Instrument,
    Intent,
    Liquidity,
    MarketBook,
    MarketMakingSettings,
    MarketMakingStateMachine,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderFilled,
    OwnTradesReported,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOwnTrades,
)

SYMBOL = "ETH/USD"
SECOND = 1_000_000_000
QUIET_STEPS = 500
"""Of one round."""
FILLS = 20
"""Of one round."""
ROUNDS = 25


class Host:
    """Feeds one machine by hand: a quiet market, and a venue that takes everything at once."""

    def __init__(self) -> None:
        instrument = Instrument(
            symbol=SYMBOL,
            base_currency="ETH",
            quote_currency="USD",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.000001"),
        )
        self.machine = MarketMakingStateMachine(
            MarketMakingSettings(
                symbol=SYMBOL,
                max_orders_per_interval=1_000_000,
                refresh_interval_seconds=1e6,
                volatility_multiplier=0.0,
                stale_data_seconds=1e6,
                long_stale_data_seconds=1e6,
                balances_interval_seconds=1e6,
                reconcile_interval_seconds=1e6,
            ),
            instrument,
            Fees(maker_bps=Decimal(1), taker_bps=Decimal(5)),
            Balances(base=Decimal(10), quote=Decimal(20_000)),
        )
        self.now = SECOND
        self.trades = 0
        for second in range(70):
            self.quote(Decimal(2000) + Decimal(second % 2) / 50)

    def quote(self, mid: Decimal = Decimal(2000)) -> None:
        """One book around ``mid``, a second later, and every answer to what comes of it."""
        self.answer(self.machine.step(self.book(mid)).intents)

    def book(self, mid: Decimal = Decimal(2000)) -> MarketBook:
        """The book around ``mid``, a second later."""
        self.now += SECOND
        return MarketBook(
            received_at=self.now,
            symbol=SYMBOL,
            exchange_time=self.now,
            bids=(BookLevel(mid - Decimal("0.1"), Decimal(5)),),
            asks=(BookLevel(mid + Decimal("0.1"), Decimal(5)),),
        )

    def answer(self, intents: tuple[Intent, ...]) -> None:
        """Acknowledge placements and confirm cancels, at once."""
        for intent in intents:
            common = {"received_at": self.now, "symbol": SYMBOL, "exchange_time": self.now}
            if isinstance(intent, QueryOpenOrders):
                self.answer(self.machine.step(OpenOrdersReported(orders=(), **common)).intents)
            elif isinstance(intent, QueryOwnTrades):
                span = {"since": intent.since, "until": self.now}
                trades = OwnTradesReported(received_at=self.now, symbol=SYMBOL, fills=(), **span)
                self.answer(self.machine.step(trades).intents)
            elif isinstance(intent, QueryBalances):
                totals = {"base_total": Decimal(10), "quote_total": Decimal(20_000)}
                free = {"base_free": Decimal(10), "quote_free": Decimal(20_000)}
                balances = BalancesReported(received_at=self.now, symbol=SYMBOL, **totals, **free)
                self.answer(self.machine.step(balances).intents)
            if isinstance(intent, PlaceOrder):
                identity = intent.client_order_id
                fact = OrderAcknowledged(client_order_id=identity, venue_order_id=identity, **common)
                self.answer(self.machine.step(fact).intents)
            elif isinstance(intent, CancelOrder):
                self.answer(
                    self.machine.step(
                        OrderCanceled(client_order_id=intent.client_order_id, filled_quantity=Decimal(0), **common)
                    ).intents
                )

    def fill(self) -> float:
        """Fill one innermost quote, turn and turn about, and answer what follows until both sides rest again.

        Returns:
            Processor seconds of the step that took the fill.
        """
        context = self.machine.context
        side = (context.active_bid_orders, context.active_ask_orders)[self.trades % 2]
        order = min(side, key=lambda candidate: abs(candidate.price - Decimal(2000)))
        self.trades += 1
        self.now += SECOND
        fill = OrderFilled(
            received_at=self.now,
            symbol=SYMBOL,
            client_order_id=order.client_order_id,
            trade_id=str(self.trades),
            price=order.price,
            quantity=order.remaining,
            fee=Decimal(0),
            fee_currency="USD",
            liquidity=Liquidity.MAKER,
            exchange_time=self.now,
        )
        started = time.process_time()
        intents = self.machine.step(fill).intents
        seconds = time.process_time() - started
        assert any(isinstance(intent, PlaceOrder) for intent in intents), "the fill led to no new quote"
        self.answer(intents)
        return seconds

    @property
    def transitions(self) -> int:
        """Transitions taken so far."""
        return self.machine.transition_counts.total()


def quiet_seconds(host: Host, steps: int) -> tuple[float, float]:
    """Processor seconds of a step that changes nothing, and of making the book that it takes."""
    before = host.transitions
    gc.collect()
    started = time.process_time()
    books = [host.book() for _ in range(steps)]
    made = time.process_time()
    for book in books:
        host.machine.step(book)
    ended = time.process_time()
    assert host.transitions == before, "the quiet market was not quiet"
    return (ended - made) / steps, (made - started) / steps


def measure(rounds: int, quiet_steps: int, fills: int) -> dict[str, float]:
    """The medians."""
    unit, host = EngineUnit(), Host()
    assert host.machine.chart_state == "monitoring_orders", host.machine.chart_state
    quiet_seconds(host, quiet_steps)
    ratios: list[Sequence[float]] = []
    before = host.transitions
    for _ in range(rounds):
        first = unit.seconds()
        quiet, made = quiet_seconds(host, quiet_steps)
        gc.collect()
        fill = sum(host.fill() for _ in range(fills)) / fills
        one = (first + unit.seconds()) / 2  # on both sides, so that a change of pace in between meets both
        ratios.append((quiet / one, (quiet + made) / one, fill / one, one * 1e6))
    quiet, with_book, fill, one = (median(column) for column in zip(*ratios, strict=True))
    return {
        "quiet_step_ratio": quiet,
        "quiet_step_and_its_book_ratio": with_book,
        "fill_to_intents_ratio": fill,
        "engine_self_transition_us": one,
        "transitions_of_a_fill": round((host.transitions - before) / rounds / fills, 2),
        "rounds": rounds,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quiet-steps", type=int, default=QUIET_STEPS, help="in each round")
    parser.add_argument("--fills", type=int, default=FILLS, help="in each round")
    options = parser.parse_args()
    found = measure(options.rounds, options.quiet_steps, options.fills)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print(f"engine: one self transition {found['engine_self_transition_us']:.1f} us; the others in this unit:")
    print(f"{'step that changes nothing':<44}{found['quiet_step_ratio']:8.2f}")
    print(f"{'the same with the making of its book':<44}{found['quiet_step_and_its_book_ratio']:8.2f}")
    print(f"{'fill to new intents, one step':<44}{found['fill_to_intents_ratio']:8.2f}")
    print(f"{'':<4}transitions from a fill to new quotes, every answer included: {found['transitions_of_a_fill']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
