"""Every own trade of a stretch of time, in as many questions as that takes.

Some exchanges show the oldest trades of the stretch first, others the latest, and each cuts its list somewhere. So a
list that is full proves nothing beyond what it shows, in neither direction: its stretch is halved, and both halves are
asked for, until no list is full.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, frozen

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.venues.ccxt_venue.pages import FILTERED_BY_CCXT, days_of_own_trades, page_of_own_trades
from mm_fsm.venues.ccxt_venue.payloads import SeenTrade, is_wholly_read, read_trades

MOST_QUESTIONS: Final = 40
ALL: Final = 2**63
"""Stands for the end of time."""
_DAY: Final = 86_400_000
_SECOND: Final = 1_000
"""Milliseconds. Some exchanges know whole seconds alone, so that stretches are cut at whole seconds."""


class UnansweredError(Exception):
    """The exchange's answer does not say what was asked."""


@frozen
class _Stretch:
    """Milliseconds of the exchange's time; ``end`` None: up to now, and whatever has happened since."""

    start: int
    end: int | None


@define(eq=False)
class OwnTradeLists:
    """Lists of own trades of one account.

    Args:
        exchange: for questions.
    """

    exchange: Any

    async def since(self, symbol: str, since: int, latest: int) -> tuple[list[SeenTrade], int]:
        """Own trades of a market since a time of the exchange, and the time up to which that is all of them.

        Args:
            symbol: of the market.
            since: nanoseconds.
            latest: the latest time that was heard of the exchange, nanoseconds.

        Raises:
            UnansweredError: what the exchange shows does not say which trades there are.
            Exception: what ccxt raises.
        """
        latest //= NANOSECONDS_PER_MILLISECOND
        days = days_of_own_trades(self.exchange)
        stretches = [_Stretch(since // NANOSECONDS_PER_MILLISECOND, None)]
        found: dict[str, SeenTrade] = {}
        questions = 0
        while stretches and questions < MOST_QUESTIONS:
            stretch = stretches.pop()
            if days is not None and stretch.end is None and latest - stretch.start > days * _DAY:
                stretches += _cut(stretch, stretch.start + int(days * _DAY), latest)
                continue
            questions += 1
            trades, is_full = await self._ask(symbol, stretch)
            found.update((trade.trade_id, trade) for trade in trades)
            if is_full:
                middle = (stretch.start + (latest if stretch.end is None else stretch.end)) // 2
                stretches += _cut(stretch, middle, latest)
        mine = [trade for trade in found.values() if trade.symbol == symbol]
        return mine, (stretches[-1].start * NANOSECONDS_PER_MILLISECOND - 1 if stretches else ALL)

    async def _ask(self, symbol: str, stretch: _Stretch) -> tuple[list[SeenTrade], bool]:
        """The trades that the exchange shows of a stretch, and whether there may be more."""
        page = page_of_own_trades(self.exchange)
        asked = None if self.exchange.id in FILTERED_BY_CCXT else symbol
        until = {} if stretch.end is None else {"until": stretch.end}
        answer = await self.exchange.fetch_my_trades(asked, stretch.start, page.limit, until)
        trades = read_trades(answer)
        if not is_wholly_read(answer, trades):
            raise UnansweredError("an own trade that cannot be read")
        is_full = page.may_go_on(answer)
        if is_full and stretch.end is not None and _is_later(trades, stretch.end + _SECOND):
            raise UnansweredError("more own trades than a list shows, and the exchange shows later ones than asked for")
        return trades, is_full


def _is_later(trades: list[SeenTrade], end: int) -> bool:
    return any(trade.exchange_time > end * NANOSECONDS_PER_MILLISECOND for trade in trades)


def _cut(stretch: _Stretch, middle: int, latest: int) -> tuple[_Stretch, _Stretch]:
    """Both parts, the earlier one last; what happened at the cut is in both.

    Raises:
        UnansweredError: the stretch is as short as can be.
    """
    middle -= middle % _SECOND
    if not stretch.start < middle < (latest if stretch.end is None else stretch.end):
        raise UnansweredError("more own trades in a second than a list shows")
    return _Stretch(middle, stretch.end), _Stretch(stretch.start, middle)
