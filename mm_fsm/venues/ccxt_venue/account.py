"""What the venue's parts share of one account: the exchange object for requests, its clock, its orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.facts import RequestsSuspended
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.messages import RejectionCode
from mm_fsm.errors import VenueError
from mm_fsm.venues.ccxt_venue.by_exchange import ExchangeNames
from mm_fsm.venues.ccxt_venue.keys import Keys
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket, VenueClock
from mm_fsm.venues.ccxt_venue.outcomes import SUSPENSIONS, Outcome, is_clock_error, outcome_of, retry_after_seconds
from mm_fsm.venues.ccxt_venue.own_orders import OwnOrderNews
from mm_fsm.venues.ccxt_venue.own_trades import OwnTradeNews

FINDS_BY_CLIENT_ID: Final = ExchangeNames({"binance", "okx", "kucoin", "gate", "bitget", "mexc", "htx", "hyperliquid"})
"""Exchanges where ccxt's fetch_order finds an order by the client's own id."""
HAS_SWITCH: Final = ExchangeNames({"okx", "kraken", "woo", "bingx"})
"""Exchanges with a countdown for the whole spot account that cancels everything: a dead man's switch. Elsewhere ccxt's
call fires on a disconnect, is for other markets, or cannot be disarmed."""
CANCELS_BY_CLIENT_ID: Final = ExchangeNames(
    {"binance", "okx", "bybit", "kraken", "kucoin", "bitget", "mexc", "htx", "bitfinex", "bingx", "woo"}
)
"""Exchanges where ccxt's cancel_order takes the client's own id."""
FIRST_UNTOLD_SECONDS: Final = 2.0
LONGEST_UNTOLD_SECONDS: Final = 60.0
"""How long orders and questions are held back by a limit whose end the exchange does not say: at first, and at most."""


@define(eq=False)
class Account:
    """One account of one exchange."""

    name: str
    """The exchange, as ccxt names it."""
    exchange: Any
    """For orders and questions; its throttle is off."""
    keys: Keys
    clock: VenueClock
    orders: OwnOrderNews
    trades: OwnTradeNews
    markets: Mapping[str, LiveMarket]
    on_clock_error: Callable[[], None] = lambda: None
    """Called when the exchange refuses a request because of its time."""
    suspended_until: int = field(default=0, init=False)
    """Host time before which the exchange takes no request, nanoseconds."""
    orders_suspended_until: int = field(default=0, init=False)
    """Host time before which it takes no new order."""
    _untold_pause: float = field(default=FIRST_UNTOLD_SECONDS, init=False)
    _untold_until: int = field(default=0, init=False)
    """End of the last pause after a limit whose end was not said."""

    @property
    def suspension_seconds(self) -> float:
        """How long the exchange takes no request."""
        return max(seconds(self.suspended_until - self.clock.now()), 0.0)

    @property
    def order_suspension_seconds(self) -> float:
        """How long the exchange takes no new order."""
        until = max(self.orders_suspended_until, self.suspended_until)
        return max(seconds(until - self.clock.now()), 0.0)

    def check_not_suspended(self) -> None:
        """Ask nothing in a ban: it would be refused, and lengthen it.

        Raises:
            VenueError: the exchange takes no request at present.
        """
        if self.suspension_seconds:
            raise VenueError(f"{self.name}: not asked: it takes no request for {self.suspension_seconds:.1f} s")

    def judge(self, error: BaseException, exchange: Any = None) -> tuple[Outcome, RejectionCode]:
        """What an error says of its request. Call it in the ``except``, before anything is awaited.

        ``exchange`` is the object that asked, where that is another one than for orders and questions.
        """
        wait = retry_after_seconds(self.exchange if exchange is None else exchange)
        outcome, code = outcome_of(error, exchange=self.name, is_retry_told=wait is not None)
        if outcome in SUSPENSIONS and wait is not None:
            takes_cancels = outcome is Outcome.ORDERS_SUSPENDED
            what = "new order" if takes_cancels else "request"
            self._suspend(wait, f"{self.name} takes no {what} for {wait:g} s", takes_cancels=takes_cancels)
        elif code is RejectionCode.RATE_LIMIT:
            self._pause_untold()
        if is_clock_error(error):
            self.on_clock_error()
        return outcome, code

    def reason(self, error: BaseException) -> str:
        """An error in words, without keys."""
        return self.keys.scrub(f"{type(error).__name__}: {error}")

    def _pause_untold(self) -> None:
        """The exchange was asked too often, and does not say until when: twice as long where that follows the last."""
        now = self.clock.now()
        if now < self._untold_until:
            return  # asked before the pause began
        is_again = self._untold_until and now < self._untold_until + nanoseconds(self._untold_pause)
        longer = min(2 * self._untold_pause, LONGEST_UNTOLD_SECONDS)
        self._untold_pause = longer if is_again else FIRST_UNTOLD_SECONDS
        self._untold_until = now + nanoseconds(self._untold_pause)
        said = f"{self.name} was asked too often, and does not say until when"
        self._suspend(self._untold_pause, f"{said}: {self._untold_pause:g} s", takes_cancels=True)

    def _suspend(self, wait: float, reason: str, *, takes_cancels: bool) -> None:
        """The exchange takes no request for so many seconds: say so once, unless it takes longer than was said."""
        until = self.clock.now() + nanoseconds(wait)
        before = self.orders_suspended_until if takes_cancels else self.suspended_until
        self.orders_suspended_until = max(self.orders_suspended_until, until)
        if not takes_cancels:
            self.suspended_until = max(self.suspended_until, until)
        if until <= before + nanoseconds(1.0):
            return
        for market in self.markets.values():
            market.tell(
                RequestsSuspended(
                    received_at=self.clock.now(),
                    symbol=market.symbol,
                    until=until,
                    reason=reason,
                    takes_cancels=takes_cancels,
                )
            )
