"""A market maker to test, what it is told, and what must be true of its books: where the user says nothing else.

Everything is made up and the same in every run: the instrument, fees and balances of the paper exchange, one level a
side, a volatility that is known after three seconds. Times are nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Decimal
from typing import Final

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from mm_fsm.core.messages import (
    SIDES,
    BookLevel,
    Fact,
    Liquidity,
    MarketBook,
    OrderAcknowledged,
    OrderFilled,
    PlaceOrder,
    Side,
    Timer,
)
from mm_fsm.core.order_lifecycle import OrderStatus
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.paper_run import PAPER_BALANCES, PAPER_FEES, PAPER_INSTRUMENT
from mm_fsm.services.protocols import Services

START: Final = 1_700_000_000 * NANOSECONDS_PER_SECOND
MIDDLE: Final = Decimal(2000)
"""The price around which the made-up market moves, quote per base."""

ServicesFactory = Callable[[], Services]


def make_market_maker(chart: type[QuotingMachine], services: ServicesFactory | None = None) -> QuotingMachine:
    """A market maker in its initial state that has been told nothing yet."""
    settings = MarketMakingSettings(
        symbol=PAPER_INSTRUMENT.symbol, num_price_levels=1, volatility_sample_seconds=1.0, warm_up_samples=2
    )
    chosen = services() if services is not None else None
    return chart(settings, PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES, chosen, run_id="test")


def book(time: int, middle: Decimal = MIDDLE, half_spread: Decimal = Decimal("0.05")) -> MarketBook:
    """A book of one level a side, five base units each."""
    levels = ((BookLevel(middle - side.sign * half_spread, Decimal(5)),) for side in SIDES)
    bids, asks = levels
    return MarketBook(received_at=time, symbol=PAPER_INSTRUMENT.symbol, bids=bids, asks=asks, exchange_time=time)


def opening() -> Iterator[Fact]:
    """What a market maker is told first: a book a second, until it knows the volatility."""
    for second in range(5):
        yield book(START + second * NANOSECONDS_PER_SECOND, MIDDLE + Decimal(second % 2) / 10)


def a_moment_later(machine: QuotingMachine) -> Fact:
    """Nothing has happened but a millisecond."""
    return Timer(received_at=machine.now + NANOSECONDS_PER_MILLISECOND)


def answers_of_the_venue(machine: QuotingMachine, result: StepResult) -> Iterator[Fact]:
    """Every placement is acknowledged, and of the first quarter of the first trades: there are live orders, a
    position, and profit or loss to lose.
    """
    for intent in result.intents:
        if isinstance(intent, PlaceOrder):
            yield acknowledgement(machine, intent.client_order_id)
            if not machine.context.fill_count:
                quantity = (intent.quantity / 4).quantize(PAPER_INSTRUMENT.lot_size, ROUND_DOWN)
                yield fill(machine, intent.client_order_id, quantity)


def acknowledgement(machine: QuotingMachine, client_order_id: str) -> OrderAcknowledged:
    """The venue took an order, now."""
    return OrderAcknowledged(
        received_at=machine.now,
        symbol=machine.context.settings.symbol,
        client_order_id=client_order_id,
        venue_order_id=f"venue-{client_order_id}",
        exchange_time=machine.now,
    )


def fill(machine: QuotingMachine, client_order_id: str, quantity: Decimal) -> OrderFilled:
    """An order has traded at its price, now, for a fee of 0.01 in quote currency."""
    context = machine.context
    order = context.orders.get(client_order_id)
    return OrderFilled(
        received_at=machine.now,
        symbol=context.settings.symbol,
        client_order_id=client_order_id,
        trade_id=f"trade-{context.fill_count + 1}",
        price=MIDDLE if order is None else order.price,
        quantity=quantity,
        fee=Decimal("0.01"),
        fee_currency=context.instrument.quote_currency,
        liquidity=Liquidity.MAKER,
        exchange_time=machine.now,
    )


# -- what must be true ------------------------------------------------------------------------------------------------


def profit_adds_up(machine: QuotingMachine) -> None:
    """The PnL identity holds to the last digit."""
    gap = machine.context.ledger.identity_gap()
    assert gap == 0, f"the ledger's identity is off by {gap}"  # noqa: S101 - what a failed test says


def no_order_is_left_alone(machine: QuotingMachine) -> None:
    """In a fault state and in a final state every live order has a cancel in flight, or is UNKNOWN and asked about."""
    if not is_in_fault_state(machine) and not machine.is_final:
        return
    for order in machine.context.orders.live():
        is_looked_for = order.status is OrderStatus.UNKNOWN and order.query_due is not None
        assert order.cancel_in_flight or is_looked_for, (  # noqa: S101 - what a failed test says
            f"order {order.client_order_id!r} is {order.status} in {machine.chart_state!r} without a cancel in flight"
        )


def is_in_fault_state(machine: QuotingMachine) -> bool:
    """Whether the machine is where its fault event leads."""
    definition = machine.definition
    return any(
        edge.event == definition.fault_event and edge.target == machine.chart_state for edge in definition.edges
    )


MARKET_INVARIANTS: Final = (profit_adds_up, no_order_is_left_alone)
"""Hold after every step of a market maker, whatever it is told."""
