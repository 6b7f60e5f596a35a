"""Why a side of the book has no quote, and what is done about it, in words that need no documentation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mm_fsm.core.decisions import HoldReason

WHY_HELD: Final[Mapping[HoldReason, str]] = MappingProxyType(
    {
        HoldReason.NOT_STARTED: "the session has not begun",
        HoldReason.WARMING_UP: "volatility is still being measured",
        HoldReason.WAITING_FOR_BALANCES: "the venue has not reported balances",
        HoldReason.RECONCILING: "own books are being compared with the venue's",
        HoldReason.ACCOUNT_FEED_LOST: "news of own orders does not arrive",
        HoldReason.REQUESTS_SUSPENDED: "the venue takes no new orders for a while",
        HoldReason.OPERATOR_PAUSED: "an operator paused quoting",
        HoldReason.NO_MARKET_DATA: "no market data has arrived",
        HoldReason.STALE_DATA: "market data is too old",
        HoldReason.ONE_SIDED_BOOK: "a side of the market's book is empty",
        HoldReason.UNSOUND_BOOK: "the market's book makes no sense",
        HoldReason.CROSSED_BOOK: "the market's book is crossed",
        HoldReason.MARKET_SPREAD: "the market's spread is too wide",
        HoldReason.TRADING_HALTED: "the venue has halted trading",
        HoldReason.INVENTORY_LIMIT: "the position is at its limit",
        HoldReason.FUNDS: "the funds do not suffice",
        HoldReason.BELOW_MINIMUM: "the order is below the venue's minimum",
        HoldReason.ADVERSE_SELECTION: "recent fills were followed by losses",
        HoldReason.POST_ONLY_REJECTIONS: "the venue rejected post-only orders repeatedly",
        HoldReason.REJECTED_BY_VENUE: "the venue rejected the order",
        HoldReason.UNKNOWN_ORDER: "the outcome of an order is unknown",
        HoldReason.BAD_MESSAGE: "a message of the venue was refused",
        HoldReason.RISK: "a risk limit refuses the order",
        HoldReason.ORDERS_IN_FLIGHT: "the venue's answer is awaited",
        HoldReason.ADJUSTING_INVENTORY: "the position is being reduced",
        HoldReason.STOPPING: "the session is stopping",
        HoldReason.FAULT: "a fault stopped trading",
        HoldReason.COMPLETED: "the session has ended",
        HoldReason.CUSTOM: "a service or machine of yours holds it",
    }
)
"""A clause for each reason."""

_GOES_ON: Final = "quotes are cancelled; quoting goes on once the market's book is sound"
_TRIED_AGAIN: Final = "it is tried again after a pause"

WHAT_IS_DONE: Final[Mapping[HoldReason, str]] = MappingProxyType(
    {
        HoldReason.WAITING_FOR_BALANCES: "they are asked for until they come",
        HoldReason.RECONCILING: "open orders, own trades and balances are asked for until all agree; then it quotes",
        HoldReason.ACCOUNT_FEED_LOST: "quotes are cancelled, connections built anew, then own books are compared",
        HoldReason.REQUESTS_SUSPENDED: "orders and questions wait for its end; cancels leave as soon as they are taken",
        HoldReason.OPERATOR_PAUSED: "quotes are cancelled; mm-fsm resume lets it go on",
        HoldReason.NO_MARKET_DATA: "it waits for the first whole book",
        HoldReason.STALE_DATA: "quotes are cancelled; quoting goes on with fresh data",
        HoldReason.ONE_SIDED_BOOK: _GOES_ON,
        HoldReason.UNSOUND_BOOK: _GOES_ON,
        HoldReason.CROSSED_BOOK: _GOES_ON,
        HoldReason.MARKET_SPREAD: _GOES_ON,
        HoldReason.TRADING_HALTED: "quotes are cancelled; quoting goes on when trading does",
        HoldReason.INVENTORY_LIMIT: "only the side that reduces the position is quoted",
        HoldReason.FUNDS: _TRIED_AGAIN,
        HoldReason.ADVERSE_SELECTION: "it waits, and quotes again when its time is over",
        HoldReason.POST_ONLY_REJECTIONS: _TRIED_AGAIN,
        HoldReason.REJECTED_BY_VENUE: _TRIED_AGAIN,
        HoldReason.UNKNOWN_ORDER: "it is looked for by its id, in open orders and in own trades; its side waits",
        HoldReason.BAD_MESSAGE: "the venue is asked for what it should have said",
        HoldReason.RISK: "it is tried again with the next quotes",
        HoldReason.FAULT: "all orders are cancelled until that is confirmed; then it recovers, or winds down",
        HoldReason.CUSTOM: "it quotes again once that lets it",
    }
)
"""A clause for each reason that is something wrong; the others pass by themselves, or are nobody's fault."""

_WHEN_PAUSE_IS_OVER: Final = "when its pause is over"

ENDS_WHEN: Final[Mapping[HoldReason, str]] = MappingProxyType(
    {
        HoldReason.NOT_STARTED: "when the session begins",
        HoldReason.WARMING_UP: "when there is enough data for every estimate that prices need",
        HoldReason.WAITING_FOR_BALANCES: "when the venue has reported them",
        HoldReason.RECONCILING: "when open orders, own trades and balances agree with the venue's",
        HoldReason.ACCOUNT_FEED_LOST: "when that news arrives again, and own books agree with the venue's",
        HoldReason.REQUESTS_SUSPENDED: "when the venue takes orders again",
        HoldReason.OPERATOR_PAUSED: "when an operator resumes it: mm-fsm resume",
        HoldReason.NO_MARKET_DATA: "with the first whole book",
        HoldReason.STALE_DATA: "with fresh data",
        HoldReason.ONE_SIDED_BOOK: "when both sides of the book have orders",
        HoldReason.UNSOUND_BOOK: "when time, trades or depth confirm the book",
        HoldReason.CROSSED_BOOK: "when the best bid is below the best ask",
        HoldReason.MARKET_SPREAD: "when the spread is within max_market_spread_bps",
        HoldReason.TRADING_HALTED: "when the venue lets trading go on",
        HoldReason.INVENTORY_LIMIT: "when the position is within its limit",
        HoldReason.FUNDS: "when the balance suffices",
        HoldReason.BELOW_MINIMUM: "when size and price make the order as large as the minimum",
        HoldReason.ADVERSE_SELECTION: _WHEN_PAUSE_IS_OVER,
        HoldReason.POST_ONLY_REJECTIONS: _WHEN_PAUSE_IS_OVER,
        HoldReason.REJECTED_BY_VENUE: _WHEN_PAUSE_IS_OVER,
        HoldReason.UNKNOWN_ORDER: "when the venue has said what became of the order",
        HoldReason.BAD_MESSAGE: "when the venue's answer has settled what it should have said",
        HoldReason.RISK: "when the limit has room for the order",
        HoldReason.ORDERS_IN_FLIGHT: "with the venue's answer",
        HoldReason.ADJUSTING_INVENTORY: "when the position has been reduced",
        HoldReason.STOPPING: "never: the session ends",
        HoldReason.FAULT: "when it has recovered; never if it winds down or gives up",
        HoldReason.COMPLETED: "never: the session has ended",
        HoldReason.CUSTOM: "when whatever holds it lets it go",
    }
)
"""When each reason ends, besides the time at which its hold ends by itself, if it has one."""

SELF_EVIDENT: Final = frozenset(
    {
        HoldReason.NOT_STARTED,
        HoldReason.WARMING_UP,
        HoldReason.WAITING_FOR_BALANCES,
        HoldReason.NO_MARKET_DATA,
        HoldReason.ONE_SIDED_BOOK,
        HoldReason.TRADING_HALTED,
        HoldReason.UNKNOWN_ORDER,
        HoldReason.ORDERS_IN_FLIGHT,
        HoldReason.ADJUSTING_INVENTORY,
        HoldReason.COMPLETED,
    }
)
"""Reasons whose detail adds nothing to these words."""


def why_held(reason: HoldReason) -> str:
    """The clause for a reason. One without a clause is told by its name: what people read never ends a run."""
    return WHY_HELD.get(reason, reason.value.replace("_", " "))


def what_is_done(reason: HoldReason) -> str:
    """What is done about a reason; empty where nothing is wrong."""
    return WHAT_IS_DONE.get(reason, "")


def ends_when(reason: HoldReason) -> str:
    """When a reason ends."""
    return ENDS_WHEN[reason]
