"""How much of an account an exchange shows in one list. What is missing from a full list may be there all the same.

Exchanges cut lists of open orders and of own trades at some length, without a word, and some ask for fewer than they
allow unless told. ccxt says of many exchanges how long a list may be; where it does not, a list is taken for a full one
early: that costs a question more, and an order that is open is never taken for gone.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.amounts import entry
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange, ExchangeNames

LISTS_ALL_OPEN: Final = ExchangeNames({"binance", "bingx", "bitstamp", "deribit", "gemini", "kraken", "mexc"})
"""Exchanges that document a list of open orders without pages."""
CCXT_ASKS_FOR: Final = ByExchange({"coinbase": 100})
"""How many open orders ccxt asks for where it is not told."""
UNTOLD_OPEN: Final = 50
"""From how many open orders on a list is a full one where nobody says how long it may be."""
FULL_TRADES: Final = ByExchange({"coinbase": 100, "kraken": 50, "kucoin": 50})
"""From how many own trades on a list is a full one, where ccxt says more or nothing."""
ASKED_TRADES: Final = ByExchange({"kucoin": 100})
"""How many own trades are asked for where ccxt passes that on and does not say how many are allowed. One of KuCoin's
three lists heeds nothing and shows fifty."""
OFFSETS: Final = ByExchange({"kraken": "ofs"})
"""The parameter for how many of the latest own trades to leave out, where an exchange has pages that ccxt passes on."""
MILLISECONDS: Final = ExchangeNames(
    {
        "binance", "bingx", "bitget", "bybit", "coinbase", "cryptocom", "htx", "hyperliquid", "kucoin",
        "mexc", "okx",
    }
)  # fmt: skip
"""Exchanges to which ccxt gives the times of a stretch to the millisecond. Others know whole seconds alone."""
UNTOLD_TRADES: Final = 20
"""The same, where nobody says it. An exchange that is not told how many shows ten to five hundred."""
FILTERED_BY_CCXT: Final = ExchangeNames({"hyperliquid", "kraken"})
"""Exchanges that list own trades of the whole account, of which ccxt shows one market's: how long the list was is seen
only where all of them are asked for."""


@frozen
class Page:
    """A list as it is asked for.

    Args:
        limit: how many entries are asked for; None leaves it to the exchange.
        full_at: from how many entries on there may be more; None where the list is always all.
    """

    limit: int | None
    full_at: int | None

    def may_go_on(self, answer: object) -> bool:
        """Whether an answer may lack entries: it is a full list, or none at all."""
        if not isinstance(answer, list):
            return True
        return self.full_at is not None and len(answer) >= self.full_at


def page_of_open_orders(exchange: Any) -> Page:
    """How an exchange object of ccxt's is asked for open orders."""
    declared = _declared(exchange, "fetchOpenOrders")
    if declared is None and exchange.id in LISTS_ALL_OPEN:
        return Page(limit=None, full_at=None)
    return Page(limit=declared, full_at=declared or CCXT_ASKS_FOR.get(exchange.id, UNTOLD_OPEN))


def page_of_own_trades(exchange: Any) -> Page:
    """How an exchange object of ccxt's is asked for own trades."""
    declared = _declared(exchange, "fetchMyTrades")
    limit = declared or ASKED_TRADES.get(exchange.id)
    return Page(limit=limit, full_at=FULL_TRADES.get(exchange.id, limit or UNTOLD_TRADES))


def unit_of_own_trades(exchange: Any) -> int:
    """The shortest stretch that can be asked for, milliseconds."""
    return 1 if exchange.id in MILLISECONDS else 1_000


def days_of_own_trades(exchange: Any) -> float | None:
    """How many days one question for own trades may span; None for any."""
    days = entry(_features(exchange, "fetchMyTrades"), "untilDays")
    return float(days) if isinstance(days, (int, float)) and not isinstance(days, bool) and days > 0 else None


def check_room(exchange: Any, symbol: str, most_orders: int) -> None:
    """Refuse settings whose orders alone could fill a list of open orders: the books could never be compared then.

    Raises:
        SettingsError: they could.
    """
    full_at = page_of_open_orders(exchange).full_at
    if full_at is not None and most_orders >= full_at:
        expected = f"below {full_at}: a list of open orders that {exchange.id} gives of {symbol} may end there"
        remedy = "Write fewer: what is missing from a full list may be open all the same."
        raise SettingsError("strategy.max_live_orders", expected, most_orders, remedy)


def _declared(exchange: Any, method: str) -> int | None:
    limit = entry(_features(exchange, method), "limit")
    return limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None


def _features(exchange: Any, method: str) -> Any:
    return entry(entry(getattr(exchange, "features", None), "spot"), method)
