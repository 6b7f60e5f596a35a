"""The CSV files of Binance's public data: ``bookTicker``, ``trades`` and ``aggTrades``, of futures and of spot.

Files have a header line or none, and times in milliseconds or, of spot from 2025 on, microseconds. The market stands in
the file's name, such as ``BTCUSDT-trades-2024-07-19.zip``. See https://github.com/binance/binance-public-data.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from mm_fsm.core.messages import Side
from mm_fsm.venues.recorded.fields import MalformedFieldError, exchange_time
from mm_fsm.venues.recorded.layout import RecordedEvent, RecordingInfo, Wanted
from mm_fsm.venues.recorded.making import level, make_book, make_trade, other_symbol, traded
from mm_fsm.venues.recorded.reading import Tally
from mm_fsm.venues.recorded.rows import CsvLayout, Judge, Row

_NAME: Final = re.compile(r"([A-Z0-9_]+)-(?:bookTicker|trades|aggTrades)\b")
_MICROSECOND_DIGITS: Final = 16
_LONGEST_STAMP: Final = 20
_BUYER_WAS_MAKER: Final = {"true": Side.ASK, "false": Side.BID}


class BinancePublicLayout(CsvLayout):
    """A file of one market, which the file's name says."""

    exchange: ClassVar[str] = "binance_usdm"
    stamp: ClassVar[str]
    """The column of the exchange's time."""
    time_field = "time"

    def described(self, row: Row) -> RecordingInfo:
        """What the name of the file and a row say."""
        time = _time(self.stamp, row[self.columns.index(self.stamp)])
        return RecordingInfo(exchange=self.exchange, symbol=self.symbol, first_time=time)

    @property
    def symbol(self) -> str:
        """The market's name at the exchange.

        Raises:
            RecordingError: neither the file's name nor anybody else says it.
        """
        named = _NAME.match(self.file.name)
        if named is not None:
            return named[1]
        if self.given_symbol is None:
            problem = "expected a name such as BTCUSDT-trades-2024-07-19.csv, for rows do not say their market."
            raise self.file.error(0, problem, "Rename the file, or name the market with --symbol.")
        return self.given_symbol

    def refuse_other_market(self, wanted: Wanted) -> None:
        """Refuse a row when the whole file is of another market.

        Raises:
            MalformedFieldError: it is.
        """
        if self.symbol != wanted.recorded_symbol:
            raise other_symbol("symbol", wanted.recorded_symbol, self.symbol)


class BinancePublicBooks(BinancePublicLayout):
    """Best bid and ask of a futures market."""

    kind = "binance-public bookTicker"
    has_books = True
    header: ClassVar[tuple[str, ...]] = (
        "update_id",
        "best_bid_price",
        "best_bid_qty",
        "best_ask_price",
        "best_ask_qty",
        "transaction_time",
        "event_time",
    )
    columns: ClassVar[tuple[str, ...]] = header[1:6]
    stamp = "transaction_time"

    def judge(self, wanted: Wanted, tally: Tally) -> Judge:
        """Make a book of each row."""

        def book_of(_line: int, row: Row) -> RecordedEvent:
            self.refuse_other_market(wanted)
            bid, bid_size, ask, ask_size, stamp = row
            time = _time(self.stamp, stamp)
            bids = level(bid, bid_size, "best_bid_price", "best_bid_qty")
            asks = level(ask, ask_size, "best_ask_price", "best_ask_qty")
            return make_book(wanted, time, time, bids, asks)

        return book_of


class BinancePublicTrades(BinancePublicLayout):
    """Public trades of a futures market."""

    kind = "binance-public trades"
    has_trades = True
    header: ClassVar[tuple[str, ...]] = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker")
    columns: ClassVar[tuple[str, ...]] = ("id", "price", "qty", "time", "is_buyer_maker")
    stamp = "time"

    def judge(self, wanted: Wanted, tally: Tally) -> Judge:
        """Make a trade of each row."""
        id_name, price_name, size_name, stamp_name, side_name = self.columns

        def trade_of(_line: int, row: Row) -> RecordedEvent:
            self.refuse_other_market(wanted)
            trade_id, price, size, stamp, buyer_was_maker = row
            if not trade_id.isdecimal():
                raise MalformedFieldError(id_name, "a whole number", trade_id)
            time = _time(stamp_name, stamp)
            exact_price, exact_size = traded(price_name, price), traded(size_name, size)
            taker_side = _BUYER_WAS_MAKER.get(buyer_was_maker.lower())
            if taker_side is None:
                raise MalformedFieldError(side_name, "true or false, whether the buyer was the maker", buyer_was_maker)
            return make_trade(
                wanted,
                (time, time),
                price=exact_price,
                size=exact_size,
                taker_side=taker_side,
                trade_id=trade_id,
            )

        return trade_of


class BinancePublicSpotTrades(BinancePublicTrades):
    """Public trades of a spot market."""

    kind = "binance-public spot-trades"
    exchange = "binance"
    header: ClassVar[tuple[str, ...]] = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker", "is_best_match")


class BinancePublicAggregates(BinancePublicTrades):
    """Trades of one taker at one price, of a futures market."""

    kind = "binance-public aggTrades"
    header: ClassVar[tuple[str, ...]] = (
        "agg_trade_id",
        "price",
        "quantity",
        "first_trade_id",
        "last_trade_id",
        "transact_time",
        "is_buyer_maker",
    )
    columns: ClassVar[tuple[str, ...]] = ("agg_trade_id", "price", "quantity", "transact_time", "is_buyer_maker")
    stamp = "transact_time"


class BinancePublicSpotAggregates(BinancePublicAggregates):
    """Trades of one taker at one price, of a spot market."""

    kind = "binance-public spot-aggTrades"
    exchange = "binance"
    header: ClassVar[tuple[str, ...]] = (*BinancePublicAggregates.header, "is_best_match")


def _time(name: str, stamp: str) -> int:
    if not stamp.isdecimal() or len(stamp) > _LONGEST_STAMP:
        raise MalformedFieldError(name, "whole milliseconds or microseconds since 1970", stamp)
    unit = "microseconds" if len(stamp) >= _MICROSECOND_DIGITS else "milliseconds"
    return exchange_time(name, int(stamp), unit)


def headerless(fields: list[str]) -> type[BinancePublicLayout] | None:
    """The kind of a file without header, by its first row; None when it is none of these."""
    booleans = [place for place, value in enumerate(fields) if value.lower() in _BUYER_WAS_MAKER]
    if not fields[0].isdecimal():
        return None
    return {
        (7, ()): BinancePublicBooks,
        (6, (5,)): BinancePublicTrades,
        (7, (5, 6)): BinancePublicSpotTrades,
        (7, (6,)): BinancePublicAggregates,
        (8, (6, 7)): BinancePublicSpotAggregates,
    }.get((len(fields), tuple(booleans)))
