"""What an error of ccxt's says about the request that met it: one table, and nothing else reads vendor errors.

An error is known by its exchange and the code in the answer's body, else by its exchange and the names of its classes,
else by these names alone, the nearest first. Its words are not searched for a code: they may hold an address with an id
of ours. Where an exchange has no codes, a whole sentence of its own names the reason of a refusal. What the table does
not say is unknown: a time-out, a dropped connection, a 5xx or a torn body leaves a live
order as often as not.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from json import JSONDecoder
from types import MappingProxyType
from typing import Any, Final

from mm_fsm.core.messages import RejectionCode
from mm_fsm.venues.ccxt_venue.amounts import entry
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange


class Outcome(StrEnum):
    """What is known of a request that met an error."""

    REFUSED = "refused"
    """The exchange refused it: it had no effect."""
    NOT_FOUND = "not_found"
    """There is no such order in the exchange's book: it may have filled, or never have come."""
    SUSPENDED = "suspended"
    """The exchange takes no request for a while: it had no effect."""
    ORDERS_SUSPENDED = "orders_suspended"
    """The exchange takes no new order for a while, but cancels and questions: it had no effect."""
    UNKNOWN = "unknown"
    """Nobody knows. Go and look."""


OUTCOMES: Final[Mapping[str, tuple[Outcome, RejectionCode]]] = MappingProxyType(
    {
        "OrderImmediatelyFillable": (Outcome.REFUSED, RejectionCode.POST_ONLY),
        "InsufficientFunds": (Outcome.REFUSED, RejectionCode.INSUFFICIENT_FUNDS),
        "OrderNotFound": (Outcome.NOT_FOUND, RejectionCode.OTHER),
        "OrderNotCached": (Outcome.NOT_FOUND, RejectionCode.OTHER),
        "DuplicateOrderId": (Outcome.UNKNOWN, RejectionCode.DUPLICATE),
        "OrderNotFillable": (Outcome.REFUSED, RejectionCode.OTHER),
        "ContractUnavailable": (Outcome.REFUSED, RejectionCode.NOT_TRADING),
        "InvalidOrder": (Outcome.REFUSED, RejectionCode.FILTER),
        "MarketClosed": (Outcome.REFUSED, RejectionCode.NOT_TRADING),
        "RestrictedLocation": (Outcome.REFUSED, RejectionCode.NOT_PERMITTED),
        "ManualInteractionNeeded": (Outcome.REFUSED, RejectionCode.NOT_PERMITTED),
        "OperationRejected": (Outcome.REFUSED, RejectionCode.OTHER),
        "AuthenticationError": (Outcome.REFUSED, RejectionCode.NOT_PERMITTED),
        "BadSymbol": (Outcome.REFUSED, RejectionCode.FILTER),
        "BadRequest": (Outcome.REFUSED, RejectionCode.FILTER),
        "ArgumentsRequired": (Outcome.REFUSED, RejectionCode.OTHER),
        "NotSupported": (Outcome.REFUSED, RejectionCode.OTHER),
        "InvalidAddress": (Outcome.REFUSED, RejectionCode.OTHER),
        "InvalidProxySettings": (Outcome.REFUSED, RejectionCode.OTHER),
        "ChecksumError": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "InvalidNonce": (Outcome.REFUSED, RejectionCode.CLOCK),
        "DDoSProtection": (Outcome.SUSPENDED, RejectionCode.RATE_LIMIT),
        "RateLimitExceeded": (Outcome.SUSPENDED, RejectionCode.RATE_LIMIT),
        "OnMaintenance": (Outcome.UNKNOWN, RejectionCode.NOT_TRADING),
        "ExchangeNotAvailable": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "RequestTimeout": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "NetworkError": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "NullResponse": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "BadResponse": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "CancelPending": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "ExchangeClosedByUser": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "OperationFailed": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "ExchangeError": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "UnsubscribeError": (Outcome.UNKNOWN, RejectionCode.OTHER),
        "BaseError": (Outcome.UNKNOWN, RejectionCode.OTHER),
    }
)
"""Outcome, and the reason that a refused placement is given; by class.

ccxt's ``OrderNotFillable`` is of orders that met nobody, of quotes that met somebody, and of malformed ones: only an
exchange whose codes or whose use of it tell these apart says more than that it refused.
"""

_NOT_FILLED: Final = (Outcome.REFUSED, RejectionCode.NOT_FILLED)
_POST_ONLY: Final = (Outcome.REFUSED, RejectionCode.POST_ONLY)
OUTCOMES_AT: Final[ByExchange[Mapping[str, tuple[Outcome, RejectionCode]]]] = ByExchange(
    {
        "binance": {
            "-1015": (Outcome.ORDERS_SUSPENDED, RejectionCode.RATE_LIMIT),
            "-2020": _NOT_FILLED,
            "-5021": _NOT_FILLED,
            "-5022": _POST_ONLY,
        },
        "bybit": {"170218": _POST_ONLY},
        "cryptocom": {"43003": _NOT_FILLED, "43004": _NOT_FILLED},
        "deribit": {"11054": _POST_ONLY},
        "krakenfutures": {"OrderNotFillable": _NOT_FILLED},
    }
)
"""The same by exchange, and code or class there."""
SENTENCES: Final[ByExchange[Mapping[str, RejectionCode]]] = ByExchange(
    {
        "hyperliquid": {
            "Order could not immediately match against any resting orders": RejectionCode.NOT_FILLED,
            "Post only order would have immediately matched": RejectionCode.POST_ONLY,
        },
    }
)
"""Why a placement was refused, by exchange and a sentence that it alone writes: where it answers without a code."""

_DUPLICATE: Final = "duplicate"
"""In the message of an error whose class says something else, such as InvalidOrder "Duplicate order sent"."""


SUSPENSIONS: Final = frozenset({Outcome.SUSPENDED, Outcome.ORDERS_SUSPENDED})
"""Outcomes after which some requests have to wait until the time that the exchange named."""


def outcome_of(
    error: BaseException, *, exchange: str = "", is_retry_told: bool = False
) -> tuple[Outcome, RejectionCode]:
    """What ``error`` says of its request.

    Args:
        error: as ccxt raised it.
        exchange: as ccxt names it.
        is_retry_told: whether the answer said when to ask again. Only then was it surely turned away at the door.
    """
    kinds = [kind.__name__ for kind in type(error).__mro__]
    at_exchange = OUTCOMES_AT.get(exchange, {})
    said = [at_exchange[name] for name in (_code_of(error), *kinds) if name in at_exchange]
    said += [OUTCOMES[name] for name in kinds if name in OUTCOMES]
    outcome, code = said[0] if said else OUTCOMES["BaseError"]
    if outcome is Outcome.REFUSED:
        text = str(error)
        code = next((why for sentence, why in SENTENCES.get(exchange, {}).items() if sentence in text), code)
    if outcome is Outcome.REFUSED and _DUPLICATE in str(error).lower():
        return Outcome.UNKNOWN, RejectionCode.DUPLICATE
    if outcome in SUSPENSIONS and not is_retry_told:
        return Outcome.UNKNOWN, code
    return outcome, code


def _code_of(error: BaseException) -> str:
    """The code in the JSON body with which ccxt ends an error's words; empty where there is none."""
    text = str(error)
    start = text.find("{")
    try:
        body, _ = JSONDecoder().raw_decode(text, start) if start >= 0 else (None, 0)
    except ValueError:
        return ""
    places = ((body, "code"), (body, "retCode"), (entry(body, "error"), "code"))
    return next((str(code) for inside, name in places if (code := entry(inside, name)) is not None), "")


def is_clock_error(error: BaseException) -> bool:
    """Whether the exchange's clock and ours differ by more than it allows."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return "InvalidNonce" in names and "ChecksumError" not in names


def retry_after_seconds(exchange: Any) -> float | None:
    """How long the last answer says to wait. Read it in the ``except`` itself: the next answer replaces it."""
    return retry_after(getattr(exchange, "last_response_headers", None))


def retry_after(headers: object) -> float | None:
    """How long an answer's headers say to wait, seconds; None where they say nothing."""
    if not isinstance(headers, Mapping):
        return None
    for name, value in headers.items():
        if str(name).lower() == "retry-after" and str(value).replace(".", "", 1).isdigit():
            return float(value)
    return None
