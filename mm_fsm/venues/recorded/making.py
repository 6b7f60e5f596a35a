"""Rows to events: one at a time, saying what is wrong; or whole columns at once, where nothing is.

Both ways give the same events. The functions for columns leave everything that is not quite plain to those for rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from operator import lt
from typing import Final

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.venues.recorded.fields import EARLIEST, LATEST, UNITS, MalformedFieldError, is_zero, positive
from mm_fsm.venues.recorded.layout import Batch, Levels, RecordedEvent, Wanted
from mm_fsm.venues.recorded.reading import Fault, Order

Columns = tuple[Sequence[str], Sequence[str]]
"""Prices and sizes, as they are written."""

_OTHER_SYMBOL: Final = "Name the market that you want with --symbol."


def level(price: object, size: object, price_field: str, size_field: str) -> Levels:
    """One side of the best bid and ask; empty when nobody quotes there, which is written as zeros or as nothing.

    Raises:
        MalformedFieldError: price or size is no number of at least 0.
    """
    if not price and not size:
        return ()
    try:
        return (BookLevel(positive(price_field, price), positive(size_field, size)),)
    except MalformedFieldError:
        if is_zero(price) or is_zero(size):
            return ()
        raise


def make_book(wanted: Wanted, exchange_time: int, local_time: int, bids: Levels, asks: Levels) -> MarketBook:
    """The book of one row.

    Raises:
        MalformedFieldError: it is crossed or locked.
    """
    if bids and asks and bids[0].price >= asks[0].price:
        raise _not_apart(bids[0].price, asks[0].price)
    return MarketBook(
        symbol=wanted.symbol,
        received_at=wanted.received_at(exchange_time, local_time),
        exchange_time=exchange_time,
        bids=bids,
        asks=asks,
        includes_own_orders=False,
    )


def make_trade(
    wanted: Wanted, times: tuple[int, int], *, price: Decimal, size: Decimal, taker_side: Side, trade_id: str
) -> MarketTrade:
    """The trade of one row; ``times`` are the exchange's and the recorder's."""
    return MarketTrade(
        symbol=wanted.symbol,
        received_at=wanted.received_at(*times),
        exchange_time=times[0],
        price=price,
        size=size,
        taker_side=taker_side,
        trade_id=trade_id,
    )


def all_plain(texts: Sequence[str]) -> bool:
    """Whether every text can be a number of digits and points only: no sign, space, exponent or word."""
    together = "".join(texts)
    return together.isascii() and together.replace(".", "").isdecimal()


def plain_times(texts: Sequence[str], digits: int, unit: str) -> list[int] | None:
    """Times in nanoseconds; None unless each has so many digits and lies within the years that are taken."""
    if set(map(len, texts)) != {digits} or not all_plain(texts) or any("." in text for text in texts):
        return None
    scale = UNITS[unit]
    times = [int(text) * scale for text in texts]
    return times if min(times) >= EARLIEST and max(times) < LATEST else None


def plain_books(
    wanted: Wanted, times: tuple[list[int], list[int]], bids: Columns, asks: Columns, lines: Sequence[int]
) -> Batch | None:
    """Books of best bids and asks, from columns of prices and sizes; None when a row of them is not quite plain."""
    decimals: list[list[Decimal]] = []
    for column in (*bids, *asks):
        if not all_plain(column):
            return None
        try:
            decimals.append(list(map(Decimal, column)))
        except InvalidOperation:
            return None
    bid_prices, _, ask_prices, _ = decimals
    if not all(map(all, decimals)) or not all(map(lt, bid_prices, ask_prices)):
        return None
    bid_levels = zip(map(BookLevel, *decimals[:2]), strict=True)
    ask_levels = zip(map(BookLevel, *decimals[2:]), strict=True)
    symbol, shown = wanted.symbol, times[1] if wanted.order is Order.RECEIVED else times[0]
    events: list[RecordedEvent] = [
        MarketBook(symbol=symbol, received_at=at, exchange_time=time, bids=bid, asks=ask, includes_own_orders=False)
        for at, time, bid, ask in zip(shown, times[0], bid_levels, ask_levels, strict=True)
    ]
    return Batch(events, lines, (min(bid_prices), max(ask_prices)))


def plain_trades(
    wanted: Wanted,
    times: tuple[list[int], list[int]],
    columns: Columns,
    *,
    sides: Iterable[Side],
    ids: Sequence[str],
    lines: Sequence[int],
) -> Batch | None:
    """Trades from columns of prices and sizes; None when a row of them is not quite plain."""
    if not all(map(all_plain, columns)):
        return None
    try:
        prices, sizes = (list(map(Decimal, column)) for column in columns)
    except InvalidOperation:
        return None
    if not all(prices) or not all(sizes):
        return None
    symbol, shown = wanted.symbol, times[1] if wanted.order is Order.RECEIVED else times[0]
    events: list[RecordedEvent] = [
        MarketTrade(
            symbol=symbol,
            received_at=at,
            exchange_time=time,
            price=price,
            size=size,
            taker_side=side,
            trade_id=trade_id,
        )
        for at, time, price, size, side, trade_id in zip(shown, times[0], prices, sizes, sides, ids, strict=True)
    ]
    return Batch(events, lines)


def traded(field: str, value: object) -> Decimal:
    """A trade's price or size.

    Raises:
        MalformedFieldError: it is none; of zero it is told as such.
    """
    try:
        return positive(field, value)
    except MalformedFieldError as wrong:
        if is_zero(value):
            wrong.fault = Fault.ZERO_TRADE
        raise


def other_symbol(field: str, expected: str, found: object) -> MalformedFieldError:
    """The error about a row of another market."""
    return MalformedFieldError(field, repr(expected), found, _OTHER_SYMBOL, fault=Fault.OTHER_SYMBOL)


def _not_apart(bid: Decimal, ask: Decimal) -> MalformedFieldError:
    fault = Fault.CROSSED if bid > ask else Fault.LOCKED
    expected = f"below the ask price {ask} (the book is {fault})"
    return MalformedFieldError("bid price", expected, str(bid), fault=fault)
