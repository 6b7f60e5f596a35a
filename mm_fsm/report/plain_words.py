"""Why a side of the book has no quote, in words that need no documentation."""

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
        HoldReason.REQUESTS_SUSPENDED: "the venue takes no requests for a while",
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
        HoldReason.ORDERS_IN_FLIGHT: "a request awaits the venue's answer",
        HoldReason.ADJUSTING_INVENTORY: "the position is being reduced",
        HoldReason.STOPPING: "the session is stopping",
        HoldReason.FAULT: "a fault stopped trading",
        HoldReason.COMPLETED: "the session has ended",
        HoldReason.CUSTOM: "a service or machine of yours holds it",
    }
)
"""A clause for each reason."""

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
