"""Limits over all markets of an account, kept on every order, fill and mark.

Past ``max_exposure`` no quote that adds to the worst case is placed, and those that rest are cancelled, in every
market; quotes that reduce it, adjustments and wind-downs go on. A worst case that is not known is past any limit. Past
``max_loss`` all markets of the account stop for good.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from attrs import define, field
from loguru import logger

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import CancelOrder, OrderPurpose, PlaceOrder
from mm_fsm.runtime.account.books import AccountBooks
from mm_fsm.runtime.account.settings import AccountSettings

CANCEL_AGAIN_SECONDS: Final = 5.0
"""After so long an order that still rests is cancelled once more."""


@define(eq=False)
class AccountLimits:
    """What the markets of one account may do together, and what they do.

    Args:
        settings: the limits.
        on_loss: is told, once, that the account has lost what it may lose.
    """

    settings: AccountSettings
    on_loss: Callable[[str], None] | None = None
    stopped_because: str | None = field(default=None, init=False)
    """Why nothing but what reduces positions is placed any more."""
    is_over: bool = field(default=False, init=False)
    """Whether the worst case was past its limit when it was last looked at."""
    _books: dict[str, AccountBooks] = field(factory=dict, init=False)
    _exposures: dict[str, Decimal | None] = field(factory=dict, init=False)
    _results: dict[str, Decimal] = field(factory=dict, init=False)
    _cancelled: dict[tuple[str, str], int] = field(factory=dict, init=False)
    """Orders that were cancelled because of a limit, and when."""

    @property
    def exposure(self) -> Decimal | None:
        """All worst cases together, quote currency; None while one is not known, or where there is no such limit."""
        known = [each for each in self._exposures.values() if each is not None]
        has_all = self.settings.max_exposure is not None and len(known) == len(self._exposures)
        return sum(known, ZERO) if has_all else None

    @property
    def result(self) -> Decimal | None:
        """What all markets have earned, quote currency; None where there is no limit of loss."""
        return None if self.settings.max_loss is None else sum(self._results.values(), ZERO)

    def read(self, symbol: str, books: AccountBooks) -> None:
        """Count these books from now on."""
        self._books[symbol] = books
        self._look_at(symbol)

    def why_refused(self, order: PlaceOrder) -> str | None:
        """Which limit an order would pass; None where it passes none. It is in its market's books already."""
        if order.symbol in self._books:
            self._look_at(order.symbol)
        self._check_loss()
        if order.reduce_only or order.purpose is not OrderPurpose.QUOTE:
            return None
        if self.stopped_because is not None:
            return self.stopped_because
        why = self._why_over()
        return why if why is None or self._adds(order) else None

    def note_fact(self, symbol: str, now: int) -> tuple[CancelOrder, ...]:
        """A market has taken a fact: what has to leave the book because of it."""
        if symbol not in self._books or self.settings.max_exposure is self.settings.max_loss is None:
            return ()
        self._look_at(symbol)
        self._check_loss()
        was_over, why = self.is_over, self._why_over()
        self.is_over = why is not None
        if why is None:
            self._cancelled.clear()
            return ()
        if not was_over:
            logger.bind(reason=why).warning("account.quotes_cancelled")
        markets = (symbol,) if was_over else tuple(self._books)
        return tuple(cancel for each in markets for cancel in self._cancels(each, now))

    def _look_at(self, symbol: str) -> None:
        books = self._books[symbol]
        self._exposures[symbol] = None if self.settings.max_exposure is None else books.exposure
        self._results[symbol] = books.net_pnl

    def _why_over(self) -> str | None:
        limit = self.settings.max_exposure
        if limit is None:
            return None
        unknown = [symbol for symbol, exposure in self._exposures.items() if exposure is None]
        if unknown:
            return f"account.max_exposure: the worst case of {', '.join(unknown)} is not known, as there is no price"
        exposure = sum((each for each in self._exposures.values() if each is not None), ZERO)
        if exposure <= limit:
            return None
        return f"account.max_exposure: all markets together could reach {exposure.normalize():f}, {limit:f} is allowed"

    def _adds(self, order: PlaceOrder) -> bool:
        books = self._books.get(order.symbol)
        return books is None or books.adds(order)

    def _check_loss(self) -> None:
        limit = self.settings.max_loss
        if limit is None or self.stopped_because is not None:
            return
        result = sum(self._results.values(), ZERO)
        if -result >= limit:
            self.stopped_because = (
                f"account.max_loss: all markets together lost {-result.normalize():f}, {limit:f} is allowed"
            )
            logger.bind(reason=self.stopped_because).error("account.stopped")
            if self.on_loss is not None:
                self.on_loss(self.stopped_because)

    def _cancels(self, symbol: str, now: int) -> list[CancelOrder]:
        again_after = nanoseconds(CANCEL_AGAIN_SECONDS)
        due = [
            order
            for order in self._books[symbol].adding_quotes
            if now - self._cancelled.get((symbol, order.client_order_id), now - again_after) >= again_after
        ]
        self._cancelled.update(((symbol, order.client_order_id), now) for order in due)
        return [
            CancelOrder(symbol=symbol, client_order_id=order.client_order_id, venue_order_id=order.venue_order_id)
            for order in due
        ]
