"""What one step costs: a book that changes nothing, and the whole way from a fill to new quotes. Medians, one run.

The engine's own price is measured beside them: one external self transition of a python-statemachine chart without
actions. On a noisy machine the ratios say more than the microseconds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal

from statemachine import State, StateChart

from mm_fsm import (
    Balances,
    BalancesReported,
    BookLevel,
    Fees,
    Instrument,
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
from mm_fsm.core.messages import CancelOrder, Intent

SYMBOL = "ETH/USD"
SECOND = 1_000_000_000
QUIET_STEPS = 20_000
CYCLES = 300
ENGINE_CALLS = 2_000


class Toggle(StateChart):
    """The smallest chart whose transition leaves and enters a state."""

    here = State(initial=True)
    again = here.to.itself()


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
        self.fill_steps: list[int] = []
        for second in range(70):
            self.quote(Decimal(2000) + Decimal(second % 2) / 50)

    def quote(self, mid: Decimal = Decimal(2000)) -> None:
        """One book around ``mid``, a second later."""
        self.now += SECOND
        book = MarketBook(
            received_at=self.now,
            symbol=SYMBOL,
            exchange_time=self.now,
            bids=(BookLevel(mid - Decimal("0.1"), Decimal(5)),),
            asks=(BookLevel(mid + Decimal("0.1"), Decimal(5)),),
        )
        self.answer(self.machine.step(book).intents)

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

    def fill(self) -> None:
        """Fill one innermost quote, turn and turn about, and answer what follows until both sides rest again."""
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
        started = time.perf_counter_ns()
        intents = self.machine.step(fill).intents
        self.fill_steps.append(time.perf_counter_ns() - started)
        self.answer(intents)


def median_microseconds(action: Callable[[], object], count: int) -> float:
    """Median wall time of ``action`` over ``count`` calls, in microseconds."""
    times = []
    for _ in range(count):
        started = time.perf_counter_ns()
        action()
        times.append(time.perf_counter_ns() - started)
    return statistics.median(times) / 1e3


def main() -> None:
    """Measure and print."""
    engine = Toggle()
    engine_call = median_microseconds(lambda: engine.send("again"), ENGINE_CALLS)
    host = Host()
    assert host.machine.chart_state == "monitoring_orders", host.machine.chart_state
    before = host.machine.transition_counts.total()
    quiet_step = median_microseconds(host.quote, QUIET_STEPS)
    assert host.machine.transition_counts.total() == before, "the quiet market was not quiet"
    cycle = median_microseconds(host.fill, CYCLES)
    taken = (host.machine.transition_counts.total() - before) / CYCLES
    print(f"{'engine: one self transition':<52}{engine_call:9.1f} us")
    print(f"{'step that changes nothing (one book)':<52}{quiet_step:9.1f} us{quiet_step / engine_call:8.2f} x engine")
    fill_step = statistics.median(host.fill_steps) / 1e3
    print(f"{'fill to new intents (one step)':<52}{fill_step:9.1f} us{fill_step / engine_call:8.2f} x engine")
    print(f"{'fill to new quotes, every answer included':<52}{cycle:9.1f} us{cycle / engine_call:8.2f} x engine")
    print(f"{'':<4}transitions in one such cycle: {taken:.1f}")


if __name__ == "__main__":
    main()
