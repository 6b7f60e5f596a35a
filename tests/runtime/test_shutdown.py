"""The last line says whether the book was confirmed empty, and what position is left."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from mm_fsm.books.facts import StopRequested
from mm_fsm.runtime.shutdown import Ending, ending_of
from tests.runtime.journal.scenario import World, begin, is_quoting, kill, plan_at


def test_a_confirmed_book_is_said_to_be_empty_and_the_position_is_named(tmp_path: Path) -> None:
    world, run = World(), begin(plan_at(tmp_path / "run.journal"))
    with run:
        world.run(run, until=is_quoting)
        world.run(run, 20)
        world.tell(run, StopRequested(received_at=0, flatten=False, reason="SIGTERM"))
        world.run(run)
        ending = ending_of(run.machine.machine.context)
    assert run.machine.is_final
    assert world.exchange.open_orders == ()
    assert ending.is_book_confirmed_empty
    assert ending.position == world.exchange.balances.base_total
    assert str(ending).startswith("ETH/USD: book confirmed empty; position ")


def test_leaving_before_the_answers_names_the_orders_that_may_be_open(tmp_path: Path) -> None:
    """As after a second signal: cancels have left, nobody has confirmed them."""
    world, run = World(), begin(plan_at(tmp_path / "run.journal"))
    world.run(run, until=is_quoting)
    open_ids = {order.client_order_id for order in world.exchange.open_orders}
    world.tell(run, StopRequested(received_at=0, flatten=False, reason="SIGTERM"))
    ending = ending_of(run.machine.machine.context)
    assert not ending.is_book_confirmed_empty
    assert set(ending.unconfirmed) == open_ids
    assert "BOOK NOT CONFIRMED EMPTY, 6 orders may be open: mm-" in str(ending)
    kill(run)


def test_a_start_that_was_stopped_before_the_venue_spoke_claims_nothing(tmp_path: Path) -> None:
    world, run = World(), begin(plan_at(tmp_path / "run.journal"))
    world.hears = lambda _: False
    world.run(run, 5)
    ending = ending_of(run.machine.machine.context)
    assert not ending.is_book_confirmed_empty
    kill(run)


def test_what_is_left_below_a_lot_is_named(tmp_path: Path) -> None:
    """A fee in the base currency leaves 0.37 lots: no order can trade them."""
    world, run = World(), begin(plan_at(tmp_path / "run.journal"))
    world.run(run, until=is_quoting)
    context = run.machine.machine.context
    assert ending_of(context).below_lot == 0
    assert "below one lot" not in str(ending_of(context))
    kill(run)
    ending = Ending(
        symbol="A/B",
        base_currency="A",
        is_book_confirmed_empty=True,
        unconfirmed=(),
        position=Decimal("1.99763"),
        offset=Decimal("-0.00237"),
        below_lot=Decimal("-0.00037"),
    )
    expected = "A/B: book confirmed empty; position 1.99763 A, -0.00237 off target, -0.00037 of it below one lot"
    assert str(ending) == expected
