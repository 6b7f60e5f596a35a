"""The paper exchange and its market behind the port: what comes first at one time, and how the market's end is told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from mm_fsm.books.facts import BalancesReported, MarketBook, StopRequested, TradingStatusChanged
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import BookLevel, QueryBalances
from mm_fsm.errors import RecordingError
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperAccount, PaperSettings, PaperVenue

SECOND = 1_000_000_000
SYMBOL = "ETH/USD"
ACCOUNT = PaperAccount(
    instrument=Instrument(
        symbol=SYMBOL, base_currency="ETH", quote_currency="USD", tick_size=Decimal("0.01"), lot_size=Decimal("0.0001")
    ),
    fees=Fees(maker_bps=Decimal(1), taker_bps=Decimal(5)),
    balances=Balances(base=Decimal(10), quote=Decimal(20_000)),
    exchange=PaperSettings(order_latency_seconds=1, response_latency_seconds=0, market_data_latency_seconds=0),
)
QUERY = QueryBalances(symbol=SYMBOL)


def book(second: int) -> MarketBook:
    level = BookLevel(Decimal(2000), Decimal(1)), BookLevel(Decimal(2001), Decimal(1))
    return MarketBook(
        received_at=second * SECOND,
        symbol=SYMBOL,
        bids=level[:1],
        asks=level[1:],
        exchange_time=second * SECOND,
    )


def kinds(venue: PaperVenue, second: int) -> list[type]:
    return [type(fact) for fact in venue.receive(second * SECOND)]


def test_an_event_comes_before_what_the_exchange_does_at_its_time() -> None:
    """A question that left at 1 s arrives at 2 s, as the second book does: the book is received first."""
    venue = ACCOUNT.on([book(1), book(2), book(3)])
    assert venue.next_time() == SECOND
    assert kinds(venue, 1) == [MarketBook]
    venue.submit([QUERY], SECOND)
    assert venue.next_time() == 2 * SECOND
    assert kinds(venue, 2) == [MarketBook, BalancesReported]


def test_events_of_one_time_come_together_and_nothing_comes_early() -> None:
    halt = TradingStatusChanged(received_at=SECOND, symbol=SYMBOL, trading=False)
    venue = ACCOUNT.on([book(1), halt, book(2), book(9)])
    assert venue.receive(0) == ()
    assert kinds(venue, 1) == [MarketBook, TradingStatusChanged]
    assert venue.next_time() == 2 * SECOND


def test_the_end_of_the_market_asks_for_a_stop_at_once_and_once() -> None:
    """The position is kept. What is still on its way is received afterwards, so that cancels are confirmed."""
    venue = ACCOUNT.on([book(1)])
    venue.submit([QUERY], SECOND)
    (stop,) = venue.receive(SECOND)
    assert stop == StopRequested(received_at=SECOND, flatten=False, reason="the market's events have ended")
    assert kinds(venue, 2) == [MarketBook, BalancesReported]
    assert venue.next_time() is None
    assert venue.receive(9 * SECOND) == ()


def test_a_market_without_events_ends_before_it_begins() -> None:
    venue = ACCOUNT.on([])
    assert venue.next_time() == 0
    assert kinds(venue, 0) == [StopRequested]


def test_progress_is_of_the_market_and_between_nothing_and_all() -> None:
    """A reader that has read ahead, or not begun, is no reason for more than all or less than nothing."""
    venue = ACCOUNT.on([book(1), book(2), book(3)], lambda now: (now / SECOND - 2) * 2)
    assert venue.progress == 0
    for second in (1, 2, 3):
        venue.receive(second * SECOND)
    assert venue.progress == 1
    assert ACCOUNT.on([book(1)]).progress is None


def test_a_malformed_event_is_raised_when_its_turn_comes() -> None:
    def broken() -> Iterator[MarketEvent]:
        yield book(1)
        yield book(2)
        raise RecordingError("a.csv", 3, "expected a price, found 'x'.", "Cut the line out.")

    venue = ACCOUNT.on(broken())
    assert kinds(venue, 1) == [MarketBook]
    with pytest.raises(RecordingError, match="line 3"):
        venue.receive(2 * SECOND)


def test_each_venue_counts_its_ids_from_the_beginning() -> None:
    """So one seed is one run; and the account ends with its process."""
    for _ in range(2):
        terms = ACCOUNT.on([]).terms
        assert [terms.make_token(), terms.make_token()] == ["000001", "000002"]
        assert not terms.outlives_process
