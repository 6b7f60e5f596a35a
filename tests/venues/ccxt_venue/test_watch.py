"""What counts as silence, to the nanosecond: time is the test's, nothing waits."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from ccxt.base.errors import ExchangeNotAvailable

from mm_fsm.books.facts import Heartbeat
from mm_fsm.core.clock import nanoseconds
from mm_fsm.venues.ccxt_venue.payloads import read_book
from mm_fsm.venues.ccxt_venue.watch import CLOCK_RETRY_SECONDS, CLOCK_SECONDS, SILENT_BOOK_SECONDS, Watch
from tests.venues.ccxt_venue.test_news import NOW, OURS, PLACE, SYMBOL, Bench

BOOK = {"bids": [["1999", "2"]], "asks": [["2001", "3"]], "timestamp": NOW // 1_000_000}
MOVED = {**BOOK, "bids": [["1998", "2"]]}


class Watched:
    """A watch over a book that was last heard now, and who it says is dead."""

    def __init__(self, **methods: Any) -> None:
        self.dead: list[str] = []
        self.bench = Bench(**methods)
        self.is_up = True
        self.bench.exchange.has = {"fetchTime": True}
        self.watch = Watch(self.bench.account, self)
        heard = read_book(BOOK, 5)
        assert heard is not None
        self.bench.market.heard_at, self.bench.market.best = NOW, (heard.bids[:1], heard.asks[:1])

    has_order_stream = True

    def lose(self, reason: str) -> None:
        self.dead.append(reason)

    def look(self, time: float = 1.0) -> None:
        """Look, and let what was asked be answered."""

        async def looked() -> None:
            self.watch.look(time)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run(looked())

    def asked(self, name: str) -> int:
        return self.bench.asked.count(name)


def watched(book: Any = BOOK) -> Watched:
    """One whose exchange answers with this book; its clock is not due."""
    found = Watched(fetch_order_book=book, load_time_difference=0)
    found.watch._clock_due = 1e9
    return found


def silent(found: Watched, seconds: float) -> Watched:
    found.bench.time = NOW + nanoseconds(seconds)
    return found


def test_a_book_is_asked_for_only_once_it_has_been_silent_for_longer_than_its_time() -> None:
    found = silent(watched(), SILENT_BOOK_SECONDS)
    found.look()
    assert found.asked("fetch_order_book") == 0
    found.bench.time += 1
    found.look()
    assert found.asked("fetch_order_book") == 1


def test_the_same_book_means_that_the_market_rests_and_counts_as_heard() -> None:
    found = silent(watched(), SILENT_BOOK_SECONDS + 0.1)
    found.look()
    assert found.dead == []
    assert [type(fact) for fact in found.bench.told] == [Heartbeat]
    assert found.bench.market.heard_at == found.bench.time
    found.look()
    assert found.asked("fetch_order_book") == 1, "asked again only after as much silence"


def test_another_book_means_that_its_stream_is_dead() -> None:
    found = silent(watched(MOVED), SILENT_BOOK_SECONDS + 0.1)
    found.look()
    assert found.dead == [f"the book of {SYMBOL} is silent for 3 s, and the market has moved"]
    assert found.bench.told == []


@pytest.mark.parametrize("answer", [ExchangeNotAvailable("down"), {"bids": [], "asks": "nonsense"}, None])
def test_no_book_in_answer_is_no_sign_of_life(answer: Any) -> None:
    found = silent(watched(answer), SILENT_BOOK_SECONDS + 0.1)
    found.look()
    assert len(found.dead) == 1


def test_nothing_is_asked_while_the_exchange_takes_no_request_and_nothing_is_called_dead() -> None:
    found = silent(watched(MOVED), SILENT_BOOK_SECONDS + 0.1)
    found.bench.account.suspended_until = found.bench.time + nanoseconds(10)
    found.look()
    assert found.asked("fetch_order_book") == 0
    assert found.dead == []


def test_streams_that_are_being_built_anew_are_not_called_dead_once_more() -> None:
    found = silent(watched(MOVED), 60.0)
    order = found.bench.orders.place(PLACE, found.bench.market)
    found.bench.orders.take(order, "7", NOW, from_stream=False)
    assert [*found.bench.orders.awaited] == [("taken", OURS)]
    found.is_up = False
    found.bench.time += nanoseconds(60)
    found.look()
    assert found.dead == []
    assert found.asked("fetch_order_book") == 0


def test_the_clock_is_asked_for_once_a_minute_and_soon_after_a_refusal_for_its_sake() -> None:
    found = Watched(load_time_difference=0)
    found.bench.exchange.options, found.bench.exchange.milliseconds = {}, lambda: NOW // 1_000_000
    times = [0.0, CLOCK_SECONDS - 0.1, CLOCK_SECONDS]
    counts = []
    for time in times:
        found.look(time)
        counts.append(found.asked("load_time_difference"))
    assert counts == [1, 1, 2]
    found.watch.ask_clock_soon()
    found.look(CLOCK_SECONDS + CLOCK_RETRY_SECONDS - 0.1)
    assert found.asked("load_time_difference") == 2
    found.look(CLOCK_SECONDS + CLOCK_RETRY_SECONDS)
    assert found.asked("load_time_difference") == 3


def test_a_clock_that_cannot_be_asked_is_asked_again_and_nobody_is_called_dead() -> None:
    found = Watched(load_time_difference=ExchangeNotAvailable("down"))
    found.bench.account.exchange = SimpleNamespace(**vars(found.bench.exchange))
    found.look(0.0)
    assert found.asked("load_time_difference") == 1
    assert found.dead == []


def test_the_silence_of_a_book_that_is_being_synchronised_proves_nothing() -> None:
    found = silent(watched(MOVED), 1000 * SILENT_BOOK_SECONDS)
    found.bench.market.heard_at = None
    found.look()
    assert found.asked("fetch_order_book") == 0
    assert found.dead == []
