"""The feed is alive."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class Heartbeat(VenueFact):
    """The feed is alive and the last book still stands: a quiet market, not a dead feed."""

    streams: ClassVar[bool] = True

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Confirm the last book; a heartbeat cannot stand in for one."""
        if context.market.has_book and not context.market.late_books_in_a_row:
            context.market.confirm(self.received_at)
