"""Events that overtook each other are brought back into order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import Side
from mm_fsm.venues.recorded import RecordedEvent
from mm_fsm.venues.recorded.ordering import in_time_order as batches_in_time_order
from mm_fsm.venues.recorded.ordering import merged


def in_time_order(events: Iterable[RecordedEvent], window: int) -> Iterator[RecordedEvent]:
    """Events that come one at a time."""
    for batch in batches_in_time_order(([event] for event in events), window):
        yield from batch


def _book(time: int) -> MarketBook:
    return MarketBook(symbol="X", received_at=time, exchange_time=time, bids=(), asks=())


def _trade(time: int, number: int = 0) -> MarketTrade:
    return MarketTrade(
        symbol="X",
        received_at=time,
        exchange_time=time,
        price=Decimal(1),
        size=Decimal(1),
        taker_side=Side.BID,
        trade_id=str(number),
    )


def test_a_late_event_within_the_window_takes_its_place() -> None:
    """Times 10, 30, 12 with a window of 20: 12 is 18 behind 30, so it comes before it."""
    ordered = in_time_order([_book(10), _book(30), _book(12)], window=20)
    assert [event.exchange_time for event in ordered] == [10, 12, 30]


def test_a_trade_comes_before_the_book_of_its_own_time() -> None:
    ordered = list(in_time_order([_book(10), _trade(10), _book(10)], window=1))
    assert [type(event) for event in ordered] == [MarketTrade, MarketBook, MarketBook]


def test_a_window_of_nothing_leaves_the_order_as_it_is() -> None:
    events: list[RecordedEvent] = [_book(10), _trade(10), _book(11)]
    assert list(in_time_order(events, window=0)) == events


def test_an_event_leaves_as_soon_as_nothing_can_come_before_it() -> None:
    """With a window of 5 the event of time 10 leaves when one of time 16 has been read, and not before."""
    read: list[int] = []

    def books() -> Iterator[RecordedEvent]:
        for time in (10, 15, 16, 40):
            read.append(time)
            yield _book(time)

    ordered = in_time_order(books(), window=5)
    assert next(ordered).exchange_time == 10
    assert read == [10, 15, 16]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.booleans()), max_size=60), st.integers(10, 30))
def test_any_delays_shorter_than_the_window_are_undone(moves: list[tuple[int, int, bool]], window: int) -> None:
    """Sent at a time, received up to nine later: sorting by hand gives the same as the window does."""
    arrivals = sorted(range(len(moves)), key=lambda index: moves[index][0] + moves[index][1])
    events: list[RecordedEvent] = [
        _book(moves[index][0]) if moves[index][2] else _trade(moves[index][0], index) for index in arrivals
    ]
    expected = sorted(events, key=lambda event: (event.exchange_time, isinstance(event, MarketBook)))
    assert list(in_time_order(events, window)) == expected


@given(
    st.lists(st.lists(st.integers(0, 40), max_size=20).map(sorted), min_size=1, max_size=3),
    st.integers(1, 5),
)
def test_streams_are_merged_as_sorting_all_of_them_would(times: list[list[int]], length: int) -> None:
    """Whatever the batches: by time, then by stream, then as they came."""
    streams: list[list[RecordedEvent]] = [[_trade(time, index) for time in each] for index, each in enumerate(times)]
    batched = [iter([events[start : start + length] for start in range(0, len(events), length)]) for events in streams]
    expected = sorted((event for events in streams for event in events), key=lambda event: event.received_at)
    assert [event for batch in merged(batched) for event in batch] == expected
