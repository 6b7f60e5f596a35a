"""What must never happen to a market maker, looked for after every step, apart from the machine's own arithmetic.

Each takes the harness and the step's result and raises AssertionError. ``MARKET_MAKER_INVARIANTS`` is all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, Side
from mm_fsm.core.orders import OwnOrder
from mm_fsm.machine.results import StepResult
from mm_fsm.testing.harness import Invariant, MachineHarness

ROUNDING: Final = Decimal("1e-15")
"""Room for the last digit of a quotient that was rounded to 28 digits."""


def placements_of(result: StepResult) -> list[PlaceOrder]:
    """The orders that left with a step."""
    return [intent for intent in result.intents if isinstance(intent, PlaceOrder)]


def _live(harness: MachineHarness) -> Iterable[OwnOrder]:
    return harness.context.orders.live()


def no_order_outlives_its_session(harness: MachineHarness, result: StepResult) -> None:
    """COMPLETED is entered with no order live, UNKNOWN or short of fills."""
    if any(transition.target == "completed" for transition in result.transitions):
        left = list(harness.context.orders.open_questions())
        assert not left, f"COMPLETED with {left}"


def every_order_in_error_is_leaving(harness: MachineHarness, result: StepResult) -> None:
    """In ERROR every live order has a cancel in flight; one that is UNKNOWN is asked about."""
    if result.state != "error":
        return
    for order in _live(harness):
        is_asked_about = order.is_unknown and order.query_due is not None
        assert order.cancel_in_flight or is_asked_about, f"nobody cancels {order} in ERROR"


def one_order_where_one_is_meant(harness: MachineHarness, _result: StepResult) -> None:
    """No more quotes than levels on a side, and one reducing order, those that are leaving apart."""
    staying = [order for order in _live(harness) if not order.cancel_in_flight and not order.is_unknown]
    levels = harness.context.settings.num_price_levels
    for side in Side:
        quotes = [order for order in staying if order.side is side and order.purpose is OrderPurpose.QUOTE]
        assert len(quotes) <= levels, f"{len(quotes)} quotes on the {side} side for {levels} levels"
    reducing = [order for order in staying if order.purpose is not OrderPurpose.QUOTE]
    assert len(reducing) <= 1, f"{len(reducing)} orders reduce the position"


def nothing_is_placed_beside_an_unknown_order(harness: MachineHarness, result: StepResult) -> None:
    """A side with an order of unknown outcome is held, and an order's id is used once."""
    for placement in placements_of(result):
        unknown = [order for order in _live(harness) if order.side is placement.side and order.is_unknown]
        assert not unknown, f"{placement.client_order_id} was placed beside {unknown}"
    sent = [intent.client_order_id for intent in harness.sent(PlaceOrder)]
    assert len(sent) == len(set(sent)), "an order id was used twice"


def every_fill_is_booked_once(harness: MachineHarness, _result: StepResult) -> None:
    """Position and cash are what the venue's trades make of the start, at its prices, sizes and fees, each once."""
    base, quote = harness.told_account()
    assert harness.context.base_position == base, f"position {harness.context.base_position}, the venue told {base}"
    assert harness.context.ledger.cash == quote, f"cash {harness.context.ledger.cash}, the venue told {quote}"
    assert harness.context.ledger.identity_gap() == 0


def the_worst_case_is_within_limits(harness: MachineHarness, result: StepResult) -> None:
    """If every live order of a side filled, in-flight and UNKNOWN ones too, the position would be within its limits."""
    context, settings = harness.context, harness.context.settings
    for side in {placement.side for placement in placements_of(result)}:
        contracts = sum((o.exposure for o in context.orders.open_questions() if o.side is side), ZERO)
        added = contracts * context.instrument.contract_size
        worst = (context.base_position - context.target_base) * side.sign + added
        mid, equity = context.mid_price, _equity(harness)
        assert mid is not None, "an order was placed without a price"
        if worst > 0:
            assert settings.max_position_size is None or worst <= settings.max_position_size
            assert worst * mid <= settings.max_quote_exposure * (1 + ROUNDING)
            assert worst * mid <= Decimal(str(settings.max_inventory_pct)) * equity * (1 + ROUNDING)
        if side is Side.ASK and not context.instrument.may_be_short:
            assert added <= context.base_position, "a spot account would go short"


def _equity(harness: MachineHarness) -> Decimal:
    """Cash and position at the mid, from what the venue told; a contract's position counts from its first price."""
    context = harness.context
    base, quote = harness.told_account()
    if context.instrument.may_be_short:
        return quote + base * (context.mid_price or ZERO) - context.balances.base * (context.first_mid_price or ZERO)
    return quote + base * (context.mid_price or ZERO)


def every_number_is_sound(harness: MachineHarness, result: StepResult) -> None:
    """Prices and sizes that leave are finite, positive, on the venue's grid, and large enough."""
    instrument = harness.context.instrument
    for placement in placements_of(result):
        for value, step in ((placement.price, instrument.tick_size), (placement.quantity, instrument.lot_size)):
            assert isinstance(value, Decimal)
            assert value.is_finite()
            assert value > 0
            assert value % step == 0, f"{value} is no multiple of {step}"
        assert placement.quantity >= instrument.minimum_quantity
        assert placement.price * placement.quantity * instrument.contract_size >= instrument.minimum_notional


def nothing_is_placed_on_old_data(harness: MachineHarness, result: StepResult) -> None:
    """Orders leave only on a full book that is younger than its limit, in a market that is open."""
    if not placements_of(result):
        return
    market = harness.context.market
    assert market.has_book, "an order left before the first full book"
    assert market.confirmed_at is not None
    age = result.time - market.confirmed_at
    assert age < nanoseconds(harness.context.settings.stale_data_seconds), f"an order left on data {age} ns old"
    assert market.is_trading, "an order left for a market that is halted"


def every_transition_is_in_the_diagram(harness: MachineHarness, result: StepResult) -> None:
    """Only declared edges are taken, one after another, and the machine is where the last one leads."""
    declared = {(edge.source, edge.event, edge.target) for edge in harness.machine.definition.edges}
    state = None
    for taken in result.transitions:
        assert (taken.source, taken.event, taken.target) in declared, f"{taken} is in no diagram"
        assert state in (None, taken.source), f"{taken} does not begin in {state}"
        state = taken.target
    assert state in (None, result.state)
    assert result.wake_at is None or result.wake_at > result.time


def nothing_leaves_in_a_step_that_failed(harness: MachineHarness, result: StepResult) -> None:
    """A step with a fault places nothing."""
    assert not (result.faults and placements_of(result)), f"{result.faults} and yet orders left"


MARKET_MAKER_INVARIANTS: Final[tuple[Invariant, ...]] = (
    no_order_outlives_its_session,
    every_order_in_error_is_leaving,
    one_order_where_one_is_meant,
    nothing_is_placed_beside_an_unknown_order,
    every_fill_is_booked_once,
    the_worst_case_is_within_limits,
    every_number_is_sound,
    nothing_is_placed_on_old_data,
    every_transition_is_in_the_diagram,
    nothing_leaves_in_a_step_that_failed,
)
