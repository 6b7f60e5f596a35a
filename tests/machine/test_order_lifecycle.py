"""Every cell of the order lifecycle, legal and illegal: table and engine against a table written by hand."""

from __future__ import annotations

import pytest

from mm_fsm.books.order_lifecycle import (
    LIVE_STATUSES,
    RESTING_STATUSES,
    TERMINAL_STATUSES,
    OrderEvent,
    OrderLifecycle,
    OrderStatus,
    status_after,
)
from mm_fsm.chart import chart_of, definition_of, table_of
from mm_fsm.errors import OrderLifecycleError

# One row an event, one column a status; "." keeps the status, "-" is not declared, else the status that follows.
#   new: sent, open, part(ly filled), canc(el sent), unkn(own) | filled, canceled, rejected, expired
COLUMNS = [
    "pending_new",
    "open",
    "partially_filled",
    "pending_cancel",
    "unknown",
    "filled",
    "canceled",
    "rejected",
    "expired",
]
SHORT = {
    "open": "open",
    "part": "partially_filled",
    "canc": "pending_cancel",
    "unkn": "unknown",
    "fill": "filled",
    "cxld": "canceled",
    "rejd": "rejected",
    "expd": "expired",
}
TABLE = """
                     new   open  part  canc  unkn | filled canceled rejected expired
acknowledge          open  .     .     .     .    | .      .        unkn     .
fill_partly          part  part  .     .     .    | -      .        unkn     .
fill_fully           fill  fill  fill  fill  fill | -      fill     fill     fill
request_cancel       canc  canc  canc  .     .    | -      -        -        -
confirm_cancel       cxld  cxld  cxld  cxld  cxld | .      .        .        .
refuse_cancel        unkn  .     .     unkn  .    | .      .        .        .
reject               rejd  unkn  unkn  rejd  rejd | -      .        .        .
expire               expd  expd  expd  expd  expd | .      .        .        .
lose_track           unkn  unkn  unkn  unkn  .    | .      .        .        .
find_open            open  .     .     .     open | .      unkn     unkn     unkn
find_partly_filled   part  part  .     .     part | .      unkn     unkn     unkn
find_never_placed    -     -     -     -     rejd | -      -        -        -
find_gone            -     -     -     -     cxld | -      -        -        -
"""


def cells() -> dict[tuple[str, str], str | None]:
    """(status, event) to the status that follows; None where the event is not declared."""
    expected: dict[tuple[str, str], str | None] = {}
    for line in TABLE.strip().splitlines()[1:]:
        event, *row = line.replace("|", " ").split()
        assert len(row) == len(COLUMNS)
        for status, cell in zip(COLUMNS, row, strict=True):
            expected[status, event] = None if cell == "-" else status if cell == "." else SHORT[cell]
    return expected


CELLS = cells()


class Order:
    """A model that holds nothing but a status."""

    def __init__(self, status: str) -> None:
        self.status = status


def after_in_engine(status: str, event: str) -> str:
    order = Order(status)
    chart_of(OrderLifecycle)(model=order, state_field="status").send(event)
    return order.status


def test_the_table_of_this_module_has_every_cell() -> None:
    assert set(CELLS) == {(status.value, event.value) for status in OrderStatus for event in OrderEvent}
    assert len(CELLS) == 9 * 13


@pytest.mark.parametrize(("status", "event"), CELLS)
def test_table_and_engine_do_in_every_cell_what_is_expected(status: str, event: str) -> None:
    expected = CELLS[status, event]
    found = table_of(OrderLifecycle).target(status, event)
    assert found == expected
    assert after_in_engine(status, event) == (expected or status)
    if expected is None:
        with pytest.raises(OrderLifecycleError) as caught:
            status_after("order", OrderStatus(status), OrderEvent(event))
        assert (caught.value.status, caught.value.event) == (status, event)
        assert repr(event) in str(caught.value)
    else:
        assert status_after("order", OrderStatus(status), OrderEvent(event)) is OrderStatus(expected)


@pytest.mark.parametrize(("status", "first"), [cell for cell, target in CELLS.items() if target])
def test_what_follows_an_edge_depends_on_where_it_led_and_not_on_how(status: str, first: str) -> None:
    """Every pair of edges that can follow upon each other, each by an order of its own."""
    between = CELLS[status, first]
    seconds = [event for state, event in CELLS if state == between and CELLS[state, event]]
    assert seconds
    for second in seconds:
        order = f"{status}-{first}-{second}"
        found = status_after(order, OrderStatus(status), OrderEvent(first))
        assert found == between
        assert status_after(order, found, OrderEvent(second)) == CELLS[found, second]


def test_an_edge_that_keeps_its_status_is_internal() -> None:
    for edge in definition_of(OrderLifecycle).edges:
        assert edge.internal is (edge.source == edge.target)


def test_statuses_are_live_or_terminal_and_only_known_ones_rest() -> None:
    assert {status.value for status in LIVE_STATUSES} == set(COLUMNS[:5])
    assert {status.value for status in TERMINAL_STATUSES} == set(COLUMNS[5:])
    assert {status.value for status in RESTING_STATUSES} == {"open", "partially_filled"}


def test_only_news_from_the_venue_leads_out_of_unknown() -> None:
    """Neither a time-out nor a request of our own does."""
    leading_out = {
        event for (status, event), target in CELLS.items() if status == "unknown" and target != status and target
    }
    assert leading_out.isdisjoint({"request_cancel", "lose_track", "refuse_cancel"})


def test_no_contradiction_brings_an_order_straight_back_to_open() -> None:
    """An order that is alive again after its end is UNKNOWN first: it is cancelled and asked about."""
    revived = {target for (status, _), target in CELLS.items() if status in COLUMNS[5:] and target in COLUMNS[:5]}
    assert revived == {"unknown"}
