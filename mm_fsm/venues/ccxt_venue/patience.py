"""A start that meets an exchange in trouble tries again for a while; what cannot pass is refused at once.

ccxt says which is which: an ``OperationFailed`` (a 5xx, a time-out, a dropped connection, maintenance, a ban) may pass,
an ``ExchangeError`` (a wrong key, a missing permission, an unknown market) will not. A clock that is wrong does not set
itself either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from loguru import logger

from mm_fsm.errors import VenueError
from mm_fsm.venues.ccxt_venue.outcomes import is_clock_error, retry_after
from mm_fsm.venues.ccxt_venue.streams import StreamError

OPENING_SECONDS: Final = 60.0
"""How long a start tries again, unless settings say so."""
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
_Opened = TypeVar("_Opened")


class NotOpenedError(VenueError):
    """An exchange cannot be reached now, and that may pass."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds for which the exchange takes no request; None where it has not said so."""


class RetryAfter:
    """The longest wait that the answers to an exchange object's requests ask for. Many are under way at once.

    Args:
        exchange: listened to from now on.
    """

    def __init__(self, exchange: Any) -> None:
        self.seconds: float | None = None
        """None where no answer has asked for one."""
        answered_as_ccxt = exchange.on_rest_response

        def answered(code: Any, reason: Any, url: Any, method: Any, headers: Any, *rest: Any) -> Any:
            told = retry_after(headers)
            if told is not None:
                self.seconds = max(told, self.seconds or 0.0)
            return answered_as_ccxt(code, reason, url, method, headers, *rest)

        exchange.on_rest_response = answered


def may_pass(error: BaseException) -> bool:
    """Whether another attempt may succeed although nobody has changed anything."""
    names = [kind.__name__ for kind in type(error).__mro__]
    if names[0] == "ExchangeError":  # ccxt's word for a body that broke off; the exchange has said nothing
        return "ClientError" in {kind.__name__ for kind in type(error.__cause__).__mro__}
    return isinstance(error, StreamError | TimeoutError) or ("OperationFailed" in names and not is_clock_error(error))


async def opened_in_time(attempt: Callable[[], Awaitable[_Opened]], seconds: float, name: str) -> _Opened:
    """What ``attempt`` opens, tried again with growing pauses, never before the exchange says, for so many seconds.

    Raises:
        VenueError: it cannot be opened, or not in time.
    """
    loop = asyncio.get_running_loop()
    began, pause = loop.time(), FIRST_PAUSE_SECONDS
    while True:
        try:
            return await attempt()
        except NotOpenedError as error:
            tried, wait = loop.time() - began, max(pause, error.retry_after or 0.0)
            if tried + wait > seconds:
                told = (
                    "" if error.retry_after is None else f" The exchange takes no request for {error.retry_after:g} s."
                )
                raise VenueError(f"{error}{told} It was tried for {tried:.1f} s of {seconds:g}.") from None
            doing, left = f"tried again in {wait:.1f} s", f"{seconds - tried:.0f} s"
            logger.bind(exchange=name, reason=str(error), doing=doing, gives_up_in=left).warning("venue.not_opened")
        await asyncio.sleep(wait)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
