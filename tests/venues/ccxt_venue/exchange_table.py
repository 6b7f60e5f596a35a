"""What the pinned ccxt says that each exchange can do, what this venue makes of it, and which tests cover it.

``python docs/site/written_parts.py exchanges`` puts it into its page.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import ccxt.pro

from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.account import CANCELS_BY_CLIENT_ID, FINDS_BY_CLIENT_ID, HAS_SWITCH
from mm_fsm.venues.ccxt_venue.by_exchange import ExchangeNames
from mm_fsm.venues.ccxt_venue.client_ids import RULES, ClientIds
from mm_fsm.venues.ccxt_venue.deadlines import DEADLINES
from mm_fsm.venues.ccxt_venue.inspection import PERMISSION_ENDPOINTS
from mm_fsm.venues.ccxt_venue.library import lineage
from mm_fsm.venues.ccxt_venue.market_rules import read_instrument
from mm_fsm.venues.ccxt_venue.pages import page_of_open_orders
from mm_fsm.venues.ccxt_venue.streams import News, source_of
from mm_fsm.venues.ccxt_venue.usage import COUNTED
from tests.venues.ccxt_venue.raw_samples import ORDERS
from tests.venues.ccxt_venue.raw_streams import ORDER_NEWS

TABLES: Final = (
    RULES,
    ExchangeNames(ORDERS),
    FINDS_BY_CLIENT_ID,
    CANCELS_BY_CLIENT_ID,
    HAS_SWITCH,
    COUNTED,
    DEADLINES,
    PERMISSION_ENDPOINTS,
)
"""Every table of the venue that names exchanges."""
EXCHANGES: Final = tuple(name for name in sorted(ccxt.pro.exchanges) if any(name in table for table in TABLES))
REHEARSED: Final = frozenset({"binance"})
"""Those that a test trades at: the rehearsal exchange answers as this one does."""
COLUMNS: Final = (
    "exchange",
    "books",
    "own orders",
    "own trades",
    "an order is found by our id",
    "cancelled by our id",
    "open orders on a list",
    "switch",
    "counters",
    "late orders refused by",
    "permissions",
    "sandbox",
    "tests",
)
SYMBOL: Final = "BASE/QUOTE"


def refusal(exchange: Any) -> SettingsError | None:
    """Why the venue refuses a market of this exchange that has every rule; None where it trades it."""
    market = {
        "spot": bool(exchange.has["spot"]),
        "type": "spot" if exchange.has["spot"] else "contract",
        "base": "BASE",
        "quote": "QUOTE",
        "precision": {"price": "1", "amount": "1"},
    }
    exchange.markets = {SYMBOL: market}
    try:
        read_instrument(exchange, SYMBOL)
        ClientIds(exchange.id, frozenset({"mm"}))
    except SettingsError as error:
        return error
    return None


def tests_of(name: str) -> str:
    """What of this exchange a test covers."""
    if lineage(name)[1:]:
        return f"those of {lineage(name)[1]}"
    kinds = {
        "ids": name in RULES,
        "parsers": name in ORDERS,
        "streams": name in ORDER_NEWS,
        "**traded**": name in REHEARSED,
    }
    return ", ".join(kind for kind, is_there in kinds.items() if is_there) or "none"


def late_orders_refused_by(exchange: Any) -> str:
    """How the exchange knows that a placement reaches it too late."""
    if exchange.id in DEADLINES:
        return "a time in the request"
    return "a window" if "recvWindow" in exchange.options else "us alone"


def yes(answer: object) -> str:
    """In a word."""
    return "yes" if answer else "no"


def cells(name: str) -> tuple[str, ...]:
    """One row of the table."""
    exchange = getattr(ccxt.pro, name)()
    refused = refusal(exchange)
    if refused is not None:
        words = f"refused: it lacks {refused.expected}"
        return (name, words, *([""] * (len(COLUMNS) - 3)), tests_of(name))
    return (
        name,
        *(source_of(exchange, news) for news in (News.BOOKS, News.OWN_ORDERS, News.OWN_TRADES)),
        "yes" if name in FINDS_BY_CLIENT_ID else "in lists",
        yes(name in CANCELS_BY_CLIENT_ID),
        str(page_of_open_orders(exchange).full_at or "all"),
        *(yes(name in each) for each in (HAS_SWITCH, COUNTED)),
        late_orders_refused_by(exchange),
        yes(name in PERMISSION_ENDPOINTS),
        yes(exchange.urls.get("test")),
        tests_of(name),
    )


def table() -> str:
    """The whole table."""
    head = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"
    return "\n".join((head, *(f"| {' | '.join(cells(name))} |" for name in EXCHANGES)))


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
