"""The top of the book as others make it: own orders are taken out first, and a book that is not sound gives no mid."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import MarketBook
from mm_fsm.books.market import FeedDelay, Market, TouchRule
from mm_fsm.core.messages import BookLevel

SECOND = 1_000_000_000


@frozen
class Resting:
    price: Decimal
    remaining: Decimal


def levels(text: str) -> tuple[BookLevel, ...]:
    pairs = (level.split("x") for level in text.split())
    return tuple(BookLevel(Decimal(price), Decimal(size)) for price, size in pairs)


def book(bids: str, asks: str, *, own: bool = True, at: int = 7) -> MarketBook:
    return MarketBook(
        received_at=at,
        symbol="BTC/USD",
        bids=levels(bids),
        asks=levels(asks),
        exchange_time=at - 2,
        includes_own_orders=own,
    )


def own(text: str) -> list[Resting]:
    return [Resting(level.price, level.size) for level in levels(text)]


def take(market: Market, shown: MarketBook, own_bids: list[Resting], own_asks: list[Resting]) -> bool:
    """Take a book in which any size makes a touch, and believe it where it has two sides."""
    is_two_sided = market.take(shown, tuple(own_bids), tuple(own_asks), TouchRule(Decimal(0), 0)) is not None
    if is_two_sided:
        market.believe()
    return is_two_sided


def top(bids: str, asks: str, own_bids: str = "", own_asks: str = "", market: Market | None = None) -> list[str]:
    """Best bid and ask after one book."""
    market = market or Market()
    take(market, book(bids, asks), own(own_bids), own(own_asks))
    return [f"{price}" for price in (market.bid_price, market.ask_price)]


def test_the_mid_lies_halfway_and_the_spread_is_measured_in_its_basis_points() -> None:
    """0.20 of 100 is 20 bps."""
    market = Market()
    assert take(market, book("99.90x5", "100.10x5"), [], [])
    assert market.mid_price == 100
    assert market.spread_bps == pytest.approx(20)
    assert not market.is_one_sided
    assert not market.is_crossed


def test_a_book_without_own_orders_in_it_is_taken_as_it_is() -> None:
    market = Market()
    take(market, book("99x5", "101x5", own=False), own("99x5"), own("101x5"))
    assert (market.bid_price, market.ask_price) == (99, 101)


@pytest.mark.parametrize(
    ("bids", "mine", "expected"),
    [
        ("99x5 98x5 97x5", "", "99"),
        ("99x5 98x5 97x5", "99x5", "98"),  # the best level is all ours
        ("99x5 98x5 97x5", "99x4.999", "99"),  # a part of it is somebody else's
        ("99x5 98x5 97x5", "99x2 99x3", "98"),  # two orders of ours on it
        ("99x5 98x5 97x5", "98x5", "99"),  # ours is deeper
        ("99x5 98x5 97x5", "99x5 98x5", "97"),  # two levels are ours
        ("99x5 98x5 97x5", "99x5 97x5", "98"),
        ("99x5 98x5 97x5", "96x5", "99"),  # ours is beyond what is visible
        ("99x5 98x5 97x5", "99.5x5", "99"),  # ours has not arrived
        ("99x5", "99x6", "99"),  # all that is visible is ours: others stand behind it
    ],
)
def test_own_bids_are_taken_out_at_every_depth(bids: str, mine: str, expected: str) -> None:
    assert top(bids, "101x5", mine) == [expected, "101"]


@pytest.mark.parametrize(
    ("asks", "mine", "expected"),
    [
        ("101x5 102x5", "101x5", "102"),
        ("101x5 102x5", "101x4", "101"),
        ("101x5 102x5", "102x5", "101"),
        ("101x5 102x5", "101x5 102x5", "102"),
    ],
)
def test_own_asks_are_taken_out_at_every_depth(asks: str, mine: str, expected: str) -> None:
    assert top("99x5", asks, own_asks=mine) == ["99", expected]


@pytest.mark.parametrize(("before", "expected"), [("97x5", "97"), ("98.5x5", "98")])
def test_where_all_visible_bids_are_ours_the_price_seen_before_serves_unless_it_stands_in_front(
    before: str, expected: str
) -> None:
    market = Market()
    take(market, book(before, "101x5"), [], [])
    assert top("99x5 98x5", "101x5", "99x5 98x5", market=market) == [expected, "101"]


@pytest.mark.parametrize(("before", "expected"), [("103x5", "103"), ("101.5x5", "102")])
def test_where_all_visible_asks_are_ours_the_price_seen_before_serves_unless_it_stands_in_front(
    before: str, expected: str
) -> None:
    market = Market()
    take(market, book("99x5", before), [], [])
    assert top("99x5", "101x5 102x5", own_asks="101x5 102x5", market=market) == ["99", expected]


def test_a_book_that_only_our_orders_cross_is_sound() -> None:
    """Without our bid of 101 the market is 99 to 100."""
    market = Market()
    assert take(market, book("101x1 99x5", "100x5"), own("101x1"), [])
    assert market.mid_price == Decimal("99.5")


@pytest.mark.parametrize(("bids", "asks"), [("", "101x5"), ("99x5", ""), ("", "")])
def test_a_one_sided_book_has_no_spread_and_keeps_the_last_mid(bids: str, asks: str) -> None:
    market = Market()
    take(market, book("99x5", "101x5"), [], [])
    assert not take(market, book(bids, asks), [], [])
    assert market.is_one_sided
    assert not market.is_crossed
    assert market.spread_bps is None
    assert market.mid_price == 100


@pytest.mark.parametrize(("bid", "ask"), [("101x5", "101x5"), ("102x5", "101x5")])
def test_a_crossed_or_locked_book_has_no_spread_and_keeps_the_last_mid(bid: str, ask: str) -> None:
    market = Market()
    take(market, book("99x5", "101x5"), [], [])
    assert not take(market, book(bid, ask), [], [])
    assert market.is_crossed
    assert market.spread_bps is None
    assert market.mid_price == 100


def test_before_any_sound_book_there_is_no_mid() -> None:
    market = Market()
    assert not market.has_book
    assert not take(market, book("", "101x5"), [], [])
    assert market.has_book
    assert market.mid_price is None


def test_a_book_is_dated_by_its_receipt_and_ordered_by_its_exchange_time() -> None:
    market = Market()
    take(market, book("99x5", "101x5", at=12), [], [])
    assert (market.updated_at, market.confirmed_at, market.exchange_time) == (12, 12, 10)


def test_what_a_feed_is_behind_its_quickest_message_makes_its_books_older() -> None:
    """The venue's clock is ahead: differences of -3, 2, -1 s. Behind the smallest by 0, 5 and 2 s."""
    market, ages = Market(), []
    for received, stamp in ((10, 13), (20, 18), (30, 31)):
        fact = evolve(book("99x5", "101x5"), received_at=received * SECOND, exchange_time=stamp * SECOND)
        take(market, fact, [], [])
        ages.append(received - round((market.confirmed_at or 0) / SECOND))
    assert ages == [0, 5, 2]


def test_what_two_clocks_drift_apart_is_no_delay() -> None:
    """A host's clock that gains 100 parts in a million is 8.64 s ahead after a day."""
    delay = FeedDelay()
    for minute in range(24 * 60 + 1):
        stamp = minute * 60 * SECOND
        delay = delay.after(stamp + stamp // 10_000, stamp)
        assert delay.behind == 0
    assert delay.smallest == 8_640_000_000


def test_everything_that_later_steps_depend_on_is_in_the_snapshot() -> None:
    market, other = Market(), Market()
    for each in (market, other):
        take(each, book("99x5", "101x5"), [], [])
    assert market.snapshot() == other.snapshot()
    other.is_trading = False
    assert market.snapshot() != other.snapshot()


def show(market: Market, received: int, stamp: int) -> None:
    fact = evolve(book("99x5", "101x5"), received_at=received * SECOND, exchange_time=stamp * SECOND)
    assert not market.is_overtaken(fact)
    assert take(market, fact, [], [])


def test_a_stamp_far_ahead_of_all_before_is_not_taken_for_the_newest() -> None:
    """3 s behind ours, then one 47 s ahead: what follows is neither late nor behind."""
    market = Market()
    for received, stamp in ((10, 7), (11, 8), (12, 59), (13, 10)):
        show(market, received, stamp)
    assert market.exchange_time == 10 * SECOND
    assert market.feed_delay.behind == 0
    assert market.odd_stamps_in_a_row == 0


def test_a_message_that_was_quicker_by_some_seconds_is_not_odd() -> None:
    market = Market()
    show(market, 10, 7)
    show(market, 11, 12)
    assert market.exchange_time == 12 * SECOND


def test_stamps_that_stay_ahead_are_a_changed_clock() -> None:
    """The fifth in a row is believed, and what it says of the delay begins anew."""
    market, taken = Market(), []
    for received in range(10, 20):
        show(market, received, received - 3 if received < 12 else received + 50)
        taken.append(market.exchange_time // SECOND)
    assert taken == [7, 8, 8, 8, 8, 8, 66, 67, 68, 69]
    assert market.feed_delay.behind == 0


def test_a_book_that_leaves_prices_and_touches_as_they_were_repeats_the_last() -> None:
    market, mine = Market(), tuple(own("99x1"))
    rule = TouchRule(Decimal(0), 0)
    for shown, orders, repeats in (
        ("99x3", mine, False),
        ("99x3", mine, True),
        ("99x2", mine, True),  # less is shown at the same price
        ("99x2 98x1", mine, True),
        ("99x2 98x1", tuple(own("99x2")), False),  # all that is shown at 99 is our own now
        ("99x3 98x1", tuple(own("99x2")), False),
    ):
        market.take(book(shown, "101x1"), orders, (), rule)
        assert market.has_repeated is repeats, shown


def test_dust_that_does_not_change_makes_a_touch_once_it_has_stood_for_so_long() -> None:
    """A bid of 100 for a tenth is worth 10 of the 50 that a touch needs; it has stood for 3 ns at 14."""
    market, rule = Market(), TouchRule(Decimal(50), 3)
    market.take(book("99x2", "101x2", at=10), (), (), rule)
    for time, touch in ((11, "99"), (13, "99"), (14, "100")):
        assert market.take(book("100x0.1", "101x2", at=time), (), (), rule) == (Decimal(touch), Decimal(101)), time


bid_sides = st.sampled_from(("99x2", "99x0.1", "99x0.1 98x2", "100x1 99x1", ""))
ask_sides = st.sampled_from(("101x2", "101x0.1", "101x0.1 102x2"))
own_sides = st.sampled_from((tuple(own("99x1")), tuple(own("101x0.05 102x1")), ()))
steps = st.tuples(bid_sides, ask_sides, own_sides, st.integers(0, 2))


@given(st.lists(st.tuples(st.lists(steps, min_size=1), st.sampled_from((0, 50, 150)))))
def test_a_side_that_is_not_read_again_is_as_if_it_were(
    rules: list[tuple[list[tuple[str, str, tuple[Resting, ...], int]], int]],
) -> None:
    """Beside a market that is made to read both sides of every book."""
    market, reader, time = Market(), Market(), 10
    for books, least_value in rules:
        rule = TouchRule(Decimal(least_value), 3)
        for bids, asks, mine, later in books:
            time += later
            shown = book(bids, asks, at=time)
            before = _top_of(market)
            reader._read_from = Market()._read_from
            touches = reader.take(shown, mine, mine, rule)
            assert market.take(shown, mine, mine, rule) == touches
            assert market.snapshot() == reader.snapshot()
            assert market.has_repeated is (_top_of(market) == before and not market.thin_since)


def _top_of(market: Market) -> tuple[Decimal | None, ...]:
    return market.bid_price, market.ask_price, market.bid_touch, market.ask_touch
