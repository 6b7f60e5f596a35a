"""Every own trade of a stretch of time, in as many questions as that takes.

Some exchanges show the oldest trades of the stretch first, others the latest, and each cuts its list somewhere. So a
list that is full proves nothing beyond what it shows, in neither direction: its stretch is halved, and both halves are
asked for, until no list is full. A stretch that cannot be halved is asked for page by page where the exchange has
pages. What lies before a stretch that stays open is known: the next look begins there.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field, frozen

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.venues.ccxt_venue.pages import (
    FILTERED_BY_CCXT,
    OFFSETS,
    days_of_own_trades,
    page_of_own_trades,
    unit_of_own_trades,
)
from mm_fsm.venues.ccxt_venue.payloads import SeenTrade, is_wholly_read, read_trades

MOST_QUESTIONS: Final = 40
ALL: Final = 2**63
"""Stands for the end of time."""
SETTLED_MILLISECONDS: Final = 60_000
"""A list may lack a trade of the last moments. What was seen of them is asked for again."""
_DAY: Final = 86_400_000
_SECOND: Final = 1_000
"""Milliseconds."""


class UnansweredError(Exception):
    """The exchange's answer does not say what was asked."""


@frozen
class _Stretch:
    """Milliseconds of the exchange's time; ``end`` None: up to now, and whatever has happened since."""

    start: int
    end: int | None


@define(eq=False)
class _Search:
    """A look that goes on: what it has found since a time, milliseconds, and what it has still to ask for."""

    since: int
    latest: int
    stretches: list[_Stretch]
    """The earliest one last. Every trade before that one has been found."""
    found: dict[str, SeenTrade]
    questions: int = 0

    @property
    def covered(self) -> int | None:
        """The time before which no trade is missing, milliseconds; None for any time."""
        return self.stretches[-1].start if self.stretches else None

    def take(self, trades: list[SeenTrade]) -> None:
        """Keep trades. Their times are the exchange's, too: it may have said nothing later yet."""
        for trade in trades:
            self.found[trade.trade_id] = trade
            self.latest = max(self.latest, trade.exchange_time // NANOSECONDS_PER_MILLISECOND)

    def halves(self, stretch: _Stretch, unit: int) -> list[_Stretch]:
        """Both halves, the earlier one last; none of a stretch that is as short as can be."""
        end = self.latest if stretch.end is None else stretch.end
        middle = (stretch.start + end) // 2
        return self.cut(stretch, middle - middle % unit)

    def cut(self, stretch: _Stretch, middle: int) -> list[_Stretch]:
        """Both parts, the earlier one last; what happened at the cut is in both. None where that is no cut."""
        if not stretch.start < middle < (self.latest if stretch.end is None else stretch.end):
            return []
        return [_Stretch(middle, stretch.end), _Stretch(stretch.start, middle)]


@define(eq=False)
class OwnTradeLists:
    """Lists of own trades of one account.

    Args:
        exchange: for questions.
    """

    exchange: Any
    _unfinished: dict[str, _Search] = field(factory=dict, init=False)
    """Looks that have not found everything, by market."""

    async def since(self, symbol: str, since: int, latest: int) -> tuple[list[SeenTrade], int]:
        """Own trades of a market since a time of the exchange, and the time up to which that is all of them.

        A look that breaks off, or ends before everything is found, is gone on with by the next one.

        Args:
            symbol: of the market.
            since: nanoseconds.
            latest: the latest time that was heard of the exchange, nanoseconds.

        Raises:
            UnansweredError: what the exchange shows does not say which trades there are.
            Exception: what ccxt raises.
        """
        begin = since // NANOSECONDS_PER_MILLISECOND
        search = self._begun(symbol, begin, latest // NANOSECONDS_PER_MILLISECOND)
        try:
            await self._go_on(symbol, search)
        finally:
            self._keep(symbol, search)
        mine = [each for each in search.found.values() if each.symbol == symbol]
        covered = search.covered
        return mine, ALL if covered is None else covered * NANOSECONDS_PER_MILLISECOND - 1

    def _begun(self, symbol: str, since: int, latest: int) -> _Search:
        """A look that goes on where the last one of this market ended, if that one began as early."""
        before = self._unfinished.pop(symbol, None)
        known = None if before is None else before.covered
        if before is None or known is None or not before.since <= since <= known:
            return _Search(since, latest, [_Stretch(since, None)], {})
        kept = min(known, before.latest - SETTLED_MILLISECONDS)
        if kept <= since:
            return _Search(since, latest, [_Stretch(since, None)], {})
        found = {name: trade for name, trade in before.found.items() if _is_since(trade, since)}
        return _Search(since, max(latest, before.latest), [_Stretch(kept, None)], found)

    def _keep(self, symbol: str, search: _Search) -> None:
        if search.covered is not None and search.covered > search.since:
            self._unfinished[symbol] = search

    async def _go_on(self, symbol: str, search: _Search) -> None:
        """Ask until nothing is missing, or until no more questions are asked at once."""
        days, unit = days_of_own_trades(self.exchange), unit_of_own_trades(self.exchange)
        while search.stretches and search.questions < MOST_QUESTIONS:
            stretch = search.stretches[-1]
            if days is not None and stretch.end is None and search.latest - stretch.start > days * _DAY:
                end = stretch.start + int(days * _DAY)
                search.stretches[-1:] = search.cut(stretch, end - end % unit)
                continue
            if await self._is_full(symbol, stretch, search):
                parts = search.halves(stretch, unit)
                if not parts and not await self._has_turned_pages(symbol, stretch, search):
                    if search.covered is not None and search.covered > search.since:
                        return
                    raise UnansweredError(f"more own trades within {unit} ms than a list shows")
                search.stretches[-1:] = parts
            else:
                search.stretches.pop()

    async def _has_turned_pages(self, symbol: str, stretch: _Stretch, search: _Search) -> bool:
        """Ask for the pages behind a full one, and say whether the last one has been seen.

        An offset counts from the latest trade on: one that happens meanwhile shows some twice, and hides none.
        """
        length = page_of_own_trades(self.exchange).full_at
        if self.exchange.id not in OFFSETS or length is None:
            return False
        offset = length
        while search.questions < MOST_QUESTIONS:
            if not await self._is_full(symbol, stretch, search, offset):
                return True
            offset += length
        return False

    async def _is_full(self, symbol: str, stretch: _Stretch, search: _Search, offset: int = 0) -> bool:
        """Take the trades that the exchange shows of a stretch; whether there may be more."""
        page = page_of_own_trades(self.exchange)
        asked = None if self.exchange.id in FILTERED_BY_CCXT else symbol
        parameters = {} if stretch.end is None else {"until": stretch.end}
        if offset:
            parameters[OFFSETS[self.exchange.id]] = offset
        search.questions += 1
        answer = await self.exchange.fetch_my_trades(asked, stretch.start, page.limit, parameters)
        trades = read_trades(answer)
        if not is_wholly_read(answer, trades):
            raise UnansweredError("an own trade that cannot be read")
        is_full = page.may_go_on(answer)
        if is_full and stretch.end is not None and _is_later(trades, stretch.end + _SECOND):
            raise UnansweredError("more own trades than a list shows, and the exchange shows later ones than asked for")
        search.take(trades)
        return is_full


def _is_later(trades: list[SeenTrade], end: int) -> bool:
    return any(trade.exchange_time > end * NANOSECONDS_PER_MILLISECOND for trade in trades)


def _is_since(trade: SeenTrade, since: int) -> bool:
    return trade.exchange_time >= since * NANOSECONDS_PER_MILLISECOND
