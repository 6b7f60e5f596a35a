"""Why the exchange refuses, in Binance's codes, messages and HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mm_fsm.errors import MarketMakerError


class RefusedError(MarketMakerError):
    """A request is refused.

    Args:
        code: the exchange's error code.
        message: its message.
        status: HTTP status.
        headers: of the answer, besides the usual ones.
        extra: fields of the answer's body, besides code and message.
    """

    def __init__(
        self,
        code: int,
        message: str,
        status: int = 400,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        super().__init__(f"{status} {code}: {message}")

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        return {"code": self.code, "msg": self.message, **self.extra}


def filter_failure(name: str) -> RefusedError:
    """An order is off the market's rules."""
    return RefusedError(-1013, f"Filter failure: {name}")


def missing(parameter: str) -> RefusedError:
    """A parameter is not there or cannot be read."""
    return RefusedError(-1102, f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.")


def insufficient_funds() -> RefusedError:
    """The free balance does not cover an order."""
    return RefusedError(-2010, "Account has insufficient balance for requested action.")


def would_take() -> RefusedError:
    """A post-only order crosses the book."""
    return RefusedError(-2010, "Order would immediately match and take.")


def suspended(status: int, retry_after: float) -> RefusedError:
    """Too much was asked: 429, or 418 for who went on.

    Args:
        status: 429 or 418.
        retry_after: seconds.
    """
    message = "Too much request weight used; please use the websocket for live updates."
    if status == 418:  # noqa: PLR2004 - the HTTP status of a ban
        message = f"Way too much request weight used; IP banned for {retry_after:.0f} seconds."
    return RefusedError(-1003, message, status, headers={"Retry-After": str(max(1, round(retry_after + 0.5)))})


UNKNOWN_SYMBOL = (-1121, "Invalid symbol.")
UNKNOWN_ORDER_TO_CANCEL = (-2011, "Unknown order sent.")
UNKNOWN_ORDER = (-2013, "Order does not exist.")
DUPLICATE_ORDER = (-2010, "Duplicate order sent.")
NOT_PERMITTED = (-2015, "Invalid API-key, IP, or permissions for action.")
